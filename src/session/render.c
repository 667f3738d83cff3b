/* SPDX-License-Identifier: Apache-2.0
 *
 * Which reporter to run and with what arguments, and where the events go when it cannot run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/maps.h"
#include "base/messages.h"
#include "base/meta.h"
#include "base/own.h"
#include "base/sys.h"
#include "base/text.h"
#include "session/session.h"
#include "session/state.h"

enum { VALUE_MAX = FP_SESSION_PATH_MAX + 32, KEPT_MAX = 1000 };

/* A command and the text its pointers point into: too large for the stack of a host's thread.
 */
struct workspace {
	struct fp_session_command command;
	char program[VALUE_MAX];
	char values[FP_OPTIONS_COUNT + 2][VALUE_MAX];
	size_t values_used;
	size_t arguments_used;
};

struct own_path {
	char *path;
	size_t size;
};

static bool find_own_path(const struct fp_mapping *mapping, void *user)
{
	struct own_path *own = user;
	struct fp_text text;

	if (mapping->start > (uintptr_t)&__ehdr_start ||
	    mapping->end <= (uintptr_t)&__ehdr_start)
		return true;
	const char *slash = strrchr(mapping->path, '/');
	fp_text_begin(&text, own->path, own->size);
	if (slash != NULL)
		fp_text_bytes(&text, mapping->path, (size_t)(slash + 1 - mapping->path));
	return false;
}

/* The reporter of the option, or beside this library: where it is installed, in the build tree,
 * or where it was configured to be. */
static const char *find_program(char *path, size_t size)
{
	static const char *const beside[] = {"../../bin/fencepost", "../../cli/fencepost"};
	struct own_path own = {.path = path, .size = size};

	if (fp_session.options.reporter[0] != '\0')
		return fp_session.options.reporter;
	path[0] = '\0';
	fp_maps_each(find_own_path, &own);
	size_t directory = strlen(path);
	for (size_t i = 0; directory > 0 && i < sizeof(beside) / sizeof(beside[0]); i++) {
		struct fp_text text = {.buffer = path, .size = size, .used = directory};

		fp_text_string(&text, beside[i]);
		if (fp_sys_access(path, X_OK) == 0)
			return path;
	}
	return FP_BINDIR "/fencepost";
}

static void add_argument(struct workspace *work, const char *argument)
{
	work->command.arguments[work->arguments_used++] = (char *)(uintptr_t)argument;
}

static void add_option(struct workspace *work, const char *key, const char *value)
{
	char *option = work->values[work->values_used++];
	struct fp_text text;

	fp_text_begin(&text, option, VALUE_MAX);
	fp_text_string(&text, "--");
	fp_text_string(&text, key);
	fp_text_string(&text, "=");
	fp_text_string(&text, value);
	add_argument(work, option);
}

static void add_output(struct workspace *work, const char *key, const char *name)
{
	char path[VALUE_MAX];

	if (name[0] == '\0')
		return;
	fp_session_expand_path(name, path, sizeof(path));
	add_option(work, key, path);
}

/* The program's environment without what would load a library into the reporter. */
static void copy_environment(char **copy, char *const *environment)
{
	size_t used = 0;

	for (; *environment != NULL && used < FP_SESSION_ENVIRONMENT_MAX - 1; environment++)
		if (strncmp(*environment, "LD_PRELOAD=", strlen("LD_PRELOAD=")) != 0)
			copy[used++] = *environment;
	copy[used] = NULL;
}

static const char *explain(int reason)
{
	switch (reason) {
	case -EIO:
		return FP_TELL_REPORTER_SAID;
	case -ECHILD:
		return FP_TELL_REPORTER_DIED;
	default:
		return strerrordesc_np(-reason);
	}
}

/* Process ids come again, and what was kept before is not ours to overwrite. */
static int open_kept(const char *directory, const char *suffix, char *path, size_t size)
{
	int fd = -1;

	for (unsigned number = 0; fd < 0 && number < KEPT_MAX; number++) {
		struct fp_text text;

		fp_text_begin(&text, path, size);
		fp_text_string(&text, directory);
		fp_text_string(&text, "/fencepost.");
		fp_text_decimal(&text, (uint64_t)fp_sys_getpid());
		if (number > 0) {
			fp_text_string(&text, "-");
			fp_text_decimal(&text, number);
		}
		fp_text_string(&text, suffix);
		fd = fp_sys_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		                 0600);
		if (fd < 0 && fd != -EEXIST)
			break;
	}
	return fd;
}

/* An orphan's log stands where the next command looks for it (cli/orphans.c). */
static int open_orphan(char *path, size_t size)
{
	const char *directory = secure_getenv("TMPDIR");

	return open_kept(directory != NULL && directory[0] != '\0' ? directory : "/tmp",
	                 ".orphan", path, size);
}

/* Nothing is lost: the events go to a file that `fencepost report` renders later. WHY begins
 * the line that says so. */
static void keep_events(struct fp_log *tail, const char *why)
{
	char path[VALUE_MAX];
	int fd = fp_session_is_orphan() ? open_orphan(path, sizeof(path))
	                                : open_kept("/tmp", ".events", path, sizeof(path));
	bool is_kept =
	        fd >= 0 && fp_log_copy(fp_session_log(), fd) == 0 && fp_log_copy(tail, fd) == 0;
	if (fd >= 0)
		fp_sys_close(fd);
	if (fd >= 0 && !is_kept)
		fp_sys_unlink(path);
	if (fp_session_is_stderr_lost())
		return;
	fp_say(is_kept ? FP_TELL_EVENTS_KEPT : FP_TELL_EVENTS_LOST, why, path);
}

static void keep_unrendered(struct fp_log *tail, const char *program, int reason)
{
	char line[1024];
	struct fp_text text;

	fp_text_begin(&text, line, sizeof(line));
	fp_text_print(&text, FP_TELL_NO_REPORT, program, explain(reason));
	keep_events(tail, line);
}

/* Each name of the comma-separated NAMES made absolute. */
static void absolute_paths(const char *names, char *paths, size_t size)
{
	struct fp_text text;

	fp_text_begin(&text, paths, size);
	while (*names != '\0') {
		char name[FP_OPTION_PATH_MAX];
		char path[VALUE_MAX];
		size_t length = strcspn(names, ",");

		memcpy(name, names, length);
		name[length] = '\0';
		fp_session_absolute_path(name, path, sizeof(path));
		fp_text_string(&text, path);
		names += length;
		if (*names == ',')
			fp_text_bytes(&text, names++, 1);
	}
}

/* PLACE of --ndjson with the name of its file or socket made absolute, if it has one. */
static void absolute_place(const char *place, char *path, size_t size)
{
	static const char *const words[] = {
	        "unix:", "journal:", "syslog:", "udp:", "otlp:", "-"};
	enum { SOCKETS = 3 };
	struct fp_text text;
	size_t word = 0;

	fp_text_begin(&text, path, size);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(place, words[i], strlen(words[i])) == 0)
			word = i < SOCKETS ? strlen(words[i]) : strlen(place);
	fp_text_bytes(&text, place, word);
	fp_session_absolute_path(place + word, path + word, size - word);
}

static bool is_named(const struct fp_option *option, const char *what)
{
	return strncmp(option->value, what, strlen(what)) == 0;
}

static void add_if_for_reporter(const struct fp_option *option, const char *value, void *user)
{
	char path[VALUE_MAX];

	if (option->stage != FP_OPTION_RENDER || value[0] == '\0')
		return;
	/* What these say of lines nobody has to hear where there are none. */
	if (fp_session.options.ndjson[0] == '\0' &&
	    (option == &fp_options_table[FP_OPTIONS_INDEX_label] ||
	     option == &fp_options_table[FP_OPTIONS_INDEX_redact]))
		return;
	/* Names of functions and labels are no files. */
	if (is_named(option, "FILE|"))
		absolute_place(value, path, sizeof(path));
	else if (is_named(option, "FILE[,"))
		absolute_paths(value, path, sizeof(path));
	else if (is_named(option, "FILE") || is_named(option, "DIRECTORY"))
		fp_session_absolute_path(value, path, sizeof(path));
	else
		path[0] = '\0';
	add_option(user, option->key, path[0] != '\0' ? path : value);
}

bool fp_session_is_format(const char *format)
{
	const struct fp_option *option = fp_options_find(format, strlen(format));

	return strcmp(format, "text") == 0 ||
	       (option != NULL && option->stage == FP_OPTION_OUTPUT &&
	        strcmp(format, "log") != 0);
}

/* The one output somebody asked for, on the descriptor the reporter inherits. */
static void add_output_asked_for(struct workspace *work, const char *format)
{
	if (strcmp(format, "text") == 0) {
		add_argument(work, "--log=" FP_SESSION_OUTPUT_PATH);
	} else {
		add_option(work, format, FP_SESSION_OUTPUT_PATH);
		add_argument(work, "--log=/dev/null");
	}
}

static void add_count(struct workspace *work, const char *key, size_t count)
{
	char number[24];
	struct fp_text text;

	fp_text_begin(&text, number, sizeof(number));
	fp_text_decimal(&text, count);
	if (count > 0)
		add_option(work, key, number);
}

static void build_command(struct workspace *work, const struct fp_session_rendering *rendering)
{
	const char *format = rendering->format;

	work->command.program = find_program(work->program, sizeof(work->program));
	add_argument(work, "fencepost");
	add_argument(work, "report");
	if (format == NULL) {
		/* The outputs the options name, and text on standard error. */
		for (size_t i = 0; i < FP_OPTIONS_COUNT; i++)
			add_output(
			        work, fp_options_table[i].key,
			        fp_options_output(&fp_session.options, &fp_options_table[i]));
		add_count(work, "shown", fp_session_shown_by_reader());
	} else
		add_output_asked_for(work, format);
	fp_options_each(&fp_session.options, add_if_for_reporter, work);
	if (rendering->is_of_leaks)
		add_argument(work, "--only-leaks");
	add_argument(work, "-");
	copy_environment(work->command.environment, environ);
}

/* The options as the watcher gets them: names as they are, because it knows which process each
 * report is of. */
static void add_for_watcher(const struct fp_option *option, const char *value, void *user)
{
	char path[VALUE_MAX];

	if (option->stage == FP_OPTION_OUTPUT && value[0] != '\0') {
		fp_session_absolute_path(value, path, sizeof(path));
		add_option(user, option->key, path);
	}
	add_if_for_reporter(option, value, user);
}

pid_t fp_session_run_watcher(const char *address, int fd)
{
	struct workspace *work = fp_meta_alloc(sizeof(*work));
	char inherited[VALUE_MAX];
	struct fp_text text;

	if (work == NULL)
		return -ENOMEM;
	/* It has another number there. */
	fp_text_begin(&text, inherited, sizeof(inherited));
	fp_text_decimal(&text, fd < 0 ? 0 : FP_SESSION_OUTPUT_FD);
	fp_text_string(&text, address + strcspn(address, "."));
	work->command.program = find_program(work->program, sizeof(work->program));
	add_argument(work, "fencepost");
	add_argument(work, "watch");
	add_option(work, "channel", inherited);
	add_count(work, "process", (size_t)fp_session.pid);
	fp_options_each(&fp_session.options, add_for_watcher, work);
	copy_environment(work->command.environment, environ);
	pid_t watcher = fp_session_run_reporter(&work->command, NULL, fd);
	fp_meta_free(work, sizeof(*work));
	return watcher;
}

int fp_session_render(struct fp_log *tail, const struct fp_session_rendering *rendering)
{
	struct workspace *work = fp_meta_alloc(sizeof(*work));
	bool is_asked_for = rendering->format != NULL;

	if (work == NULL)
		return -ENOMEM;
	build_command(work, rendering);
	int status = fp_session_run_reporter(&work->command, tail,
	                                     is_asked_for ? rendering->fd : -1);
	/* Whoever asked gets the error; at the end of the process nobody is left to. */
	if (status != 0 && !is_asked_for)
		keep_unrendered(tail, work->command.program, status);
	else if (!is_asked_for && fp_session_is_orphan())
		keep_events(tail, FP_TELL_RUN_KILLED);
	fp_meta_free(work, sizeof(*work));
	return status;
}
