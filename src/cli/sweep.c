/* SPDX-License-Identifier: Apache-2.0
 *
 * Layouts that see what others cannot: blocks that end at a guard, as near as their alignment
 * allows; blocks that end there to the byte; blocks that start behind one. What a run does
 * besides finding mistakes, it does once for each of them.
 */
#include "cli/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "base/write.h"
#include "cli/run.h"
#include "report/merge/merge.h"

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
static void forget_crashes(const struct layout *layout, const struct fp_cli_trial *trial,
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
                        const struct fp_cli_trial *trial, int first_status)
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

/* What all runs of a sweep share. */
struct sweeping {
	struct fp_cli_sweep *sweep;
	struct fp_report_merge *merge;
	struct input input;
	int nowhere; /* open on /dev/null */
	size_t known;
};

static int run_layout(struct sweeping *sweeping, size_t i)
{
	struct fp_cli_trial trial = {.placement = layouts[i].placement,
	                             .align = layouts[i].align,
	                             .input = input_of(&sweeping->input, i),
	                             .output = i > 0 ? sweeping->nowhere : -1};
	int result = sweeping->sweep->run(&trial, sweeping->sweep->user);

	if (i == 0) {
		sweeping->sweep->status = trial.status;
		sweeping->input.end =
		        sweeping->input.fd >= 0 ? lseek(sweeping->input.fd, 0, SEEK_CUR) : 0;
	}
	sweeping->known += trial.logs.count;
	forget_crashes(&layouts[i], &trial, sweeping->sweep->status);
	if (result == 0 &&
	    (add_layout(sweeping->merge, &layouts[i], &trial.logs) != 0 ||
	     note_trouble(sweeping->merge, &layouts[i], &trial, sweeping->sweep->status) != 0))
		result = fp_cli_fail(FP_SAY_NO_MEMORY_SWEEP);
	fp_cli_logs_free(&trial.logs);
	if (result == 0 && was_ended(trial.status))
		return -EINTR;
	return result;
}

static int run_all(struct sweeping *sweeping)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < LAYOUTS; i++)
		result = run_layout(sweeping, i);
	return result == -EINTR ? 0 : result;
}

static int end(struct sweeping *sweeping)
{
	struct fp_report_merge *merge = sweeping->merge;

	sweeping->merge = NULL;
	if (sweeping->known == 0) {
		fp_report_merge_free(merge);
		return 0;
	}
	if (fp_report_merge_end(merge, &sweeping->sweep->report) != 0)
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

int fp_cli_sweep(struct fp_cli_sweep *sweep)
{
	struct sweeping sweeping = {.sweep = sweep};
	int result = open_input(&sweeping.input);

	sweeping.nowhere = open_nowhere();
	if (result == 0 && fp_report_merge_new(true, &sweeping.merge) != 0)
		result = fp_cli_fail(FP_SAY_NO_MEMORY_START);
	if (result == 0)
		result = run_all(&sweeping);
	if (result == 0)
		result = end(&sweeping);
	fp_report_merge_free(sweeping.merge);
	close_input(&sweeping.input);
	if (sweeping.nowhere >= 0)
		close(sweeping.nowhere);
	return result;
}
