/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost doctor`: what works here, what it costs, and what to type where it does not: a fix
 * is a command, and what no command does is advice. It finds out by doing, and changes nothing.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/meta.h"
#include "base/proc.h"
#include "base/tool_messages.h"
#include "base/vm.h"
#include "cli/cli.h"
#include "guard/guard.h"
#include "report/text/page.h"

enum verdict { OK, WARNING, PROBLEM, VERDICTS };

struct check {
	const char *name;
	enum verdict verdict;
	char *text;           /* NULL when memory ran out */
	char *fix;            /* a command to type; NULL when there is none */
	char *advice;         /* what else to do; NULL when there is nothing */
	uint64_t nanoseconds; /* what one block costs; 0 when that was not measured */
};

enum { CHECKS_MAX = 32 };

static struct {
	struct check checks[CHECKS_MAX];
	size_t count;
	const char *backend; /* the one that would be used; "none" when nothing protects */
} checkup = {.backend = "none"};

/* A limit of the shell, as ulimit and prlimit(1) name it. */
struct limit {
	int resource;
	char letter;
	const char *name;
	rlim_t wanted;
};

static const char *const verdicts[VERDICTS] = {
        [OK] = "ok",
        [WARNING] = "warning",
        [PROBLEM] = "problem",
};

/* The text is as of printf(3), and replaces the one before. */
__attribute__((format(printf, 2, 3))) static void set(char **text, const char *format, ...)
{
	va_list arguments;

	free(*text);
	va_start(arguments, format);
	if (vasprintf(text, format, arguments) < 0)
		*text = NULL;
	va_end(arguments);
}

/* Adds a line, without fix and advice. */
__attribute__((format(printf, 3, 4))) static struct check *
add(const char *name, enum verdict verdict, const char *format, ...)
{
	struct check *check = &checkup.checks[checkup.count];
	va_list arguments;

	checkup.count += checkup.count + 1 < CHECKS_MAX;
	*check = (struct check){.name = name, .verdict = verdict};
	va_start(arguments, format);
	if (vasprintf(&check->text, format, arguments) < 0)
		check->text = NULL;
	va_end(arguments);
	return check;
}

/* ---- Fixes ---------------------------------------------------------------------------------
 *
 * Commands that mend what the doctor found, as they can be typed by who asked it: with sudo
 * where that takes root, for the shell where a limit is its own, with the names of this
 * system's packages. Nothing is executed but the package manager's question of whose a file is.
 */

enum { DESCRIPTORS_WANTED = 1024, STATUS_BYTES = 8192 };

static const struct limit limit_address_space = {RLIMIT_AS, 'v', "as", RLIM_INFINITY};
static const struct limit limit_descriptors = {RLIMIT_NOFILE, 'n', "nofile",
                                               DESCRIPTORS_WANTED};

/* Of /proc/thread-self/status. */
static int seccomp_mode(void)
{
	static const char key[] = "\nSeccomp:";
	char text[STATUS_BYTES];
	int fd = open(FP_PROC_SELF "status", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[length < 0 ? 0 : length] = '\0';
	const char *found = strstr(text, key);
	return found ? atoi(found + strlen(key)) : -1;
}

static const char *sudo(void)
{
	return geteuid() == 0 ? "" : "sudo ";
}

static void fix_limit(struct check *check, const struct limit *limit)
{
	struct rlimit now = {0};
	char value[24] = "unlimited";

	getrlimit((__rlimit_resource_t)limit->resource, &now);
	if (limit->wanted != RLIM_INFINITY)
		snprintf(value, sizeof(value), "%lu", (unsigned long)limit->wanted);
	if (now.rlim_max >= limit->wanted || geteuid() == 0)
		set(&check->fix, "ulimit -%c %s", limit->letter, value);
	else
		set(&check->fix, FP_SAY_SUDO_PRLIMIT_PID, limit->name, value);
}

/* Whether QUESTION about the file PATH is answered: by a line that begins with the name of a
 * package, which ends at one of ENDS. */
static bool ask(const char *question, const char *path, const char *ends,
                char package[PATH_MAX])
{
	char *quoted = fp_cli_quote(path);
	char *command = NULL;
	FILE *in = NULL;

	if (quoted && asprintf(&command, "%s %s </dev/null 2>/dev/null", question, quoted) >= 0)
		in = popen(command, "re");
	bool is_there = in && fgets(package, PATH_MAX, in) != NULL;
	if (in)
		is_there = pclose(in) == 0 && is_there;
	free(command);
	free(quoted);
	if (is_there)
		package[strcspn(package, ends)] = '\0';
	return is_there && package[0] != '\0' && !strchr(package, ' ');
}

/* "coreutils: /bin/true" */
static bool ask_dpkg(const char *path, char package[PATH_MAX])
{
	return ask("dpkg-query -S --", path, ":,\n", package);
}

static bool fix_by_package(struct check *check, const char *path)
{
	static const char merged[] = "/usr/";
	char package[PATH_MAX];
	char *real = realpath(path, NULL);
	const char *file = real ? real : path;
	/* Where /bin is a link to /usr/bin, packages may still list /bin. */
	const char *older =
	        strncmp(file, merged, strlen(merged)) == 0 ? file + strlen(merged) - 1 : file;
	bool is_found = true;

	if (ask_dpkg(file, package) || ask_dpkg(older, package))
		set(&check->fix, FP_SAY_APT_GET_INSTALL, sudo(), package);
	else if (ask("rpm -qf --qf '%{NAME}\\n'", file, "\n", package))
		set(&check->fix, FP_SAY_DNF_DEBUGINFO_INSTALL, sudo(), package);
	else
		is_found = false;
	free(real);
	return is_found;
}

/* ---- Back ends -----------------------------------------------------------------------------
 *
 * Every back end of the guard module at work: probed as a program would have it, then timed.
 * Each has a child of its own, because a process has one back end, and a filter may kill it.
 */

enum {
	WARM_UP_ROUNDS = 200,
	ROUNDS = 50, /* between two looks at the clock */
	MEASURED_NANOSECONDS = 40000000,
	FILL = 0xcb
};

/* What a child has to say. */
struct trial {
	int status; /* 0, or a negative errno */
	uint64_t nanoseconds;
};

/* Best first, as the guard module has them. */
static const struct {
	const char *name;
	const char *check;
	const char *kernel; /* the first one that has it */
} backends[] = {
        {"move", FP_SAY_BACK_END_MOVE, "6.8"},
        {"guard", FP_SAY_BACK_END_GUARD, "6.13"},
        {"mprotect", FP_SAY_BACK_END_MPROTECT, NULL},
};

enum { BACKENDS = sizeof(backends) / sizeof(backends[0]) };

/* As a program that takes a block, writes to it and gives it back. */
static int churn(unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		struct fp_slot slot = {0};
		int status = fp_guard_acquire(1, false, &slot);

		if (status != 0)
			return status;
		*(volatile char *)slot.base = 1;
		slot.is_filled = false;
		status = fp_guard_release(&slot);
		if (status != 0)
			return status;
	}
	return 0;
}

static void try_out(const char *name, struct trial *trial)
{
	const struct fp_guard_config config = {.backend = name, .guard_pages = 1, .fill = FILL};
	uint64_t rounds = 0;
	uint64_t spent = 0;
	const char *why;
	int status = fp_guard_init(&config, &why);

	if (status == 0)
		status = churn(WARM_UP_ROUNDS);
	uint64_t start = fp_clock_processor(CLOCK_PROCESS_CPUTIME_ID);
	while (status == 0 && spent < MEASURED_NANOSECONDS) {
		status = churn(ROUNDS);
		rounds += ROUNDS;
		spent = fp_clock_processor(CLOCK_PROCESS_CPUTIME_ID) - start;
	}
	/* Address space is used once: a small limit ends the measurement, not the back end. */
	if (status == -ENOMEM && rounds > ROUNDS)
		status = 0;
	*trial = (struct trial){status, status == 0 ? spent / rounds : 0};
}

static struct trial run_trial(const char *name)
{
	struct trial *shared = fp_meta_alloc_shared(fp_vm_page_size());

	if (!shared)
		return (struct trial){.status = -ENOMEM};
	shared->status = -EPERM; /* until it says more: a filter may kill it */
	pid_t child = fork();
	if (child == 0) {
		/* A death here is no news for a collector of core dumps. */
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		try_out(name, shared);
		_exit(0);
	}
	if (child < 0)
		shared->status = -errno;
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	const struct trial trial = *shared;
	fp_meta_free(shared, fp_vm_page_size());
	return trial;
}

/* A filter refuses, or a setting of the machine. */
static void advise_permission(struct check *check)
{
	if (seccomp_mode() != 0) {
		set(&check->fix, FP_SAY_DOCKER_RUN_SECURITY);
		set(&check->advice, FP_SAY_PROFILE_FOR_BOTH);
	} else {
		set(&check->fix, "%ssysctl -w vm.unprivileged_userfaultfd=1", sudo());
	}
}

static void advise(struct check *check, size_t i, int status)
{
	struct utsname system = {.release = ""};

	uname(&system);
	switch (status) {
	case -EPERM:
		advise_permission(check);
		break;
	case -EMFILE:
		fix_limit(check, &limit_descriptors);
		break;
	case -ENFILE:
		set(&check->fix, "%ssysctl -w fs.file-max=1000000", sudo());
		break;
	case -ENOMEM:
		fix_limit(check, &limit_address_space);
		break;
	default:
		if (backends[i].kernel)
			set(&check->advice, FP_SAY_BOOT_LINUX_NEWER, backends[i].kernel,
			    system.release);
	}
}

static void check_backend(size_t i)
{
	const char *name = backends[i].name;
	bool is_wanted = strcmp(checkup.backend, "none") == 0;
	const struct trial trial = run_trial(name);

	if (trial.status != 0) {
		struct check *check = add(backends[i].check, is_wanted ? WARNING : OK,
		                          FP_SAY_DOES_NOT_WORK, strerror(-trial.status));
		if (is_wanted)
			advise(check, i, trial.status);
		return;
	}
	if (is_wanted)
		checkup.backend = name;
	add(backends[i].check, OK, FP_SAY_BACKEND_WORKS,
	    is_wanted ? FP_SAY_BACKEND_IS_USED : "", (unsigned long)trial.nanoseconds)
	        ->nanoseconds = trial.nanoseconds;
}

static void check_backends(void)
{
	for (size_t i = 0; i < BACKENDS; i++)
		check_backend(i);
	if (strcmp(checkup.backend, "none") != 0)
		return;
	struct check *check = add(FP_SAY_BACK_END_NONE, PROBLEM, FP_SAY_BACKEND_NONE_ONLY);
	/* What mends one of them. */
	for (const struct check *other = check; other-- != checkup.checks;)
		if (other->fix && !check->fix)
			set(&check->fix, "%s", other->fix);
	set(&check->advice, FP_SAY_ONE_BACK_END);
}

/* ---- Limits --------------------------------------------------------------------------------
 *
 * Limits of the machine, the container and the shell that a guarded heap runs into sooner than
 * other programs.
 */

enum {
	MAPPINGS_WANTED = 1 << 20,
	FREE_DESCRIPTORS_WANTED = 32,
	FREE_DESCRIPTORS_NEEDED = 6 /* pipes, the log, the back end's own */
};

static void check_mappings(void)
{
	unsigned long most = (unsigned long)fp_vm_mappings_max();

	if (strcmp(checkup.backend, "mprotect") != 0 || most >= MAPPINGS_WANTED) {
		add("vm.max_map_count", OK, FP_SAY_MAPPINGS, most, checkup.backend);
		return;
	}
	struct check *check =
	        add("vm.max_map_count", WARNING, FP_SAY_MAPPINGS_BACK_END, most, most / 2);
	set(&check->fix, "%ssysctl -w vm.max_map_count=%d", sudo(), MAPPINGS_WANTED);
}

/* Every block takes a page and a guard of address space, once and for all; half of what there
 * is stays the program's. */
static void check_address_space(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	getrlimit(RLIMIT_AS, &limit);
	if (limit.rlim_cur == RLIM_INFINITY) {
		add(FP_SAY_ADDRESS_SPACE, OK, FP_SAY_NOT_LIMITED);
		return;
	}
	struct check *check =
	        add(FP_SAY_ADDRESS_SPACE, WARNING, FP_SAY_SPACE_LIMITED,
	            (unsigned long)limit.rlim_cur / 1024,
	            (unsigned long)(limit.rlim_cur / 2 / (2 * fp_vm_page_size())));
	fix_limit(check, &limit_address_space);
}

/* The number in a file of /proc/sys; -1 when it cannot be read. */
static long read_setting(const char *path)
{
	FILE *in = fopen(path, "re");
	long value = -1;

	if (!in)
		return -1;
	if (fscanf(in, "%ld", &value) != 1)
		value = -1;
	fclose(in);
	return value;
}

static void check_overcommit(void)
{
	long mode = read_setting("/proc/sys/vm/overcommit_memory");

	if (mode != 2) {
		add("overcommit", OK, FP_SAY_OVERCOMMIT_FREE);
		return;
	}
	struct check *check = add("overcommit", WARNING, FP_SAY_OVERCOMMIT_STRICT);
	set(&check->fix, "%ssysctl -w vm.overcommit_memory=0", sudo());
}

static int count_free_descriptors(void)
{
	int taken[FREE_DESCRIPTORS_WANTED];
	int count = 0;

	while (count < FREE_DESCRIPTORS_WANTED &&
	       (taken[count] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
		count++;
	for (int i = 0; i < count; i++)
		close(taken[i]);
	return count;
}

static void check_descriptors(void)
{
	struct rlimit limit = {0};
	int unused = count_free_descriptors();

	getrlimit(RLIMIT_NOFILE, &limit);
	unsigned long most = (unsigned long)limit.rlim_cur;
	if (unused == FREE_DESCRIPTORS_WANTED) {
		add("descriptors", OK, "%lu", most);
		return;
	}
	struct check *check =
	        add("descriptors", unused < FREE_DESCRIPTORS_NEEDED ? PROBLEM : WARNING,
	            FP_SAY_FEW_DESCRIPTORS, unused, most);
	fix_limit(check, &limit_descriptors);
}

static void check_seccomp(void)
{
	bool is_best = strcmp(checkup.backend, "move") == 0;
	int mode = seccomp_mode();
	struct check *check;

	if (mode < 0) {
		check = add("seccomp", PROBLEM, FP_SAY_PROC_HIDDEN);
		set(&check->fix, FP_SAY_MOUNT_T_PROC, sudo());
	} else if (mode == 0) {
		add("seccomp", OK, FP_SAY_NO_FILTER);
	} else if (is_best) {
		add("seccomp", OK, FP_SAY_FILTER_ALLOWS_MOVE);
	} else {
		check = add("seccomp", WARNING, FP_SAY_FILTER_MAY_STOP_MOVE);
		set(&check->fix, FP_SAY_DOCKER_RUN_SECURITY);
		set(&check->advice, FP_SAY_PROFILE_FOR_MOVE);
	}
}

static void check_library(void)
{
	char *path = fp_cli_find_library();

	if (path && access(path, R_OK) == 0 && !strpbrk(path, ": ")) {
		add("library", OK, "%s", path);
	} else {
		struct check *check = add("library", PROBLEM, FP_SAY_LIBRARY_UNUSABLE,
		                          path ? path : "libfencepost-preload.so");
		set(&check->fix, FP_SAY_CONFIGURE, sudo());
		set(&check->advice, FP_SAY_ANOTHER_PREFIX_WITHOUT);
	}
	free(path);
}

static void check_temporary_directory(void)
{
	const char *path = fp_cli_temporary_directory();

	if (access(path, W_OK | X_OK) == 0) {
		add(FP_SAY_TEMPORARY_DIRECTORY, OK, "%s", path);
		return;
	}
	struct check *check = add(FP_SAY_TEMPORARY_DIRECTORY, PROBLEM,
	                          FP_SAY_TEMPORARY_UNUSABLE, path, strerror(errno));
	set(&check->fix, "export TMPDIR=$HOME");
}

/* ---- A program -----------------------------------------------------------------------------
 *
 * What can be told of a program from its file: whether the library can be put under it, whether
 * it has blocks that no malloc sees, and whether frames of it will have names and lines.
 */

/* Why NAME is no program, and what would make it one. */
static void advise_missing(struct check *check, const char *name, int error)
{
	char *quoted = fp_cli_quote(name);
	struct stat status;
	bool is_here = stat(name, &status) == 0;

	if (is_here && S_ISDIR(status.st_mode))
		set(&check->advice, FP_SAY_DIRECTORY_NAME_PROGRAM);
	else if (error == EACCES && quoted)
		set(&check->fix, "chmod +x %s", quoted);
	else if (is_here && !strchr(name, '/') && quoted)
		set(&check->fix, FP_SAY_FENCEPOST_DOCTOR, quoted);
	else
		set(&check->advice, FP_SAY_GIVE_ITS_PATH);
	free(quoted);
}

static bool check_found(const char *name, char **path)
{
	*path = fp_cli_find_program(name);
	if (*path)
		return true;
	int error = errno;
	struct check *check =
	        add("program", PROBLEM, FP_SAY_PROGRAM_CANNOT_RUN, name, strerror(error));
	advise_missing(check, name, error);
	return false;
}

/* What cp makes has none. */
static void fix_privileges(struct check *check, const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char *from = fp_cli_quote(path);
	char *to = fp_cli_quote(name);

	if (from && to)
		set(&check->fix, FP_SAY_COPY_PROGRAM, from, to);
	free(from);
	free(to);
}

static bool check_obstacle(const char *path)
{
	struct fp_cli_obstacle obstacle;

	if (!fp_cli_find_obstacle(path, &obstacle)) {
		add("program", OK, FP_SAY_CAN_RUN, path);
		return true;
	}
	struct check *check = add("program", PROBLEM, "%s", obstacle.what);
	set(&check->advice, "%s", obstacle.remedy);
	if (obstacle.is_privileged)
		fix_privileges(check, path);
	free(obstacle.what);
	return false;
}

static void check_allocator(const struct fp_cli_image *image, const char *path)
{
	const char *allocator = fp_cli_image_allocator(image);
	char *quoted = fp_cli_quote(path);

	if (!allocator) {
		add("allocator", OK, FP_SAY_NO_OWN_ALLOCATOR);
		free(quoted);
		return;
	}
	struct check *check = add("allocator", WARNING, FP_SAY_OWN_ALLOCATOR, allocator);
	if (fp_cli_is_pool(allocator) && quoted)
		set(&check->fix, FP_SAY_RUN_POOLS_OFF_WITH, quoted);
	else
		set(&check->advice, FP_SAY_BUILD_WITHOUT_ALLOCATOR);
	free(quoted);
}

static void check_debug_information(const struct fp_cli_image *image, const char *path)
{
	char separate[FP_CLI_DEBUG_PATH_MAX];
	struct check *check;

	fp_cli_image_debug_path(image, separate);
	if (fp_cli_image_has_section(image, ".debug_info")) {
		add(FP_SAY_DEBUG_INFORMATION, OK, FP_SAY_PROGRAM_ITSELF);
		return;
	}
	if (separate[0] != '\0' && access(separate, R_OK) == 0) {
		add(FP_SAY_DEBUG_INFORMATION, OK, "in %s", separate);
		return;
	}
	if (fp_cli_image_has_section(image, ".symtab"))
		check = add(FP_SAY_DEBUG_INFORMATION, WARNING, FP_SAY_NONE_FRAMES_HAVE);
	else
		check = add(FP_SAY_DEBUG_INFORMATION, WARNING, FP_SAY_STRIPPED_FRAMES_HAVE);
	if (fix_by_package(check, path)) {
		if (separate[0] != '\0')
			set(&check->advice, FP_SAY_HAVE_FETCHED_FENCEPOST);
		return;
	}
	set(&check->advice, FP_SAY_BUILD_WITH_DEBUG);
	if (separate[0] != '\0')
		set(&check->advice, FP_SAY_BUILD_WITH_DEBUG_OR_PUT, separate);
}

static void check_program(const char *name)
{
	struct fp_cli_image *image;
	char *path;

	if (!check_found(name, &path))
		return;
	if (check_obstacle(path)) {
		char *executed = fp_cli_find_executed(path);

		if (executed && strcmp(executed, path) != 0)
			add("script", OK, FP_SAY_EXECUTED, executed);
		image = executed ? fp_cli_image_open(executed) : NULL;
		if (image) {
			check_allocator(image, path);
			check_debug_information(image, executed);
			add("speed", OK, FP_SAY_RUN_TAKES_LONG, path);
		}
		fp_cli_image_close(image);
		free(executed);
	}
	free(path);
}

/* ---- The command ---------------------------------------------------------------------------
 * Out of what the others add.
 */

struct request {
	bool is_json;
	const char *program; /* or NULL */
};

static size_t count_of(enum verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < checkup.count; i++)
		count += checkup.checks[i].verdict == verdict;
	return count;
}

/* What is told may be a path, with anything in it. */
static void print_line(FILE *out, const char *beginning, const char *text)
{
	const struct fp_report_page page = {.out = out};

	if (!text)
		return;
	fputs(beginning, out);
	fp_report_print_escaped(&page, (struct fp_report_string){text, strlen(text)});
	fputc('\n', out);
}

static void print(FILE *out)
{
	size_t problems = count_of(PROBLEM);
	size_t warnings = count_of(WARNING);

	for (size_t i = 0; i < checkup.count; i++) {
		const struct check *check = &checkup.checks[i];

		fprintf(out, "%-8s %s", verdicts[check->verdict], check->name);
		print_line(out, ": ", check->text ? check->text : "");
		print_line(out, "         fix: ", check->fix);
		print_line(out, "         advice: ", check->advice);
	}
	fprintf(out, FP_SAY_PROBLEMS_AND_WARNINGS, problems, problems == 1 ? "" : "s", warnings,
	        warnings == 1 ? "" : "s");
}

/* A path need not be UTF-8, which JSON is. */
static json_t *json_text(const char *text)
{
	if (!text)
		return json_null();
	json_t *string = json_string(text);
	return string ? string : json_string("not UTF-8");
}

static int print_json(FILE *out)
{
	json_t *checks = json_array();

	for (size_t i = 0; i < checkup.count; i++) {
		const struct check *check = &checkup.checks[i];
		json_t *line = json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", check->name,
		                         "status", verdicts[check->verdict], "text",
		                         json_text(check->text), "fix", json_text(check->fix),
		                         "advice", json_text(check->advice));

		if (check->nanoseconds > 0)
			json_object_set_new(line, "nanoseconds",
			                    json_integer((json_int_t)check->nanoseconds));
		json_array_append_new(checks, line);
	}
	json_t *root =
	        json_pack("{s:s, s:s, s:I, s:I, s:o}", "schema", "fencepost-doctor-1",
	                  "backend", checkup.backend, "problems", (json_int_t)count_of(PROBLEM),
	                  "warnings", (json_int_t)count_of(WARNING), "checks", checks);
	int result = root ? json_dumpf(root, out, JSON_INDENT(2)) : -1;
	fputc('\n', out);
	json_decref(root);
	return result;
}

static int take_argument(void *user, const char *argument, bool is_option)
{
	struct request *request = user;

	if (is_option && strcmp(argument, "--json") == 0)
		request->is_json = true;
	else if (is_option)
		return fp_cli_fail(FP_SAY_DOCTOR_UNKNOWN_OPTION, argument);
	else if (request->program)
		return fp_cli_fail(FP_SAY_DOCTOR_GIVE_ONLY, argument);
	else
		request->program = argument;
	return 0;
}

int fp_cli_doctor(char **arguments)
{
	struct request request = {0};
	int result = 0;

	if (fp_cli_take_arguments(arguments, take_argument, &request) != 0)
		return FP_CLI_FAILED;
	struct utsname system;

	if (uname(&system) == 0)
		add("machine", OK, FP_SAY_MACHINE, system.sysname, system.release,
		    system.machine, sysconf(_SC_NPROCESSORS_ONLN));
	check_backends();
	check_mappings();
	check_address_space();
	check_overcommit();
	check_descriptors();
	check_seccomp();
	check_library();
	check_temporary_directory();
	if (request.program)
		check_program(request.program);
	if (request.is_json)
		result = print_json(stdout);
	else
		print(stdout);
	if (result != 0 || fflush(stdout) != 0 || ferror(stdout))
		result = fp_cli_fail(FP_SAY_CANNOT_WRITE_STANDARD);
	else
		result = count_of(PROBLEM) > 0;
	for (size_t i = 0; i < checkup.count; i++) {
		free(checkup.checks[i].text);
		free(checkup.checks[i].fix);
		free(checkup.checks[i].advice);
	}
	return result;
}
