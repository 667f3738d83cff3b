/* SPDX-License-Identifier: Apache-2.0
 *
 * Accesses that follow on each other, upwards or downwards: a loop that runs off a block. It
 * may go through blocks that are accessible, from the end of one to the next one's guard. A
 * loop that copies makes two of these runs.
 */
#include "fault/run.h"

#include "base/vm.h"

/* Bytes from one access of a run to the next: an element of an array. */
enum { REACH = 512 };

static uintptr_t page_of(uintptr_t address)
{
	return address / fp_vm_page_size();
}

/* From the end of one page to the start of another, or back. */
static bool crosses(uintptr_t from, uintptr_t to)
{
	size_t page = fp_vm_page_size();
	uintptr_t low = from < to ? from : to;
	uintptr_t high = from < to ? to : from;

	return page - low % page <= REACH && high % page < REACH;
}

static bool follows(const struct fp_fault_run *run, uintptr_t address)
{
	uintptr_t last = run->last;
	uintptr_t distance = address > last ? address - last : last - address;

	if (last == 0)
		return false;
	return distance <= REACH ||
	       (page_of(last) != page_of(address) && crosses(last, address));
}

/* The one that ADDRESS follows on, else the one that rests longest, begun anew. */
static struct fp_fault_run *choose(struct fp_fault_runs *runs, uintptr_t address)
{
	struct fp_fault_run *oldest = &runs->run[0];

	for (size_t i = 0; i < FP_FAULT_RUNS; i++) {
		struct fp_fault_run *run = &runs->run[i];

		if (follows(run, address))
			return run;
		if (run->used_at < oldest->used_at)
			oldest = run;
	}
	*oldest = (struct fp_fault_run){.low = page_of(address), .high = page_of(address)};
	return oldest;
}

unsigned fp_fault_note_run(struct fp_fault_runs *runs, uintptr_t address)
{
	struct fp_fault_run *run = choose(runs, address);

	uintptr_t page = page_of(address);

	/* To and fro between the same pages gets nowhere. */
	if (page < run->low || page > run->high)
		run->pages++;
	if (page < run->low)
		run->low = page;
	if (page > run->high)
		run->high = page;
	run->last = address;
	run->used_at = ++runs->now;
	return run->pages;
}
