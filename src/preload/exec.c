/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that this one executes and that our library cannot be put under, or would break,
 * run as if nobody watched; what was not seen is noted for the report. All of this may run in a
 * child of vfork: nothing is allocated, no lock is taken, and nothing of the parent's changes.
 */
#include <dlfcn.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/image.h"
#include "base/proc.h"
#include "base/text.h"
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
	        [FP_IMAGE_PRIVILEGED] = "gains privileges when executed",
	        [FP_IMAGE_FOREIGN] = "for another architecture",
	        [FP_IMAGE_STATIC] = "statically linked",
	        [FP_IMAGE_MUSL] = "linked with musl",
	        [FP_IMAGE_SANITIZED] = "linked with a sanitizer",
	};

	return texts[obstacle];
}

static void note(const char *path, const char *why)
{
	char line[NOTE_BYTES];
	struct fp_text text;

	fp_text_begin(&text, line, sizeof(line));
	fp_text_string(&text, path);
	fp_text_string(&text, " (");
	fp_text_string(&text, why);
	fp_text_string(&text, ")\n");
	fp_session_note_unseen(line);
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

/* Whether the program at PATH has to have another environment; notes what is not seen. */
static bool must_be_left(const char *path, char *const environment[])
{
	int saved_errno = errno;
	enum fp_image_obstacle obstacle = FP_IMAGE_NO_OBSTACLE;
	bool is_in = fp_preload_is_in(environment);
	bool is_wanted = is_in || fp_session_traces_children();

	if (is_wanted && access(path, X_OK) == 0)
		obstacle = examine(path);
	if (obstacle != FP_IMAGE_NO_OBSTACLE)
		note(path, text_of(obstacle));
	else if (is_wanted && !is_in && access(path, X_OK) == 0)
		note(path, "executed without LD_PRELOAD in its environment");
	errno = saved_errno;
	return is_in && is_to_be_left(obstacle);
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
		if (!text.is_cut && access(found, X_OK) == 0)
			return found;
		paths += length + (paths[length] != '\0');
	}
	return file;
}

/* ENVIRONMENT, or without our library on the caller's stack where IS_LEFT. */
#define CHOOSE_ENVIRONMENT(chosen, environment, is_left)                                       \
	char *const *chosen = (environment);                                                   \
	char room[FP_PRELOAD_PATHS_MAX];                                                       \
	if (is_left) {                                                                         \
		char **copy = __builtin_alloca(fp_preload_environment_bytes(environment));     \
                                                                                               \
		fp_preload_copy_environment(environment, copy, room);                          \
		chosen = copy;                                                                 \
	}

/* What comes of this process cannot be told from what it does: it is written before. A child of
 * vfork, and a handler that interrupted us, leave that to others. */
static void write_recording(void)
{
	int saved_errno = errno;

	if (!fp_preload_thread.is_inside && atomic_load(&fp_preload.pid) == getpid())
		fp_session_write_recording();
	errno = saved_errno;
}

FP_EXPORT int execve(const char *path, char *const arguments[], char *const environment[])
{
	write_recording();
	CHOOSE_ENVIRONMENT(chosen, environment, must_be_left(path, environment))
	return (int)syscall(SYS_execve, path, arguments, chosen);
}

FP_EXPORT int execv(const char *path, char *const arguments[])
{
	return execve(path, arguments, environ);
}

FP_EXPORT int execvpe(const char *file, char *const arguments[], char *const environment[])
{
	char found[PATH_BYTES];

	find_in_time();
	write_recording();
	CHOOSE_ENVIRONMENT(chosen, environment, must_be_left(search(file, found), environment))
	return libc_execvpe(file, arguments, chosen);
}

FP_EXPORT int execvp(const char *file, char *const arguments[])
{
	return execvpe(file, arguments, environ);
}

FP_EXPORT int fexecve(int fd, char *const arguments[], char *const environment[])
{
	char path[64];
	struct fp_text text;

	find_in_time();
	write_recording();
	fp_text_begin(&text, path, sizeof(path));
	fp_text_string(&text, FP_PROC_SELF "fd/");
	fp_text_decimal(&text, (uint64_t)fd);
	CHOOSE_ENVIRONMENT(chosen, environment, must_be_left(path, environment))
	return libc_fexecve(fd, arguments, chosen);
}

FP_EXPORT int posix_spawn(pid_t *pid, const char *path,
                          const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attributes, char *const arguments[],
                          char *const environment[])
{
	find_in_time();
	CHOOSE_ENVIRONMENT(chosen, environment, must_be_left(path, environment))
	return libc_spawn(pid, path, actions, attributes, arguments, chosen);
}

FP_EXPORT int posix_spawnp(pid_t *pid, const char *file,
                           const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const arguments[],
                           char *const environment[])
{
	char found[PATH_BYTES];

	find_in_time();
	CHOOSE_ENVIRONMENT(chosen, environment, must_be_left(search(file, found), environment))
	return libc_spawnp(pid, file, actions, attributes, arguments, chosen);
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
