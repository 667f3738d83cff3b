/* SPDX-License-Identifier: Apache-2.0
 *
 * The channel in which the processes of a run leave their event logs, and what is read from it
 * when the program has ended.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/tool_messages.h"
#include "cli/cli.h"
#include "log/writer.h"

/* ---- Who could not tell his end
 * --------------------------------------------------------------
 *
 * The event log of a program that died of a signal and left none, so that whoever asked for a
 * report has one: who it was, what it was to do, and how it ended. What it did is not known,
 * and nothing else is said of it. The same of a process whose parent saw how it ended.
 */

enum { ARGUMENTS_MAX = 64 << 10 };

static const char note[] = FP_SAY_PROCESS_LEFT_NO FP_CLI_LIBRARY FP_SAY_NOT_LOADED_ITS;

static const char child_note[] = FP_SAY_PROCESS_WAS_KILLED;

/* As /proc/PID/cmdline had them, cut where there are too many. */
static char arguments[ARGUMENTS_MAX];

static bool add_argument(size_t *used, const char *bytes, size_t size)
{
	if (size >= ARGUMENTS_MAX - *used)
		return false;
	memcpy(arguments + *used, bytes, size);
	*used += size + 1;
	arguments[*used - 1] = '\0';
	return true;
}

/* PROCESS lacks what all have; what is there to say of it, and its end. */
static void log_process(struct fp_log *log, struct fp_log_process process)
{
	process.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	process.version = PACKAGE_VERSION;
	process.arguments = arguments;
	fp_log_open(log, false);
	fp_log_process(log, &process);
}

static void log_end(struct fp_log *log, const char *text, int signal)
{
	fp_log_note(log, text);
	fp_log_exit(log, FP_LOG_EXIT_SIGNAL, signal);
	fp_log_end(log);
}

static bool has_log(struct fp_channel *channel, pid_t pid)
{
	struct fp_channel_log *log;

	for (size_t i = 0; (log = fp_channel_log_at(channel, i)); i++)
		if (fp_channel_status(log).pid == pid)
			return true;
	return false;
}

/* As they were asked for: what was in effect, only it could say. */
static void log_setting(const struct fp_option *option, const char *value, void *user)
{
	fp_log_setting(user, option->key, value);
}

void fp_cli_write_obituary(struct fp_channel *channel, const struct fp_cli_launch *launch,
                           const struct fp_options *options, int status)
{
	static struct fp_log log;
	size_t used = 0;

	if (!WIFSIGNALED(status) || has_log(channel, launch->pid))
		return;
	struct fp_channel_log *place = fp_channel_open_log(channel, launch->pid);
	if (!place)
		return;
	for (char *const *at = launch->arguments; *at && add_argument(&used, *at, strlen(*at));
	     at++)
		;
	char *executable = realpath(launch->path, NULL);
	log_process(&log, (struct fp_log_process){
	                          .pid = (uint32_t)launch->pid,
	                          .ppid = (uint32_t)getpid(),
	                          .executable = executable ? executable : launch->path,
	                          .arguments_bytes = used,
	                  });
	free(executable);
	fp_options_each(options, log_setting, &log);
	log_end(&log, note, WTERMSIG(status));
	fp_log_publish(&log, channel, place);
	fp_channel_end(channel, place);
	fp_log_discard(&log);
}

/* The last report of process PID, or NULL. */
static const struct fp_report *report_of(const struct fp_cli_logs *logs, pid_t pid)
{
	for (size_t i = logs->count; i-- > 0;)
		if (logs->logs[i].report->pid == (uint32_t)pid)
			return logs->logs[i].report;
	return NULL;
}

/* A process that forked is what its parent is. */
static int add_death(struct fp_cli_logs *logs, const struct fp_channel_death *death)
{
	static struct fp_log log;
	const struct fp_report *parent = report_of(logs, death->parent);
	char *executable = parent && parent->executable.bytes
	                           ? strndup(parent->executable.bytes, parent->executable.size)
	                           : NULL;
	char note_of_child[sizeof(child_note) + 20];
	char *data = malloc(2 * ARGUMENTS_MAX);
	size_t used = 0;

	if (!data) {
		free(executable);
		return fp_cli_fail(FP_SAY_NO_MEMORY_END_PROCESS, (long)death->pid);
	}
	for (size_t i = 0;
	     parent && i < parent->argument_count &&
	     add_argument(&used, parent->arguments[i].bytes, parent->arguments[i].size);
	     i++)
		;
	log_process(&log, (struct fp_log_process){
	                          .pid = (uint32_t)death->pid,
	                          .ppid = (uint32_t)death->parent,
	                          .executable = executable ? executable : "",
	                          .arguments_bytes = used,
	                  });
	free(executable);
	snprintf(note_of_child, sizeof(note_of_child), child_note, (long)death->parent);
	log_end(&log, note_of_child, WTERMSIG(death->status));
	size_t size = fp_log_take(&log, (uint8_t *)data, 2 * ARGUMENTS_MAX);
	fp_log_discard(&log);
	int result = fp_cli_logs_add(logs, data, size);
	if (result != 0)
		free(data);
	return result;
}

static void count(struct fp_cli_census *census, int signal)
{
	census->killer = census->killed == 0 || census->killer == signal ? signal : 0;
	census->killed++;
}

/* Adds a report of each process that left none, of which its parent saw that it was killed, and
 * counts those that no finding is about. 0 or FP_CLI_FAILED. */
static int add_deaths(struct fp_cli_logs *logs, struct fp_channel *channel,
                      struct fp_cli_census *census)
{
	struct fp_channel_death death;
	int result = 0;

	for (size_t i = 0; fp_channel_death_at(channel, i, &death); i++) {
		/* Of a process that has passed since, it is none. */
		if (fp_channel_next_open(channel, death.pid - 1) != death.pid ||
		    report_of(logs, death.pid))
			continue;
		if (add_death(logs, &death) != 0)
			result = FP_CLI_FAILED;
		else if (logs->logs[logs->count - 1].report->finding_count == 0)
			count(census, WTERMSIG(death.status));
	}
	return result;
}

/* ---- Children that do not run yet ----------------------------------------------------------
 *
 * Children that were forked and have not come to their first instruction when the program has
 * ended, as daemon(3) leaves them on a busy machine: nobody has counted them, but they have the
 * channel mapped. They are looked for only where a fork is known to be open.
 */

/* What is mapped: of which device, which inode. */
struct file {
	char device[32];
	uint64_t inode;
};

/* What this process has mapped at ADDRESS. */
static bool find_file(uintptr_t address, struct file *file)
{
	char line[512];
	bool is_found = false;
	FILE *in = fopen(FP_PROC_SELF "maps", "re");

	while (in && !is_found && fgets(line, sizeof(line), in)) {
		uintptr_t start;
		uintptr_t end;

		is_found = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %31s %" SCNu64,
		                  &start, &end, file->device, &file->inode) == 4 &&
		           address >= start && address < end;
	}
	if (in)
		fclose(in);
	return is_found;
}

static bool maps(pid_t pid, const struct file *file)
{
	char path[64];
	char line[512];
	bool is_mapped = false;

	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	FILE *in = fopen(path, "re");
	while (in && !is_mapped && fgets(line, sizeof(line), in)) {
		char device[32];
		uint64_t inode;

		is_mapped = sscanf(line, "%*s %*s %*s %31s %" SCNu64, device, &inode) == 2 &&
		            inode == file->inode && strcmp(device, file->device) == 0;
	}
	if (in)
		fclose(in);
	return is_mapped;
}

/* A command that reads the channel, as this one does. */
static bool is_ours(pid_t pid)
{
	char path[64];
	char own[FP_CLI_STAT_BYTES];
	char other[FP_CLI_STAT_BYTES];

	snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	ssize_t own_length = readlink(FP_PROC_SELF "exe", own, sizeof(own));
	ssize_t length = readlink(path, other, sizeof(other));
	return own_length > 0 && own_length == length &&
	       memcmp(own, other, (size_t)length) == 0;
}

/* Processes that CHANNEL was forked into, and that do not run yet; the most that there may be,
 * where nobody can look. */
static size_t count_unborn(struct fp_channel *channel)
{
	size_t most = fp_channel_unborn(channel);
	size_t count = 0;
	struct file file;
	DIR *directory = most > 0 ? opendir("/proc") : NULL;

	if (!directory || !find_file((uintptr_t)channel, &file)) {
		if (directory)
			closedir(directory);
		return most;
	}
	for (const struct dirent *entry; count < most && (entry = readdir(directory));) {
		pid_t pid = (pid_t)atol(entry->d_name);

		count += pid > 0 && !fp_channel_is_counted(channel, pid) && !is_ours(pid) &&
		         maps(pid, &file);
	}
	closedir(directory);
	return count;
}

/* ---- The harvest ----------------------------------------------------------------------------
 */

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
	size_t unborn = count_unborn(channel);

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
		if (pid == ended || report_of(logs, pid))
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
	if (add_deaths(logs, channel, census) != 0)
		result = FP_CLI_FAILED;
	fp_cli_progress_end();
	take_census(&listing, channel, logs, pid, census);
	free(listing.entries);
	return is_listed ? result : fp_cli_fail(FP_SAY_NO_MEMORY_REPORTS);
}
