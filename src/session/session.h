/* SPDX-License-Identifier: Apache-2.0
 *
 * The session: the one place that knows all modules. It reads the options, wires the heap to
 * the event log, takes part in fork, and ends with the report. A process has one.
 *
 * Context: report, except the sink, which is alloc.
 */
#ifndef FP_SESSION_SESSION_H
#define FP_SESSION_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <fencepost/fencepost.h>

#include "base/own.h"
#include "model/finding.h"

/* The ways in: the hosting interfaces, and malloc and its like. Each is a shared object. */
enum fp_door { FP_DOOR_HOST, FP_DOOR_MALLOC };

/* By a door, before it starts the session: OBJECT is its own code, and ON_FINDING what a
 * debugger stops at, called after each finding is recorded. */
void fp_session_open_door(enum fp_door door, const struct fp_own_object *object,
                          void (*on_finding)(const struct fp_finding_info *finding));
bool fp_session_has_door(enum fp_door door);

/* Each door has one: the report, when this process is the one to make it, which ends with
 * STATUS. */
void fp_door_finish(int status);

/* By the door under malloc: how a thread ENTERs Fencepost, and LEAVEs it. */
void fp_session_set_passage(bool (*enter)(void), void (*leave)(void));

/* For the other door, which shares the locks: between these calls what a handler of a signal
 * allocates is the C library's, and handlers that may not come back wait. True when the thread
 * has to leave. */
bool fp_session_enter(void);
void fp_session_leave(void);

/*
 * Starts the session with OPTIONS ("key=value:..." or NULL), which FENCEPOST_OPTIONS overrides
 * key by key unless the process gained privileges. When a session stands, the same OPTIONS or
 * NULL change nothing; others are refused, or, where `fencepost run` started the session, noted
 * and not in force. 0; -EINVAL after one line on standard error; -ENOMEM.
 */
int fp_session_start(const char *options);

bool fp_session_is_started(void);

/* Whether it stands, and this is its process and no child in the memory of it (vfork). Context:
 * also fault. */
bool fp_session_is_here(void);

/* In force, once it stands. */
struct fp_options;
const struct fp_options *fp_session_options(void);

/* Distinct findings so far. */
size_t fp_session_finding_count(void);

/* Called for each distinct finding, without any lock. NULL ends it. */
void fp_session_set_callback(fp_finding_callback callback, void *user);

/* What is told of the block, or region, that ADDRESS is in or near; false, and INFO alone: none
 * is known. */
bool fp_session_describe_address(uintptr_t address, struct fp_block_info *info);

/* Verifies all padding now; the number of blocks found damaged. */
size_t fp_session_check_heap(void);

/* Looks for leaks now and logs them; the number of blocks that are unreachable. */
size_t fp_session_check_leaks(void);

/* Looks for leaks now, for what was lost since that was last done; whether anything was. It
 * goes into TEXT, SIZE bytes at most, then without what suppressions name; NULL: it need not.
 */
bool fp_session_has_new_leaks(char *text, size_t size);

/* As fp_session_check_leaks(), once, instead of at the end: later checks and the end look for
 * none. The status to end the process with; 0 when nothing was lost or error_exitcode is 0. */
int fp_session_check_leaks_finally(void);

/* The block that ADDRESS is in is no leak, nor what it points to. */
void fp_session_ignore_block(const void *address);

/* What a program may define for LeakSanitizer; NULL: it does not. */
struct fp_session_lsan {
	int (*is_turned_off)(void);
	const char *(*default_options)(void);
	const char *(*default_suppressions)(void);
};

/* By a door, once, before leaks are looked for. They are asked when leaks are. */
void fp_session_set_lsan(const struct fp_session_lsan *functions);

/* Memory where pointers to blocks may be, though it is not where they are looked for. Removing
 * one asks for the same START and BYTES. */
void fp_session_add_root(const void *start, size_t bytes);
void fp_session_remove_root(const void *start, size_t bytes);

/* leak_signal: from now on it is answered, by a thread made here. Once. Context: report, where
 * a thread can be made. */
void fp_session_answer(void);

/* RUNs a thread of ours, which takes no signals of the program's, but OPEN_SIGNAL unless that
 * is 0. 0 or a negative errno. */
int fp_session_start_thread(void *(*run)(void *), void *user, int open_signal);

/* The signal that is answered, or 0. */
int fp_session_leak_signal(void);

/* The program wants it for itself: it is answered no more. */
void fp_session_yield_leak_signal(void);

/* Renders all that is known now as FORMAT ("text", "json") to FD. 0, -EINVAL, -ENODEV, or what
 * stood in the way of the reporter. */
int fp_session_write_report(int fd, const char *format);

/*
 * The handler of a SIGNAL that ends the process: reports, and has it die of that when the
 * handler returns. Leaks are looked for where the program was interrupted, and nothing of ours:
 * not when IS_INSIDE says so. IS_DEFERRED: the door has the signal come again later. What comes
 * while the report at the end is made has no effect. Context: fault.
 */
void fp_session_die_of(int signal, siginfo_t *info, void *context, bool is_inside,
                       bool (*is_deferred)(int signal));

/* The report of that, for a process that dies by itself then. */
void fp_session_finish_terminated(int signal, const void *context, bool is_inside);

/* Of the blocks of one calling context, how many there were and how many were guarded. */
struct fp_session_picked {
	fp_trace_id trace; /* of the first that was guarded */
	uint64_t blocks;
	uint64_t guarded;
};
typedef void (*fp_session_picked_visitor)(const struct fp_session_picked *picked, void *user);

/* What a door does that leaves blocks to libc by itself. */
struct fp_session_picker_door {
	uint64_t (*count_plain)(void); /* how many were left up to now */
	void (*list_contexts)(fp_session_picked_visitor visit, void *user);
	/* A block that was allocated with TRACE has a finding. Context: also fault. */
	void (*suspect)(fp_trace_id trace);
};

struct fp_session_picking {
	uint64_t sample;
	uint64_t budget;
	uint64_t seed;
};

/* From now on the heap guards every block it is asked for, and DOOR, which stays valid, decides
 * which these are. */
struct fp_session_picking fp_session_take_picking(const struct fp_session_picker_door *door);

/* The program takes far longer than by itself: says once how it would be faster. */
void fp_session_suggest_budget(void);

/* Whether the system call NUMBER with its five ARGUMENTS enters seccomp's strict mode or
 * installs a filter. It is made then, with the kernel's answer in *RESULT; what is known is
 * told and what has to be started is started before, and from then on no system call is made
 * that would end the process. */
bool fp_session_enter_seccomp(long number, const long *arguments, long *result);

/* One sentence for the report on what could not be seen. */
void fp_session_note(const char *text);

/* For a door whose process executes others: from now on fp_session_note_unseen() may be called.
 * LINE ("PATH (why)") says what a child is that has no session, or IS_IN_PLACE
 * the calling process will be. Context of the latter: fault, also in a child of vfork. */
void fp_session_watch_unseen(void);
void fp_session_note_unseen(const char *line, bool is_in_place);

/* Process PID, which may be one with a session, was killed, as the wait STATUS of its parent,
 * the calling process, says. The context of alloc. */
void fp_session_tell_death(pid_t pid, int status);

/* The calling process is about to become one that has no session, or that of another run. The
 * same context. */
void fp_session_leave_to_others(void);

/* A program that has a session in this run is about to run as process PID, or does already: the
 * caller's own number in a child of vfork, which is counted nowhere yet. Whether it was not
 * known; fp_session_withdraw() takes that back where the program could not be executed, or PID
 * has said all that it has to say. The same context. */
bool fp_session_announce(pid_t pid);
void fp_session_withdraw(pid_t pid);

/* For a door whose program has threads (one_cpu): there is more than one; the place when the
 * reader has bound the process to one CPU, or NULL; the program sets its affinity itself; and
 * the calling thread, which is about to execute a program, uses its CPUs again. The context of
 * alloc, and of the latter also that of a child of vfork. */
struct fp_cpus;
void fp_session_begin_threads(void);
const struct fp_cpus *fp_session_bound_cpus(void);
void fp_session_refuse_cpus(void);
void fp_session_leave_cpu(void);

/* Writes what the recording has so far, because the process is about to execute another
 * program.
 */
void fp_session_write_recording(void);

/* What the last search for leaks found, of blocks or bytes. */
struct fp_session_leak_counts {
	uint64_t lost;
	uint64_t possible;
	uint64_t reachable;
};
struct fp_session_leak_counts fp_session_count_leaks(bool of_blocks);

/* The process ends with STATUS, in a way that exit handlers are not told of. */
void fp_session_set_exit(int status);

/* The end of the process: verifies, collects leaks, renders the report. Once: other threads
 * wait for it, so that their ends do not cut it off. */
void fp_session_finish(void);

#endif
