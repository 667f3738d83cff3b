/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of `fencepost run`.
 *
 * Context: report.
 */
#ifndef FP_CLI_RUN_H
#define FP_CLI_RUN_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cli/cli.h"
#include "cli/suppressions.h"
#include "log/channel.h"

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

/* Becomes gdb with COMMAND as its program, which has the options GIVEN (in debug.c). Returns
 * only FP_CLI_FAILED, after saying why. */
int fp_cli_debug(char **command, const char *given, bool has_pools);

/* The environment for a program under LIBRARY, with the options GIVEN behind those that are
 * there, and without custom allocators unless HAS_POOLS; or NULL after saying why. */
char **fp_cli_make_environment(const char *library, const char *given, bool has_pools);

/* What /proc/PID/stat says from the state on ("Z (...)"), in LINE; "?" when it says nothing. */
enum { FP_CLI_STAT_BYTES = 1024 };
const char *fp_cli_read_stat(pid_t pid, char line[FP_CLI_STAT_BYTES]);

/* In a child: what fp_cli_prepare_process() changed is as it was, for a program. */
void fp_cli_restore_process(void);

/* Standard output and error, for this process. Once. */
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

/* Processes that CHANNEL was forked into, and that do not run yet; the most that there may be,
 * where nobody can look. */
size_t fp_cli_count_unborn(struct fp_channel *channel);

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

/* The last report of process PID, or NULL. */
const struct fp_report *fp_cli_report_of(const struct fp_cli_logs *logs, pid_t pid);

/* Adds a report of each process that left none, of which its parent saw that it was killed, and
 * counts those that no finding is about. 0 or FP_CLI_FAILED. */
int fp_cli_add_deaths(struct fp_cli_logs *logs, struct fp_channel *channel,
                      struct fp_cli_census *census);

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

#endif
