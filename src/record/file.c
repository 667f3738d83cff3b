/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that execute each other may have been given one name: whoever comes later takes the
 * name with a number, so no recording is lost to another. What is no regular file (a pipe, a
 * terminal) is everybody's.
 */
#include "record/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "base/text.h"
#include "base/write.h"

enum { NUMBERS_MAX = 10000, NUMBER_BYTES = 8 };

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
	return fp_sys_open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | flags, 0666);
}

static bool is_regular(const char *path)
{
	struct stat status;

	return fp_sys_stat(path, &status) == 0 && S_ISREG(status.st_mode);
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
	if (fd == -EEXIST && !is_regular(file->path))
		return open_file(file->path, 0);
	for (unsigned number = 1; fd == -EEXIST && number < NUMBERS_MAX; number++) {
		append_number(file, number);
		fd = open_file(file->path, O_CREAT | O_EXCL);
	}
	return fd;
}

int fp_record_file_append(struct fp_record_file *file, const void *bytes, size_t count)
{
	int fd = file->is_made ? open_file(file->path, 0) : make(file);

	if (fd < 0)
		return fd;
	file->is_made = true;
	int status = fp_write_all(fd, bytes, count);
	fp_sys_close(fd);
	return status;
}
