/* SPDX-License-Identifier: Apache-2.0
 *
 * Heaps: one alloc and one free, through which every block of every door goes. Alloc places,
 * protects, traces and registers; free finds, verifies, records and seals. Misuse becomes a
 * finding and is refused; the heap stays usable.
 *
 * Context: alloc, except where a function says otherwise. Thread-safe. errno is preserved.
 */
#ifndef FP_HEAP_HEAP_H
#define FP_HEAP_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/layout.h"
#include "model/block.h"
#include "model/finding.h"
#include "model/sites.h"

struct fp_heap_config {
	size_t align;     /* of blocks that ask for no more, in bytes: a power of two */
	bool is_exact;    /* align=auto: sites that need more get it (heap/exact.h) */
	bool is_learning; /* what they need is to be found out */
	enum fp_placement placement;
	uint64_t lock_timeout_ms; /* how long a locked heap is waited for; 0: for ever */
	fp_finding_sink sink;     /* receives every finding; no lock is held */
	void *sink_user;
};

/* After fp_guard_init, fp_registry_init and fp_stack_init; once. */
void fp_heap_init(const struct fp_heap_config *config);

/* What the door of a heap tells its caller, so that findings can say what the caller was told.
 */
struct fp_heap_error_codes {
	bool has_hresult;
	int32_t misuse;
	int32_t no_memory;
	int32_t timeout;
	int32_t not_owner;
	int32_t abandoned;
	int32_t failed;      /* the call found out that no heap is usable any more */
	int32_t unavailable; /* that was found before */
};

struct fp_heap_traits {
	bool is_executable;
	bool is_for_one_thread; /* at a time: the callers take turns by themselves */
	struct fp_heap_error_codes error_codes;
};

struct fp_heap;
struct fp_slot;

/*
 * A new heap. It lives as long as the process: a use after its release must meet something that
 * can say so. 0; -ENOMEM; -EUCLEAN or -ESHUTDOWN as fp_heap_enter, with *HEAP NULL.
 */
int fp_heap_create(const struct fp_heap_traits *traits, struct fp_heap **heap);

/* For a door that has no memory for what it keeps beside a heap: the same finding. -ENOMEM. */
int fp_heap_refuse_creation(const struct fp_heap_traits *traits);

/* From now on every use is a finding. Its live blocks stay valid. */
void fp_heap_release(struct fp_heap *heap);

/* A call on a heap that was released, which the door noticed itself. */
void fp_heap_report_released(const struct fp_heap *heap, const char *call);

/*
 * Around a door's use of a heap; CALL is the name that its callers know. The same thread may
 * enter again before it leaves. Enter returns 0, or makes a finding that names the other thread
 * and returns
 *   -ETIMEDOUT   that thread has the heap locked, and kept it
 *   -EOWNERDEAD  that thread ended while it had the heap, or released it while this one waited;
 *                in the first case the heap is free again
 *   -EBUSY       that thread is inside a heap that takes one at a time
 *   -ESHUTDOWN   that thread found that no heap is usable any more
 */
int fp_heap_enter(struct fp_heap *heap, const char *call);
void fp_heap_leave(struct fp_heap *heap);

/*
 * The calling thread has the heap to itself until it has unlocked it as often as locked. Calls
 * of other threads that have begun already may still end. As enter; -EPERM after the heap's
 * release. Unlock returns 0, or -EBUSY after a finding when another thread, or nobody, has the
 * heap.
 */
int fp_heap_lock(struct fp_heap *heap);
int fp_heap_unlock(struct fp_heap *heap);

/* Whether something overwrote what Fencepost knows, so that no heap can be relied on. */
bool fp_heap_is_unusable(void);

/* The finding of a call after that. -ESHUTDOWN. */
int fp_heap_report_unusable(const struct fp_heap *heap, const char *call);

struct fp_heap_request {
	size_t size;      /* bytes; 0 gives a block with an address of its own */
	size_t count;     /* 0, or more elements of SIZE bytes than size_t can count: refused */
	size_t align;     /* a power of two; what the configuration has, when that is more */
	bool is_zeroed;   /* the caller wants zeros */
	uint8_t family;   /* enum fp_family */
	uint8_t level;    /* enum fp_level */
	const char *file; /* of DebugAlloc, copied; or NULL */
	int line;
	/* For a recording: the serial of the block whose content this one is to have, or 0. */
	uint64_t replaced;
	fp_trace_id *trace; /* set to that of the block; or NULL */
};

/* 0 with *BLOCK accessible; with *BLOCK NULL -ENOMEM, -EPERM after the heap's release, or
 * -EUCLEAN when Fencepost's own memory was found overwritten. */
int fp_heap_alloc(struct fp_heap *heap, const struct fp_heap_request *request, void **block);

/*
 * 0; -EPERM when the call was misuse, and a finding was made; -EUCLEAN as alloc. A block whose
 * padding is found damaged is freed all the same. NULL is fine.
 */
int fp_heap_free(struct fp_heap *heap, void *block);

/* A free that says what the caller takes the block for. */
struct fp_heap_claim {
	void *block;
	uint8_t family; /* enum fp_family; FP_FAMILY_COUNT: the caller does not say */
	bool has_size;
	bool may_be_foreign; /* what is in no slot is left alone: -ENXIO, and no finding */
	size_t size;         /* when has_size */
	size_t align;        /* a power of two, or 0: the caller does not say */
};

/* The same; a claim that is not so is a finding, and the block is freed all the same. */
int fp_heap_free_as(struct fp_heap *heap, const struct fp_heap_claim *claim);

/*
 * A block as REQUEST says with the content of the one of CLAIM, which is freed. As alloc and
 * free; a failure leaves the old block as it is. The claim's block is not NULL. Where *BLOCK is
 * not NULL, it is memory of the caller's that the content goes to instead; NULL afterwards: it
 * did not.
 */
int fp_heap_realloc(struct fp_heap *heap, const struct fp_heap_claim *claim,
                    const struct fp_heap_request *request, void **block);

/* Whether ADDRESS is in memory that blocks are, were or will be in. Context: also fault. */
bool fp_heap_is_ours(const void *address);

/* Whether a live block starts at ADDRESS; then SIZE is what was asked for. */
bool fp_heap_size_of(const void *address, size_t *size);

/* The same for CALL, which its users may only ask about a live block of HEAP: 0, or -EPERM
 * after a finding. */
int fp_heap_ask_size(const struct fp_heap *heap, const char *call, const void *address,
                     size_t *size);

/* The same for a live block of HEAP. */
bool fp_heap_owns(const struct fp_heap *heap, const void *address, size_t *size);

/* What ADDRESS is to HEAP; of padding and guards, what the block beside it is. */
enum fp_heap_pointer {
	FP_HEAP_FOREIGN,   /* not in memory of heaps */
	FP_HEAP_LIVE,      /* a live block starts there */
	FP_HEAP_FREED,     /* a freed block started there */
	FP_HEAP_INSIDE,    /* in or beside a block, live or freed */
	FP_HEAP_OTHER,     /* in or beside a block of another heap */
	FP_HEAP_FORGOTTEN, /* in memory of heaps, where no block is known */
};
enum fp_heap_pointer fp_heap_identify(const struct fp_heap *heap, const void *address);

/*
 * Calls VISIT for a copy of each block of HEAP that is live now. No lock is held, so VISIT may
 * do anything. Returns 0, also when VISIT returned false to end it, or -ENOMEM.
 */
typedef bool (*fp_heap_visitor)(const struct fp_block *block, void *user);
int fp_heap_walk(const struct fp_heap *heap, fp_heap_visitor visit, void *user);

/* Verifies the padding of the live block of HEAP at ADDRESS, or of all live blocks with NULL.
 * 0; -EPERM when there is no such block, or, with a finding, when padding was damaged. */
int fp_heap_check_block(const struct fp_heap *heap, const void *address);

/*
 * Verifies the padding of every live block. Damage becomes a finding with TRACE as its stack
 * and WHEN ("at exit") in its description, and is repaired so that it is found once. Returns
 * the number of blocks damaged.
 */
size_t fp_heap_check(fp_trace_id trace, const char *when);

/* Why the heap itself could not access a page of a block that it frees or verifies. */
enum fp_touch_fault {
	FP_TOUCH_DENIED,   /* its protection forbids it */
	FP_TOUCH_UNMAPPED, /* nothing is mapped there */
	FP_TOUCH_MISSING   /* it is missing, or behind the end of a file */
};

enum fp_touch_answer {
	FP_TOUCH_NONE,   /* none of the heap's own */
	FP_TOUCH_OPENED, /* the program had done that to its block: the access can be tried
	                    again */
	FP_TOUCH_REFUSED /* it cannot be undone: fp_heap_give_up_touching() */
};

/* Context: also fault (in touch.c). */
enum fp_touch_answer fp_heap_open_touched(uintptr_t address, enum fp_touch_fault fault);

/* ADDRESS could not be accessed: if it is in a live block whose page is missing, because the
 * program gave it back, that page becomes zeros. Whether it was so. Context: also fault (in
 * mend.c). */
bool fp_heap_mend(uintptr_t address);

/* The same for LENGTH bytes of a block that the kernel is about to access. */
void fp_heap_mend_range(uintptr_t address, size_t length);

/* Leaves the handler of that fault for where the heap goes on without the block. The thread's
 * signal mask is the interrupted one again. */
_Noreturn void fp_heap_give_up_touching(void);

/*
 * The program does not want so many bytes to be used, until it unpoisons them: of a live block
 * that ADDRESS is in, or is beside, those in the block, unless it is a host's; of other memory
 * all (in poison.c).
 */
void fp_heap_poison(const void *address, size_t bytes);
void fp_heap_unpoison(const void *address, size_t bytes);

/* The first of so many bytes that is poisoned, or NULL. */
const void *fp_heap_find_poisoned(const void *address, size_t bytes);

/* Whether anything can be known of ADDRESS: it is ours, or near what is poisoned. */
bool fp_heap_is_watched(const void *address);

/* So many bytes, no block of ours, are about to be given back: nothing of them is poisoned any
 * more, nor a block of a pool. */
void fp_heap_forget_memory(const void *address, size_t bytes);

/* Whether anybody wrote to a filled slot after its block was freed: then that is a finding. */
void fp_heap_verify_freed(const struct fp_slot *slot);

/* The changed padding on one side of the live block of SLOT, if it comes as near as REACH bytes
 * to the guard on that side: it is taken, and repaired, by whoever met that guard. False: none
 * does. Context: fault. */
struct fp_damaged;
bool fp_heap_take_damage(const struct fp_slot *slot, bool is_behind, uintptr_t reach,
                         struct fp_damaged *damaged);

/* The block, live or freed, that ADDRESS is in or beside; false when none is known. */
bool fp_heap_find(uintptr_t address, struct fp_block *block);

/* The same for SLOT; and the first bytes that a freed one held there when it was freed, at most
 * SIZE: how many there are. */
bool fp_heap_find_in(const struct fp_slot *slot, struct fp_block *block);
size_t fp_heap_last_bytes(const struct fp_slot *slot, uint8_t *bytes, size_t size);

/* For a debugger: the second one is called before the block of the serial that the first one
 * has is allocated. */
extern volatile uint64_t fp_heap_stop_at;
void fp_heap_stop_here(void);

/* Adds MARKS (enum fp_block_mark) to the live block with that SERIAL, which ADDRESS is in;
 * false when there is none any more. */
bool fp_heap_mark(uintptr_t address, uint64_t serial, uint8_t marks);

/*
 * align=auto. The site that TRACE leads to gets blocks as malloc promises them from now on; how
 * many did so far; and SHARED takes and has them, too, from now on. Context: also fault.
 */
void fp_heap_align_site(fp_trace_id trace);
uint64_t fp_heap_aligned_sites(void);
void fp_heap_share_sites(struct fp_sites *shared);

/* Whether ADDRESS is START, that of a block, without low bits that a program may think are
 * free. */
bool fp_heap_is_masked(uintptr_t start, uintptr_t address);

struct fp_heap_totals {
	uint64_t allocations; /* that gave a block */
	uint64_t last_serial; /* of the newest block; refused ones have serials, too */
	uint64_t frees;
	uint64_t live_blocks;
	uint64_t live_bytes;
	uint64_t inherited_blocks; /* that live, of those there were before a fork */
	uint64_t peak_blocks;
	uint64_t peak_bytes;
	uint64_t seal_failures; /* freed blocks that may have stayed accessible */
};

void fp_heap_totals(struct fp_heap_totals *totals);

/* The count of frees, which only rises, for who reads it in the memory of this process. */
const _Atomic uint64_t *fp_heap_frees(void);

/* In the child of a fork, whose only thread calls: what there is now is its parent's. */
void fp_heap_begin_in_child(void);

/*
 * Called at the end of an alloc or a free, without locks, when a threshold is passed; it sets
 * them anew. DYING, or NULL, is the block that was freed: the registry knows it no more.
 */
typedef void (*fp_heap_watcher)(const struct fp_block *dying);

/* Once; no threshold is passed before one is set. */
void fp_heap_watch(fp_heap_watcher watcher);

/* The watcher is called from that serial, or that many frees, on. */
void fp_heap_watch_step(uint64_t serial, uint64_t frees);

/* The watcher is called when a block is freed after a peak above BYTES of which a sixteenth is
 * gone. */
void fp_heap_watch_peak(uint64_t bytes);

#endif
