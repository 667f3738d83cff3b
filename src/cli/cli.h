/* SPDX-License-Identifier: Apache-2.0
 *
 * The fencepost program: what its commands share. Nothing includes this module. Errors are one
 * line on standard error that names the remedy; standard output is only for what was asked for.
 *
 * Context: report.
 */
#ifndef FP_CLI_CLI_H
#define FP_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "options/options.h"
#include "remains/remains.h"
#include "report/report.h"

/* What the program returns when it failed itself, as in env(1): no program run under it uses
 * it. */
enum { FP_CLI_FAILED = 125 };

/* An option that one command has, and not the table of all options. */
struct fp_cli_own_option {
	const char *text; /* "--key=VALUE" */
	const char *help;
};

enum fp_cli_options {
	FP_CLI_OPTIONS_NONE,
	FP_CLI_OPTIONS_OF_REPORTS, /* what a report shows, and where it goes */
	FP_CLI_OPTIONS_ALL
};

enum { FP_CLI_OWN_OPTIONS_MAX = 4, FP_CLI_COMMON_MAX = 12 };

struct fp_cli_command {
	const char *name;
	const char *arguments; /* for the usage line */
	const char *summary;
	struct fp_cli_own_option own[FP_CLI_OWN_OPTIONS_MAX + 1]; /* the last has no text */
	enum fp_cli_options options;
	const char
	        *common[FP_CLI_COMMON_MAX + 1]; /* of these, the keys that most people want */
	const char *examples;                   /* lines */
	const char *more;                       /* its exit status, and what is left to say */
	/* ARGUMENTS stand behind the name and end with NULL. Returns the exit status. */
	int (*run)(char **arguments);
};

/* Whether what is printed to OUT has color; CHOICE is enum fp_options_color. */
bool fp_cli_wants_color(int choice, int fd);

/* In the order of the help; the last has no name. */
extern const struct fp_cli_command fp_cli_commands[];

/* NULL: there is none. */
const struct fp_cli_command *fp_cli_find_command(const char *name);

/* On standard output: of one command, on one screen or ALL its options; of NULL the list of
 * commands, or all of everything. The exit status. */
int fp_cli_print_help(const struct fp_cli_command *command, bool all);

/* Flushes standard output. The exit status. */
int fp_cli_finish_output(void);

/* First of all: a write that fails ends nothing, and no file of ours gets the number of a
 * standard stream. */
void fp_cli_prepare_process(void);

/* Prints the line "fencepost: ..." on standard error. Control characters are shown, not sent:
 * names in it are anybody's. */
void fp_cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, and returns FP_CLI_FAILED. */
int fp_cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says which runs were left behind by a `fencepost run` that was killed. */
void fp_cli_orphans_say(void);

int fp_cli_diff(char **arguments);
int fp_cli_doctor(char **arguments);
int fp_cli_explain(char **arguments);
int fp_cli_leaks(char **arguments);
int fp_cli_report(char **arguments);
int fp_cli_run(char **arguments);
int fp_cli_snapshot(char **arguments);
int fp_cli_symbolize(char **arguments);
int fp_cli_watch(char **arguments);

/* Has the process PID say what it knows of ADDRESS: PATH is that of the events it answers with.
 * 0, or FP_CLI_FAILED after saying why not (in leaks.c). */
enum { FP_CLI_EVENTS_PATH_MAX = 64 };
int fp_cli_ask_about(long pid, uint64_t address, char path[FP_CLI_EVENTS_PATH_MAX]);

/* Asks the core file PATH; the same (in logs.c). */
int fp_cli_read_core(const char *path, const struct fp_remains_question *question,
                     char events[FP_CLI_EVENTS_PATH_MAX]);

/* A report, read and resolved. */
struct fp_cli_log {
	char *data;  /* the event log that its strings are in; NULL when it has its own */
	size_t size; /* of that */
	struct fp_report *report;
};

/* Reports out of any number of files. Zero it to begin. */
struct fp_cli_logs {
	struct fp_cli_log *logs;
	size_t count;
	struct fp_report_images *images; /* that they are resolved with */
	struct fp_report_merge *merge;   /* the caller's, for lines of several runs; or NULL */
};

/* Adds the reports in the file PATH: "-" is standard input. 0, or FP_CLI_FAILED after saying
 * why; then nothing was added but lines to the merge. */
int fp_cli_logs_read(struct fp_cli_logs *logs, const char *path);

/* Adds the report of the event log DATA, which is the logs' from then on; the same, where it
 * stays the caller's. */
int fp_cli_logs_add(struct fp_cli_logs *logs, char *data, size_t size);

/* All of IN in new memory, or NULL with errno. */
char *fp_cli_read_stream(FILE *in, size_t *size);

/* Whether the file PATH looks like a report. */
bool fp_cli_is_report(const char *path);

/* Frees the reports, and keeps what the next ones can use. */
void fp_cli_logs_clear(struct fp_cli_logs *logs);
void fp_cli_logs_free(struct fp_cli_logs *logs);

/* Writes COUNT reports, at least one, where OPTIONS say. 0, or FP_CLI_FAILED after saying why.
 */
int fp_cli_render(const struct fp_cli_log *logs, size_t count,
                  const struct fp_options *options);

/* Writes the findings of LOG with indices from FIRST up to END to standard error, as text. 0 or
 * a negative errno. */
int fp_cli_render_findings(const struct fp_cli_log *log, size_t first, size_t end,
                           const struct fp_options *options);

/* Whether the files that OPTIONS name can be made, before there is anything to write; none is
 * made, and none is emptied. 0, or FP_CLI_FAILED after saying why not. */
int fp_cli_check_outputs(const struct fp_options *options);

/* Whether each option that IS_GIVEN on the command line, by its place in the table, does
 * something in OPTIONS. The same. */
int fp_cli_check_needs(const struct fp_options *options, const bool *is_given);

/* Around the reading of logs, which may take its time: on a terminal a line says so after a
 * second. It ends by itself when something is to be said. */
void fp_cli_progress_begin(void);
void fp_cli_progress_end(void);

/* log_path of ASAN_OPTIONS: new memory, or NULL. */
char *fp_cli_asan_log_path(void);

/* A file being written. It appears under its name only when it is complete, unless its
 * directory allows no other file, or it is none that could be replaced: a device, a pipe,
 * /dev/fd/N. */
struct fp_cli_output {
	FILE *file;
	int fd; /* that FILE writes to */
	char *path;
	char *temporary; /* NULL when PATH itself is written */
};

/* Whether the file that PATTERN names could be opened, now: 0, or a negative errno. Touches
 * nothing. */
int fp_cli_output_check(const char *pattern);

/* Opens the file that PATTERN names when %p is PID. 0, or a negative errno; the output's path
 * is then set if memory allowed, and only fp_cli_output_free is left to call. */
int fp_cli_output_open(struct fp_cli_output *output, const char *pattern, uint32_t pid);

/* Completes the file, or removes what there is of it when the result is an error. 0, or a
 * negative errno. */
int fp_cli_output_close(struct fp_cli_output *output);

void fp_cli_output_free(struct fp_cli_output *output);

#endif
