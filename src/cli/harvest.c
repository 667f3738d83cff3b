/* SPDX-License-Identifier: Apache-2.0
 *
 * The channel in which the processes of a run leave their event logs, and what is read from it
 * when the program has ended.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "cli/run.h"
#include "log/writer.h"

int fp_cli_channel_open(struct fp_cli_channel *channel, const struct fp_options *options)
{
	int status;

	channel->memory =
	        fp_channel_make(fp_channel_bytes(), &channel->fd, channel->address, &status);
	if (channel->memory) {
		fp_cli_profile_load(channel, options);
		return 0;
	}
	return fp_cli_fail(FP_SAY_CANNOT_MAKE_MEMORY, strerror(-status),
	                   status == -EFBIG    ? FP_SAY_RAISE_LIMIT_FILES
	                   : status == -ENOMEM ? FP_SAY_RAISE_LIMIT_MEMORY
	                                       : FP_SAY_ALLOW_MEMFD_CREATE);
}

void fp_cli_channel_close(struct fp_cli_channel *channel, const struct fp_options *options)
{
	if (channel->memory) {
		fp_cli_profile_save(channel, options);
		fp_channel_drop(channel->memory, channel->fd);
	}
	channel->memory = NULL;
}

enum { ENDING_BYTES = 64, PIDS_MAX = 1 << 22 /* the most that Linux has */ };

/* One log, and where it stands among those of its process. */
struct entry {
	struct fp_channel_log *log;
	struct fp_channel_status status;
	bool is_last; /* the process executed no other program of ours after this one */
	bool is_read; /* it has a report */
	size_t ending_size;
	uint8_t ending[ENDING_BYTES]; /* what the process could not add itself */
};

struct listing {
	struct entry *entries;
	size_t count;
};

static bool list(struct listing *listing, struct fp_channel *channel)
{
	struct fp_channel_log *log;

	for (size_t i = 0; (log = fp_channel_log_at(channel, i)); i++) {
		struct entry *entries =
		        fp_report_grow(listing->entries, listing->count, sizeof(*entries));

		if (!entries)
			return false;
		listing->entries = entries;
		entries[listing->count++] =
		        (struct entry){.log = log, .status = fp_channel_status(log)};
	}
	return true;
}

/* Whether PID is met for the first time; MET has a bit for each. */
static bool is_first(uint8_t *met, pid_t pid)
{
	uint8_t bit = (uint8_t)(1u << pid % 8);
	bool is_new = (met[pid / 8] & bit) == 0;

	met[pid / 8] |= bit;
	return is_new;
}

/* The last program that each process executed. */
static bool find_last_of_each(struct listing *listing)
{
	uint8_t *met = calloc(PIDS_MAX / 8, 1);

	if (!met)
		return false;
	for (size_t i = listing->count; i-- > 0;) {
		struct entry *entry = &listing->entries[i];

		entry->is_last = entry->status.pid > 0 && entry->status.pid < PIDS_MAX &&
		                 is_first(met, entry->status.pid);
	}
	free(met);
	return true;
}

const char *fp_cli_read_stat(pid_t pid, char line[FP_CLI_STAT_BYTES])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	FILE *in = fopen(path, "re");
	size_t size = in ? fread(line, 1, FP_CLI_STAT_BYTES - 1, in) : 0;
	if (in)
		fclose(in);
	line[size] = '\0';
	/* A name may hold anything, a parenthesis too. */
	const char *name_end = strrchr(line, ')');
	return name_end && name_end[1] == ' ' ? name_end + 2 : "?";
}

/* A process that has ended stays in the list of the system until its parent asks for it. */
static bool is_alive(pid_t pid)
{
	char line[FP_CLI_STAT_BYTES];
	int threads = 0;

	if (kill(pid, 0) != 0 && errno == ESRCH)
		return false;
	const char *state = fp_cli_read_stat(pid, line);
	/* Of one whose first thread has ended others may run. */
	if (*state == 'Z')
		sscanf(state,
		       "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
		       "%*d %*d %*d %d",
		       &threads);
	return (*state != 'Z' && *state != 'X') || threads > 1;
}

/* Those that still run will report by themselves. They are told first, so that each either ends
 * before, and is read, or learns of it. */
static void leave_running(struct listing *listing, pid_t ended)
{
	for (size_t i = 0; i < listing->count; i++) {
		struct entry *entry = &listing->entries[i];
		bool is_left = entry->is_last && entry->status.pid != ended &&
		               fp_channel_leave(entry->log);

		entry->status = fp_channel_status(entry->log);
		/* Of one in another namespace nobody knows whether it runs. */
		if (is_left && (entry->status.is_foreign || !is_alive(entry->status.pid)))
			entry->status.state = FP_CHANNEL_RUNNING;
	}
}

/* Who was killed could not say so itself; who left by a system call of its own did not. */
static void complete(struct entry *entry, int status)
{
	static struct fp_log log;

	fp_log_open(&log, true);
	if (status == FP_CLI_STATUS_UNKNOWN) {
		fp_log_exit(&log, FP_LOG_EXIT_UNKNOWN, 0);
	} else if (WIFSIGNALED(status)) {
		fp_log_exit(&log, FP_LOG_EXIT_SIGNAL, WTERMSIG(status));
		fp_log_end(&log);
	} else {
		fp_log_exit(&log, FP_LOG_EXIT_CODE, WEXITSTATUS(status));
	}
	entry->ending_size = fp_log_take(&log, entry->ending, sizeof(entry->ending));
	fp_log_discard(&log);
}

/* The program of process PID, unless it executed one that is not seen. */
static void complete_all_of(struct listing *listing, pid_t pid, int status)
{
	for (size_t i = 0; i < listing->count; i++) {
		struct entry *entry = &listing->entries[i];

		if (entry->status.pid == pid && entry->is_last &&
		    entry->status.state == FP_CHANNEL_RUNNING && !entry->status.is_replaced)
			complete(entry, status);
	}
}

static int compare_ends(const void *first, const void *second)
{
	const struct entry *one = first;
	const struct entry *other = second;
	/* Whose end is known from elsewhere was the last. */
	uint64_t a = one->ending_size > 0 ? UINT64_MAX : one->status.order;
	uint64_t b = other->ending_size > 0 ? UINT64_MAX : other->status.order;

	return (a > b) - (a < b);
}

static int read_one(struct fp_cli_logs *logs, struct fp_channel *channel,
                    const struct entry *entry)
{
	size_t size = entry->status.bytes;
	char *data = size <= fp_channel_bytes() ? malloc(size + sizeof(entry->ending)) : NULL;

	if (!data)
		return fp_cli_fail(FP_SAY_NO_MEMORY_EVENTS_PROCESS, (long)entry->status.pid);
	size = fp_channel_read(channel, entry->log, (uint8_t *)data, size);
	memcpy(data + size, entry->ending, entry->ending_size);
	int result = fp_cli_logs_add(logs, data, size + entry->ending_size);
	if (result != 0) {
		free(data);
		return result;
	}
	logs->logs[logs->count - 1].report->shown = entry->status.shown;
	logs->logs[logs->count - 1].report->sent = entry->status.sent;
	return 0;
}

/* What a process found no room for, it has said itself: then this run is not known whole. */
static int read_all(struct fp_cli_logs *logs, struct fp_channel *channel,
                    struct listing *listing)
{
	int result = fp_channel_refused(channel) > 0 ? FP_CLI_FAILED : 0;

	for (size_t i = 0; i < listing->count; i++) {
		struct entry *entry = &listing->entries[i];

		entry->is_read = entry->status.state != FP_CHANNEL_LEFT &&
		                 (entry->status.is_told || entry->ending_size > 0);
		if (entry->status.is_lossy ||
		    (entry->is_read && read_one(logs, channel, entry) != 0))
			result = FP_CLI_FAILED;
	}
	return result;
}

static void take_census(const struct listing *listing, struct fp_channel *channel,
                        const struct fp_cli_logs *logs, pid_t ended,
                        struct fp_cli_census *census)
{
	size_t unborn = fp_cli_count_unborn(channel);

	census->processes = fp_channel_processes(channel) + unborn;
	census->running += unborn;
	for (size_t i = 0; i < listing->count; i++) {
		const struct fp_channel_status *status = &listing->entries[i].status;

		if (status->state == FP_CHANNEL_LEFT) {
			census->findings += status->shown;
			census->failing += status->shown > 0;
		}
	}
	for (pid_t pid = 0; (pid = fp_channel_next_open(channel, pid)) != 0;) {
		/* What a process told that did not come to its end stands in its report. */
		if (pid == ended || fp_cli_report_of(logs, pid))
			continue;
		bool runs = is_alive(pid);
		census->running += runs;
		census->silent += !runs;
	}
}

int fp_cli_harvest(struct fp_cli_logs *logs, struct fp_channel *channel, pid_t pid, int status,
                   struct fp_cli_census *census)
{
	struct listing listing = {0};

	fp_channel_close(channel);
	bool is_listed = list(&listing, channel) && find_last_of_each(&listing);
	leave_running(&listing, pid);
	complete_all_of(&listing, pid, status);
	if (listing.count > 1)
		qsort(listing.entries, listing.count, sizeof(*listing.entries), compare_ends);
	fp_cli_progress_begin();
	int result = read_all(logs, channel, &listing);
	if (fp_cli_add_deaths(logs, channel, census) != 0)
		result = FP_CLI_FAILED;
	fp_cli_progress_end();
	take_census(&listing, channel, logs, pid, census);
	free(listing.entries);
	return is_listed ? result : fp_cli_fail(FP_SAY_NO_MEMORY_REPORTS);
}
