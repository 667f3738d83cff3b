/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that execute each other may have been given one name: whoever comes later takes the
 * name with a number, so no recording is lost to another. What is no regular file (a pipe, a
 * terminal) is everybody's.
 */
#include "record/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

enum { NUMBERS_MAX = 10000, NUMBER_BYTES = 8, KERNEL_MASK_BYTES = 8 };

int fp_record_file_name(struct fp_record_file *file, const char *path, bool is_kept)
{
	struct fp_text text;

	fp_text_begin(&text, file->path, sizeof(file->path) - NUMBER_BYTES);
	fp_text_string(&text, path);
	file->stem = text.used;
	file->is_made = false;
	file->is_kept = is_kept;
	return text.is_cut ? -ENAMETOOLONG : 0;
}

static int open_file(const char *path, int flags)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path,
	                    O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | flags, 0666);
}

static bool is_regular(const char *path)
{
	struct stat status;

	return syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0) == 0 &&
	       S_ISREG(status.st_mode);
}

static void append_number(struct fp_record_file *file, unsigned number)
{
	struct fp_text text;

	fp_text_begin(&text, file->path + file->stem, NUMBER_BYTES);
	fp_text_string(&text, ".");
	fp_text_decimal(&text, number);
}

static int make(struct fp_record_file *file)
{
	if (!file->is_kept)
		return open_file(file->path, O_CREAT | O_TRUNC);
	int fd = open_file(file->path, O_CREAT | O_EXCL);
	if (fd < 0 && errno == EEXIST && !is_regular(file->path))
		return open_file(file->path, 0);
	for (unsigned number = 1; fd < 0 && errno == EEXIST && number < NUMBERS_MAX; number++) {
		append_number(file, number);
		fd = open_file(file->path, O_CREAT | O_EXCL);
	}
	return fd;
}

static int write_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		long written = syscall(SYS_write, fd, bytes, count);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		bytes += written;
		count -= (size_t)written;
	}
	return 0;
}

/* Beyond a limit of the size of files, or to a pipe that nobody reads, the kernel sends a
 * signal to the thread that writes. */
static uint64_t deaf_to(void)
{
	return UINT64_C(1) << (SIGXFSZ - 1) | UINT64_C(1) << (SIGPIPE - 1);
}

static void swallow(uint64_t signals)
{
	const struct timespec at_once = {0};

	while (syscall(SYS_rt_sigtimedwait, &signals, NULL, &at_once, KERNEL_MASK_BYTES) > 0)
		;
}

/* The same with those signals held back; one that was pending already stays so. */
static int write_deaf(int fd, const char *bytes, size_t count)
{
	uint64_t deaf = deaf_to();
	uint64_t mask;
	uint64_t pending;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &deaf, &mask, KERNEL_MASK_BYTES);
	syscall(SYS_rt_sigpending, &pending, KERNEL_MASK_BYTES);
	int status = write_all(fd, bytes, count);
	if (status != 0)
		swallow(deaf & ~pending);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, KERNEL_MASK_BYTES);
	return status;
}

int fp_record_file_append(struct fp_record_file *file, const void *bytes, size_t count)
{
	int fd = file->is_made ? open_file(file->path, 0) : make(file);

	if (fd < 0)
		return -errno;
	file->is_made = true;
	int status = write_deaf(fd, bytes, count);
	syscall(SYS_close, fd);
	return status;
}
