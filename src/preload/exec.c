/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that this one executes and that our library cannot be put under, or would break,
 * run as if nobody watched; what was not seen is noted for the report. All of this may run in a
 * child of vfork, or of clone(2) on a stack of one page: nothing is allocated, no lock is
 * taken, nothing of the parent's changes, and what is deep runs on a stack of our own.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/image.h"
#include "base/messages.h"
#include "base/proc.h"
#include "base/readable.h"
#include "base/room.h"
#include "base/sys.h"
#include "base/text.h"
#include "options/options.h"
#include "preload/buffers.h"
#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"

/* ---- The environment ------------------------------------------------------------------------
 *
 * What brought us here, and how what the program executes is spared it. With trace_children=no
 * the program's environment loses it: strings are shortened and entries removed in place, so a
 * program that counts on its environment's address keeps it. Nothing is allocated.
 */

static const char preload[] = "LD_PRELOAD=";
static const char library[] = "libfencepost-preload.so";

/* The length of the first path of PATHS, which separates them by ':' or ' '. */
static size_t first_length(const char *paths)
{
	return strcspn(paths, ": ");
}

static bool is_library(const char *path, size_t length)
{
	size_t own = sizeof(library) - 1;

	return length >= own && memcmp(path + length - own, library, own) == 0;
}

/* Takes our library out of PATHS; whether any other is left. */
static bool leave_others(char *paths)
{
	char *at = paths;

	while (*at != '\0') {
		size_t length = first_length(at);
		size_t skip = length + (at[length] != '\0');

		if (is_library(at, length))
			memmove(at, at + skip, strlen(at + skip) + 1);
		else
			at += skip;
	}
	return at != paths;
}

static bool starts_with(const char *variable, const char *name)
{
	return strncmp(variable, name, strlen(name)) == 0;
}

static bool is_to_stay(char *variable)
{
	if (starts_with(variable, "FENCEPOST_OPTIONS="))
		return false;
	return !starts_with(variable, preload) || leave_others(variable + strlen(preload));
}

/* Whether the program that gets ENVIRONMENT joins the channel at ADDRESS: the last one counts.
 */
static bool joins(char *const *environment, const char *address)
{
	for (; environment != NULL && *environment != NULL; environment++) {
		const char *last = NULL;

		if (!starts_with(*environment, "FENCEPOST_OPTIONS="))
			continue;
		for (const char *at = *environment; *at != '\0'; at++)
			if (starts_with(at, "channel="))
				last = at + strlen("channel=");
		if (last != NULL)
			last += *last == '\'' || *last == '"';
		return last != NULL && starts_with(last, address);
	}
	return false;
}

static bool is_preloaded(char *const *environment)
{
	for (; environment != NULL && *environment != NULL; environment++) {
		const char *at = *environment + strlen(preload);

		if (!starts_with(*environment, preload))
			continue;
		for (; *at != '\0'; at += first_length(at) + (at[first_length(at)] != '\0'))
			if (is_library(at, first_length(at)))
				return true;
	}
	return false;
}

static size_t count_of(char *const *environment)
{
	size_t count = 0;

	while (environment[count] != NULL)
		count++;
	return count;
}

static bool copy_environment(char *const *environment, void *memory, size_t bytes)
{
	char **copy = memory;
	size_t used = (count_of(environment) + 1) * sizeof(*copy);

	if (used > bytes)
		return false;
	for (; *environment != NULL; environment++) {
		size_t length = strlen(*environment) + 1;

		if (!starts_with(*environment, preload)) {
			*copy++ = *environment;
			continue;
		}
		if (used + length > bytes)
			return false;
		char *own = memcpy((char *)memory + used, *environment, length);
		if (leave_others(own + strlen(preload)))
			*copy++ = own;
		used += length;
	}
	*copy = NULL;
	return true;
}

void fp_preload_leave_children(void)
{
	char **kept = environ;

	for (char **variable = environ; *variable != NULL; variable++) {
		if (is_to_stay(*variable))
			*kept++ = *variable;
	}
	*kept = NULL;
}

/* ---- Programs that are executed
 * --------------------------------------------------------------
 */

enum { PATH_BYTES = 4096, SCRIPTS_MAX = 4, NOTE_BYTES = PATH_BYTES + 100 };

static const char *const reasons[FP_IMAGE_OBSTACLES] = {
        [FP_IMAGE_PRIVILEGED] = FP_TELL_PRIVILEGED, [FP_IMAGE_FOREIGN] = FP_TELL_FOREIGN,
        [FP_IMAGE_STATIC] = FP_TELL_STATIC,         [FP_IMAGE_MUSL] = FP_TELL_MUSL,
        [FP_IMAGE_SANITIZED] = FP_TELL_SANITIZED,
};

static void note(const char *path, const char *why, bool is_in_place)
{
	char line[NOTE_BYTES];
	struct fp_text text;

	fp_text_begin(&text, line, sizeof(line));
	fp_text_string(&text, path);
	fp_text_string(&text, " (");
	fp_text_string(&text, why);
	fp_text_string(&text, ")");
	fp_session_note_unseen(line, is_in_place);
}

/* Of the file that is executed for PATH: a script's interpreter. */
static enum fp_image_obstacle examine(const char *path)
{
	char lines[2][FP_IMAGE_LINE_MAX];
	const char *sanitizer;

	for (int i = 0; i < SCRIPTS_MAX && fp_image_read_script(path, lines[i % 2]); i++) {
		char *interpreter = lines[i % 2] + strspn(lines[i % 2], " \t");

		interpreter[strcspn(interpreter, " \t")] = '\0';
		path = interpreter;
	}
	return fp_image_examine(path, &sanitizer);
}

/* The loader of a static program reads no environment, and that of a privileged one takes no
 * library from it. The others would complain, or fail. */
static bool is_to_be_left(enum fp_image_obstacle obstacle)
{
	return obstacle == FP_IMAGE_FOREIGN || obstacle == FP_IMAGE_MUSL ||
	       obstacle == FP_IMAGE_SANITIZED;
}

/* A program that is to be executed, and whether it has to have another environment. */
struct program {
	const char *path;
	int directory;
	int flags;        /* AT_EMPTY_PATH: the file is DIRECTORY itself */
	bool is_command;  /* PATH is looked for as the shell does */
	bool is_in_place; /* of this one, whose recording ends */
	char *const *arguments;
	char *const *environment;
	bool is_left;
	bool is_seen;      /* it joins this run */
	bool is_announced; /* as the calling process, a child of vfork */
	struct fp_preload_signals signals;
};

static bool is_executable(const char *path)
{
	return fp_sys_access(path, X_OK) == 0;
}

/* Notes what is not seen. */
static void judge(struct program *program, const char *path)
{
	enum fp_image_obstacle obstacle = FP_IMAGE_NO_OBSTACLE;
	bool is_in = is_preloaded(program->environment);
	bool is_wanted = is_in || fp_session_options()->trace_children;
	bool does_join =
	        is_wanted && joins(program->environment, fp_session_options()->channel);

	if (is_wanted && is_executable(path))
		obstacle = examine(path);
	if (obstacle != FP_IMAGE_NO_OBSTACLE)
		note(path, reasons[obstacle], program->is_in_place);
	else if (is_wanted && !is_in && is_executable(path))
		note(path, FP_TELL_NOT_PRELOADED, program->is_in_place);
	else if (program->is_in_place && !does_join)
		fp_session_leave_to_others();
	program->is_left = is_in && is_to_be_left(obstacle);
	program->is_seen = is_in && does_join && obstacle == FP_IMAGE_NO_OBSTACLE;
}

/* The file that FILE means as a command, or FILE itself. */
static const char *search(const char *file, char found[PATH_BYTES])
{
	const char *paths = getenv("PATH");

	if (paths == NULL || strchr(file, '/') != NULL)
		return file;
	while (*paths != '\0') {
		size_t length = strcspn(paths, ":");
		struct fp_text text;

		fp_text_begin(&text, found, PATH_BYTES);
		fp_text_bytes(&text, paths, length);
		fp_text_string(&text, length > 0 ? "/" : "./");
		fp_text_string(&text, file);
		if (!text.is_cut && is_executable(found))
			return found;
		paths += length + (paths[length] != '\0');
	}
	return file;
}

/* What is relative to a directory goes by way of its descriptor. */
static const char *find_file(const struct program *program, char found[PATH_BYTES])
{
	bool is_descriptor = program->path[0] == '\0' && (program->flags & AT_EMPTY_PATH) != 0;
	struct fp_text text;

	if (program->is_command)
		return search(program->path, found);
	if (!is_descriptor && (program->path[0] == '/' || program->directory == AT_FDCWD))
		return program->path;
	fp_text_begin(&text, found, PATH_BYTES);
	fp_text_string(&text, FP_PROC_SELF "fd/");
	fp_text_signed(&text, program->directory);
	fp_text_string(&text, is_descriptor ? "" : "/");
	fp_text_string(&text, program->path);
	return found;
}

/* To Linux, NULL is an empty one. */
static bool is_vector_readable(char *const *texts)
{
	return texts == NULL || fp_are_texts_readable(texts);
}

/* What the kernel cannot read either, it refuses. */
static void look(void *argument)
{
	struct program *program = argument;
	char found[PATH_BYTES];

	if (program->is_in_place)
		/* What comes of this process cannot be told from what it does: it is written
		 * before. A child of vfork, and a handler that interrupted us, leave that to
		 * others. */
		if (!fp_preload_thread.is_inside &&
		    atomic_load(&fp_preload.pid) == fp_sys_getpid())
			fp_session_write_recording();
	if (!fp_is_text_readable(program->path) || !is_vector_readable(program->arguments) ||
	    !is_vector_readable(program->environment))
		return;
	judge(program, find_file(program, found));
	if (program->is_in_place && program->is_seen)
		program->is_announced = fp_session_announce(fp_sys_getpid());
}

/* The environment for PROGRAM. What has to be copied for it stays in the room that is returned,
 * until that is given back. */
static struct fp_room *choose_environment(struct program *program)
{
	fp_session_leave_cpu();
	fp_check(execve, program->path, program->arguments, program->environment);
	struct fp_room *room = fp_room_take();

	fp_room_work(room, look, program);
	if (program->is_left && room != NULL &&
	    copy_environment(program->environment, fp_room_kept(room), FP_ROOM_KEPT_BYTES)) {
		program->environment = fp_room_kept(room);
		return room;
	}
	fp_room_give(room);
	return NULL;
}

/* What PROGRAM begins with, in the room that is returned and in the kernel. */
static struct fp_room *prepare(struct program *program)
{
	struct fp_room *room = choose_environment(program);

	fp_preload_show_signals(&program->signals);
	return room;
}

static void go_on(const struct program *program, struct fp_room *room)
{
	fp_preload_hide_signals(&program->signals);
	fp_room_give(room);
}

/* The program was not executed. */
static void withdraw(const struct program *program, struct fp_room *room)
{
	if (program->is_announced)
		fp_session_withdraw(fp_sys_getpid());
	go_on(program, room);
}

/* In place of this process, as the kernel does it. */
static int execute(struct program *program)
{
	program->is_in_place = true;
	struct fp_room *room = prepare(program);
	/* A filter may know only the one that everybody makes. */
	long error = program->directory == AT_FDCWD && program->flags == 0
	                     ? fp_sys(SYS_execve, program->path, program->arguments,
	                              program->environment)
	                     : fp_sys(SYS_execveat, program->directory, program->path,
	                              program->arguments, program->environment, program->flags);

	withdraw(program, room);
	return (int)fp_preload_answer(error);
}

FP_EXPORT int execve(const char *path, char *const arguments[], char *const environment[])
{
	return execute(&(struct program){.path = path,
	                                 .directory = AT_FDCWD,
	                                 .arguments = arguments,
	                                 .environment = environment});
}

FP_EXPORT int execv(const char *path, char *const arguments[])
{
	return execve(path, arguments, environ);
}

FP_EXPORT int execveat(int directory, const char *path, char *const arguments[],
                       char *const environment[], int flags)
{
	return execute(&(struct program){.path = path,
	                                 .directory = directory,
	                                 .flags = flags,
	                                 .arguments = arguments,
	                                 .environment = environment});
}

FP_EXPORT int fexecve(int fd, char *const arguments[], char *const environment[])
{
	struct program program = {.path = "",
	                          .directory = fd,
	                          .flags = AT_EMPTY_PATH,
	                          .is_in_place = true,
	                          .arguments = arguments,
	                          .environment = environment};
	struct fp_room *room = prepare(&program);
	int result = FP_LIBC(fexecve)(fd, arguments, program.environment);

	withdraw(&program, room);
	return result;
}

FP_EXPORT int execvpe(const char *file, char *const arguments[], char *const environment[])
{
	struct program program = {.path = file,
	                          .directory = AT_FDCWD,
	                          .is_command = true,
	                          .is_in_place = true,
	                          .arguments = arguments,
	                          .environment = environment};
	struct fp_room *room = prepare(&program);

	int result = FP_LIBC(execvpe)(file, arguments, program.environment);
	withdraw(&program, room);
	return result;
}

FP_EXPORT int execvp(const char *file, char *const arguments[])
{
	return execvpe(file, arguments, environ);
}

/* The child may not have come to its first instruction yet. */
static int spawn(pid_t *pid, struct program *program, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes)
{
	struct fp_room *room = prepare(program);
	pid_t child;

	__typeof__(&posix_spawn) function =
	        program->is_command ? FP_LIBC(posix_spawnp) : FP_LIBC(posix_spawn);
	int status = function(&child, program->path, actions, attributes, program->arguments,
	                      program->environment);
	if (status == 0 && program->is_seen)
		fp_session_announce(child);
	if (status == 0 && pid != NULL)
		*pid = child;
	go_on(program, room);
	return status;
}

FP_EXPORT int posix_spawn(pid_t *pid, const char *path,
                          const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attributes, char *const arguments[],
                          char *const environment[])
{
	return spawn(pid,
	             &(struct program){.path = path,
	                               .directory = AT_FDCWD,
	                               .arguments = arguments,
	                               .environment = environment},
	             actions, attributes);
}

FP_EXPORT int posix_spawnp(pid_t *pid, const char *file,
                           const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const arguments[],
                           char *const environment[])
{
	return spawn(pid,
	             &(struct program){.path = file,
	                               .directory = AT_FDCWD,
	                               .is_command = true,
	                               .arguments = arguments,
	                               .environment = environment},
	             actions, attributes);
}

/* ---- Arguments one by one -------------------------------------------------------------------
 */

/* ARGUMENTS from FIRST up to NULL, on the caller's stack; LIST stands behind the NULL. */
#define TAKE_ARGUMENTS(arguments, first, list)                                                 \
	size_t count = 1;                                                                      \
	va_list list;                                                                          \
                                                                                               \
	va_start(list, first);                                                                 \
	while (va_arg(list, char *) != NULL)                                                   \
		count++;                                                                       \
	va_end(list);                                                                          \
	char **arguments = __builtin_alloca((count + 1) * sizeof(*arguments));                 \
	va_start(list, first);                                                                 \
	arguments[0] = (char *)(uintptr_t)(first);                                             \
	for (size_t i = 1; i <= count; i++)                                                    \
		arguments[i] = va_arg(list, char *);

FP_EXPORT int execl(const char *path, const char *first, ...)
{
	TAKE_ARGUMENTS(arguments, first, list)
	va_end(list);
	return execve(path, arguments, environ);
}

FP_EXPORT int execlp(const char *file, const char *first, ...)
{
	TAKE_ARGUMENTS(arguments, first, list)
	va_end(list);
	return execvpe(file, arguments, environ);
}

FP_EXPORT int execle(const char *path, const char *first, ...)
{
	TAKE_ARGUMENTS(arguments, first, list)
	char *const *environment = va_arg(list, char *const *);
	va_end(list);
	return execve(path, arguments, environment);
}
