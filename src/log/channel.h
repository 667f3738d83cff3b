/* SPDX-License-Identifier: Apache-2.0
 *
 * The channel: memory that `fencepost run` shares with every process under it. A process maps
 * it when it starts, before the program can restrict itself, and publishes its event log there
 * as it goes: no system call, no path and no descriptor is needed for that, and what was
 * published outlives every way to end. Forked processes inherit the mapping; executed programs
 * map it again by the descriptor that they inherit.
 *
 * Logs are chains of pieces. Everything is taken with atomic additions and never given back;
 * the file behind it is sparse. What does not fit is counted.
 *
 * Context: alloc and fault, except where a function says otherwise. Thread-safe, without locks.
 */
#ifndef FP_LOG_CHANNEL_H
#define FP_LOG_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/proc.h"
#include "model/sites.h"

/* Names the memory in /proc/PID/maps, behind "/memfd:". */
#define FP_CHANNEL_NAME "fencepost-channel"

/* "DESCRIPTOR.PID.INODE": a descriptor of the process PID, which its children inherit. Or
 * "0.0.ID", of a segment of shared memory. */
enum { FP_CHANNEL_ADDRESS_MAX = 64 };

struct fp_channel;
struct fp_channel_log;

enum fp_channel_state {
	FP_CHANNEL_NONE,    /* no log yet */
	FP_CHANNEL_RUNNING, /* more may come, or the process ended without a word */
	FP_CHANNEL_ENDED,   /* it is complete */
	FP_CHANNEL_LEFT     /* the reader was done before; the process reports by itself */
};

/* What align=auto learned, in earlier runs and in this one: of all processes. */
struct fp_sites *fp_channel_sites(struct fp_channel *channel);

/* ---- By `fencepost run` ---------------------------------------------------------------------
 */

/* Makes a channel of which this process maps SIZE bytes, or the fewest that serve, whose
 * descriptor *FD is inherited, and ADDRESS. NULL with a negative errno in *STATUS. Context:
 * report. */
struct fp_channel *fp_channel_make(size_t size, int *fd, char address[FP_CHANNEL_ADDRESS_MAX],
                                   int *status);

/* Context: report. */
void fp_channel_drop(struct fp_channel *channel, int fd);

/* Process READER will read it: at first whoever made it. */
void fp_channel_set_reader(struct fp_channel *channel, pid_t reader);

/* Who publishes from now on learns that nobody reads it. */
void fp_channel_close(struct fp_channel *channel);
bool fp_channel_is_closed(const struct fp_channel *channel);

/* How many processes have been there. */
size_t fp_channel_processes(const struct fp_channel *channel);

/* How often there was no room for another log. */
size_t fp_channel_refused(const struct fp_channel *channel);

/* Forks of which the child has not come to its first instruction: it may also have been killed
 * before that. */
size_t fp_channel_unborn(const struct fp_channel *channel);

/* Whether process PID has been there, or was announced. */
bool fp_channel_is_counted(struct fp_channel *channel, pid_t pid);

/* The next process, by its number, that was there and did not pass; 0 behind the last. */
pid_t fp_channel_next_open(struct fp_channel *channel, pid_t after);

/* How a process ended that could not say so itself. */
struct fp_channel_death {
	pid_t pid;
	pid_t parent; /* who waited for it */
	int status;   /* as from waitpid(2) */
};

/* The death number INDEX, from 0, that was noted; false behind the last. */
bool fp_channel_death_at(struct fp_channel *channel, size_t index,
                         struct fp_channel_death *death);

/* The log number INDEX, from 0; NULL behind the last. */
struct fp_channel_log *fp_channel_log_at(struct fp_channel *channel, size_t index);

struct fp_channel_status {
	enum fp_channel_state state;
	pid_t pid;
	uint64_t order; /* rises with each time that something was published */
	size_t bytes;
	bool is_told;     /* what the process had to say, not only its beginning */
	bool is_lossy;    /* not all did fit */
	bool is_replaced; /* the process executed a program that is not seen */
	bool is_foreign;  /* PID is a number of another namespace */
	size_t shown;     /* findings that the reader has shown already */
	size_t sent;      /* the same of lines that it has sent */
};

struct fp_channel_status fp_channel_status(const struct fp_channel_log *log);

/* Copies what was published, at most SIZE bytes, whole records; how many. */
size_t fp_channel_read(struct fp_channel *channel, const struct fp_channel_log *log,
                       uint8_t *bytes, size_t size);

/* Rises with each time that something was published. */
uint64_t fp_channel_order(const struct fp_channel *channel);

/* The first COUNT findings of the log were shown. */
void fp_channel_set_shown(struct fp_channel_log *log, size_t count);

/* Lines of the first COUNT findings of the log were sent. */
void fp_channel_set_sent(struct fp_channel_log *log, size_t count);

/* The reader is to look. */
void fp_channel_ring(struct fp_channel *channel);

/* Waits until a process rings, unless one has since *RUNG was the state, or MS milliseconds. */
void fp_channel_await_bell(struct fp_channel *channel, uint32_t *rung, unsigned ms);

/* A file of process PID that one asks for, because it cannot read it itself; from OFFSET on. */
struct fp_channel_errand {
	pid_t pid;
	enum fp_proc_file file;
	size_t offset;
	size_t size;
};

/* Whether there is one: it is the caller's to answer then, with BYTES, at most of its size; or
 * with COUNT a negative errno. (In channel_errands.c.) */
bool fp_channel_take_errand(struct fp_channel *channel, struct fp_channel_errand *errand);
void fp_channel_answer_errand(struct fp_channel *channel, const char *bytes, ssize_t count);

/* The report of all that is there is made: nobody needs to wait any more. */
void fp_channel_set_done(struct fp_channel *channel);

/* Leaves the log of a process that still runs to that process. False when it has ended. */
bool fp_channel_leave(struct fp_channel_log *log);

/* Asks process PID for its leaks; NUMBER is not 0. False when too many ask. */
bool fp_channel_ask(struct fp_channel *channel, pid_t pid, uint64_t number);

/* Nobody waits for the answer to NUMBER any more. */
void fp_channel_withdraw(struct fp_channel *channel, uint64_t number);

/* The lines of fp_channel_note_unseen(), each ended by a zero: their bytes in *SIZE. */
const char *fp_channel_unseen(const struct fp_channel *channel, size_t *size);

/* The file that the report is printed to, for processes that print elsewhere; not called: none.
 */
void fp_channel_set_output(struct fp_channel *channel, uint64_t device, uint64_t inode);

/* ---- By the processes -----------------------------------------------------------------------
 */

/* Maps the channel at ADDRESS, SIZE bytes of it or the fewest that serve. NULL with a negative
 * errno in *STATUS.
 */
struct fp_channel *fp_channel_attach(const char *address, size_t size, int *status);

/* Whether the mapping at START of the file PATH is a channel's. */
bool fp_channel_is(uintptr_t start, const char *path);

/* Gives back the address space that nobody used yet, but for a few MiB: there may be no more
 * (RLIMIT_AS). */
void fp_channel_give_reserve_back(void);

/* All the memory that a channel may take, and the least. */
size_t fp_channel_bytes(void);
size_t fp_channel_fewest_bytes(void);

/* Counts process PID, once. */
void fp_channel_count(struct fp_channel *channel, pid_t pid);

/* As fp_channel_count(), of a process that is about to do that itself, or has passed already:
 * by whoever started it. Whether it was not counted before. */
bool fp_channel_announce(struct fp_channel *channel, pid_t pid);

/* A fork begins; its child looks whether it is in another namespace; and it counts itself, or
 * there is none. A process whose parent ended before it ran would not be known otherwise. */
void fp_channel_begin_fork(struct fp_channel *channel);
void fp_channel_note_child(const struct fp_channel *channel);
void fp_channel_end_fork(struct fp_channel *channel);

/* Process PID ends, or becomes one that is not seen, and has said all that it has to say. */
void fp_channel_pass(struct fp_channel *channel, pid_t pid);

/* Notes a death, unless the process has passed. There is room for some thousands. */
void fp_channel_note_death(struct fp_channel *channel, const struct fp_channel_death *death);

/* A log of its own for process PID; NULL when there is no room. */
struct fp_channel_log *fp_channel_open_log(struct fp_channel *channel, pid_t pid);

/* Appends whole records. One caller at a time for each log. False when they did not fit. */
bool fp_channel_append(struct fp_channel *channel, struct fp_channel_log *log,
                       const uint8_t *bytes, size_t count);

/* What was appended is what the process has to say. */
void fp_channel_tell(struct fp_channel *channel, struct fp_channel_log *log);

/* The process is about to execute a program that has no log. */
void fp_channel_replace(struct fp_channel_log *log);

/* Whether there is still somebody who will read it, as far as is known. */
bool fp_channel_has_reader(const struct fp_channel *channel);

/* The log is complete. False when the reader was done before. */
bool fp_channel_end(struct fp_channel *channel, struct fp_channel_log *log);

/* As fp_proc_reader, of process PID: what the reader reads for it. It waits some seconds for
 * that, once in vain. (In channel_errands.c.) */
ssize_t fp_channel_fetch(struct fp_channel *channel, pid_t pid, enum fp_proc_file file,
                         size_t offset, char *bytes, size_t size);

/* Rings, and waits until process READER has made its report. False when it is no more. */
bool fp_channel_await_reader(struct fp_channel *channel, pid_t reader);

/* Whether findings are shown as they come, not only at the end. */
void fp_channel_set_showing(struct fp_channel *channel, bool is_showing);

/* If they are: rings, and waits until the reader has shown COUNT findings of LOG, for a second
 * at most. */
void fp_channel_await_shown(struct fp_channel *channel, struct fp_channel_log *log,
                            size_t count);

/* The word that changes with each request, to be waited for (a futex that processes share). */
_Atomic uint32_t *fp_channel_asked(struct fp_channel *channel);

/* The number of a request to process PID, which is its to answer from then on; 0: there is
 * none.
 */
uint64_t fp_channel_take_request(struct fp_channel *channel, pid_t pid);

/* LINE is about a program that was executed and is not seen. */
void fp_channel_note_unseen(struct fp_channel *channel, const char *line);

/* Whether the report is printed to a file, and to another one than this. */
bool fp_channel_prints_elsewhere(const struct fp_channel *channel, uint64_t device,
                                 uint64_t inode);

#endif
