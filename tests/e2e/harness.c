/* SPDX-License-Identifier: Apache-2.0
 *
 * Child processes and their reports. Output is collected in memory files, so that a child can
 * write as much as it likes; the report is a file below the build directory and removed.
 */
#include "harness.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	ck_assert_msg(value != NULL, "%s is not set: run this by `make check`", name);
	return value;
}

/* MADV_GUARD_INSTALL, Linux 6.13. */
static bool kernel_has_guards(void)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page =
	        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool has_guards = madvise(page, bytes, 102) == 0;

	munmap(page, bytes);
	return has_guards;
}

/* UFFD_FEATURE_MOVE, Linux 6.8, with the UFFD_USER_MODE_ONLY that needs no privilege. */
static bool kernel_has_move(void)
{
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_SIGBUS | 1 << 16};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | 1);
	bool has_move = fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0;

	if (fd >= 0)
		close(fd);
	return has_move;
}

static bool kernel_has(enum e2e_backend backend)
{
	if (backend == E2E_MOVE)
		return kernel_has_move();
	return backend != E2E_GUARD || kernel_has_guards();
}

static bool is_long(void)
{
	return getenv("FP_TEST_LONG") != NULL;
}

int e2e_shared_runs(int rows, int backends)
{
	return is_long() ? rows * backends : rows;
}

int e2e_shared_index(int run, int rows, int backends)
{
	int present[E2E_BACKEND_COUNT];
	int count = 0;

	if (is_long())
		return run;
	for (int backend = 0; backend < backends; backend++)
		if (kernel_has(backend))
			present[count++] = backend;
	/* A test of a single behaviour is on the best back end. */
	return run + rows * present[run % count];
}

bool e2e_can_run(enum e2e_backend backend)
{
	bool has = kernel_has(backend);

	if (!has)
		printf("SKIPPED: back end %s\n",
		       backend == E2E_MOVE
		               ? "move: this kernel has no UFFDIO_MOVE (Linux 6.8), or does "
		                 "not "
		                 "let us use it"
		               : "guard: this kernel has no MADV_GUARD_INSTALL (Linux 6.13)");
	return has;
}

const char *e2e_backend_option(enum e2e_backend backend)
{
	static const char *const options[E2E_BACKEND_COUNT] = {
	        [E2E_MOVE] = "backend=move",
	        [E2E_GUARD] = "backend=guard",
	        [E2E_MPROTECT] = "backend=mprotect",
	        [E2E_NONE] = "backend=none",
	};

	return options[backend];
}

const char *e2e_source(const char *path)
{
	static char paths[2][PATH_BYTES];
	static int next;

	next = !next;
	snprintf(paths[next], PATH_BYTES, "%s/%s", environment("top_srcdir"), path);
	return paths[next];
}

/* ---- Running ------------------------------------------------------------------------------
 */

static int memory_file(const char *content)
{
	int fd = memfd_create("e2e", 0);

	ck_assert_int_ge(fd, 0);
	if (content != NULL) {
		size_t length = strlen(content);

		ck_assert_int_eq(write(fd, content, length), (ssize_t)length);
		lseek(fd, 0, SEEK_SET);
	}
	return fd;
}

static char *take_content(int fd)
{
	off_t length = lseek(fd, 0, SEEK_END);
	char *content = malloc((size_t)length + 1);

	ck_assert_ptr_nonnull(content);
	ck_assert_int_eq(pread(fd, content, (size_t)length, 0), length);
	content[length] = '\0';
	close(fd);
	return content;
}

__attribute__((noreturn)) static void become(const char *options, const char *const argv[],
                                             const int fds[3])
{
	char path[PATH_BYTES];

	for (int i = 0; i < 3; i++)
		dup2(fds[i], i);
	snprintf(path, sizeof(path), "%s/%s", environment("FP_BUILDDIR"), argv[0]);
	setenv("FENCEPOST_OPTIONS", options, 1);
	execv(path, (char *const *)(uintptr_t)argv);
	fprintf(stderr, "cannot execute %s: %s\n", path, strerror(errno));
	_exit(127);
}

static bool is_named(long process, const char *name)
{
	enum { NAME_BYTES = 15 }; /* of which the kernel keeps so many */
	char path[PATH_BYTES];
	char kept[NAME_BYTES + 2] = "";

	snprintf(path, sizeof(path), "/proc/%ld/comm", process);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return false;
	bool is_read = fgets(kept, sizeof(kept), file) != NULL;
	fclose(file);
	kept[strcspn(kept, "\n")] = '\0';
	return is_read && strncmp(kept, name, NAME_BYTES) == 0;
}

/* Whether a child of ours is still PROGRAM. Those that are its watcher are waited for: it is a
 * child of ours once its parent has ended, and may be making the report. Other children are the
 * test's own. */
static bool await_watchers(const char *program)
{
	FILE *children = fopen("/proc/thread-self/children", "r");
	bool is_left = false;
	long process;

	while (children != NULL && fscanf(children, "%ld", &process) == 1)
		if (is_named(process, "fencepost"))
			waitpid((pid_t)process, NULL, 0);
		else
			is_left |= is_named(process, program);
	if (children != NULL)
		fclose(children);
	return is_left;
}

/* On a busy machine a program may have died before its watcher became one. */
static void await_end(const char *program, int status)
{
	enum { TURNS = 1000, TURN_MICROSECONDS = 10000 };

	for (int i = 0; await_watchers(program) && WIFSIGNALED(status) && i < TURNS; i++)
		usleep(TURN_MICROSECONDS);
}

void e2e_run_raw(struct e2e_run *run, const char *options, const char *const argv[])
{
	const int fds[3] = {memory_file(run->input), memory_file(NULL), memory_file(NULL)};
	pid_t child;

	fflush(NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		become(options, argv, fds);
	ck_assert_int_eq(waitpid(child, &run->status, 0), child);
	await_end(strrchr(argv[0], '/') == NULL ? argv[0] : strrchr(argv[0], '/') + 1,
	          run->status);
	close(fds[0]);
	run->out = take_content(fds[1]);
	run->err = take_content(fds[2]);
	run->report = NULL;
}

void e2e_run(struct e2e_run *run, const char *options, const char *const argv[])
{
	const char *builddir = environment("FP_BUILDDIR");
	char report[PATH_BYTES];
	char all[2 * PATH_BYTES];
	json_error_t error;

	snprintf(report, sizeof(report), "%s/tests/e2e/report-%d.json", builddir,
	         (int)getpid());
	snprintf(all, sizeof(all), "json=%s:reporter=%s/src/cli/fencepost%s%s", report,
	         builddir, options != NULL ? ":" : "", options != NULL ? options : "");
	unlink(report);
	e2e_run_raw(run, all, argv);
	if (access(report, F_OK) != 0)
		return;
	run->report = json_load_file(report, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(run->report != NULL, "%s:%d: %s", report, error.line, error.text);
	unlink(report);
}

void e2e_release(struct e2e_run *run)
{
	free(run->out);
	free(run->err);
	json_decref(run->report);
}

void e2e_check_exit(const struct e2e_run *run, int code)
{
	ck_assert_msg(WIFEXITED(run->status) && WEXITSTATUS(run->status) == code,
	              "status 0x%x, not exit %d; standard error:\n%s", (unsigned)run->status,
	              code, run->err);
}

/* ---- Reports ------------------------------------------------------------------------------
 */

int e2e_marker_line(const char *path, const char *marker)
{
	FILE *file = fopen(e2e_source(path), "r");
	char comment[200];
	char line[1000];
	int number = 0;
	int found = 0;

	ck_assert_msg(file != NULL, "cannot open %s", path);
	snprintf(comment, sizeof(comment), "/* plant: %s */", marker);
	while (fgets(line, sizeof(line), file) != NULL) {
		number++;
		if (strstr(line, comment) == NULL)
			continue;
		ck_assert_msg(found == 0, "%s: %s stands twice", path, comment);
		found = number;
	}
	fclose(file);
	ck_assert_msg(found != 0, "%s: %s not found", path, comment);
	return found;
}

json_t *e2e_get(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	ck_assert_msg(value != NULL, "no \"%s\" in the report", key);
	return value;
}

long e2e_get_integer(const json_t *object, const char *key)
{
	const json_t *value = e2e_get(object, key);

	ck_assert_msg(json_is_integer(value), "\"%s\" is no integer", key);
	return (long)json_integer_value(value);
}

const char *e2e_get_string(const json_t *object, const char *key)
{
	const char *value = json_string_value(e2e_get(object, key));

	ck_assert_msg(value != NULL, "\"%s\" is no string", key);
	return value;
}

static size_t array_size(const json_t *report, const char *key)
{
	const json_t *array = e2e_get(report, key);

	ck_assert_msg(json_is_array(array), "\"%s\" is no array", key);
	return json_array_size(array);
}

size_t e2e_take_findings(struct e2e_run *run, const char *kind)
{
	json_t *findings = e2e_get(run->report, "findings");
	size_t taken = 0;

	for (size_t i = json_array_size(findings); i-- > 0;) {
		if (strcmp(e2e_get_string(json_array_get(findings, i), "kind"), kind) != 0)
			continue;
		json_array_remove(findings, i);
		taken++;
	}
	return taken;
}

void e2e_check_counts(const struct e2e_run *run, size_t count, size_t leaks)
{
	const json_t *report = run->report;

	ck_assert_msg(report != NULL, "no report was written; standard error:\n%s", run->err);
	ck_assert_str_eq(e2e_get_string(report, "schema"), "fencepost-report-1");
	ck_assert_msg(array_size(report, "findings") == count, "%zu findings, not %zu:\n%s",
	              array_size(report, "findings"), count, run->err);
	ck_assert_msg(array_size(report, "leaks") == leaks, "%zu leaks, not %zu:\n%s",
	              array_size(report, "leaks"), leaks, run->err);
}

void e2e_check_stack(const json_t *stack, const char *source, const char *marker)
{
	const json_t *frame = json_array_get(stack, 0);
	const char *file;
	const char *name = strrchr(source, '/') + 1;

	ck_assert_msg(frame != NULL, "%s: the stack is empty", marker);
	ck_assert_msg(json_is_string(e2e_get(frame, "file")), "%s: no file in %s", marker,
	              json_string_value(json_object_get(frame, "function")));
	file = e2e_get_string(frame, "file");
	ck_assert_msg(
	        strcmp(strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file, name) == 0,
	        "%s: in %s, not %s", marker, file, name);
	ck_assert_msg(e2e_get_integer(frame, "line") == e2e_marker_line(source, marker),
	              "%s: line %ld, not %d", marker, e2e_get_integer(frame, "line"),
	              e2e_marker_line(source, marker));
}

static void check_block(const json_t *block, const struct e2e_finding *expected)
{
	if (expected->allocation == NULL) {
		ck_assert(json_is_null(block));
		return;
	}
	ck_assert_int_eq(e2e_get_integer(block, "size"), expected->size);
	ck_assert_int_eq(e2e_get_integer(block, "offset"), expected->offset);
	ck_assert_str_eq(e2e_get_string(block, "family"), "host");
	e2e_check_stack(e2e_get(block, "alloc_stack"), expected->source, expected->allocation);
	if (expected->first_free != NULL)
		e2e_check_stack(e2e_get(block, "free_stack"), expected->source,
		                expected->first_free);
}

void e2e_check_finding(const struct e2e_run *run, const struct e2e_finding *expected)
{
	const json_t *finding = json_array_get(json_object_get(run->report, "findings"), 0);
	const json_t *stack = e2e_get(finding, "stack");

	ck_assert_str_eq(e2e_get_string(finding, "kind"), expected->kind);
	ck_assert_str_eq(e2e_get_string(finding, "access"), expected->access);
	ck_assert_int_eq(e2e_get_integer(finding, "count"),
	                 expected->count != 0 ? expected->count : 1);
	if (expected->is_refused)
		ck_assert_str_eq(e2e_get_string(finding, "hresult"), "HOST_E_INVALIDOPERATION");
	else
		ck_assert(json_is_null(e2e_get(finding, "hresult")));
	if (expected->call != NULL)
		e2e_check_stack(stack, expected->source, expected->call);
	else
		ck_assert_uint_eq(json_array_size(stack), 0);
	check_block(e2e_get(finding, "block"), expected);
}
