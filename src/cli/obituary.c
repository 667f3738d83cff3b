/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log of a program that died of a signal and left none, so that whoever asked for a
 * report has one: who it was, what it was to do, and how it ended. What it did is not known,
 * and nothing else is said of it. The same of a process whose parent saw how it ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "cli/run.h"
#include "log/writer.h"

enum { ARGUMENTS_MAX = 64 << 10 };

static const char note[] = FP_SAY_PROCESS_LEFT_NO FP_CLI_LIBRARY FP_SAY_NOT_LOADED_ITS;

static const char child_note[] = FP_SAY_PROCESS_WAS_KILLED;

static bool has_log(struct fp_channel *channel, pid_t pid)
{
	struct fp_channel_log *log;

	for (size_t i = 0; (log = fp_channel_log_at(channel, i)); i++)
		if (fp_channel_status(log).pid == pid)
			return true;
	return false;
}

/* As /proc/PID/cmdline had them, cut where there are too many. */
static size_t join(char *const arguments[], char bytes[ARGUMENTS_MAX])
{
	size_t used = 0;

	for (size_t i = 0; arguments[i]; i++) {
		size_t length = strlen(arguments[i]) + 1;

		if (length > ARGUMENTS_MAX - used)
			break;
		memcpy(bytes + used, arguments[i], length);
		used += length;
	}
	return used;
}

static void log_process(struct fp_log *log, const struct fp_cli_launch *launch)
{
	static char arguments[ARGUMENTS_MAX];
	char *executable = realpath(launch->path, NULL);
	const struct fp_log_process process = {
	        .pid = (uint32_t)launch->pid,
	        .ppid = (uint32_t)getpid(),
	        .page_bytes = (uint32_t)sysconf(_SC_PAGESIZE),
	        .version = PACKAGE_VERSION,
	        .executable = executable ? executable : launch->path,
	        .arguments = arguments,
	        .arguments_bytes = join(launch->arguments, arguments),
	};

	fp_log_process(log, &process);
	free(executable);
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

	if (!WIFSIGNALED(status) || has_log(channel, launch->pid))
		return;
	struct fp_channel_log *place = fp_channel_open_log(channel, launch->pid);
	if (!place)
		return;
	fp_log_open(&log, false);
	log_process(&log, launch);
	fp_options_each(options, log_setting, &log);
	fp_log_note(&log, note);
	fp_log_exit(&log, FP_LOG_EXIT_SIGNAL, WTERMSIG(status));
	fp_log_end(&log);
	fp_log_publish(&log, channel, place);
	fp_channel_end(channel, place);
	fp_log_discard(&log);
}

const struct fp_report *fp_cli_report_of(const struct fp_cli_logs *logs, pid_t pid)
{
	for (size_t i = logs->count; i-- > 0;)
		if (logs->logs[i].report->pid == (uint32_t)pid)
			return logs->logs[i].report;
	return NULL;
}

/* A process that forked is what its parent is. */
static void log_child(struct fp_log *log, const struct fp_channel_death *death,
                      const struct fp_report *parent)
{
	static char arguments[ARGUMENTS_MAX];
	struct fp_log_process process = {
	        .pid = (uint32_t)death->pid,
	        .ppid = (uint32_t)death->parent,
	        .page_bytes = (uint32_t)sysconf(_SC_PAGESIZE),
	        .version = PACKAGE_VERSION,
	        .executable = "",
	        .arguments = arguments,
	};
	char *executable = NULL;

	if (parent && parent->executable.bytes) {
		executable = strndup(parent->executable.bytes, parent->executable.size);
		process.executable = executable ? executable : "";
	}
	for (size_t i = 0; parent && i < parent->argument_count; i++) {
		const struct fp_report_string *argument = &parent->arguments[i];

		if (argument->size >= ARGUMENTS_MAX - process.arguments_bytes)
			break;
		memcpy(arguments + process.arguments_bytes, argument->bytes, argument->size);
		process.arguments_bytes += argument->size + 1;
		arguments[process.arguments_bytes - 1] = '\0';
	}
	fp_log_process(log, &process);
	free(executable);
}

static int add_death(struct fp_cli_logs *logs, const struct fp_channel_death *death)
{
	static struct fp_log log;
	const struct fp_report *parent = fp_cli_report_of(logs, death->parent);
	char note_of_child[sizeof(child_note) + 20];
	char *data = malloc(2 * ARGUMENTS_MAX);

	if (!data)
		return fp_cli_fail(FP_SAY_NO_MEMORY_END_PROCESS, (long)death->pid);
	snprintf(note_of_child, sizeof(note_of_child), child_note, (long)death->parent);
	fp_log_open(&log, false);
	log_child(&log, death, parent);
	fp_log_note(&log, note_of_child);
	fp_log_exit(&log, FP_LOG_EXIT_SIGNAL, WTERMSIG(death->status));
	fp_log_end(&log);
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

int fp_cli_add_deaths(struct fp_cli_logs *logs, struct fp_channel *channel,
                      struct fp_cli_census *census)
{
	struct fp_channel_death death;
	int result = 0;

	for (size_t i = 0; fp_channel_death_at(channel, i, &death); i++) {
		/* Of a process that has passed since, it is none. */
		if (fp_channel_next_open(channel, death.pid - 1) != death.pid ||
		    fp_cli_report_of(logs, death.pid))
			continue;
		if (add_death(logs, &death) != 0)
			result = FP_CLI_FAILED;
		else if (logs->logs[logs->count - 1].report->finding_count == 0)
			count(census, WTERMSIG(death.status));
	}
	return result;
}
