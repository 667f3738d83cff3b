/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaks: live blocks that the program has no pointer to any more. All other threads stand still
 * while memory is searched for pointers, word by word: a word that could be a pointer is one.
 * A region of VirtualAlloc is a block, too, of family `virtual`.
 *
 * Context: alloc. Blocks signals, opens files below /proc; never where a fault is reported.
 */
#ifndef FP_LEAK_LEAK_H
#define FP_LEAK_LEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/block.h"

/* A live block and what became of it. */
struct fp_leak_block {
	uintptr_t address;
	size_t size;
	uint64_t serial;
	fp_trace_id trace;
	fp_site_id site;
	fp_heap_id heap;
	uint32_t born;
	uint32_t hangs_from; /* private to the scan, as what follows */
	uint32_t holder;     /* index of the block that has that pointer */
	uint32_t depth;      /* how many pointers lead here from a root or a definite leak */
	uint8_t family;      /* enum fp_family */
	uint8_t level;       /* enum fp_level */
	uint8_t class;       /* enum fp_leak_class */
	uint8_t state;       /* private to the scan */
	uint8_t marks;       /* of enum fp_block_mark */
	bool is_superblock;  /* blocks of a pool are in it: no leak itself */
	uintptr_t held_at;   /* where the pointer stands that made it what it is; or 0 */
	uintptr_t held;      /* that pointer */
};

/* Blocks, and how long ago the first and the last of them were made: in milliseconds, 0 of
 * none. */
struct fp_leak_sum {
	uint64_t blocks;
	uint64_t bytes;
	uint64_t oldest;
	uint64_t newest;
};

/* A pointer to a block: where it stands, how far into the block it points. */
struct fp_leak_link {
	uintptr_t at;
	uintptr_t offset;
};

/* Of the pointers that lead to a block those next to it and those next to the root. */
enum { FP_LEAK_LINKS_NEAR = 3, FP_LEAK_LINKS_MAX = FP_LEAK_LINKS_NEAR + FP_LEAK_PATH_OUTER };

/* What hangs from the blocks of a group, of one allocation stack. */
struct fp_leak_member {
	uint32_t depth; /* of FP_LEAK_DEPTH_MAX: or more */
	fp_trace_id trace;
	uint64_t blocks;
	uint64_t bytes;
};

enum { FP_LEAK_MEMBERS_MAX = 8 };

/* Blocks of one class that share everything a report can say about where they come from. */
struct fp_leak_group {
	enum fp_leak_class class;
	fp_trace_id trace;
	fp_trace_id hangs_from; /* indirect: of the definite leak that leads there */
	fp_site_id site;
	fp_heap_id heap;
	uint8_t family; /* enum fp_family */
	uint8_t level;  /* enum fp_level */
	/* Of the block that is nearest to a root, or to what it hangs from: the pointers that
	 * lead to it, the last one first. Those between the NEAR ones and the rest are left
	 * out.
	 */
	const struct fp_leak_link *links;
	unsigned link_count;
	uint64_t links_left_out;
	struct fp_leak_sum all;
	struct fp_leak_sum new; /* of these, what no check before has told */
	/* Definite: the indirect leaks that hang from these blocks, each counted once. */
	struct fp_leak_sum indirect;
	struct fp_leak_sum new_indirect;
	/* Of these those that have most bytes, by their depth. */
	const struct fp_leak_member *members;
	unsigned member_count;
	/* Private to the grouping. */
	uint32_t nearest; /* index of the block that the links lead to */
	uint32_t depth;   /* 0, or this is what hangs from a group, so deep */
	size_t next;      /* place of what hangs from the group, from 1 */
};

struct fp_leak_range {
	uintptr_t start;
	uintptr_t end;
};

enum { FP_LEAK_REGISTER_RANGES = 3 };

/* Code that a signal interrupted. */
struct fp_leak_interrupted {
	uintptr_t stack; /* from where on its stack is in use */
	struct fp_leak_range registers[FP_LEAK_REGISTER_RANGES]; /* where they are saved */
	unsigned count;                                          /* of ranges */
};

struct fp_leak_config {
	/* Blocks, and regions, up to these serials hold pointers, and are never leaks. */
	uint64_t after;
	uint64_t after_region;
	/* Reachable ones up to these serials are not new. */
	uint64_t told;
	uint64_t told_region;
	bool is_snapshot;    /* search a copy of the process, while the threads go on */
	bool with_reachable; /* groups of reachable blocks are wanted, too */
	/* More roots than memory shows, or NULL. */
	const struct fp_leak_range *roots;
	size_t root_count;
	/* Blocks that count as reachable whatever points to them, or NULL: none. Called with
	 * all threads stopped and a lock of the registry held. */
	bool (*is_kept)(const struct fp_block *block, void *user);
	/* Receive the result, in no particular order, with no lock held and all threads
	 * running; each may be NULL. Blocks: all that are not reachable. */
	void (*visit_group)(const struct fp_leak_group *group, void *user);
	void (*visit_block)(const struct fp_leak_block *block, void *user);
	void *user;
};

struct fp_leak_result {
	uint64_t blocks[FP_LEAK_CLASS_COUNT]; /* with serials above AFTER */
	uint64_t bytes[FP_LEAK_CLASS_COUNT];
	uint64_t roots_bytes; /* memory that was searched, blocks not included */
	uint64_t threads;     /* that stood still */
	uint64_t unanswered;  /* threads that did not, whose registers are not known */
	bool is_snapshot;     /* a copy was searched indeed */
	bool is_blind;        /* no memory could be read: all blocks are possible leaks */
	bool is_partial;      /* memory ran out while groups were made: some are missing */
};

/*
 * Finds the leaks of this process. STACK is where the caller's part of its stack begins, as
 * fp_leak_from_here() tells it. 0; -ENOMEM; why the threads cannot be listed: then nothing is
 * known, and nothing was visited. One check runs at a time, others wait.
 */
int fp_leak_check(const struct fp_leak_config *config, uintptr_t stack,
                  struct fp_leak_result *result);

/* Calls WORK with the place from which on the stack is the caller's, all of whose registers are
 * on it: what Fencepost's own frames hold is no pointer of the program's. */
void fp_leak_from_here(void (*work)(uintptr_t stack, void *user), void *user);

/* For a check in the handler of a signal: CONTEXT is its third argument. Context: fault. */
void fp_leak_look_at(const void *context, struct fp_leak_interrupted *interrupted);

/*
 * The real-time signal that stops threads, chosen and installed by the first call among those
 * that nobody handles; 0 when there is none. It stays, so that one which arrives late kills
 * nobody.
 */
int fp_leak_signal(void);

/* For a door that sees the program's sigaction(2) calls: the program wants the signal, and
 * another one is chosen, which is returned; 0: there is none. */
int fp_leak_yield_signal(void);

#endif
