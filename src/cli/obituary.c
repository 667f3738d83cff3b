/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log of a program that died of a signal and left none, so that whoever asked for a
 * report has one: who it was, what it was to do, and how it ended. What it did is not known,
 * and nothing else is said of it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run.h"
#include "log/writer.h"

enum { ARGUMENTS_MAX = 64 << 10 };

static const char note[] =
        "this process left no events: it was killed at its start, or " FP_CLI_LIBRARY
        " could not be loaded; its allocations were not counted";

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
