/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of programs: where this one is, the library beside it, and what a command means; and
 * whether that program can be watched.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/image.h"
#include "base/proc.h"
#include "base/tool_messages.h"
#include "cli/cli.h"

static bool is_executable(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return false;
	if (S_ISDIR(status.st_mode))
		errno = EACCES;
	return !S_ISDIR(status.st_mode) && access(path, X_OK) == 0;
}

char *fp_cli_find_program(const char *name)
{
	const char *paths = getenv("PATH");
	int error = ENOENT;

	if (name[0] == '\0') {
		errno = ENOENT;
		return NULL;
	}
	if (strchr(name, '/'))
		return is_executable(name) ? strdup(name) : NULL;
	for (paths = paths ? paths : "/usr/local/bin:/usr/bin:/bin"; paths;) {
		size_t length = strcspn(paths, ":");
		char *path;

		if (asprintf(&path, "%.*s/%s", (int)(length ? length : 1), length ? paths : ".",
		             name) < 0)
			return NULL;
		if (is_executable(path))
			return path;
		if (errno == EACCES)
			error = EACCES;
		free(path);
		paths = paths[length] == ':' ? paths + length + 1 : NULL;
	}
	errno = error;
	return NULL;
}

bool fp_cli_find_self(char path[PATH_MAX])
{
	ssize_t length = readlink(FP_PROC_SELF "exe", path, PATH_MAX - 1);

	path[length > 0 ? length : 0] = '\0';
	return length > 0;
}

char *fp_cli_find_library(void)
{
	static const char *const beside[] = {"../preload/.libs", "../lib/fencepost",
	                                     "../lib64/fencepost"};
	char self[PATH_MAX];
	char *path;

	int length = fp_cli_find_self(self) ? (int)(strrchr(self, '/') + 1 - self) : 0;
	for (size_t i = 0; length > 0 && i < sizeof(beside) / sizeof(beside[0]); i++) {
		if (asprintf(&path, "%.*s%s/%s", length, self, beside[i], FP_CLI_LIBRARY) < 0)
			return NULL;
		char *real = access(path, R_OK) == 0 ? realpath(path, NULL) : NULL;
		free(path);
		if (real)
			return real;
	}
	return asprintf(&path, "%s/%s", FP_PKGLIBDIR, FP_CLI_LIBRARY) < 0 ? NULL : path;
}

const char *fp_cli_temporary_directory(void)
{
	const char *path = getenv("TMPDIR");

	return path && path[0] == '/' && strlen(path) <= FP_OPTION_PATH_MAX / 2 ? path : "/tmp";
}

char *fp_cli_quote(const char *name)
{
	static const char plain[] = "_./+-@%:,=";
	bool is_plain = name[0] != '\0';
	char *quoted = NULL;
	size_t size;

	for (const char *at = name; *at != '\0'; at++)
		is_plain = is_plain && (isalnum((unsigned char)*at) || strchr(plain, *at));
	if (is_plain)
		return strdup(name);
	FILE *out = open_memstream(&quoted, &size);
	if (!out)
		return NULL;
	fputc('\'', out);
	for (const char *at = name; *at != '\0'; at++) {
		if (*at == '\'')
			fputs("'\\''", out);
		else
			fputc(*at, out);
	}
	fputc('\'', out);
	return fclose(out) == 0 ? quoted : NULL;
}

/* ---- What speaks against watching it -------------------------------------------------------
 *
 * Programs that a preloaded library does not reach, or breaks, are told from their files before
 * they start. Of a script it is the interpreter's file that counts.
 */

enum { SCRIPT_DEPTH_MAX = 4 };

static bool examine(const char *path, struct fp_cli_obstacle *obstacle)
{
	static const char *const texts[FP_IMAGE_OBSTACLES][2] = {
	        [FP_IMAGE_PRIVILEGED] = {FP_SAY_GAINS_PRIVILEGES_WHEN, FP_SAY_RUN_COPY_WITHOUT},
	        [FP_IMAGE_FOREIGN] = {FP_SAY_ANOTHER_ARCHITECTURE_THAN,
	                              FP_SAY_USE_FENCEPOST_BUILT},
	        [FP_IMAGE_STATIC] = {FP_SAY_STATICALLY_LINKED_SO,
	                             FP_SAY_LINK_DYNAMICALLY_LIBFENCEPOST},
	        [FP_IMAGE_MUSL] = {FP_SAY_LINKED_MUSL_FENCEPOST, FP_SAY_LINK_LIBFENCEPOST_USE},
	        [FP_IMAGE_SANITIZED] = {FP_SAY_WHICH_ALLOCATOR_ITS,
	                                FP_SAY_BUILD_WITHOUT_SANITIZER},
	};
	const char *sanitizer;
	enum fp_image_obstacle kind = fp_image_examine(path, &sanitizer);
	int length;

	if (kind == FP_IMAGE_NO_OBSTACLE)
		return false;
	obstacle->remedy = texts[kind][1];
	obstacle->is_privileged = kind == FP_IMAGE_PRIVILEGED;
	length = sanitizer ? asprintf(&obstacle->what, FP_SAY_SANITIZED_LINE, path, sanitizer,
	                              texts[kind][0])
	                   : asprintf(&obstacle->what, "%s %s", path, texts[kind][0]);
	return length >= 0;
}

/* What a script at PATH names in its first line: "#!/usr/bin/env python3" is python3's. New
 * memory; NULL when PATH is none. */
static char *find_interpreter(const char *path)
{
	char line[FP_IMAGE_LINE_MAX];
	char *rest;

	if (!fp_image_read_script(path, line))
		return NULL;
	char *interpreter = strtok_r(line, " \t", &rest);
	char *argument = interpreter ? strtok_r(NULL, " \t", &rest) : NULL;
	const char *name = interpreter ? strrchr(interpreter, '/') : NULL;
	bool is_named = name && strcmp(name, "/env") == 0 && argument && argument[0] != '-';

	if (!interpreter)
		return NULL;
	return is_named ? fp_cli_find_program(argument) : strdup(interpreter);
}

char *fp_cli_find_executed(const char *path)
{
	char *executed = strdup(path);

	for (int depth = 0; executed && depth < SCRIPT_DEPTH_MAX; depth++) {
		char *interpreter = find_interpreter(executed);

		if (!interpreter)
			break;
		free(executed);
		executed = interpreter;
	}
	return executed;
}

bool fp_cli_find_obstacle(const char *path, struct fp_cli_obstacle *obstacle)
{
	char *executed = fp_cli_find_executed(path);
	/* Of a script the kernel takes no privileges. */
	bool is_found = examine(executed ? executed : path, obstacle);

	free(executed);
	return is_found;
}
