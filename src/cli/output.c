/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that a reader never sees half written. A descriptor that the caller named as /dev/fd/N
 * is duplicated rather than opened again: opening would lose its offset, and fails for a
 * socket. Standard output and error are the program's, too, which may have set O_NONBLOCK:
 * stdio would lose what a pipe does not take at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/write.h"
#include "cli/cli.h"

static ssize_t write_patiently(void *fd, const char *bytes, size_t size)
{
	int status = fp_write_all((int)(intptr_t)fd, bytes, size);

	if (status == 0)
		return (ssize_t)size;
	errno = -status;
	return 0;
}

static int close_descriptor(void *fd)
{
	return close((int)(intptr_t)fd);
}

static FILE *open_stream(int fd)
{
	const cookie_io_functions_t functions = {.write = write_patiently,
	                                         .close = close_descriptor};

	return fopencookie((void *)(intptr_t)fd, "w", functions);
}

void fp_cli_open_standard_streams(void)
{
	FILE *out = open_stream(STDOUT_FILENO);
	FILE *error = open_stream(STDERR_FILENO);

	if (out) {
		setvbuf(out, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
		stdout = out;
	}
	if (error) {
		setvbuf(error, NULL, _IONBF, 0);
		stderr = error;
	}
}

static char *expand(const char *pattern, uint32_t pid)
{
	char *name = NULL;
	size_t size;
	FILE *out = open_memstream(&name, &size);

	if (!out)
		return NULL;
	for (const char *at = pattern; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == 'p') {
			fprintf(out, "%lu", (unsigned long)pid);
			at++;
		} else {
			fputc(*at, out);
		}
	}
	if (fclose(out) != 0) {
		free(name);
		return NULL;
	}
	return name;
}

/* The descriptor that PATH names, or -1. */
static int named_descriptor(const char *path)
{
	static const char *const directories[] = {"/dev/fd/", "/proc/self/fd/"};

	if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(directories[i]);
		char *end;
		long number;

		if (strncmp(path, directories[i], len) != 0 || path[len] < '0' ||
		    path[len] > '9')
			continue;
		errno = 0;
		number = strtol(path + len, &end, 10);
		if (errno == 0 && *end == '\0' && number < 1 << 20)
			return (int)number;
	}
	return -1;
}

/* Only a regular file, or none yet, can be replaced by renaming. */
static int can_replace(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 ? S_ISREG(status.st_mode) : errno == ENOENT;
}

static int open_beside(struct fp_cli_output *output)
{
	int fd;

	if (asprintf(&output->temporary, "%s.%ld.tmp", output->path, (long)getpid()) < 0) {
		output->temporary = NULL;
		return -1;
	}
	fd = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		free(output->temporary);
		output->temporary = NULL;
	}
	return fd;
}

static int open_path(struct fp_cli_output *output)
{
	int named = named_descriptor(output->path);
	int fd = -1;

	if (named >= 0)
		return fcntl(named, F_DUPFD_CLOEXEC, 0);
	if (can_replace(output->path))
		fd = open_beside(output);
	/* The directory may allow no new file, or no name this long, and yet the file itself.
	 */
	if (fd < 0)
		fd = open(output->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
		          0666);
	return fd;
}

static int check_descriptor(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	return (flags & O_ACCMODE) == O_RDONLY ? -EBADF : 0;
}

/* Whether a file can be made beside PATH. */
static int check_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = NULL;

	if (slash && slash[1] == '\0')
		return -EISDIR;
	if (slash)
		directory = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (slash && !directory)
		return -ENOMEM;
	int result = faccessat(AT_FDCWD, directory ? directory : ".", W_OK | X_OK, AT_EACCESS);
	int error = errno;
	free(directory);
	return result == 0 ? 0 : -error;
}

static int check_path(const char *path)
{
	int named = named_descriptor(path);
	struct stat status;

	if (named >= 0)
		return check_descriptor(named);
	if (stat(path, &status) != 0) {
		if (errno != ENOENT)
			return -errno;
		/* A link to a file that is still to be made says nothing of where. */
		return lstat(path, &status) == 0 ? 0 : check_directory(path);
	}
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
		return 0;
	int error = errno;
	return can_replace(path) && check_directory(path) == 0 ? 0 : -error;
}

/* The process that %p stands for has yet to begin; one in the directory's name cannot be
 * foreseen. */
int fp_cli_output_check(const char *pattern)
{
	const char *slash = strrchr(pattern, '/');
	const char *mark = strstr(pattern, "%p");

	if (slash && mark && mark < slash)
		return 0;
	char *path = expand(pattern, (uint32_t)getpid());
	int result = path ? check_path(path) : -ENOMEM;
	free(path);
	return result;
}

int fp_cli_output_open(struct fp_cli_output *output, const char *pattern, uint32_t pid)
{
	int fd;
	int error;

	*output = (struct fp_cli_output){.path = expand(pattern, pid)};
	if (!output->path)
		return -ENOMEM;
	fd = open_path(output);
	if (fd < 0)
		return -errno;
	output->fd = fd;
	output->file = open_stream(fd);
	if (output->file)
		return 0;
	error = -errno;
	close(fd);
	if (output->temporary)
		unlink(output->temporary);
	return error;
}

/* A write that failed earlier leaves its reason in no other place than a new attempt. */
static int find_failure(const struct fp_cli_output *output)
{
	if (fflush(output->file) != 0)
		return -errno;
	if (!ferror(output->file))
		return 0;
	return write(output->fd, "\n", 1) < 0 ? -errno : -EIO;
}

int fp_cli_output_close(struct fp_cli_output *output)
{
	int result = find_failure(output);

	if (fclose(output->file) != 0 && result == 0)
		result = -errno;
	output->file = NULL;
	if (!output->temporary)
		return result;
	if (result == 0 && rename(output->temporary, output->path) != 0)
		result = -errno;
	if (result != 0)
		unlink(output->temporary);
	return result;
}

void fp_cli_output_free(struct fp_cli_output *output)
{
	free(output->path);
	free(output->temporary);
	*output = (struct fp_cli_output){0};
}
