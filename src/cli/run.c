/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost run`: a program with the heap under its malloc. The library is put under it by
 * LD_PRELOAD and told what to do by FENCEPOST_OPTIONS; both are inherited by what it executes.
 * Each process leaves its events in the channel, and the reports are made from there.
 */
#include "cli/run.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "cli/pools.h"
#include "cli/suppressions.h"
#include "cli/sweep.h"
#include "log/format.h"
#include "report/stack.h"

struct run {
	struct fp_options options;
	char **arguments; /* all of them */
	char **command;
	bool is_forced;
	bool is_sweep;
	bool is_debugged;                /* by gdb */
	bool is_given[FP_OPTIONS_COUNT]; /* on the command line */
	char *given; /* options of the command line, as FENCEPOST_OPTIONS has them */
	char *program;
	struct fp_cli_channel channel;
	struct fp_cli_census census;
	struct fp_cli_unseen unseen;
	struct fp_cli_pools pools;
	struct fp_report_suppressions suppressions;
};

/* Appends "key=value", in the quotes that the value leaves. */
static int give(struct run *run, const char *key, const char *value)
{
	const char *quote = strchr(value, '\'') ? "\"" : "'";
	char *text;

	if (strchr(value, '\'') && strchr(value, '"'))
		return fp_cli_fail(FP_SAY_USE_NAME_WITHOUT, key, value);
	if (asprintf(&text, "%s:%s=%s%s%s", run->given ? run->given : "", key, quote, value,
	             quote) < 0)
		return fp_cli_fail(FP_SAY_NO_MEMORY_START);
	free(run->given);
	run->given = text;
	return 0;
}

/* TEXT is what stands behind "--". */
static int take_option(struct run *run, const char *text)
{
	char refusal[FP_OPTION_ERROR_MAX];
	const struct fp_options_error error = {"run", refusal, sizeof(refusal), true};
	const char *equals = strchr(text, '=');
	struct fp_options_item item = {.key = text};

	if (strcmp(text, "force") == 0) {
		run->is_forced = true;
		return 0;
	}
	if (strcmp(text, "gdb") == 0) {
		run->is_debugged = true;
		return 0;
	}
	if (strcmp(text, "sweep") == 0) {
		run->is_sweep = true;
		return 0;
	}
	item.key_len = equals ? (size_t)(equals - text) : strlen(text);
	const struct fp_option *option = fp_options_find(item.key, item.key_len);
	if (option && !equals && option->type != FP_OPTION_BOOL)
		return fp_cli_fail(FP_SAY_NO_VALUE, text, text, option->value);
	item.value = equals ? equals + 1 : "yes";
	item.value_len = strlen(item.value);
	if (fp_options_set(&run->options, &item, &error) != 0 || !option)
		return fp_cli_fail("%s", refusal);
	run->is_given[option - fp_options_table] = true;
	return give(run, option->key, item.value);
}

static int take_environment(struct run *run)
{
	char refusal[FP_OPTION_ERROR_MAX];
	const char *text = getenv("FENCEPOST_OPTIONS");

	fp_options_defaults(&run->options);
	if (text && fp_options_parse(&run->options, text, "FENCEPOST_OPTIONS", refusal,
	                             sizeof(refusal)) != 0)
		return fp_cli_fail("%s", refusal);
	return 0;
}

static int take_arguments(struct run *run, char **arguments)
{
	int result = take_environment(run);

	for (; result == 0 && *arguments && (*arguments)[0] == '-'; arguments++) {
		const char *argument = *arguments;

		if (strcmp(argument, "--") == 0) {
			arguments++;
			break;
		}
		if (strncmp(argument, "--", 2) != 0)
			return fp_cli_fail(FP_SAY_OPTIONS_ARE_WRITTEN, argument);
		result = take_option(run, argument + 2);
	}
	run->command = arguments;
	if (result == 0)
		result = fp_cli_check_needs(&run->options, run->is_given);
	if (result == 0 && run->is_sweep &&
	    (run->is_given[FP_OPTIONS_INDEX_align] ||
	     run->is_given[FP_OPTIONS_INDEX_placement]))
		return fp_cli_fail(FP_SAY_SWEEP_SETS_ALIGN);
	if (result == 0 && run->is_sweep && run->options.events[0] != '\0')
		return fp_cli_fail(FP_SAY_SWEEP_MAKES_ONE);
	if (result == 0 && !*arguments)
		return fp_cli_fail(FP_SAY_NO_PROGRAM_WRITE);
	return result;
}

/* Exit statuses of their own, as env(1) has them. */
static int find_program(struct run *run)
{
	const char *name = run->command[0];

	run->program = fp_cli_find_program(name);
	if (run->program)
		return 0;
	int error = errno;
	fp_cli_fail(FP_SAY_CANNOT_RUN_DO, name, strerror(error),
	            error == ENOENT ? FP_SAY_GIVE_ITS_PATH : FP_SAY_FILE_YOU_MAY);
	return error == ENOENT ? FP_CLI_NOT_FOUND : FP_CLI_NOT_EXECUTABLE;
}

/* Under whom the program to be watched would be another's: "gdb --args PROGRAM". */
static bool is_debugger(char *const *command)
{
	const char *slash = strrchr(command[0], '/');
	const char *name = slash ? slash + 1 : command[0];
	const char *mark = strncmp(name, "gdb", 3) == 0    ? "--args"
	                   : strncmp(name, "lldb", 4) == 0 ? "--"
	                                                   : NULL;

	while (mark && *++command)
		if (strcmp(*command, mark) == 0)
			return true;
	return false;
}

static int check_program(const struct run *run)
{
	struct fp_cli_obstacle obstacle;

	if (!run->is_forced && is_debugger(run->command))
		return fp_cli_fail(FP_SAY_RUN_WOULD_WATCH);
	if (run->is_forced || !fp_cli_find_obstacle(run->program, &obstacle))
		return 0;
	fp_cli_fail(FP_SAY_OR_FORCE, obstacle.what, obstacle.remedy);
	free(obstacle.what);
	return FP_CLI_FAILED;
}

/* For programs that change their directory and then execute others. A recording of an earlier
 * run goes: the processes of this one leave alone what they find. */
static int give_recording(struct run *run)
{
	const char *name = run->options.record;
	struct stat status;
	char *path = NULL;

	if (name[0] == '\0')
		return 0;
	if (lstat(name, &status) == 0 && S_ISREG(status.st_mode))
		unlink(name);
	char *directory = name[0] == '/' ? NULL : getcwd(NULL, 0);
	if (asprintf(&path, "%s%s%s", directory ? directory : "", directory ? "/" : "", name) <
	    0)
		path = NULL;
	free(directory);
	int result = path ? give(run, "record", path) : fp_cli_fail(FP_SAY_NO_MEMORY_START);
	free(path);
	return result;
}

/* What the processes are to do is to leave their events; outputs are made here. */
static int give_directions(struct run *run, const char *self)
{
	int result = give(run, "channel", run->channel.address);

	for (size_t i = 0; result == 0 && i < FP_OPTIONS_COUNT; i++) {
		if (fp_options_table[i].stage == FP_OPTION_OUTPUT)
			result = give(run, fp_options_table[i].key, "");
	}
	if (result == 0)
		result = give(run, "ndjson", "");
	if (result == 0 && run->options.reporter[0] == '\0')
		result = give(run, "reporter", self);
	return result;
}

/* What to do when the kernel answers ERROR to who wants to execute a file that exists. */
static const char *find_remedy(int error)
{
	switch (error) {
	case EAGAIN:
	case ENOMEM:
		return FP_SAY_NEEDS_PROCESS;
	case E2BIG:
		return FP_SAY_NEEDS_SHORTER;
	case ENOENT:
		return FP_SAY_NEEDS_INTERPRETER;
	default:
		return FP_SAY_NEEDS_PROGRAM;
	}
}

static int start(struct run *run, struct fp_cli_launch *launch, int *status)
{
	char self[PATH_MAX];

	if (!fp_cli_find_self(self))
		return fp_cli_fail(FP_SAY_CANNOT_FIND_OUT);
	if (give_directions(run, self) != 0)
		return FP_CLI_FAILED;
	char *path = fp_cli_find_library();
	launch->is_on_one_cpu = run->options.one_cpu == FP_OPTIONS_ONE_CPU_YES;
	launch->environment =
	        path ? fp_cli_make_environment(path, run->given, run->options.pools) : NULL;
	free(path);
	if (!launch->environment)
		return FP_CLI_FAILED;
	int result = fp_cli_launch(launch, status);
	if (result == 0)
		return 0;
	fp_cli_fail(FP_SAY_CANNOT_RUN_DO, run->program, strerror(-result),
	            find_remedy(-result));
	return result == -ENOENT ? FP_CLI_NOT_FOUND : FP_CLI_NOT_EXECUTABLE;
}

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? FP_CLI_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

static void say_no_report(const struct run *run)
{
	fp_cli_fail(FP_SAY_LEFT_NO_REPORT, run->program, FP_CLI_LIBRARY);
}

static bool is_silent(const struct run *run, size_t findings)
{
	return run->options.quiet && findings == 0;
}

static void print_unseen(const struct run *run, const struct fp_cli_logs *logs, size_t findings)
{
	if (is_silent(run, findings))
		return;
	fp_cli_unseen_print(&run->unseen);
	fp_cli_print_allocators(run->program, logs);
	if (run->options.pools)
		fp_cli_pools_print(&run->pools, run->arguments);
}

static int report(struct run *run, const struct fp_cli_launch *launch, int status)
{
	int code = exit_code(status);
	struct fp_cli_logs harvest = {0};

	int harvested = fp_cli_harvest(&harvest, run->channel.memory, launch->pid, status,
	                               &run->census);
	if (harvested != 0)
		code = FP_CLI_FAILED;
	if (fp_cli_suppress(harvest.logs, harvest.count, &run->suppressions) != 0)
		code = FP_CLI_FAILED;
	struct fp_cli_sums sums = fp_cli_sum(&harvest);
	if (sums.processes < run->census.processes)
		sums.processes = run->census.processes;
	sums.cut_short += run->census.silent + run->census.killed + run->census.running;
	sums.findings += run->census.findings;
	sums.failing += run->census.failing;
	if (run->options.error_exitcode != 0 && (sums.findings + sums.leaked_blocks > 0 ||
	                                         fp_cli_is_unknown(&harvest, &run->census)))
		code = (int)run->options.error_exitcode;
	if (harvest.count > 0 && fp_cli_render(harvest.logs, harvest.count, &run->options) != 0)
		code = FP_CLI_FAILED;
	fp_cli_unseen_read(&run->unseen, run->channel.memory);
	if (!is_silent(run, sums.findings))
		fp_cli_pools_look(&run->pools, &harvest);
	print_unseen(run, &harvest, sums.findings);
	if (harvest.count + run->unseen.count == 0 && harvested == 0)
		say_no_report(run);
	fp_cli_print_unknown(&run->census);
	fp_cli_print_sums(&sums, harvest.count, status, run->options.quiet);
	fp_cli_logs_free(&harvest);
	return code;
}

/* For processes that print elsewhere. */
static void show_standard_error(const struct run *run)
{
	struct stat status;

	if (run->options.log[0] == '\0' && fstat(STDERR_FILENO, &status) == 0)
		fp_channel_set_output(run->channel.memory, status.st_dev, status.st_ino);
}

static int run_once(struct run *run)
{
	struct fp_cli_live live = {.channel = NULL};
	struct fp_cli_launch launch = {
	        .path = run->program, .arguments = run->command, .live = &live};
	int status = 0;
	int result = fp_cli_channel_open(&run->channel, &run->options);

	if (result == 0) {
		show_standard_error(run);
		fp_cli_live_begin(&live, run->channel.memory, &run->options,
		                  &run->suppressions);
		launch.channel = run->channel.memory;
		result = start(run, &launch, &status);
	}
	fp_cli_live_end(&live);
	if (result == 0) {
		fp_cli_write_obituary(run->channel.memory, &launch, &run->options, status);
		result = report(run, &launch, status);
	}
	fp_cli_channel_close(&run->channel, &run->options);
	return result;
}

/* One run of a sweep: with a channel of its own, and the options of the others but for the
 * layout. */
static int try_layout(struct fp_cli_trial *trial, void *user)
{
	struct run *sweep = user;
	struct run run = *sweep;
	struct fp_cli_launch launch = {.path = run.program,
	                               .arguments = run.command,
	                               .input = trial->input,
	                               .output = trial->output};

	char *profile = fp_cli_profile_find(&run.options);

	run.given = run.given ? strdup(run.given) : NULL;
	int result = give(&run, "placement", trial->placement);
	/* The first run learns for the next one. */
	if (result == 0 && profile)
		result = give(&run, "align_profile", profile);
	if (result == 0)
		result = give(&run, "align", trial->align);
	if (result == 0)
		result = fp_cli_channel_open(&run.channel, &run.options);
	launch.channel = run.channel.memory;
	if (result == 0)
		result = start(&run, &launch, &trial->status);
	if (result == 0)
		result = fp_cli_harvest(&trial->logs, run.channel.memory, launch.pid,
		                        trial->status, &run.census);
	/* The others execute the same. */
	if (run.channel.memory && sweep->unseen.count == 0)
		fp_cli_unseen_read(&sweep->unseen, run.channel.memory);
	fp_cli_pools_look(&sweep->pools, &trial->logs);
	sweep->census.silent += run.census.silent;
	sweep->census.killed += run.census.killed;
	sweep->census.killer = run.census.killer;
	sweep->census.running += run.census.running;
	fp_cli_channel_close(&run.channel, &run.options);
	free(run.given);
	free(profile);
	return result;
}

static int run_sweep(struct run *run)
{
	struct fp_cli_sweep sweep = {.run = try_layout, .user = run};
	int code = fp_cli_sweep(&sweep);
	struct fp_cli_log log = {.report = sweep.report};
	const struct fp_cli_logs all = {.logs = &log, .count = 1};

	if (code != 0)
		return code;
	code = exit_code(sweep.status);
	if (!sweep.report) {
		if (run->unseen.count == 0)
			say_no_report(run);
		print_unseen(run, &(struct fp_cli_logs){0}, 0);
		return code;
	}
	if (fp_cli_suppress(&log, 1, &run->suppressions) != 0)
		code = FP_CLI_FAILED;
	const struct fp_cli_sums sums = fp_cli_sum(&all);
	if (run->options.error_exitcode != 0 &&
	    (sums.findings + sums.leaked_blocks > 0 || fp_cli_is_unknown(&all, &run->census)))
		code = (int)run->options.error_exitcode;
	if (fp_cli_render(&log, 1, &run->options) != 0)
		code = FP_CLI_FAILED;
	print_unseen(run, &all, sums.findings);
	fp_cli_print_unknown(&run->census);
	fp_report_free(sweep.report);
	return code;
}

int fp_cli_run(char **arguments)
{
	struct run run = {.arguments = arguments};
	int result = take_arguments(&run, arguments);

	fp_report_name_allocators(run.options.alloc_fn);
	if (run.options.debuginfod)
		fp_symbol_allow_fetching();
	if (result == 0)
		result = fp_cli_suppressions_read(&run.suppressions, &run.options);
	if (result == 0)
		result = find_program(&run);
	if (result == 0)
		result = check_program(&run);
	if (result == 0)
		result = fp_cli_check_outputs(&run.options);
	if (result == 0)
		result = give_recording(&run);
	if (result == 0 && run.is_debugged)
		result = fp_cli_debug(run.command, run.given, run.options.pools);
	else if (result == 0)
		result = run.is_sweep ? run_sweep(&run) : run_once(&run);
	free(run.program);
	free(run.given);
	fp_cli_unseen_free(&run.unseen);
	fp_cli_pools_free(&run.pools);
	fp_report_suppressions_free(&run.suppressions);
	return result;
}
