/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of the channel, which both sides map. Private to the module.
 */
#ifndef FP_LOG_CHANNEL_LAYOUT_H
#define FP_LOG_CHANNEL_LAYOUT_H

#include <stdatomic.h>

#include "log/channel.h"
#include "log/cpus.h"

enum {
	FP_CHANNEL_LOGS = 1 << 15,
	FP_CHANNEL_PIECES = 1 << 16,
	FP_CHANNEL_PIECE_BYTES = 32 << 10,
	FP_CHANNEL_STEP_PIECES = 32,
	FP_CHANNEL_PIDS = 1 << 22, /* the most that Linux has */
	FP_CHANNEL_PIDS_PER_WORD = 64,
	FP_CHANNEL_UNSEEN_BYTES = 256 << 10,
	FP_CHANNEL_REQUESTS = 16,
	FP_CHANNEL_DEATHS = 1 << 12,
	FP_CHANNEL_ERRAND_BYTES = 64 << 10
};

#define FP_CHANNEL_MAGIC "FENCEPCH9"

struct fp_channel_piece {
	_Atomic uint32_t next; /* its number and 1; 0 for the last */
	uint8_t bytes[FP_CHANNEL_PIECE_BYTES - sizeof(uint32_t)];
};

struct fp_channel_log {
	_Atomic uint32_t state; /* enum fp_channel_state */
	_Atomic uint32_t first; /* as in struct fp_channel_piece */
	_Atomic uint32_t pid;
	uint32_t last;          /* of the writer: the number of its last piece, and 1 */
	_Atomic uint64_t bytes; /* whole records */
	_Atomic uint64_t order;
	_Atomic uint32_t is_told;
	_Atomic uint32_t is_lossy;
	_Atomic uint32_t is_replaced;
	_Atomic uint32_t is_foreign;
	_Atomic uint32_t shown; /* by the reader */
	_Atomic uint32_t sent;  /* by the reader, as lines */
	uint8_t unused[8];      /* a cache line of its own */
};

struct fp_channel {
	char magic[sizeof(FP_CHANNEL_MAGIC)];
	bool has_output;
	uint64_t output_device;
	uint64_t output_inode;
	uint64_t namespace; /* of the maker's process numbers; 0: not known */
	_Atomic uint32_t reader;
	_Atomic uint32_t is_closed;
	_Atomic uint32_t is_showing; /* the reader shows findings as they come */
	_Atomic uint32_t logs_used;
	_Atomic uint32_t pieces_used;
	_Atomic uint32_t processes;
	_Atomic uint32_t highest; /* number of a process */
	_Atomic uint32_t unseen_used;
	_Atomic uint32_t refused; /* logs */
	_Atomic uint64_t order;
	_Atomic uint32_t asked; /* rises with each request: what answering threads wait for */
	_Atomic uint32_t bell;  /* rises when the reader is waited for: what that waits for */
	_Atomic uint32_t is_done;
	_Atomic int32_t unborn; /* forks that have begun, and of which nothing is known yet */
	struct fp_channel_request {
		_Atomic uint32_t pid; /* 0: a free place; UINT32_MAX: being filled */
		_Atomic uint64_t number;
	} requests[FP_CHANNEL_REQUESTS];
	struct {
		_Atomic uint32_t state; /* in channel_errands.c */
		_Atomic uint32_t pid;
		uint32_t file;
		int32_t result;
		uint64_t offset;
		uint64_t size;
		char bytes[FP_CHANNEL_ERRAND_BYTES];
	} errand;
	struct fp_cpus cpus[FP_CPUS_MAX];
	_Atomic uint32_t deaths_used;
	struct {
		_Atomic uint32_t pid; /* 0: not filled in yet */
		uint32_t parent;
		int32_t status;
	} deaths[FP_CHANNEL_DEATHS];
	struct fp_channel_log logs[FP_CHANNEL_LOGS];
	/* Bits of the processes that have been there, and of those that passed: side by side,
	 * so that a process touches one page. */
	struct fp_channel_pids {
		_Atomic uint64_t met;
		_Atomic uint64_t passed;
	} pids[FP_CHANNEL_PIDS / FP_CHANNEL_PIDS_PER_WORD];
	struct fp_sites sites;
	char unseen[FP_CHANNEL_UNSEEN_BYTES];
	struct fp_channel_piece pieces[FP_CHANNEL_PIECES];
};

enum {
	FP_CHANNEL_FEWEST_BYTES = offsetof(struct fp_channel, pieces) +
	                          FP_CHANNEL_STEP_PIECES * FP_CHANNEL_PIECE_BYTES
};

/* Waits until *WORD is not FROM any more, or MS milliseconds; where a filter refuses that, by
 * looking. Whether it is another (in channel_requests.c). */
bool fp_channel_await(_Atomic uint32_t *word, uint32_t from, unsigned ms);

/* Whether process PID has ended, also where nobody has asked for its status. */
bool fp_channel_is_gone(pid_t pid);

/* Wakes who waits for a change of WORD. */
void fp_channel_wake(_Atomic uint32_t *word);

/* Whether the process has its number in another namespace than the maker: it is nothing to go
 * by (in channel_map.c). */
bool fp_channel_is_foreign(const struct fp_channel *channel, pid_t pid);

/* Pieces that this process can reach. */
uint32_t fp_channel_rooms(void);

/* Makes the first COUNT pieces accessible, and more of them than are asked for. */
bool fp_channel_open_pieces(struct fp_channel *channel, uint32_t count);

#endif
