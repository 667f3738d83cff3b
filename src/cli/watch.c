/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost watch`, which a host without `fencepost run` starts: it reads the channel while
 * the host runs, and makes the report when that has ended, however it did. It is no child of
 * the host's, and has no signal end it: when the host is gone it is done.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "base/vm.h"
#include "cli/cli.h"
#include "report/stack.h"

/* Inherited (session/spawn.c). */
enum { END_FD = 9 };

enum { LOOK_MS = 100, STAT_FIELDS_TO_STATUS = 49, TRIES = 20, REPORT_BYTES = 16 << 20 };

struct watch {
	struct fp_options options;
	struct fp_report_suppressions suppressions;
	struct fp_channel *channel;
	pid_t host;
	int fd; /* by which the host's end is seen */
};

static int refuse(void)
{
	return fp_cli_fail(FP_SAY_WATCH_STARTED_PROGRAMS);
}

static int take_argument(struct watch *watch, const char *argument)
{
	char refusal[FP_OPTION_ERROR_MAX];
	const struct fp_options_error error = {"watch", refusal, sizeof(refusal), true};
	const char *equals = strchr(argument, '=');

	if (strncmp(argument, "--", 2) != 0 || !equals)
		return refuse();
	if (sscanf(argument, "--process=%d", &watch->host) == 1)
		return 0;
	const struct fp_options_item item = {
	        .key = argument + 2,
	        .key_len = (size_t)(equals - argument) - 2,
	        .value = equals + 1,
	        .value_len = strlen(equals + 1),
	};
	return fp_options_set(&watch->options, &item, &error) == 0 ? 0
	                                                           : fp_cli_fail("%s", refusal);
}

/* Whether there is so much address space. */
static bool is_free(size_t bytes)
{
	uintptr_t base;
	bool is_reserved = fp_vm_reserve(bytes, &base) == 0;

	if (is_reserved)
		fp_vm_unmap(base, bytes);
	return is_reserved;
}

/* The host's limit of address space may be this one's, and making the report takes some. */
static struct fp_channel *attach(const char *address, int *status)
{
	struct fp_channel *channel = NULL;
	size_t size = fp_channel_bytes();

	while (size / 2 >= fp_channel_fewest_bytes() && !is_free(size + REPORT_BYTES))
		size /= 2;
	for (; !channel && size >= fp_channel_fewest_bytes(); size /= 2)
		channel = fp_channel_attach(address, size, status);
	return channel;
}

static int begin(struct watch *watch, char **arguments)
{
	int result = 0;
	int status = 0;

	fp_options_defaults(&watch->options);
	for (; result == 0 && *arguments; arguments++)
		result = take_argument(watch, *arguments);
	if (result == 0 && (watch->host <= 0 || watch->options.channel[0] == '\0'))
		result = refuse();
	if (result != 0)
		return result;
	watch->channel = attach(watch->options.channel, &status);
	if (!watch->channel)
		return fp_cli_fail(FP_SAY_CANNOT_MAP_MEMORY, strerror(-status));
	/* What a file is wrong with has been said; the report is made without. */
	fp_cli_prepare_reports(&watch->suppressions, &watch->options);
	fp_cli_lines_open(&watch->options);
	/* No file system is to be busy because of it. */
	return chdir("/") == 0 ? 0 : FP_CLI_FAILED;
}

/* ---- The end of the host --------------------------------------------------------------------
 */

static bool is_gone(const struct watch *watch)
{
	struct pollfd end = {.fd = watch->fd, .events = POLLIN};

	int got = poll(&end, 1, 0);

	if (got == 0 || (got < 0 && errno == EINTR))
		return false;
	return (got > 0 && (end.revents & POLLNVAL) == 0) || kill(watch->host, 0) != 0;
}

/* While the host's parent has not asked for it. */
static int read_status_of_zombie(pid_t pid)
{
	char line[FP_CLI_STAT_BYTES];
	const char *field = fp_cli_read_stat(pid, line);

	if (*field != 'Z')
		return FP_CLI_STATUS_UNKNOWN;
	for (int i = 0; field && i < STAT_FIELDS_TO_STATUS; i++)
		field = strchr(field + 1, ' ');
	return field ? (int)strtol(field, NULL, 10) : FP_CLI_STATUS_UNKNOWN;
}

/* Afterwards, from Linux 6.15 on. */
static int read_status_of_pidfd(int fd)
{
	struct {
		uint64_t mask;
		uint64_t group;
		uint32_t ids[11];
		int32_t status;
	} info = {.mask = 1u << 3};

	if (ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, sizeof(info)), &info) != 0 ||
	    (info.mask & 1u << 3) == 0)
		return FP_CLI_STATUS_UNKNOWN;
	return info.status;
}

/* Whoever waits for the host may be quicker. */
static int find_status(const struct watch *watch)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int status = FP_CLI_STATUS_UNKNOWN;

	for (int left = TRIES; status == FP_CLI_STATUS_UNKNOWN && left > 0; left--) {
		status = read_status_of_zombie(watch->host);
		if (status == FP_CLI_STATUS_UNKNOWN)
			status = read_status_of_pidfd(watch->fd);
		/* It is about to become one. */
		if (status == FP_CLI_STATUS_UNKNOWN)
			nanosleep(&pause, NULL);
	}
	return status;
}

static bool has_ended(const struct watch *watch)
{
	struct fp_channel_log *log;

	for (size_t i = 0; (log = fp_channel_log_at(watch->channel, i)); i++) {
		const struct fp_channel_status status = fp_channel_status(log);

		if (status.pid == watch->host && status.state == FP_CHANNEL_ENDED)
			return true;
	}
	return false;
}

/* ---- Reports --------------------------------------------------------------------------------
 */

/* A child that the host forked has files of its own: what names no process gets its number. */
static void name_files_of_child(struct fp_options *options)
{
	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		const struct fp_option *option = &fp_options_table[i];
		const char *name = fp_options_output(options, option);
		char refusal[FP_OPTION_ERROR_MAX];
		const struct fp_options_error error = {"watch", refusal, sizeof(refusal), true};
		char path[FP_OPTION_PATH_MAX + 4];

		if (name[0] == '\0' || strstr(name, "%p") || strncmp(name, "/dev/", 5) == 0)
			continue;
		const struct fp_options_item item = {
		        .key = option->key,
		        .key_len = strlen(option->key),
		        .value = path,
		        .value_len = (size_t)snprintf(path, sizeof(path), "%s.%%p", name),
		};
		fp_options_set(options, &item, &error);
	}
}

static void report(struct watch *watch, int status)
{
	struct fp_options of_child = watch->options;
	struct fp_cli_census census = {0};
	struct fp_cli_logs logs = {0};

	name_files_of_child(&of_child);
	fp_cli_harvest(&logs, watch->channel, watch->host, status, &census);
	fp_cli_suppress(logs.logs, logs.count, &watch->suppressions);
	for (size_t i = 0; i < logs.count; i++)
		fp_cli_render(&logs.logs[i], 1,
		              logs.logs[i].report->pid == (uint32_t)watch->host
		                      ? &watch->options
		                      : &of_child,
		              true);
	fp_cli_logs_free(&logs);
}

int fp_cli_watch(char **arguments)
{
	struct watch watch = {.fd = END_FD};
	struct fp_cli_live live = {.channel = NULL};
	uint32_t rung = 0;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	int result = begin(&watch, arguments);
	if (result != 0)
		return result;
	fp_cli_live_begin(&live, watch.channel, &watch.options, &watch.suppressions);
	while (!has_ended(&watch) && !is_gone(&watch)) {
		fp_channel_await_bell(watch.channel, &rung, LOOK_MS);
		fp_cli_run_errands(watch.channel);
		if (live.channel)
			fp_cli_live_look(&live);
	}
	fp_cli_live_end(&live);
	report(&watch, has_ended(&watch) ? 0 : find_status(&watch));
	fp_channel_set_done(watch.channel);
	fp_report_suppressions_free(&watch.suppressions);
	return 0;
}
