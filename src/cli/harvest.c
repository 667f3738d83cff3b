/* SPDX-License-Identifier: Apache-2.0
 *
 * The directory in which the processes of a run leave their event logs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run.h"
#include "log/format.h"
#include "log/writer.h"

struct file {
	char *path;
	off_t bytes;           /* 0: the process found no room for its events */
	struct timespec ended; /* when it was written last */
};

static int compare_ends(const void *first, const void *second)
{
	const struct timespec *a = &((const struct file *)first)->ended;
	const struct timespec *b = &((const struct file *)second)->ended;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}

/* Calls VISIT with the path of each file in DIRECTORY; false when memory ran out. */
static bool each_file(const char *directory, bool (*visit)(char *path, void *user), void *user)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;
	bool is_complete = true;

	while (stream && is_complete && (entry = readdir(stream))) {
		char *path;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&path, "%s/%s", directory, entry->d_name) < 0)
			is_complete = false;
		else
			is_complete = visit(path, user);
	}
	if (stream)
		closedir(stream);
	return is_complete;
}

struct listing {
	struct file *files;
	size_t count;
};

static bool add_file(char *path, void *user)
{
	struct listing *listing = user;
	struct stat status;
	struct file *files;

	if (stat(path, &status) != 0) {
		free(path);
		return true;
	}
	files = realloc(listing->files, (listing->count + 1) * sizeof(*listing->files));
	if (!files) {
		free(path);
		return false;
	}
	listing->files = files;
	files[listing->count++] =
	        (struct file){.path = path, .bytes = status.st_size, .ended = status.st_mtim};
	return true;
}

static bool remove_file(char *path, void *unused)
{
	(void)unused;
	unlink(path);
	free(path);
	return true;
}

void fp_cli_remove(const char *directory)
{
	static const char *const others[] = {FP_LOG_UNSEEN, FP_LOG_STDERR};
	char *path;

	each_file(directory, remove_file, NULL);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (asprintf(&path, "%s/%s", directory, others[i]) >= 0)
			remove_file(path, NULL);
	rmdir(directory);
}

static bool is_complete(int fd)
{
	uint8_t tail[FP_LOG_RECORD_HEADER_BYTES];
	off_t size = lseek(fd, 0, SEEK_END);

	return size >= (off_t)sizeof(tail) &&
	       pread(fd, tail, sizeof(tail), size - (off_t)sizeof(tail)) == sizeof(tail) &&
	       tail[0] == FP_LOG_END &&
	       memcmp(tail + 1, (const uint8_t[sizeof(tail) - 1]){0}, sizeof(tail) - 1) == 0;
}

/* Who was killed could not say so itself. */
static void complete(const char *path, int number)
{
	static struct fp_log log;
	int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);

	if (fd < 0)
		return;
	if (!is_complete(fd)) {
		fp_log_open(&log, -1, true);
		fp_log_exit(&log, FP_LOG_EXIT_SIGNAL, number);
		fp_log_end(&log);
		fp_log_copy(&log, fd);
		fp_log_discard(&log);
	}
	close(fd);
}

/* The log of the program that process PID executed last. */
static const char *last_of(const struct listing *listing, pid_t pid)
{
	const char *last = NULL;

	for (size_t i = 0; i < listing->count; i++) {
		const char *name = strrchr(listing->files[i].path, '/') + 1;

		if (strtol(name, NULL, 10) == pid && listing->files[i].bytes > 0)
			last = listing->files[i].path;
	}
	return last;
}

/* All logs of that program: it may have two sessions. */
static void complete_last_of(const struct listing *listing, pid_t pid, int number)
{
	const char *last = last_of(listing, pid);
	const char *number_of = last ? strrchr(strrchr(last, '/'), '-') : NULL;
	size_t length = number_of ? (size_t)(number_of + 1 - last) : 0;

	for (size_t i = 0; number_of && i < listing->count; i++)
		if (strncmp(listing->files[i].path, last, length) == 0 &&
		    listing->files[i].bytes > 0)
			complete(listing->files[i].path, number);
}

/* What a process found no room for, it has said itself: then this run is not known whole. */
static int read_all(struct fp_cli_logs *logs, struct listing *listing)
{
	int result = 0;

	for (size_t i = 0; i < listing->count; i++) {
		/* One that cannot be read must not cost the others. */
		if (listing->files[i].bytes > 0)
			fp_cli_logs_read(logs, listing->files[i].path);
		else
			result = FP_CLI_FAILED;
		free(listing->files[i].path);
	}
	return result;
}

int fp_cli_harvest(struct fp_cli_logs *logs, const char *directory, pid_t pid, int status)
{
	struct listing listing = {0};
	bool is_listed = each_file(directory, add_file, &listing);

	if (listing.count > 1)
		qsort(listing.files, listing.count, sizeof(*listing.files), compare_ends);
	if (WIFSIGNALED(status))
		complete_last_of(&listing, pid, WTERMSIG(status));
	fp_cli_progress_begin();
	int result = read_all(logs, &listing);
	fp_cli_progress_end();
	free(listing.files);
	return is_listed ? result
	                 : fp_cli_fail("not enough memory for the reports of this run");
}
