/* SPDX-License-Identifier: Apache-2.0
 *
 * The fencepost program: what its commands share. Nothing includes this module. Errors are one
 * line on standard error that names the remedy; standard output is only for what was asked for.
 *
 * Context: report.
 */
#ifndef FP_CLI_CLI_H
#define FP_CLI_CLI_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "log/channel.h"
#include "options/options.h"
#include "remains/remains.h"
#include "report/report.h"
#include "report/suppress/suppress.h"

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

/* Calls TAKE for each of ARGUMENTS until it fails; what begins with '-', and is not "-", is an
 * option up to "--". 0, or what TAKE returned. */
typedef int (*fp_cli_argument_taker)(void *user, const char *argument, bool is_option);
int fp_cli_take_arguments(char **arguments, fp_cli_argument_taker take, void *user);

/* What options of the table a command was given. */
struct fp_cli_given {
	const char *command;
	struct fp_options *options;
	bool *is_given; /* by its place in the table */
	bool records;   /* the command takes what is done while a program runs, too */
};

/* Takes "KEY=VALUE", or the KEY of what is yes or no. The option, or NULL after saying why. */
const struct fp_option *fp_cli_take_option(const struct fp_cli_given *given, const char *text);

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

/* Asks the core file PATH: EVENTS is the path of the events it answers with. 0, or
 * FP_CLI_FAILED after saying why not (in logs.c). */
enum { FP_CLI_EVENTS_PATH_MAX = 64 };
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

/* Frees the reports, and keeps what the next ones can use. */
void fp_cli_logs_clear(struct fp_cli_logs *logs);
void fp_cli_logs_free(struct fp_cli_logs *logs);

/* What OPTIONS say of all reports is in force from now on, and the files that they name are in
 * SUPPRESSIONS, zeroed to begin. 0, or FP_CLI_FAILED
 * after saying why; then there are none. */
int fp_cli_prepare_reports(struct fp_report_suppressions *suppressions,
                           const struct fp_options *options);

/* Takes out of the reports of one run what they match; they must outlive the reports. 0, or
 * FP_CLI_FAILED after saying why. */
int fp_cli_suppress(const struct fp_cli_log *logs, size_t count,
                    struct fp_report_suppressions *suppressions);

/* Zero it to begin. */
struct fp_cli_inputs {
	char **paths;
	size_t count;
};

/*
 * Adds what ARGUMENT names: a file; a directory for the reports in it, by name; "-" for
 * standard input; or "@FILE" for a list of such, one a line. 0, or FP_CLI_FAILED after saying
 * why.
 */
int fp_cli_inputs_add(struct fp_cli_inputs *inputs, const char *argument);

/* One report of all, each file's forgotten at once. A file that cannot be read is said, and
 * noted in the report, and makes this FP_CLI_FAILED; *REPORT is NULL when nothing could be
 * read. */
int fp_cli_inputs_merge(const struct fp_cli_inputs *inputs, struct fp_report **report);

/* The same of what was read already, lines of several runs and other reports; *REPORT is NULL
 * when there are no such lines. Ends the merge of LOGS. 0 or FP_CLI_FAILED. */
int fp_cli_logs_merge(struct fp_cli_logs *logs, struct fp_report **report);

void fp_cli_inputs_free(struct fp_cli_inputs *inputs);

/* Writes COUNT reports, at least one, where OPTIONS say. 0, or FP_CLI_FAILED after saying why.
 * IS_ONLY: nobody can read them again, so a text that its file does not take goes to standard
 * error. */
int fp_cli_render(const struct fp_cli_log *logs, size_t count, const struct fp_options *options,
                  bool is_only);

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

/* NAME as a shell takes it. New memory, or NULL. */
char *fp_cli_quote(const char *name);

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

/* ---- A run ----------------------------------------------------------------------------------
 */

/* As env(1) and the shell have them. */
enum { FP_CLI_NOT_EXECUTABLE = 126, FP_CLI_NOT_FOUND = 127, FP_CLI_SIGNALLED = 128 };

/* The file that NAME means as a command: new memory, or NULL with errno. */
char *fp_cli_find_program(const char *name);

#define FP_CLI_LIBRARY "libfencepost-preload.so"

/* The library that is put under programs, beside this one: in the build tree, where both are
 * installed, or where it was configured to be. New memory, or NULL without any. */
char *fp_cli_find_library(void);

/* The file of this program; false when /proc does not say. */
bool fp_cli_find_self(char path[PATH_MAX]);

/* Where files may be made: TMPDIR, or /tmp. */
const char *fp_cli_temporary_directory(void);

/* What speaks against loading the library into a program. */
struct fp_cli_obstacle {
	char *what; /* "PATH is statically linked, ...": new memory */
	const char *remedy;
	bool is_privileged; /* a copy of the file has no obstacle */
};

bool fp_cli_find_obstacle(const char *path, struct fp_cli_obstacle *obstacle);

/* The file that is executed for PATH: a script's interpreter, or itself. New memory, or NULL.
 */
char *fp_cli_find_executed(const char *path);

/* Becomes gdb with COMMAND as its program, which has the options GIVEN. Returns
 * only FP_CLI_FAILED, after saying why. */
int fp_cli_debug(char **command, const char *given, bool has_pools);

/* The environment for a program under the library, with the options GIVEN behind those that are
 * there, and without custom allocators unless HAS_POOLS; or NULL after saying why. */
char **fp_cli_make_environment(const char *given, bool has_pools);

/* What /proc/PID/stat says from the state on ("Z (...)"), in LINE; "?" when it says nothing. */
enum { FP_CLI_STAT_BYTES = 1024 };
const char *fp_cli_read_stat(pid_t pid, char line[FP_CLI_STAT_BYTES]);

/* Standard output and error, for this process. Once (in output.c). */
void fp_cli_open_standard_streams(void);

struct fp_cli_launch {
	const char *path;
	char **arguments;
	char **environment;
	int input;                  /* becomes standard input, when it is not 0 */
	int output;                 /* becomes standard output and error, when it is not 0 */
	sigset_t mask;              /* of the program: what was blocked before */
	pid_t pid;                  /* of the program, once it runs */
	struct fp_channel *channel; /* whose errands are run */
	bool is_on_one_cpu;         /* whatever is faster */
	struct fp_cli_live *live;   /* looked at while it runs; or NULL */
};

/* Runs a program to its end, with the signals that reach this process passed on. 0 with *STATUS
 * as from waitpid(2), or a negative errno when it could not be executed. */
int fp_cli_launch(struct fp_cli_launch *launch, int *status);

/* Until it is unmarked the run of PROGRAM, process PID, is found when this process is killed.
 */
void fp_cli_orphans_mark(const char *program, pid_t pid);
void fp_cli_orphans_unmark(void);

/* What the processes of a run share with this one (log/channel.h). Zero it to begin. */
struct fp_cli_channel {
	struct fp_channel *memory;
	int fd;
	char address[FP_CHANNEL_ADDRESS_MAX]; /* for the option */
	uint32_t sites_known;                 /* of align=auto, from the profile */
};

/* 0, or FP_CLI_FAILED after saying why. */
int fp_cli_channel_open(struct fp_cli_channel *channel, const struct fp_options *options);
void fp_cli_channel_close(struct fp_cli_channel *channel, const struct fp_options *options);

/* The file of the profile of align=auto: new memory, or NULL without any. */
char *fp_cli_profile_find(const struct fp_options *options);

/* The profile into the channel, and what the run has added to it. */
void fp_cli_profile_load(struct fp_cli_channel *channel, const struct fp_options *options);
void fp_cli_profile_save(const struct fp_cli_channel *channel,
                         const struct fp_options *options);

/* Findings that are shown when they are made (report=now). Zero it to begin. */
struct fp_cli_live {
	struct fp_channel *channel; /* NULL: they are not */
	const struct fp_options *options;
	struct fp_report_suppressions *suppressions; /* whose counts do not count yet */
	struct fp_cli_logs logs; /* one at a time, and the images that they are resolved with */
	uint64_t order;          /* of the latest that was looked at */
	size_t shown;
	bool has_suggested;
};

/* Of CHANNEL, if OPTIONS want it. */
void fp_cli_live_begin(struct fp_cli_live *live, struct fp_channel *channel,
                       const struct fp_options *options,
                       struct fp_report_suppressions *suppressions);

/* Shows what is new: on standard error. */
void fp_cli_live_look(struct fp_cli_live *live);
void fp_cli_live_end(struct fp_cli_live *live);

/* Reads in /proc what processes ask for that cannot. One thread at a time. */
void fp_cli_run_errands(struct fp_channel *channel);

/* one_cpu, for all processes with threads, to be called every FP_CLI_STEER_MS as long as there
 * are any, and at each ring. The same thread. */
enum { FP_CLI_STEER_MS = 50 };
bool fp_cli_steer_cpus(struct fp_channel *channel, bool is_always);

/* The processes of a run. */
struct fp_cli_census {
	size_t processes; /* all */
	size_t silent;    /* ended without a word: nothing was found until then */
	size_t killed;    /* of whom as much is known, and that they were */
	int killer;       /* the signal that killed them; 0: several did */
	size_t running;   /* have not ended, and report by themselves */
	size_t findings;  /* of these, shown when they were made */
	size_t failing;   /* of these, with findings */
};

/* The wait status of a process that is not known to have ended in some way. */
enum { FP_CLI_STATUS_UNKNOWN = -1 };

/* Adds what the processes of a run left in CHANNEL, in the order of their ends, and counts
 * them. The log of process PID, which ended with the wait STATUS, is completed if it did not do
 * that. 0, or FP_CLI_FAILED when one could not leave all its events, which it has said. */
int fp_cli_harvest(struct fp_cli_logs *logs, struct fp_channel *channel, pid_t pid, int status,
                   struct fp_cli_census *census);

/* The reports of a run, added up. */
struct fp_cli_sums {
	size_t findings;
	size_t processes; /* one may have several reports */
	size_t failing;   /* processes with findings or leaks */
	uint64_t leaked_blocks;
	uint64_t leaked_bytes;
	uint64_t growing; /* stacks */
	size_t cut_short; /* processes that were not followed to their end */
	size_t unchecked; /* processes whose leaks could not be looked for */
	size_t searched;  /* reports of processes where they were */
};

struct fp_cli_sums fp_cli_sum(const struct fp_cli_logs *harvest);

/* Whether the end, the leaks or the events of a process are not known: that is not clean. */
bool fp_cli_is_unknown(const struct fp_cli_logs *harvest, const struct fp_cli_census *census);

/* On standard error: processes of which not all is known; and all in one line, if there are
 * several, or REPORTS of them, with how the program ended, as the wait STATUS says. */
void fp_cli_print_unknown(const struct fp_cli_census *census);
void fp_cli_print_sums(const struct fp_cli_sums *sums, size_t reports, int status,
                       bool is_quiet);

/* If the program died of a signal, as the wait STATUS says, and left nothing in CHANNEL: leaves
 * there what is known of it. */
void fp_cli_write_obituary(struct fp_channel *channel, const struct fp_cli_launch *launch,
                           const struct fp_options *options, int status);

/* Programs that were executed and not seen, as lines that say why. Zero it to begin. */
struct fp_cli_unseen_kind {
	char *line;
	size_t count;
};

struct fp_cli_unseen {
	struct fp_cli_unseen_kind *kinds;
	size_t count;
};

/* Adds those that the processes of a run left in CHANNEL. */
void fp_cli_unseen_read(struct fp_cli_unseen *unseen, const struct fp_channel *channel);

/* Says them on standard error. */
void fp_cli_unseen_print(const struct fp_cli_unseen *unseen);
void fp_cli_unseen_free(struct fp_cli_unseen *unseen);

/* Says on standard error what the program at PATH allocates with beside malloc, if anything. */
void fp_cli_print_allocators(const char *path, const struct fp_cli_logs *logs);

/* ---- Lines of --ndjson ----------------------------------------------------------------------
 *
 * Sent to whom the option names. One receiver a process.
 */

/* That of every entry in the journal. */
#define FP_CLI_LINES_MESSAGE_ID "6b7c3f0e9d5a4a1c8f0d2e4b6a8c1357"

/* Finds the receiver that OPTIONS name. 0, also when they name none; or FP_CLI_FAILED after
 * saying what is wrong. A socket that nobody listens on is no error: lines that are not sent
 * are counted. */
int fp_cli_lines_open(const struct fp_options *options);

/* Sends the findings of LOG with indices from FIRST up to END, which were made just now.
 * Returns the END up to which it did: no more than the receiver is spared for this second. */
size_t fp_cli_lines_send_findings(const struct fp_cli_log *log, size_t first, size_t end,
                                  const struct fp_options *options);

/* Sends what the COUNT LOGS have beside that. 0, or FP_CLI_FAILED. */
int fp_cli_lines_send(const struct fp_cli_log *logs, size_t count,
                      const struct fp_options *options);

/* ---- Allocators -----------------------------------------------------------------------------
 *
 * What an executable file tells beyond what its loading needs: allocators linked into it, and
 * where its debug information is.
 */

enum { FP_CLI_DEBUG_PATH_MAX = 256 };

struct fp_cli_image;

/* NULL for a file that is no ELF or cannot be read. */
struct fp_cli_image *fp_cli_image_open(const char *path);

/* NULL is accepted. */
void fp_cli_image_close(struct fp_cli_image *image);

bool fp_cli_image_has_section(const struct fp_cli_image *image, const char *name);

/* What is said of a program that defines malloc and nothing else that is known. */
#define FP_CLI_OWN_MALLOC "a malloc of its own"

/* Which the program can be told to leave (cli/pools.h). */
#define FP_CLI_PYTHON_HEAP "Python's object allocator"
#define FP_CLI_PHP_HEAP "PHP's allocator"

/* What the program allocates with beside libc's malloc ("jemalloc", "the heap of Go"), or NULL.
 */
const char *fp_cli_image_allocator(const struct fp_cli_image *image);

/* The run times whose libraries bring a heap of their own, that of objects: a library's name
 * starts with LIBRARY. The first is that of index 0; those of one heap stand side by side.
 * False behind the last. */
struct fp_cli_runtime {
	const char *library;
	const char *heap;
};
bool fp_cli_runtime_at(size_t index, struct fp_cli_runtime *runtime);

/* Where a separate debug file would stand; "" when the file has no build-id. */
void fp_cli_image_debug_path(const struct fp_cli_image *image,
                             char path[FP_CLI_DEBUG_PATH_MAX]);

/* ---- Pools ----------------------------------------------------------------------------------
 *
 * Allocators that cut malloc's blocks up into their own and can be told to leave that, by a
 * variable of the environment: which of them a run met, and a run without them.
 */

enum { FP_CLI_POOLS = 3 };

/* The file that each was met in, or NULL. Zero it to begin. */
struct fp_cli_pools {
	char *files[FP_CLI_POOLS];
};

/* Adds those that the processes of LOGS had and no variable tells to leave. */
void fp_cli_pools_look(struct fp_cli_pools *pools, const struct fp_cli_logs *logs);

/* Says them on standard error, with the command that does without: that of ARGUMENTS, which
 * stood behind "fencepost run". */
void fp_cli_pools_print(const struct fp_cli_pools *pools, char *const *arguments);
void fp_cli_pools_free(struct fp_cli_pools *pools);

/* Whether ALLOCATOR, as fp_cli_image_allocator() has it, is one of them. */
bool fp_cli_is_pool(const char *allocator);

/* The variables that do without them, except those that are set, into ENVIRONMENT; how many. */
size_t fp_cli_pools_leave(char **environment);

#endif
