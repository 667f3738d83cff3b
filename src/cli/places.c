/* SPDX-License-Identifier: Apache-2.0
 *
 * Where things are: this program, the library beside it, commands, room for files.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"
#include "cli/run.h"

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
