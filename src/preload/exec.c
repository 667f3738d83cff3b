/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that this one executes and that our library cannot be put under, or would break,
 * run as if nobody watched; what was not seen is noted for the report. All of this may run in a
 * child of vfork, or of clone(2) on a stack of one page: nothing is allocated, no lock is
 * taken, nothing of the parent's changes, and what is deep runs on a stack of our own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
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
#include "preload/arguments.h"
#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"

enum { PATH_BYTES = 4096, SCRIPTS_MAX = 4, NOTE_BYTES = PATH_BYTES + 100 };

typedef int searching_function(const char *file, char *const arguments[],
                               char *const environment[]);
typedef int descriptor_function(int fd, char *const arguments[], char *const environment[]);
typedef int spawn_function(pid_t *pid, const char *file,
                           const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const arguments[],
                           char *const environment[]);

static searching_function *libc_execvpe;
static descriptor_function *libc_fexecve;
static spawn_function *libc_spawn;
static spawn_function *libc_spawnp;

void fp_preload_find_programs(void)
{
	libc_execvpe = (searching_function *)dlsym(RTLD_NEXT, "execvpe");
	libc_fexecve = (descriptor_function *)dlsym(RTLD_NEXT, "fexecve");
	libc_spawn = (spawn_function *)dlsym(RTLD_NEXT, "posix_spawn");
	libc_spawnp = (spawn_function *)dlsym(RTLD_NEXT, "posix_spawnp");
}

/* Before constructors ran, a program may execute another all the same. */
static void find_in_time(void)
{
	if (libc_spawnp == NULL)
		fp_preload_find_programs();
}

static const char *text_of(enum fp_image_obstacle obstacle)
{
	static const char *const texts[FP_IMAGE_OBSTACLES] = {
	        [FP_IMAGE_PRIVILEGED] = FP_TELL_PRIVILEGED,
	        [FP_IMAGE_FOREIGN] = FP_TELL_FOREIGN,
	        [FP_IMAGE_STATIC] = FP_TELL_STATIC,
	        [FP_IMAGE_MUSL] = FP_TELL_MUSL,
	        [FP_IMAGE_SANITIZED] = FP_TELL_SANITIZED,
	};

	return texts[obstacle];
}

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
};

static bool is_executable(const char *path)
{
	return fp_sys_access(path, X_OK) == 0;
}

/* Notes what is not seen. */
static void judge(struct program *program, const char *path)
{
	enum fp_image_obstacle obstacle = FP_IMAGE_NO_OBSTACLE;
	bool is_in = fp_preload_is_in(program->environment);
	bool is_wanted = is_in || fp_session_traces_children();
	bool joins = is_wanted && fp_preload_joins(program->environment, fp_session_channel());

	if (is_wanted && is_executable(path))
		obstacle = examine(path);
	if (obstacle != FP_IMAGE_NO_OBSTACLE)
		note(path, text_of(obstacle), program->is_in_place);
	else if (is_wanted && !is_in && is_executable(path))
		note(path, FP_TELL_NOT_PRELOADED, program->is_in_place);
	else if (program->is_in_place && !joins)
		fp_session_leave_to_others();
	program->is_left = is_in && is_to_be_left(obstacle);
	program->is_seen = is_in && joins && obstacle == FP_IMAGE_NO_OBSTACLE;
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

/* What comes of this process cannot be told from what it does: it is written before. A child of
 * vfork, and a handler that interrupted us, leave that to others. */
static void write_recording(void)
{
	if (!fp_preload_thread.is_inside && atomic_load(&fp_preload.pid) == fp_sys_getpid())
		fp_session_write_recording();
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
		write_recording();
	if (!fp_is_text_readable(program->path) || !is_vector_readable(program->arguments) ||
	    !is_vector_readable(program->environment))
		return;
	judge(program, find_file(program, found));
	if (program->is_in_place && program->is_seen)
		program->is_announced = fp_session_announce(fp_sys_getpid());
}

/* The environment for PROGRAM. What has to be copied for it stays in the room that is returned,
 * until that is given back. */
static struct fp_room *choose(struct program *program)
{
	fp_session_leave_cpu();
	fp_check(execve, program->path, program->arguments, program->environment);
	struct fp_room *room = fp_room_take();

	fp_room_work(room, look, program);
	if (program->is_left && room != NULL &&
	    fp_preload_copy_environment(program->environment, fp_room_kept(room),
	                                FP_ROOM_KEPT_BYTES)) {
		program->environment = fp_room_kept(room);
		return room;
	}
	fp_room_give(room);
	return NULL;
}

/* The program was not executed. */
static void withdraw(const struct program *program, struct fp_room *room)
{
	if (program->is_announced)
		fp_session_withdraw(fp_sys_getpid());
	fp_room_give(room);
}

/* ERROR is the kernel's. */
static int fail(const struct program *program, struct fp_room *room, long error)
{
	withdraw(program, room);
	errno = (int)-error;
	return -1;
}

FP_EXPORT int execve(const char *path, char *const arguments[], char *const environment[])
{
	struct program program = {.path = path,
	                          .directory = AT_FDCWD,
	                          .is_in_place = true,
	                          .arguments = arguments,
	                          .environment = environment};
	struct fp_room *room = choose(&program);

	return fail(&program, room, fp_sys(SYS_execve, path, arguments, program.environment));
}

FP_EXPORT int execv(const char *path, char *const arguments[])
{
	return execve(path, arguments, environ);
}

FP_EXPORT int execveat(int directory, const char *path, char *const arguments[],
                       char *const environment[], int flags)
{
	struct program program = {.path = path,
	                          .directory = directory,
	                          .flags = flags,
	                          .is_in_place = true,
	                          .arguments = arguments,
	                          .environment = environment};
	struct fp_room *room = choose(&program);

	return fail(
	        &program, room,
	        fp_sys(SYS_execveat, directory, path, arguments, program.environment, flags));
}

FP_EXPORT int execvpe(const char *file, char *const arguments[], char *const environment[])
{
	struct program program = {.path = file,
	                          .directory = AT_FDCWD,
	                          .is_command = true,
	                          .is_in_place = true,
	                          .arguments = arguments,
	                          .environment = environment};
	struct fp_room *room = choose(&program);

	find_in_time();
	int result = libc_execvpe(file, arguments, program.environment);
	withdraw(&program, room);
	return result;
}

FP_EXPORT int execvp(const char *file, char *const arguments[])
{
	return execvpe(file, arguments, environ);
}

FP_EXPORT int fexecve(int fd, char *const arguments[], char *const environment[])
{
	struct program program = {.path = "",
	                          .directory = fd,
	                          .flags = AT_EMPTY_PATH,
	                          .is_in_place = true,
	                          .arguments = arguments,
	                          .environment = environment};
	struct fp_room *room = choose(&program);

	find_in_time();
	int result = libc_fexecve(fd, arguments, program.environment);
	withdraw(&program, room);
	return result;
}

/* The child may not have come to its first instruction yet. */
static int spawn(spawn_function *function, pid_t *pid, const struct program *program,
                 const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes)
{
	pid_t child;
	int status = function(&child, program->path, actions, attributes, program->arguments,
	                      program->environment);

	if (status != 0)
		return status;
	if (program->is_seen)
		fp_session_announce(child);
	if (pid != NULL)
		*pid = child;
	return 0;
}

FP_EXPORT int posix_spawn(pid_t *pid, const char *path,
                          const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attributes, char *const arguments[],
                          char *const environment[])
{
	struct program program = {.path = path,
	                          .directory = AT_FDCWD,
	                          .arguments = arguments,
	                          .environment = environment};
	struct fp_room *room = choose(&program);

	find_in_time();
	int status = spawn(libc_spawn, pid, &program, actions, attributes);
	fp_room_give(room);
	return status;
}

FP_EXPORT int posix_spawnp(pid_t *pid, const char *file,
                           const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const arguments[],
                           char *const environment[])
{
	struct program program = {.path = file,
	                          .directory = AT_FDCWD,
	                          .is_command = true,
	                          .arguments = arguments,
	                          .environment = environment};
	struct fp_room *room = choose(&program);

	find_in_time();
	int status = spawn(libc_spawnp, pid, &program, actions, attributes);
	fp_room_give(room);
	return status;
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
