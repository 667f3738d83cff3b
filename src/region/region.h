/* SPDX-License-Identifier: Apache-2.0
 *
 * Regions: address space reserved, committed, protected and given back by the rules of Win32's
 * VirtualAlloc, whatever the back end of the heaps. Each region stands between two guards and
 * keeps the traces of who reserved it, committed its pages and gave them back; a released one
 * stays inaccessible for as long as address space lasts. Misuse becomes a finding and is
 * refused; a call that fails has changed nothing.
 *
 * Context: alloc, except where a function says otherwise. Thread-safe.
 */
#ifndef FP_REGION_REGION_H
#define FP_REGION_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/finding.h"
#include "model/region.h"

/* The values are Win32's, so that a door passes them on as they are. */
enum {
	FP_REGION_COMMIT = 0x1000,
	FP_REGION_RESERVE = 0x2000,
	FP_REGION_DECOMMIT = 0x4000,
	FP_REGION_RELEASE = 0x8000,
	FP_REGION_FREE = 0x10000,
	FP_REGION_PRIVATE = 0x20000,
	FP_REGION_MAPPED = 0x40000,
	FP_REGION_RESET = 0x80000,
	FP_REGION_TOP_DOWN = 0x100000,
};

enum {
	FP_PROTECT_NOACCESS = 0x01,
	FP_PROTECT_READONLY = 0x02,
	FP_PROTECT_READWRITE = 0x04,
	FP_PROTECT_EXECUTE = 0x10,
	FP_PROTECT_EXECUTE_READ = 0x20,
	FP_PROTECT_EXECUTE_READWRITE = 0x40,
	FP_PROTECT_GUARD = 0x100,
	FP_PROTECT_NOCACHE = 0x200,
	FP_PROTECT_WRITECOMBINE = 0x400,
};

enum { FP_REGION_GRANULARITY = 64 << 10 }; /* where a region may begin */

struct fp_region_config {
	size_t guard_bytes; /* of each guard: whole pages */
	size_t kept_bytes;  /* address space that released regions may keep */
	fp_finding_sink sink;
	void *sink_user;
};

/* Once, after fp_stack_init. */
void fp_region_init(const struct fp_region_config *config);

/* What the door tells its caller, so that findings can say it. */
struct fp_region_error_codes {
	int32_t misuse;  /* for -EPERM */
	int32_t invalid; /* for -EINVAL */
};

/* Until then findings say nothing about it. */
void fp_region_set_error_codes(const struct fp_region_error_codes *codes);

struct fp_region_request {
	uintptr_t address; /* 0: anywhere */
	size_t size;       /* in bytes */
	uint32_t type;     /* FP_REGION_COMMIT, _RESERVE, _RESET, _TOP_DOWN */
	uint32_t protection;
	uint8_t level; /* enum fp_level */
};

/*
 * Reserves, commits, both, or resets. *BASE is where the pages begin, 0 on failure. 0; -EINVAL
 * for a request that no region could meet; -ENOMEM when there is no memory or the address space
 * asked for is taken; -EPERM, and a finding, when pages are to be committed or reset that are
 * not all of one region, or reset and not all committed. A commit without an address reserves,
 * too.
 */
int fp_region_alloc(const struct fp_region_request *request, uintptr_t *base);

/* Decommits or releases. 0; -ENOMEM when the system refuses; -EINVAL or -EPERM, each with a
 * finding. */
int fp_region_free(uintptr_t address, size_t size, uint32_t type);

/* Protects committed pages of one region; *OLD is the protection of the first, 0 on failure. 0;
 * -EINVAL; -ENOMEM when the system refuses; -EPERM, and a finding. */
int fp_region_protect(uintptr_t address, size_t size, uint32_t protection, uint32_t *old);

/* Pages that are alike, from the one that was asked about. */
struct fp_region_info {
	uintptr_t base;
	size_t bytes;
	uintptr_t allocation_base; /* 0 unless of an allocation */
	uint32_t allocation_protection;
	uint32_t state; /* FP_REGION_COMMIT, _RESERVE, _FREE */
	uint32_t protection;
	uint32_t type; /* FP_REGION_PRIVATE, _MAPPED or 0 */
};

/*
 * What is at ADDRESS, of a region or not. Takes no lock, allocates nothing and waits for
 * nobody, so that it serves while any other threads are stopped. 0; -EINVAL above what the
 * process may address; else what stood in the way of reading /proc/thread-self/maps, which
 * happens for memory of others only. Context: also fault.
 */
int fp_region_query(uintptr_t address, struct fp_region_info *info);

/* A place in a region or its guards. */
struct fp_region_place {
	struct fp_block block; /* the region; freed once it was released */
	struct fp_page page;
	/* The place belongs with [start, end), whose pages are alike. */
	uintptr_t start;
	uintptr_t end;
	fp_trace_id decommitter; /* of a decommitted page */
	fp_thread_id by_thread;
};

/* Takes no lock. Context: also fault. */
bool fp_region_find(uintptr_t address, struct fp_region_place *place);

/*
 * An access to ADDRESS has faulted. When it was the first one to a page with
 * FP_PROTECT_GUARD, that guard is spent: the page has the rest of its protection from now on.
 * Whether another thread spent it meanwhile, so that the access is only to be tried again.
 * Context: also the handler of a fault, in a thread that holds no lock.
 */
bool fp_region_spend_guard(uintptr_t address);

/* Makes one inaccessible page accessible for an instruction that is stepped over, and ends
 * that. 0 or a negative errno. Context: also fault. */
int fp_region_expose(uintptr_t page);
void fp_region_conceal(uintptr_t page);

typedef void (*fp_region_visitor)(const struct fp_block *region, void *user);

/* The regions not released whose serials are above AFTER, in the order of addresses. */
void fp_region_each_live(uint64_t after, fp_region_visitor visit, void *user);

/* Adds MARKS (enum fp_block_mark) to the region with that SERIAL, which ADDRESS is in; false
 * when there is none any more, or no memory. */
bool fp_region_mark(uintptr_t address, uint64_t serial, uint8_t marks);

/* The serial of the newest region. */
uint64_t fp_region_last_serial(void);

/* ---- Address space that the caller maps by itself (in announced.c) ---------------------- */

struct fp_region_announced {
	uint64_t needs;    /* how often a mapping of the caller's failed */
	uint64_t granted;  /* and address space was given back for it */
	uint64_t acquired; /* mappings announced */
	uint64_t acquired_bytes;
	uint64_t mapped; /* of them not given back */
	uint64_t mapped_bytes;
	uint64_t unknown; /* given back without having been announced */
};

/* A mapping failed: gives the address space of released regions back. Whether
 * there was any, so that another try makes sense. */
bool fp_region_need(void);

void fp_region_acquired(uintptr_t address, size_t size);
void fp_region_returned(uintptr_t address);
void fp_region_announced(struct fp_region_announced *announced);

/* Ends of regions that have no guard: what was reserved by address right beside something
 * leaves no room for one. Those of a pair of regions count once (in space.c). */
struct fp_region_unguarded {
	uint64_t between; /* two regions */
	uint64_t others;  /* a region and memory of others */
	uintptr_t first;  /* address of the first region that made one; 0: there is none */
	size_t first_bytes;
};

void fp_region_unguarded(struct fp_region_unguarded *unguarded);

/* In the child of a fork, whose only thread calls this. */
void fp_region_renew_in_child(void);

/* Says in REMAINS where the regions are. */
struct fp_remains;
void fp_region_leave_remains(struct fp_remains *remains);

#endif
