/* SPDX-License-Identifier: Apache-2.0
 *
 * The start of a session: options, checks of what they name, and the wiring of modules in the
 * order of their layers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/messages.h"
#include "base/meta.h"
#include "base/own.h"
#include "base/panic.h"
#include "base/proc.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/vm.h"
#include "fault/fault.h"
#include "guard/guard.h"
#include "heap/heap.h"
#include "heap/padding.h"
#include "heap/tier.h"
#include "machine/machine.h"
#include "record/record.h"
#include "region/region.h"
#include "registry/registry.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/stack.h"

enum { ARGUMENTS_MAX = 8192 };

FP_CHILD_WRITES struct fp_session fp_session = {.lock = FP_LOCK_INITIALIZER(FP_RANK_SESSION)};
FP_HELD_ACROSS_FORK(FP_RANK_SESSION, &fp_session.lock);
FP_HELD_ACROSS_FORK(FP_RANK_LOG, &fp_session.log.lock);

/* ---- Doors ---------------------------------------------------------------------------------
 *
 * The doors of this process, and what they have to know of each other. The one under malloc is
 * never entered twice by a thread: who comes by the other passes it first.
 *
 * Context: alloc.
 */

static _Atomic unsigned doors; /* a bit for each enum fp_door */

static bool (*_Atomic passage_in)(void);
static void (*_Atomic passage_out)(void);

void fp_session_set_passage(bool (*enter)(void), void (*leave)(void))
{
	atomic_store(&passage_out, leave);
	atomic_store(&passage_in, enter);
}

bool fp_session_enter(void)
{
	bool (*enter)(void) = atomic_load(&passage_in);

	return enter != NULL && enter();
}

void fp_session_leave(void)
{
	atomic_load (&passage_out)();
}

bool fp_session_has_door(enum fp_door door)
{
	return (atomic_load(&doors) & 1u << door) != 0;
}

static void log_doors(struct fp_log *log)
{
	uint8_t bits = (fp_session_has_door(FP_DOOR_HOST) ? FP_LOG_DOOR_HOST : 0) |
	               (fp_session_has_door(FP_DOOR_MALLOC) ? FP_LOG_DOOR_MALLOC : 0);

	if (bits != 0)
		fp_log_doors(log, bits);
}

void fp_session_open_door(enum fp_door door, const struct fp_own_object *object,
                          void (*on_finding)(const struct fp_finding_info *finding))
{
	fp_own_add(object);
	fp_session_tell_debuggers(on_finding);
	bool is_new = (atomic_fetch_or(&doors, 1u << door) & 1u << door) == 0;
	if (is_new && fp_session_is_started())
		log_doors(fp_session_log());
}

/* ---- What the machine has to give ----------------------------------------------------------
 *
 * What the machine, or the container this process is in, has to give.
 */

size_t fp_session_read_file(const char *path, char *buffer, size_t size)
{
	size_t used = 0;
	ssize_t got = -1;
	int fd = fp_sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	while (used < size && (got = fp_sys_read(fd, buffer + used, size - used)) > 0)
		used += (size_t)got;
	fp_sys_close(fd);
	return used;
}

static uint64_t available_memory(void)
{
	struct fp_machine_memory memory;

	return fp_machine_memory(&memory) == 0 ? memory.available : UINT64_MAX;
}

size_t fp_session_affordable(size_t bytes)
{
	enum { SHARE = 16 };
	struct rlimit limit;

	if (fp_sys_get_limit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return bytes;
	return bytes < limit.rlim_cur / SHARE ? bytes : limit.rlim_cur / SHARE;
}

static bool is_traced(void)
{
	static const char key[] = "\nTracerPid:\t";
	char text[2048];

	text[fp_session_read_file(FP_PROC_SELF "status", text, sizeof(text) - 1)] = '\0';
	const char *tracer = strstr(text, key);
	return tracer != NULL && tracer[sizeof(key) - 1] != '0';
}

/* ---- The start
 * -------------------------------------------------------------------------------
 */

__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
	char line[FP_SESSION_PATH_MAX + 256];
	struct fp_text text;
	va_list values;

	fp_text_begin(&text, line, sizeof(line));
	va_start(values, format);
	fp_text_print_list(&text, format, values);
	va_end(values);
	fp_say("%s", line);
	return -EINVAL;
}

static int parse_options(const char *text, struct fp_options *options)
{
	char error[FP_OPTION_ERROR_MAX];
	const char *environment = secure_getenv("FENCEPOST_OPTIONS");

	fp_options_defaults(options);
	if (text != NULL &&
	    fp_options_parse(options, text, FP_TELL_OF_HOST, error, sizeof(error)) != 0)
		return complain("%s", error);
	if (environment != NULL && fp_options_parse(options, environment, "FENCEPOST_OPTIONS",
	                                            error, sizeof(error)) != 0)
		return complain("%s", error);
	return 0;
}

/* The program may change its directory before the file is written. */
static void append_directory(struct fp_text *text, const char *name)
{
	if (name[0] == '\0' || name[0] == '/' || fp_session.directory[0] != '/')
		return;
	fp_text_string(text, fp_session.directory);
	fp_text_string(text, "/");
}

void fp_session_absolute_path(const char *name, char *path, size_t size)
{
	struct fp_text text;

	fp_text_begin(&text, path, size);
	append_directory(&text, name);
	fp_text_string(&text, name);
}

void fp_session_expand_path(const char *name, char *path, size_t size)
{
	const char *mark = strstr(name, "%p");
	struct fp_text text;

	fp_text_begin(&text, path, size);
	append_directory(&text, name);
	if (mark == NULL) {
		fp_text_string(&text, name);
		if (fp_session.is_forked_child && name[0] != '\0') {
			fp_text_string(&text, ".");
			fp_text_decimal(&text, (uint64_t)fp_sys_getpid());
		}
		return;
	}
	fp_text_bytes(&text, name, (size_t)(mark - name));
	fp_text_decimal(&text, (uint64_t)fp_sys_getpid());
	fp_text_string(&text, mark + 2);
}

/* 0 when a file of that name can be written, or made, without making it. */
static int check_writable(const char *path)
{
	char directory[FP_SESSION_PATH_MAX];
	struct fp_text text;
	int fd = fp_sys_open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);

	if (fd >= 0)
		return fp_sys_close(fd);
	/* Descriptors are short now; the reporter brings its own. */
	if (fd == -EMFILE || fd == -ENFILE)
		return 0;
	if (fd != -ENOENT)
		return fd;
	const char *slash = strrchr(path, '/');
	fp_text_begin(&text, directory, sizeof(directory));
	if (slash == NULL)
		fp_text_string(&text, ".");
	else
		fp_text_bytes(&text, path, slash == path ? 1 : (size_t)(slash - path));
	int status = (int)fp_sys(SYS_faccessat2, AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS);
	/* Linux before 5.8. */
	return status == -ENOSYS ? fp_sys_access(directory, W_OK | X_OK) : status;
}

static int check_output(const char *key, const char *name)
{
	char path[FP_SESSION_PATH_MAX];

	if (name[0] == '\0')
		return 0;
	fp_session_expand_path(name, path, sizeof(path));
	int status = check_writable(path);
	return status == 0
	               ? 0
	               : complain(FP_TELL_CANNOT_WRITE, key, path, strerrordesc_np(-status));
}

static int check_outputs(const struct fp_options *options)
{
	int status = check_output("record", options->record);

	for (size_t i = 0; status == 0 && i < FP_OPTIONS_COUNT; i++)
		status = check_output(fp_options_table[i].key,
		                      fp_options_output(options, &fp_options_table[i]));
	int access = options->reporter[0] == '\0' ? 0 : fp_sys_access(options->reporter, X_OK);
	if (status == 0 && (access == -ENOENT || access == -EACCES))
		status = complain(FP_TELL_NO_REPORTER, options->reporter);
	return status;
}

static const char *backend_option(const struct fp_options *options)
{
	static const char *const names[] = {
	        [FP_OPTIONS_BACKEND_AUTO] = "auto",
	        [FP_OPTIONS_BACKEND_MOVE] = "move",
	        [FP_OPTIONS_BACKEND_GUARD] = "guard",
	        [FP_OPTIONS_BACKEND_MPROTECT] = "mprotect",
	        [FP_OPTIONS_BACKEND_NONE] = "none",
	};

	return names[options->backend];
}

static int start_guard(const struct fp_options *options)
{
	const struct fp_guard_config config = {
	        .backend = backend_option(options),
	        .guard_pages = (unsigned)options->guard_pages,
	        .fill = FP_PADDING_BYTE,
	        .seal_batch = (unsigned)options->seal_batch,
	        .verify = fp_heap_verify_freed,
	};
	const char *why;
	int status = fp_guard_init(&config, &why);

	return status == 0 ? 0
	                   : complain(FP_TELL_NO_BACKEND, config.backend,
	                              strerrordesc_np(-status), why);
}

static bool is_exact; /* align=auto, where what needs more than it gives can be carried out */

static size_t choose_align(const struct fp_options *options)
{
	is_exact = options->align == FP_OPTIONS_ALIGN_AUTO && options->fault_handler &&
	           fp_fault_can_step() && !is_traced();
	if (options->align != FP_OPTIONS_ALIGN_AUTO)
		return (size_t)1 << options->align;
	return is_exact ? 1 : (size_t)1 << FP_OPTIONS_ALIGN_16;
}

static void start_heap(const struct fp_options *options)
{
	static const enum fp_placement placements[] = {
	        [FP_OPTIONS_PLACEMENT_RIGHT] = FP_PLACEMENT_RIGHT,
	        [FP_OPTIONS_PLACEMENT_LEFT] = FP_PLACEMENT_LEFT,
	        [FP_OPTIONS_PLACEMENT_ALTERNATE] = FP_PLACEMENT_ALTERNATE,
	};
	const struct fp_heap_config config = {
	        .align = choose_align(options),
	        .is_exact = is_exact,
	        .is_learning = is_exact || options->align_profile[0] != '\0',
	        .placement = placements[options->placement],
	        .lock_timeout_ms = options->lock_timeout_ms,
	        .sink = fp_session_sink,
	};
	const struct fp_tier_config tiers = {
	        .max_memory =
	                options->max_memory != 0 ? options->max_memory : available_memory() / 2,
	        .sample = options->sample,
	        .seed = options->seed,
	};

	fp_heap_init(&config);
	fp_tier_init(&tiers);
	fp_session_start_refusals(&options->fail_alloc);
}

static void start_region(const struct fp_options *options)
{
	/* Of 128 TiB: a released region costs address space and nothing else. */
	const struct fp_region_config config = {
	        .guard_bytes = options->guard_pages * fp_vm_page_size(),
	        .kept_bytes = fp_session_affordable((size_t)16 << 40),
	        .sink = fp_session_sink,
	};

	fp_region_init(&config);
}

/* What is in effect, where that is not what was asked for. */
static void log_setting(const struct fp_option *option, const char *value, void *user)
{
	char bytes[32];
	struct fp_text text;

	if (strcmp(option->key, "backend") == 0)
		value = fp_guard_backend_name();
	if (strcmp(option->key, "max_memory") == 0) {
		fp_text_begin(&text, bytes, sizeof(bytes));
		fp_text_decimal(&text, fp_tier_max_memory());
		value = bytes;
	}
	fp_log_setting(user, option->key, value);
}

/* What is executed, read once: a forked child may not see /proc any more. */
static struct {
	char executable[FP_LOG_STRING_MAX];
	char arguments[ARGUMENTS_MAX];
	size_t arguments_bytes;
} program;

static void read_program(void)
{
	ssize_t length = fp_sys_readlink(FP_PROC_SELF "exe", program.executable,
	                                 sizeof(program.executable) - 1);

	program.executable[length < 0 ? 0 : length] = '\0';
	program.arguments_bytes = fp_session_read_file(
	        FP_PROC_SELF "cmdline", program.arguments, sizeof(program.arguments));
}

void fp_session_log_beginning(struct fp_log *log)
{
	const struct fp_log_process process = {
	        .pid = (uint32_t)fp_sys_getpid(),
	        .ppid = (uint32_t)fp_sys(SYS_getppid),
	        .page_bytes = (uint32_t)fp_vm_page_size(),
	        .version = PACKAGE_VERSION,
	        .executable = program.executable,
	        .arguments = program.arguments,
	        .arguments_bytes = program.arguments_bytes,
	        .started = fp_clock_calendar(),
	};
	fp_log_process(log, &process);
	fp_options_each(&fp_session.options, log_setting, log);
	log_doors(log);
}

void fp_session_set_exit(int status)
{
	if (atomic_load(&fp_session.own.is_finished))
		return;
	atomic_store(&fp_session.own.exit.value, status & 0xff);
	atomic_store(&fp_session.own.exit.how, FP_LOG_EXIT_CODE);
}

/* exit(3) tells its status to these handlers only. */
static void remember_status(int status, void *unused)
{
	(void)unused;
	fp_session_set_exit(status);
}

/* A child of vfork has our memory and ends its own life only. */
static void finish_faulted(int signal)
{
	if (fp_session_is_here())
		fp_session_finish_dying(signal);
}

/* Of whoever has told all, halts for a finding, or ends for a fault of ours, nothing more is
 * told. */
static bool is_mortal(void)
{
	return fp_session_is_here() && !atomic_load(&fp_session.own.is_finished) &&
	       !fp_has_panicked();
}

static int start_fault(const struct fp_options *options)
{
	const struct fp_fault_config config = {
	        .sink = fp_session_sink,
	        .dying = finish_faulted,
	        .is_mortal = is_mortal,
	        .is_guest = fp_session_is_guest,
	        .note = fp_session_note,
	        .has_handlers = options->fault_handler,
	        .goes_on = options->_continue,
	        .carries_out = is_exact,
	};
	int status = fp_fault_start(&config);
	return status == -ENOTSUP ? complain(FP_TELL_NO_CONTINUE) : status;
}

static int start_locked(const char *text)
{
	struct fp_options *options = &fp_session.options;
	int status = parse_options(text, options);

	/* A directory that is gone leaves the names as they are. */
	if (fp_sys(SYS_getcwd, fp_session.directory, sizeof(fp_session.directory)) < 0)
		fp_session.directory[0] = '\0';

	if (status == 0)
		fp_session_choose_seed(options);
	if (status == 0)
		status = check_outputs(options);
	if (status == 0)
		status = start_guard(options);
	if (status != 0)
		return status;
	fp_registry_init(fp_session_affordable(options->history));
	const struct fp_own_object core = fp_own_read("libfencepost-core.so", &__ehdr_start);
	const struct fp_stack_config config = {.depth = (unsigned)options->stack_depth};
	fp_own_add(&core);
	fp_stack_init(&config);
	start_heap(options);
	fp_session_start_timeline();
	start_region(options);
	status = start_fault(options);
	if (status != 0)
		return status;
	fp_session.pid = fp_sys_getpid();
	fp_session_read_lsan_options();
	fp_session_remember_stderr();
	read_program();
	fp_log_open(fp_session_log(), false);
	fp_session_log_beginning(fp_session_log());
	fp_session_leave_remains();
	fp_session_watch_code();
	/* A program that restricts itself may hide the mappings. */
	fp_log_modules(fp_session_log());
	fp_session_open_channel();
	/* A host may restrict itself as soon as it has its manager, and who names a file of
	 * events wants them whatever comes. */
	if ((fp_session_has_door(FP_DOOR_HOST) && !fp_session_has_door(FP_DOOR_MALLOC)) ||
	    options->events[0] != '\0')
		fp_session_start_watcher();
	fp_session_publish_beginning();
	fp_session_leave_cpu_of_parent();
	fp_session_start_recording();
	fp_session_reserve();
	fp_vm_watch_refusals();
	on_exit(remember_status, NULL);
	return fp_session_watch_fork();
}

/* Of a host whose session `fencepost run` has started: read, because they may be wrong. */
static int look_at_late_options(const char *text)
{
	static atomic_bool is_told;
	struct fp_options *options = fp_meta_alloc(sizeof(*options));

	if (options == NULL)
		return -ENOMEM;
	int status = parse_options(text, options);
	fp_meta_free(options, sizeof(*options));
	if (status == 0 && text[0] != '\0' && !atomic_exchange(&is_told, true))
		fp_session_note(FP_TELL_HOST_IGNORED);
	return status;
}

/* What a second caller may pass: nothing, or the same again. */
static int compare_options(const char *text)
{
	if (text == NULL || strcmp(text, fp_session.options_text) == 0)
		return 0;
	if (fp_session_has_door(FP_DOOR_MALLOC))
		return look_at_late_options(text);
	return complain(FP_TELL_OPTIONS_FIXED);
}

int fp_session_start(const char *text)
{
	int status;

	if (text != NULL && strlen(text) >= sizeof(fp_session.options_text))
		return complain(FP_TELL_OPTIONS_LONG);
	fp_lock_acquire(&fp_session.lock);
	if (atomic_load(&fp_session.is_started)) {
		status = compare_options(text);
	} else {
		status = start_locked(text);
		/* Who says more about it calls it -EINVAL. */
		if (status != 0 && status != -EINVAL)
			complain(FP_TELL_NOT_WATCHED, strerrordesc_np(-status));
		strcpy(fp_session.options_text, text == NULL ? "" : text);
		atomic_store(&fp_session.is_started, status == 0);
	}
	fp_lock_release(&fp_session.lock);
	return status;
}

const struct fp_options *fp_session_options(void)
{
	return &fp_session.options;
}

void fp_session_note(const char *text)
{
	fp_log_note(fp_session_log(), text);
}

bool fp_session_is_here(void)
{
	return fp_session_is_started() && fp_session.pid == fp_sys_getpid();
}

bool fp_session_is_started(void)
{
	return atomic_load(&fp_session.is_started);
}
