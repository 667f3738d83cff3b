/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the session share. Private to the module.
 */
#ifndef FP_SESSION_STATE_H
#define FP_SESSION_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <fencepost/fencepost.h>

#include "base/lock.h"
#include "leak/holders.h"
#include "leak/leak.h"
#include "log/writer.h"
#include "options/options.h"

/* A name of an option, expanded: a directory before it, a process id in it. */
enum { FP_SESSION_PATH_MAX = 2 * FP_OPTION_PATH_MAX + 32 };

/* What a check for leaks lists. */
enum fp_session_check {
	FP_SESSION_CHECK_LAST, /* all; no other one comes */
	FP_SESSION_CHECK_ALL,
	FP_SESSION_CHECK_NEWS,     /* all, for somebody who wants to know what is new */
	FP_SESSION_CHECK_ONLY_NEWS /* what was lost since leaks were last looked for */
};

/* How the process ends, as far as is known. The value is written first, and read last: a thread
 * may be making a report meanwhile. */
struct fp_session_exit {
	_Atomic(enum fp_log_exit) how;
	_Atomic int32_t value;
};

/* The log of the child of a fork. */
enum { FP_SESSION_LOG_OWN, FP_SESSION_LOG_INHERITED, FP_SESSION_LOG_BEING_RENEWED };

/* What the child of a fork begins anew: it is set to zero there, in one piece, because each
 * page that a child writes costs more than all the rest of its start. */
struct fp_session_own {
	_Atomic bool is_finished;
	_Atomic bool is_over;     /* the end: nobody waits for it any more */
	_Atomic pid_t finisher;   /* the thread that makes the report at the end */
	_Atomic uint32_t log_age; /* FP_SESSION_LOG_OWN ... */
	struct fp_session_exit exit;
	/* While the process ends by a signal: what that interrupted; NULL when it is not known.
	 * For the thread that makes the report. */
	const struct fp_leak_interrupted *interrupted;
	_Atomic uint64_t leaked_blocks; /* by the last tail */
	struct {
		_Atomic size_t distinct;
		uint64_t beyond; /* that found no place in the table; under the lock */
	} findings;
	struct {
		_Atomic bool is_last; /* its result stands, in the main log */
		_Atomic bool has_failed;
		_Atomic bool is_repeated;
		_Atomic uint64_t found; /* by the last */
	} leaks;
	_Atomic bool has_lsan_wishes; /* in the log */
	/* Under the lock. */
	bool has_told_growth; /* a list, maybe an empty one, is among the events */
	size_t growing;       /* stacks in it */
	uint32_t holdings;    /* how many stacks are known that were held (in growth.c) */
	bool is_explained;    /* why the process reports by itself */
};

/*
 * The session. Locks in the order in which a thread may take them (base/lock.h ranks all there
 * are):
 *
 *   search for leaks     one at a time (leak/check.c)
 *   session              the journal: modules, findings and their counts, traces of code that
 *                        went, and what is published in the channel. Whatever stands below
 *                        without another word is written at the start, under this lock
 *   log                  the bytes of one event log (log/writer.c): a record is whole, and so
 * is what another log appends
 *
 * Nothing is unwound and no finding is told under any of them.
 */
struct fp_session {
	struct fp_options options;
	char options_text[2048];            /* what the first caller passed */
	char directory[FP_OPTION_PATH_MAX]; /* current when the session started */
	struct fp_log log;                  /* to be written by fp_session_log() */
	struct fp_lock lock;                /* rank FP_RANK_SESSION */
	_Atomic bool is_started;
	/* From here on the child of a fork writes. */
	pid_t pid;
	bool is_forked_child;  /* of the process that started the session */
	int protection;        /* of what a forked child inherited: 0, or why it has none */
	uint64_t first_serial; /* blocks up to this one belong to the parent */
	uint64_t first_region; /* the same of regions */
	uint64_t first_frees;  /* frees before the fork */
	/* The serials of the newest block and region when leaks were last looked for. */
	_Atomic uint64_t told_serial;
	_Atomic uint64_t told_region;
	struct fp_session_own own;
};

extern struct fp_session fp_session;

/* The main log, which the child of a fork makes its own at its first event: most have none. */
struct fp_log *fp_session_log(void);

/* Logs what the process is and the options in force: the beginning of a log. */
void fp_session_log_beginning(struct fp_log *log);

/* The sink of the heap. */
void fp_session_sink(const struct fp_finding *finding, void *user);

/* Whether that finding was made before (in sink.c). */
bool fp_session_knows(const struct fp_finding *finding);

/* Looks for who holds the block of FINDING, which is about to be told; true: until
 * fp_session_release_holders() the caller alone has what was found. Tell: puts it into FINDING,
 * which is a copy, and logs the traces (in holders.c). */
bool fp_session_find_holders(const struct fp_finding *finding);
void fp_session_tell_holders(struct fp_finding *finding);
void fp_session_release_holders(void);

/* Whether memory may be searched now: nobody has a lock, and no filter is expected. */
bool fp_session_may_search(void);

/* Who had a block of the stack TRACE when growth was last looked at, and when that was; false:
 * it is not known. What it refers to is logged (in growth.c). */
bool fp_session_find_last_holder(fp_trace_id trace, struct fp_log *log,
                                 struct fp_log_holder *holder, uint64_t *milliseconds);

/* Whether the program says that BLOCK is no leak (in leaks.c). */
bool fp_session_is_ignored(const struct fp_block *block, void *user);

/* The block that ADDRESS is in or beside, live or freed, or the region (in log_blocks.c). */
bool fp_session_find_block(uintptr_t address, struct fp_block *block);

/* The live block that ADDRESS is in. */
bool fp_session_find_live(uintptr_t address, struct fp_block *block);

/* The following log what they refer to, too (in log_blocks.c). */
void fp_session_log_trace(struct fp_log *log, fp_trace_id trace);

/* The result of CENSUS, whose holders become HOLDERS. */
struct fp_census fp_session_log_census(struct fp_log *log, const struct fp_leak_census *census,
                                       struct fp_log_holder *holders);

/* GROUP as a leak, and who has what grows. */
void fp_session_log_group(struct fp_log *log, const struct fp_leak_group *group, bool is_leak,
                          bool is_growing);

/* Who holds BLOCK, for EXPLANATION, and LOG, with more time; false: another search did not
 * end (in holders.c). */
bool fp_session_explain_holders(struct fp_log *log, const struct fp_block *block,
                                uintptr_t stack, struct fp_log_explanation *explanation);

/* BLOCK, in which a pointer stands at ADDRESS: its traces are logged. */
struct fp_log_block fp_session_log_block(struct fp_log *log, const struct fp_block *block,
                                         uintptr_t address);

/* Logs what there is to say of ADDRESS (in log_blocks.c). STACK as fp_leak_from_here() tells
 * it.
 */
void fp_session_log_explanation(struct fp_log *log, uintptr_t address, uintptr_t stack);

/* In the child of a fork. */
void fp_session_forget_holders(void);

/* What fp_session_open_door() is given. */
void fp_session_tell_debuggers(void (*on_finding)(const struct fp_finding_info *finding));

/* Logs how often findings with a count above one were made. */
void fp_session_log_counts(struct fp_log *log);

/* Makes the chosen allocations fail, and logs which did (in refusals.c). */
void fp_session_start_refusals(const struct fp_option_rule *chosen);
void fp_session_log_refusals(struct fp_log *tail);

/* In picking.c: HEAP, with what the door that picks guarded of each context; the door is to
 * guard all of the context of FINDING's block (context: also fault); and a seed where none is
 * given. */
/* In cpus.c: what one_cpu came to; and that this process, which starts or was forked, is not on
 * its parent's one CPU. */
void fp_session_log_cpus(struct fp_log_heap *heap);
void fp_session_leave_cpu_of_parent(void);
void fp_session_forget_cpus_in_child(void);

void fp_session_log_heap(struct fp_log *tail, struct fp_log_heap *heap);
void fp_session_choose_seed(struct fp_options *options);
void fp_session_suspect(const struct fp_finding *finding);

/* Empties the table of findings: a forked child makes its own. */
void fp_session_forget_findings(void);

/* From now on the log has what traces meant when code that they lead through is replaced (in
 * code.c). */
void fp_session_watch_code(void);

/* Logs the modules that came, and the traces through those that went (in code.c). */
void fp_session_look_at_code(void);

/* Registers the fork handlers. 0 or a negative errno. */
int fp_session_watch_fork(void);

/* Maps the channel of `fencepost run`, if there is one (in publish.c). */
void fp_session_open_channel(void);

/* Has a program of its own read what this process publishes from now on, if nobody does. With
 * the session's lock. */
void fp_session_start_watcher(void);

/* Where findings are shown as they come: waits a moment until those so far are, because the
 * process may die of them. */
void fp_session_await_shown(void);

/* Waits until that has made its report. False when it is no more. */
bool fp_session_await_watcher(void);

/* How many of this process' findings the reader of the channel has shown. */
size_t fp_session_shown_by_reader(void);

/* The channel, or NULL. */
struct fp_channel *fp_session_channel_memory(void);

/* Whether the process is under `fencepost run`. */
bool fp_session_is_collected(void);

/* Publishes what is known from the start, for when the process is killed. */
void fp_session_publish_beginning(void);

/* Publishes the events so far, and the end of them unless TAIL is NULL. 0; -ENOENT when nobody
 * collects them; why the process has to report by itself. With the session's lock. */
int fp_session_publish(struct fp_log *tail);

/* Whether nobody read that because `fencepost run` was killed. */
bool fp_session_is_orphan(void);

/* Whether it published more than its beginning. */
bool fp_session_has_told(void);

/* Whether the calling process is a child of vfork, which has this one's memory and log. False
 * where nobody collects: then it may as well have a copy. Context: fault. */
bool fp_session_is_guest(void);

/* Whether nobody but who reads standard error learns of this process. */
bool fp_session_is_on_its_own(void);

/* Whether who reads the standard error of this process does not read the report of the run: a
 * death test, a log. */
bool fp_session_prints_elsewhere(void);

/* Starts the recording that `record` asks for, and ends it; the end says in TAIL what was lost
 * (in recording.c). */
void fp_session_start_recording(void);
void fp_session_log_recording(struct fp_log *tail);

/* In the child of a fork: its events are its own. */
void fp_session_forget_published(void);

/* A fork begins; and the child is counted, or there is none. */
void fp_session_begin_fork(void);
void fp_session_end_fork(void);

/* Starts the heap over time (in growth.c). */
void fp_session_start_timeline(void);

/* Searches for leaks and logs them; how many blocks are definite or indirect ones, of those
 * that are logged. STACK as fp_leak_from_here() tells it (in leaks.c). */
uint64_t fp_session_log_leaks(struct fp_log *log, uintptr_t stack, enum fp_session_check kind);

/* Whether leaks could not be looked for (in leaks.c). */
bool fp_session_has_check_failed(void);

/* Whether leaks are wanted, and there are blocks that the process did not inherit (in leaks.c).
 */
bool fp_session_has_blocks(void);

/* Remembers LSAN_OPTIONS (in leaks.c). */
void fp_session_read_lsan_options(void);

/* Says in REMAINS where those are. */
struct fp_remains;
void fp_session_leave_roots(struct fp_remains *remains);

/* Writes down for who reads a core file where all is that is known (in remains.c). */
void fp_session_leave_remains(void);

/* THREAD is ours, and so is what it has on its stack. */
void fp_session_leave_thread(pid_t thread);

/* A finding is made: the process may die of it. */
void fp_session_date_remains(void);

/* The report of a process that is about to die of SIGNAL: what is known, and nothing more is
 * looked for (in finish.c). Context: fault. */
void fp_session_finish_dying(int signal);

/* Whether the calling thread was interrupted while it makes the report at the end. */
bool fp_session_is_finishing_here(void);

/* Sets memory aside for the report at the end (in finish.c). */
void fp_session_reserve(void);

/* The table that findings are counted in (in sink.c). */
void fp_session_reserve_findings(void);

/* As much of a file as BUFFER takes, unterminated; 0 for a file that cannot be read (in
 * session.c). */
size_t fp_session_read_file(const char *path, char *buffer, size_t size);

/* BYTES, or less where that would be too much of a limited address space (RLIMIT_AS) (in
 * session.c). */
size_t fp_session_affordable(size_t bytes);

/* Where the reporter's output goes. */
struct fp_session_rendering {
	const char *format; /* NULL: text to standard error and what the options name */
	int fd;             /* of FORMAT */
	bool is_of_leaks;   /* and nothing else, as text */
};

enum {
	FP_SESSION_ENVIRONMENT_MAX = 4096, /* variables handed to the reporter */
	FP_SESSION_ARGUMENTS_MAX = FP_OPTIONS_COUNT + 8,
	FP_SESSION_OUTPUT_FD = 3, /* of a report that was asked for; a watcher's channel */
	FP_SESSION_END_FD = 9     /* a watcher's, by which it sees the process end */
};

#define FP_SESSION_OUTPUT_PATH "/dev/fd/3"

/* A program to execute; NULL-terminated as for execve(2). */
struct fp_session_command {
	const char *program;
	char *arguments[FP_SESSION_ARGUMENTS_MAX];
	char *environment[FP_SESSION_ENVIRONMENT_MAX];
};

/* Runs COMMAND with the main log followed by TAIL as its standard input, and waits for it;
 * without a TAIL it is started and left alone. FD, unless -1, is its descriptor
 * FP_SESSION_OUTPUT_FD. 0, or its process; what kept it from running; -EIO when it ran and
 * failed, -ECHILD when a signal killed it (in spawn.c). */
int fp_session_run_reporter(const struct fp_session_command *command, struct fp_log *tail,
                            int fd);

/* The main log followed by TAIL as an open file, to be read from its start, or a negative errno
 * (in spawn.c). */
int fp_session_make_events(struct fp_log *tail);

/* Everything up to now: what is said at the end of a report; NULL without memory (in finish.c).
 */
struct fp_log *fp_session_make_tail(uintptr_t stack, enum fp_session_check kind);
void fp_session_drop_tail(struct fp_log *tail);

/* The channel is no longer BEFORE, or there was none: the thread that answers is to wait in the
 * one that it is now (in requests.c). */
void fp_session_leave_channel(struct fp_channel *before);

/* In the child of a fork: the thread that answers is not there. */
void fp_session_answer_in_child(void);

/* Whether standard error is no longer what it was at the start (in spawn.c). */
bool fp_session_is_stderr_lost(void);

/* Remembers what standard error is now: a program may close it and open a file of its own under
 * its number, which no report may ever reach. */
void fp_session_remember_stderr(void);

/* Runs `fencepost report` on the main log followed by TAIL and waits for it. 0 or a negative
 * errno; then one line on standard error has said where the event log was kept. */
int fp_session_render(struct fp_log *tail, const struct fp_session_rendering *rendering);

/* Runs `fencepost watch` on the channel at ADDRESS, whose descriptor FD, unless -1, it has as
 * FP_SESSION_OUTPUT_FD. Its process, or a negative errno. Context: fault. */
pid_t fp_session_run_watcher(const char *address, int fd);

/* Whether the reporter can render FORMAT: "text", or the key of an output option. */
bool fp_session_is_format(const char *format);

/* NAME, relative to where the session started. */
void fp_session_absolute_path(const char *name, char *path, size_t size);

/* The same, with %p replaced by the process id; in a forked child ".PID" is appended to a name
 * without it, so that two processes never write one file. */
void fp_session_expand_path(const char *name, char *path, size_t size);

#endif
