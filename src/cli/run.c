/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost run`: a program with the heap under its malloc. The library is put under it by
 * LD_PRELOAD and told what to do by FENCEPOST_OPTIONS; both are inherited by what it executes.
 * Each process leaves its events in the channel, and the reports are made from there.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "base/write.h"
#include "log/format.h"
#include "report/merge/merge.h"
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
	const struct fp_cli_given given = {"run", &run->options, run->is_given, true};
	const char *equals = strchr(text, '=');
	const struct {
		const char *name;
		bool *is_there;
	} own[] = {{"force", &run->is_forced},
	           {"gdb", &run->is_debugged},
	           {"sweep", &run->is_sweep}};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(text, own[i].name) == 0) {
			*own[i].is_there = true;
			return 0;
		}
	const struct fp_option *option = fp_cli_take_option(&given, text);
	return option ? give(run, option->key, equals ? equals + 1 : "yes") : FP_CLI_FAILED;
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
	launch->is_on_one_cpu = run->options.one_cpu == FP_OPTIONS_ONE_CPU_YES;
	launch->environment = fp_cli_make_environment(run->given, run->options.pools);
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
	if (harvest.count > 0 &&
	    fp_cli_render(harvest.logs, harvest.count, &run->options, true) != 0)
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

static int run_once(struct run *run)
{
	struct fp_cli_live live = {.channel = NULL};
	struct fp_cli_launch launch = {
	        .path = run->program, .arguments = run->command, .live = &live};
	int status = 0;
	int result = fp_cli_channel_open(&run->channel, &run->options);

	if (result == 0) {
		/* For processes that print elsewhere. */
		struct stat output;
		if (run->options.log[0] == '\0' && fstat(STDERR_FILENO, &output) == 0)
			fp_channel_set_output(run->channel.memory, output.st_dev,
			                      output.st_ino);
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

/* ---- A sweep --------------------------------------------------------------------------------
 *
 * Layouts that see what others cannot: blocks that end at a guard, as near as their alignment
 * allows; blocks that end there to the byte; blocks that start behind one. What a run does
 * besides finding mistakes, it does once for each of them.
 */

struct layout {
	const char *name; /* the option that makes it */
	const char *placement;
	const char *align;
};

/* The first one is what a run without a sweep has. */
static const struct layout layouts[] = {
        {"placement=right", "right", "16"},
        {"align=auto", "right", "auto"},
        {"placement=left", "left", "16"},
};

enum { LAYOUTS = sizeof(layouts) / sizeof(layouts[0]) };

/* One run of the program. */
struct trial {
	const char *placement; /* values of these options */
	const char *align;
	int input;  /* the program's standard input; -1: ours */
	int output; /* the program's standard output and error; -1: ours */
	/* Set by the run: */
	struct fp_cli_logs logs; /* of its processes */
	int status;              /* as from waitpid(2) */
};

/* Standard input, as often as it is wanted. */
struct input {
	int fd;        /* what each run reads; -1: nothing to be done */
	off_t start;   /* where in it */
	off_t end;     /* where the first run left it */
	int fd_others; /* what all but the first read, when that is something else */
};

static int copy_all(int from, int to)
{
	static char bytes[1 << 16];

	for (;;) {
		ssize_t got = read(from, bytes, sizeof(bytes));

		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		int result = got > 0 ? fp_write_all(to, bytes, (size_t)got) : 0;
		if (result != 0)
			return result;
	}
}

/* A pipe can be read once: its contents go into a file without a name. */
static int save_pipe(struct input *input)
{
	char *path;
	int result = -ENOMEM;

	if (asprintf(&path, "%s/fencepost.XXXXXX", fp_cli_temporary_directory()) < 0)
		path = NULL;
	if (path)
		input->fd = mkostemp(path, O_CLOEXEC);
	if (path && input->fd < 0)
		result = -errno;
	if (input->fd >= 0) {
		unlink(path);
		result = copy_all(STDIN_FILENO, input->fd);
	}
	free(path);
	if (result == 0)
		return 0;
	return fp_cli_fail(FP_SAY_CANNOT_KEEP_STANDARD, strerror(-result));
}

static int open_input(struct input *input)
{
	struct stat status;

	*input = (struct input){.fd = -1, .fd_others = -1};
	if (fstat(STDIN_FILENO, &status) != 0)
		return 0;
	if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
		return save_pipe(input);
	if (S_ISREG(status.st_mode)) {
		input->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		input->start = lseek(STDIN_FILENO, 0, SEEK_CUR);
	} else if (isatty(STDIN_FILENO)) {
		/* Nobody types the same three times. */
		input->fd_others = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	return 0;
}

static int input_of(struct input *input, size_t run)
{
	if (run > 0 && input->fd_others >= 0)
		return input->fd_others;
	if (input->fd >= 0)
		lseek(input->fd, input->start, SEEK_SET);
	return input->fd;
}

/* Whoever reads on behind us finds the file where the first run left it. */
static void close_input(struct input *input)
{
	if (input->fd >= 0) {
		lseek(input->fd, input->end, SEEK_SET);
		close(input->fd);
	}
	if (input->fd_others >= 0)
		close(input->fd_others);
}

/* The processes of a run, as one report. */
static int merge_processes(const struct fp_cli_logs *logs, struct fp_report **report)
{
	static const struct fp_report_origin unnamed;
	struct fp_report_merge *merge;
	int result = fp_report_merge_new(false, &merge);

	for (size_t i = 0; result == 0 && i < logs->count; i++)
		result = fp_report_merge_add(merge, logs->logs[i].report, &unnamed);
	if (result == 0)
		return fp_report_merge_end(merge, report);
	fp_report_merge_free(merge);
	return result;
}

static int add_layout(struct fp_report_merge *merge, const struct layout *layout,
                      const struct fp_cli_logs *logs)
{
	const struct fp_report_origin origin = {.layout = layout->name};
	struct fp_report *report = NULL;
	int result;

	if (logs->count == 0)
		return 0;
	if (logs->count == 1)
		return fp_report_merge_add(merge, logs->logs[0].report, &origin);
	result = merge_processes(logs, &report);
	if (result == 0)
		result = fp_report_merge_add(merge, report, &origin);
	fp_report_free(report);
	return result;
}

static void forget_crashes_of(struct fp_report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->finding_count; i++)
		if (report->findings[i].kind != FP_FINDING_CRASH)
			report->findings[kept++] = report->findings[i];
	report->finding_count = kept;
}

/* malloc promises more than a block that ends at its guard to the byte keeps: who looks at an
 * address and aborts then, and does not otherwise, made no mistake. */
static void forget_crashes(const struct layout *layout, const struct trial *trial,
                           int first_status)
{
	if (strcmp(layout->align, "auto") != 0 || !WIFSIGNALED(trial->status) ||
	    WIFSIGNALED(first_status))
		return;
	for (size_t i = 0; i < trial->logs.count; i++)
		forget_crashes_of(trial->logs.logs[i].report);
}

static size_t count_findings(const struct fp_cli_logs *logs)
{
	size_t count = 0;

	for (size_t i = 0; i < logs->count; i++)
		count += logs->logs[i].report->finding_count;
	return count;
}

/* A program may rely on more than it was promised; then a layout says less than it seems to. */
static int note_trouble(struct fp_report_merge *merge, const struct layout *layout,
                        const struct trial *trial, int first_status)
{
	char text[200];

	if (WIFSIGNALED(trial->status) && !WIFSIGNALED(first_status) &&
	    count_findings(&trial->logs) == 0)
		snprintf(text, sizeof(text), FP_SAY_PROGRAM_DIED_SIG, layout->name,
		         sigabbrev_np(WTERMSIG(trial->status)));
	else if (trial->logs.count == 0)
		snprintf(text, sizeof(text), FP_SAY_RUN_LEFT_NO, layout->name);
	else
		return 0;
	return fp_report_merge_note(merge, text);
}

static bool was_ended(int status)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT ||
	       number == SIGKILL;
}

/* One run of a sweep: with a channel of its own, and the options of the others but for the
 * layout. */
static int try_layout(struct run *sweep, struct trial *trial)
{
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

/* What all runs of a sweep share. */
struct sweep {
	struct run *run;
	struct fp_report_merge *merge;
	struct input input;
	int nowhere; /* open on /dev/null */
	size_t known;
	int status;               /* of the first run, as from waitpid(2) */
	struct fp_report *report; /* of all; NULL when nothing is known */
};

static int run_layout(struct sweep *sweep, size_t i)
{
	struct trial trial = {.placement = layouts[i].placement,
	                      .align = layouts[i].align,
	                      .input = input_of(&sweep->input, i),
	                      .output = i > 0 ? sweep->nowhere : -1};
	int result = try_layout(sweep->run, &trial);

	if (i == 0) {
		sweep->status = trial.status;
		sweep->input.end =
		        sweep->input.fd >= 0 ? lseek(sweep->input.fd, 0, SEEK_CUR) : 0;
	}
	sweep->known += trial.logs.count;
	forget_crashes(&layouts[i], &trial, sweep->status);
	if (result == 0 &&
	    (add_layout(sweep->merge, &layouts[i], &trial.logs) != 0 ||
	     note_trouble(sweep->merge, &layouts[i], &trial, sweep->status) != 0))
		result = fp_cli_fail(FP_SAY_NO_MEMORY_SWEEP);
	fp_cli_logs_free(&trial.logs);
	if (result == 0 && was_ended(trial.status))
		return -EINTR;
	return result;
}

static int end(struct sweep *sweep)
{
	struct fp_report_merge *merge = sweep->merge;

	sweep->merge = NULL;
	if (sweep->known == 0) {
		fp_report_merge_free(merge);
		return 0;
	}
	if (fp_report_merge_end(merge, &sweep->report) != 0)
		return fp_cli_fail(FP_SAY_NO_MEMORY_SWEEP);
	return 0;
}

/* Above the standard streams, which may be closed. */
static int open_nowhere(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (fd >= 0)
		close(fd);
	return high;
}

/* The first run has our standard streams. The others read what it read, /dev/null in place of a
 * terminal, and what they write is dropped. A program that somebody ends (SIGINT, SIGTERM, ...)
 * is not run again. 0, or an exit status after saying why. */
static int try_layouts(struct sweep *sweep)
{
	int result = open_input(&sweep->input);

	sweep->nowhere = open_nowhere();
	if (result == 0 && fp_report_merge_new(true, &sweep->merge) != 0)
		result = fp_cli_fail(FP_SAY_NO_MEMORY_START);
	for (size_t i = 0; result == 0 && i < LAYOUTS; i++)
		result = run_layout(sweep, i);
	if (result == 0 || result == -EINTR)
		result = end(sweep);
	fp_report_merge_free(sweep->merge);
	close_input(&sweep->input);
	if (sweep->nowhere >= 0)
		close(sweep->nowhere);
	return result;
}

static int run_sweep(struct run *run)
{
	struct sweep sweep = {.run = run};
	int code = try_layouts(&sweep);
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
	if (fp_cli_render(&log, 1, &run->options, true) != 0)
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

	if (result == 0)
		result = fp_cli_prepare_reports(&run.suppressions, &run.options);
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
