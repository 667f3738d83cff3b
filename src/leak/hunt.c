/* SPDX-License-Identifier: Apache-2.0
 *
 * First what is small and tells most: registers, then roots, then live blocks, then what freed
 * ones held.
 */
#include "leak/hunt.h"

#include <string.h>

#include "base/clock.h"
#include "base/messages.h"
#include "heap/pools.h"
#include "leak/leak.h"
#include "leak/registers.h"
#include "leak/search.h"
#include "registry/registry.h"
#include "stack/stack.h"

enum {
	TLS_BYTES = 256 << 10,   /* that static thread-local storage takes at most */
	DESCRIPTOR_BYTES = 4096, /* above the thread pointer */
	RED_ZONE_BYTES = 128,    /* below a stack pointer */
	MEMORY_LISTED = 8        /* most of which turn out to be variables */
};

void fp_leak_set_obstacle(struct fp_leak_census *told, enum fp_census_result result,
                          const char *why)
{
	told->result = result;
	if (told->obstacle == NULL)
		told->obstacle = why;
}

bool fp_leak_hunt_is_over(struct fp_leak_hunt *census)
{
	if (!census->marker.is_over && fp_clock_nanoseconds() > census->deadline) {
		census->marker.is_over = true;
		fp_leak_set_obstacle(census->told, FP_CENSUS_PARTIAL, FP_TELL_HOLDERS_TIME);
	}
	return census->marker.is_over;
}

/* ---- Threads -------------------------------------------------------------------------------
 */

static const struct fp_leak_root *find_root(const struct fp_leak_hunt *census,
                                            uintptr_t address)
{
	for (size_t i = 0; i < census->roots.count; i++)
		if (address >= census->roots.items[i].start &&
		    address < census->roots.items[i].end)
			return &census->roots.items[i];
	return NULL;
}

static uintptr_t thread_pointer(const struct fp_leak_thread *thread)
{
	/* The distance is the same in all threads. */
	return thread->storage +
	       ((uintptr_t)__builtin_thread_pointer() - fp_leak_thread_storage());
}

/* The frames of THREAD; how many. */
static unsigned list_frames(const struct fp_leak_hunt *census,
                            const struct fp_leak_thread *thread)
{
	return fp_stack_list_frames((const void *)thread->context, census->frames,
	                            census->stacks, FP_LEAK_FRAMES_MAX);
}

/* Whether ADDRESS in ROOT is thread-local storage of THREAD: around its thread pointer, and not
 * on its stack, which may be right below. */
static bool is_storage(const struct fp_leak_hunt *census, const struct fp_leak_thread *thread,
                       const struct fp_leak_root *root, uintptr_t address)
{
	uintptr_t pointer = thread_pointer(thread);

	if (pointer < root->start || pointer >= root->end ||
	    address - (pointer - TLS_BYTES) >= TLS_BYTES + DESCRIPTOR_BYTES)
		return false;
	if (thread->stack < root->start || thread->stack >= root->end || address >= pointer)
		return true;
	unsigned count = list_frames(census, thread);
	return count > 0 && count < FP_LEAK_FRAMES_MAX && address > census->stacks[count - 1];
}

/* Whether ADDRESS is on the stack that THREAD uses. */
static bool is_stack(const struct fp_leak_thread *thread, const struct fp_leak_root *root,
                     uintptr_t address)
{
	return thread->stack >= root->start && thread->stack < root->end &&
	       address >= thread->stack - RED_ZONE_BYTES;
}

/* Which frame of THREAD has the holder, and those further out. */
static void tell_frame(const struct fp_leak_hunt *census, const struct fp_leak_thread *thread,
                       struct fp_leak_holder *holder)
{
	unsigned count = list_frames(census, thread);
	unsigned at = 0;

	/* The innermost has what is below the stack pointer, too. */
	while (at + 1 < count && census->stacks[at + 1] <= holder->address)
		at++;
	if (at + 1 >= count)
		return;
	holder->place = (int64_t)(holder->address - census->stacks[at + 1]);
	while (at < count && holder->frame_count < FP_LEAK_HOLDER_FRAMES)
		holder->frames[holder->frame_count++] = census->frames[at++];
}

/* Whether HOLDER, which is no block's, is THREAD's. */
static bool is_of_thread(const struct fp_leak_hunt *census, const struct fp_leak_thread *thread,
                         const struct fp_leak_root *root, struct fp_leak_holder *holder)
{
	bool is_local = is_storage(census, thread, root, holder->address);

	if (!is_local && !is_stack(thread, root, holder->address))
		return false;
	holder->kind = is_local ? FP_HOLDER_THREAD_LOCAL : FP_HOLDER_STACK;
	holder->thread = thread->id;
	if (is_local)
		holder->place = (int64_t)(holder->address - thread_pointer(thread));
	return true;
}

static bool is_stopped(const struct fp_leak_thread *thread)
{
	return atomic_load(&thread->state) == FP_LEAK_THREAD_STOPPED;
}

/* Whose HOLDER is, which stands in a root; NULL: no thread's. */
static const struct fp_leak_thread *find_thread(struct fp_leak_hunt *census,
                                                struct fp_leak_holder *holder)
{
	const struct fp_leak_root *root = find_root(census, holder->address);

	if (root == NULL)
		return NULL;
	if (is_of_thread(census, &census->own, root, holder))
		return &census->own;
	for (size_t i = 0; i < atomic_load(&census->threads.count); i++) {
		const struct fp_leak_thread *thread = &census->threads.threads[i];

		if (is_stopped(thread) && is_of_thread(census, thread, root, holder))
			return thread;
	}
	return NULL;
}

/* ---- Pointers ------------------------------------------------------------------------------
 */

static void list(struct fp_leak_hunt *census, const struct fp_leak_thread *thread,
                 struct fp_leak_holder *holder)
{
	struct fp_leak_census *told = census->told;
	unsigned most =
	        holder->kind == FP_HOLDER_MEMORY ? MEMORY_LISTED : FP_LEAK_HOLDERS_OF_KIND;

	told->found++;
	if (told->count == FP_LEAK_HOLDERS_MAX || census->listed[holder->kind]++ >= most)
		return;
	if (holder->kind == FP_HOLDER_STACK)
		tell_frame(census, thread, holder);
	told->holders[told->count++] = *holder;
}

static void meet_in_register(struct fp_leak_hunt *census, struct fp_leak_holder *holder)
{
	holder->name = fp_leak_register_name((const void *)census->registers->context,
	                                     holder->address);
	holder->kind = FP_HOLDER_REGISTER;
	holder->thread = census->registers->id;
	holder->address = 0;
	if (holder->name != NULL)
		list(census, NULL, holder);
}

static void meet(struct fp_leak_hunt *census, uintptr_t address, uintptr_t value)
{
	struct fp_leak_holder holder = {
	        .kind = FP_HOLDER_MEMORY, .address = address, .value = value};
	const struct fp_leak_thread *thread = NULL;

	if (census->registers != NULL) {
		meet_in_register(census, &holder);
		return;
	}
	if (census->block != NULL) {
		holder.kind = FP_HOLDER_BLOCK;
		holder.block = *census->block;
	} else {
		thread = find_thread(census, &holder);
	}
	list(census, thread, &holder);
}

static void look(struct fp_leak_marker *marker, uintptr_t start, size_t size, size_t step)
{
	struct fp_leak_hunt *census = (struct fp_leak_hunt *)marker;
	uintptr_t first = census->told->start;
	size_t extent = census->told->size > 0 ? census->told->size : 1;

	census->told->bytes += size;
	for (size_t at = 0; at + sizeof(uint64_t) <= size; at += step) {
		uint64_t word;

		memcpy(&word, marker->buffer + at, sizeof(word));
		if (word - first < extent)
			meet(census, start + at, word);
	}
	fp_leak_hunt_is_over(census);
}

static void look_into_registers(struct fp_leak_hunt *census,
                                const struct fp_leak_thread *thread)
{
	struct fp_leak_range ranges[FP_LEAK_REGISTER_RANGES];

	if (thread->context == 0)
		return;
	census->registers = thread;
	unsigned count = fp_leak_registers((const void *)thread->context, ranges);
	for (unsigned i = 0; i < count; i++)
		fp_leak_mark_root(&census->marker, ranges[i].start, ranges[i].end);
	census->registers = NULL;
}

/* A block's pointers to itself hold nothing. */
static void look_into_block(const struct fp_block *block, void *user)
{
	struct fp_leak_hunt *census = user;
	const struct fp_leak_block looked_into = {
	        .address = block->address, .size = block->size, .family = block->family};

	if (block->address == census->told->start || block->size < sizeof(uintptr_t) ||
	    fp_leak_hunt_is_over(census))
		return;
	census->block = block;
	fp_leak_mark_block(&census->marker, &looked_into);
	census->block = NULL;
}

static void meet_kept(const struct fp_block *block, size_t at, uintptr_t word, void *user)
{
	struct fp_leak_holder holder = {.kind = FP_HOLDER_FREED_BLOCK,
	                                .address = block->address + at,
	                                .value = word,
	                                .block = *block};
	struct fp_leak_hunt *census = user;

	if (block->address != census->told->start)
		list(census, NULL, &holder);
}

static void search_all(struct fp_leak_hunt *census)
{
	struct fp_leak_threads *threads = &census->threads;

	for (size_t i = 0; i < atomic_load(&threads->count); i++) {
		const struct fp_leak_thread *thread = &threads->threads[i];

		if (!is_stopped(thread))
			continue;
		fp_leak_roots_cut_stack(
		        &census->roots, thread,
		        fp_leak_stack_in_use(&census->memory, (const void *)thread->context));
		look_into_registers(census, thread);
	}
	fp_leak_roots_cut_own_stack(&census->roots, census->own.stack);
	look_into_registers(census, &census->own);
	fp_leak_roots_mark(&census->roots, &census->marker);
	for (size_t part = 0; part < FP_REGISTRY_PARTS && !fp_leak_hunt_is_over(census); part++)
		fp_registry_each_live_of(part, look_into_block, census);
	fp_pools_each_live(look_into_block, census);
	if (!fp_leak_hunt_is_over(census))
		fp_registry_each_kept_pointer(census->told->start,
		                              census->told->size > 0 ? census->told->size : 1,
		                              meet_kept, census);
}

void fp_leak_hunt_begin(struct fp_leak_hunt *census, struct fp_leak_census *told,
                        uint8_t *buffer)
{
	census->marker = (struct fp_leak_marker){
	        .memory = &census->memory, .buffer = buffer, .look = look};
	census->told = told;
	told->result = FP_CENSUS_WHOLE;
}

void fp_leak_hunt(struct fp_leak_hunt *census)
{
	const struct fp_leak_config config = {.roots = NULL};
	const struct fp_leak_search search = {.config = &config};

	fp_leak_memory_open(&census->memory);
	if (census->told->context != NULL)
		census->own.stack =
		        fp_leak_stack_in_use(&census->memory, census->told->context);
	if (fp_leak_roots_make(&census->roots, &census->memory, &search) == 0) {
		search_all(census);
		fp_leak_roots_free(&census->roots);
	} else {
		fp_leak_set_obstacle(census->told, FP_CENSUS_SKIPPED, FP_TELL_HOLDERS_PROC);
	}
	fp_leak_memory_close(&census->memory);
}
