/* SPDX-License-Identifier: Apache-2.0
 *
 * From the live blocks and the roots to classes.
 */
#include "leak/search.h"

#include <errno.h>

#include "base/held.h"
#include "leak/mark.h"
#include "leak/memory.h"
#include "leak/registers.h"
#include "leak/roots.h"

static bool is_stopped(const struct fp_leak_thread *thread)
{
	return atomic_load(&thread->state) == FP_LEAK_THREAD_STOPPED;
}

static void mark_registers(const struct fp_leak_thread *thread, struct fp_leak_marker *marker)
{
	struct fp_leak_range ranges[FP_LEAK_REGISTER_RANGES];
	unsigned count = fp_leak_registers((const void *)thread->context, ranges);

	for (unsigned i = 0; i < count; i++)
		fp_leak_mark_root(marker, ranges[i].start, ranges[i].end);
}

static void mark_word(uint64_t word, void *marker)
{
	fp_leak_mark_root(marker, (uintptr_t)&word, (uintptr_t)(&word + 1));
}

static void mark_roots(struct fp_leak_search *search, struct fp_leak_roots *roots,
                       struct fp_leak_marker *marker)
{
	const struct fp_leak_config *config = search->config;
	const struct fp_leak_threads *threads = search->threads;

	for (size_t i = 0; i < atomic_load(&threads->count); i++) {
		const struct fp_leak_thread *thread = &threads->threads[i];

		if (!is_stopped(thread))
			continue;
		fp_leak_roots_cut_stack(
		        roots, thread,
		        fp_leak_stack_in_use(marker->memory, (const void *)thread->context));
		mark_registers(thread, marker);
	}
	fp_leak_roots_cut_own_stack(roots, search->stack);
	fp_leak_roots_mark(roots, marker);
	for (size_t i = 0; i < config->root_count; i++)
		fp_leak_mark_root(marker, config->roots[i].start, config->roots[i].end);
	fp_held_here(mark_word, marker);
	search->roots_bytes = marker->roots_bytes;
}

static int classify(struct fp_leak_search *search, struct fp_leak_roots *roots,
                    const struct fp_leak_memory *memory)
{
	struct fp_leak_marker marker;
	int status = fp_leak_mark_begin(&marker, &search->table, memory);

	if (status != 0)
		return status;
	mark_roots(search, roots, &marker);
	status = fp_leak_mark_classify(&marker, search->config);
	fp_leak_mark_end(&marker);
	return status;
}

/* What nobody could look for may be anything. */
static void classify_blindly(struct fp_leak_search *search)
{
	search->is_blind = true;
	for (size_t i = 0; i < search->table.count; i++)
		search->table.blocks[i].class = FP_LEAK_POSSIBLE;
}

int fp_leak_search(struct fp_leak_search *search)
{
	struct fp_leak_memory memory;
	struct fp_leak_roots roots;
	uint64_t word;
	int status = fp_leak_table_make(&search->table, search->config);

	if (status != 0)
		return status;
	fp_leak_memory_open(&memory);
	status = fp_leak_roots_make(&roots, &memory, search);
	if (status == 0 && fp_leak_memory_word(&memory, search->stack, &word))
		status = classify(search, &roots, &memory);
	else if (status != -ENOMEM)
		classify_blindly(search);
	if (status == 0)
		fp_leak_roots_free(&roots);
	else if (search->is_blind)
		status = 0;
	fp_leak_memory_close(&memory);
	if (status != 0)
		fp_leak_table_free(&search->table);
	return status;
}
