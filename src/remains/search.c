/* SPDX-License-Identifier: Apache-2.0
 *
 * What the search for leaks and the census ask of a process, answered from the core file that
 * is open (names.h), and both of them begun.
 */
#include "remains/search.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/held.h"
#include "base/maps.h"
#include "base/meta.h"
#include "base/own.h"
#include "base/pointer.h"
#include "base/room.h"
#include "base/tool_messages.h"
#include "base/vm.h"
#include "guard/guard.h"
#include "leak/groups.h"
#include "leak/hunt.h"
#include "leak/search.h"
#include "log/channel.h"
#include "remains/file.h"
#include "remains/process.h"
#include "session/state.h"
#include "stack/stack.h"

enum {
	ROOMS_MAX = 1 << 12,
	OWN_FRAMES = 64 << 10,
	ROOTS_MAX = 1024,
	PAGE = 4096,
	SAMPLE = 1000 /* of live blocks */
};

/* ---- Memory --------------------------------------------------------------------------------
 */

void fp_leak_memory_open(struct fp_leak_memory *memory)
{
	/* Which pages hold data is known. */
	*memory = (struct fp_leak_memory){.mem_fd = -1, .pagemap_fd = 0};
}

void fp_leak_memory_close(struct fp_leak_memory *memory)
{
	(void)memory;
}

/* A core file has nothing of the kernel's. */
void fp_held_here(fp_held_visitor visit, void *user)
{
	(void)visit;
	(void)user;
}

size_t fp_leak_memory_read(const struct fp_leak_memory *memory, uintptr_t address, void *buffer,
                           size_t size)
{
	(void)memory;
	return fp_remains_copy(address, buffer, size);
}

bool fp_leak_memory_word(const struct fp_leak_memory *memory, uintptr_t address, uint64_t *word)
{
	(void)memory;
	return fp_remains_get(address, word, sizeof(*word));
}

uintptr_t fp_leak_memory_next_page(uintptr_t address)
{
	return (address & ~(fp_vm_page_size() - 1)) + fp_vm_page_size();
}

/* Holes in the file are pages that nobody wrote. */
bool fp_leak_memory_next_run(const struct fp_leak_memory *memory, bool is_shared,
                             uintptr_t *start, uintptr_t end, uintptr_t *run_end)
{
	const struct fp_remains_segment *segment;

	(void)memory;
	(void)is_shared;
	for (; *start < end && (segment = fp_remains_segment_at(*start));
	     *start = segment->end) {
		uintptr_t from = *start > segment->start ? *start : segment->start;
		off_t at = (off_t)(segment->offset + (from - segment->start));
		off_t data = lseek(fp_remains_file.fd, at, SEEK_DATA);
		off_t hole = data < at ? at : lseek(fp_remains_file.fd, data, SEEK_HOLE);

		if (from >= segment->filled || from >= end || data < at)
			continue;
		from += (uintptr_t)(data - at);
		if (from >= segment->filled)
			continue;
		*start = from;
		*run_end = segment->filled < end ? segment->filled : end;
		if (hole > data && (uintptr_t)(hole - data) < *run_end - from)
			*run_end = from + (uintptr_t)(hole - data);
		return *start < end;
	}
	return false;
}

/* ---- Mappings ------------------------------------------------------------------------------
 */

/* The stack of the first thread has no name in the file. */
static const char *name_of(const struct fp_remains_segment *segment)
{
	const struct fp_remains_mapped *mapped = fp_remains_mapped_at(segment->start);

	if (mapped)
		return mapped->path;
	for (size_t i = 0; i < fp_remains_file.thread_count; i++)
		if (fp_remains_file.threads[i].id == fp_remains_file.pid &&
		    fp_remains_file.threads[i].stack >= segment->start &&
		    fp_remains_file.threads[i].stack < segment->end)
			return "[stack]";
	return "";
}

/* Debuggers leave out what nobody can access, as is the fence before a stack. */
static bool has_fences(void)
{
	for (size_t i = 0; i < fp_remains_file.segment_count; i++)
		if (fp_remains_file.segments[i].flags == 0)
			return true;
	return false;
}

/* Of what the file has only a part, the rest cannot be read. */
static bool visit_segment(const struct fp_remains_segment *segment, fp_maps_visitor visit,
                          void *user)
{
	struct fp_mapping mapping = {
	        .start = segment->start,
	        .end = segment->filled,
	        .is_readable = true,
	        .is_writable = (segment->flags & PF_W) != 0,
	        .is_executable = (segment->flags & PF_X) != 0,
	        .path = name_of(segment),
	};

	if (segment->filled > segment->start && !visit(&mapping, user))
		return false;
	mapping.start = segment->filled;
	mapping.end = segment->end;
	mapping.is_readable = false;
	mapping.is_writable = false;
	return segment->filled == segment->end || visit(&mapping, user);
}

int fp_maps_each(fp_maps_visitor visit, void *user)
{
	bool are_gaps_fences = !has_fences();
	uintptr_t end = 0;

	for (size_t i = 0; i < fp_remains_file.segment_count; i++) {
		const struct fp_remains_segment *segment = &fp_remains_file.segments[i];
		const struct fp_mapping gap = {.start = end, .end = segment->start, .path = ""};

		if (are_gaps_fences && end < segment->start && !visit(&gap, user))
			return 0;
		if (!segment->is_own && !visit_segment(segment, visit, user))
			return 0;
		end = segment->end;
	}
	return 0;
}

bool fp_channel_is(uintptr_t start, const char *path)
{
	(void)start;
	return strstr(path, "/memfd:" FP_CHANNEL_NAME) != NULL;
}

/* ---- What is Fencepost's -------------------------------------------------------------------
 */

bool fp_guard_span(size_t index, uintptr_t *start, uintptr_t *end)
{
	return fp_remains_range(&fp_remains_process.map.spans, index, start, end);
}

bool fp_meta_region(size_t index, uintptr_t *start, uintptr_t *end)
{
	return fp_remains_range(&fp_remains_process.map.metadata, index, start, end);
}

bool fp_own_range(size_t index, uintptr_t *start, uintptr_t *end)
{
	return fp_remains_range(&fp_remains_process.map.objects, index, start, end);
}

static uintptr_t room_at(uintptr_t address)
{
	const struct fp_remains *map = &fp_remains_process.map;
	uintptr_t room = fp_remains_word(map->rooms.first);

	for (int i = 0; room != 0 && i < ROOMS_MAX; i++) {
		if (address - room < map->rooms.bytes)
			return room;
		room = fp_remains_word(room + map->rooms.next);
	}
	return 0;
}

/* The stack of our own thread is as a room is. */
static bool is_own_stack(uintptr_t address)
{
	for (size_t i = 0; i < fp_remains_file.thread_count; i++) {
		const struct fp_remains_thread *thread = &fp_remains_file.threads[i];

		if ((uint32_t)thread->id == fp_remains_process.map.thread)
			return fp_remains_segment_at(thread->stack) ==
			       fp_remains_segment_at(address);
	}
	return false;
}

bool fp_room_holds(uintptr_t address)
{
	return room_at(address) != 0 || is_own_stack(address);
}

uintptr_t fp_room_outside(uintptr_t stack)
{
	uintptr_t room = room_at(stack);

	/* Ours is none of the process'. */
	if (stack - ((uintptr_t)__builtin_frame_address(0) - OWN_FRAMES) < 2 * OWN_FRAMES)
		return 0;
	return room != 0 ? fp_remains_word(room + fp_remains_process.map.rooms.outside) : stack;
}

uintptr_t fp_leak_thread_storage(void)
{
	/* Threads have their thread pointer there. */
	return (uintptr_t)__builtin_thread_pointer();
}

unsigned fp_stack_list_frames(const void *context, uintptr_t *frames, uintptr_t *stacks,
                              unsigned max)
{
	return fp_remains_frames(context, frames, stacks, max);
}

/* ---- Searches ------------------------------------------------------------------------------
 */

static int make_threads(struct fp_leak_threads *threads)
{
	size_t all = fp_remains_file.thread_count;
	size_t count = 0;

	*threads = (struct fp_leak_threads){.threads = calloc(all, sizeof(*threads->threads)),
	                                    .capacity = all};
	if (!threads->threads)
		return -ENOMEM;
	for (size_t i = 0; i < all; i++) {
		const struct fp_remains_thread *thread = &fp_remains_file.threads[i];

		if ((uint32_t)thread->id == fp_remains_process.map.thread)
			continue;
		threads->threads[count++] = (struct fp_leak_thread){
		        .id = (uint32_t)thread->id,
		        .state = FP_LEAK_THREAD_STOPPED,
		        .stack = thread->stack,
		        .context = (uintptr_t)thread->context,
		        .storage = thread->storage,
		};
	}
	atomic_store(&threads->count, count);
	return 0;
}

/* Whether debuggers have left out what is in blocks, as gdb does with all that stands behind a
 * guard: of a slot that has padding, zeros are left. */
static bool is_left_out(const struct fp_remains_block *block)
{
	static const uint8_t zeros[PAGE];
	uint8_t page[PAGE];
	bool has_padding = block->block.tier == FP_TIER_GUARDED && block->slot % PAGE == 0 &&
	                   block->block.size % PAGE != 0;

	return block->block.state == FP_BLOCK_LIVE && has_padding &&
	       (!fp_remains_get(block->slot, page, PAGE) || memcmp(page, zeros, PAGE) == 0);
}

const char *fp_remains_gap(void)
{
	size_t looked_at = 0;

	for (size_t i = 0; i < fp_remains_process.count && looked_at < SAMPLE; i++) {
		if (is_left_out(&fp_remains_process.blocks[i]))
			return FP_SAY_FILE_LACKS_BLOCKS;
		looked_at += fp_remains_process.blocks[i].block.state == FP_BLOCK_LIVE;
	}
	return NULL;
}

static struct fp_log_holder holders[FP_LEAK_HOLDERS_MAX];

bool fp_session_explain_holders(struct fp_log *log, const struct fp_block *block,
                                uintptr_t stack, struct fp_log_explanation *explanation)
{
	static uint8_t buffer[FP_LEAK_BUFFER_BYTES];
	static uintptr_t frames[FP_LEAK_FRAMES_MAX];
	static uintptr_t stacks[FP_LEAK_FRAMES_MAX];
	struct fp_leak_census census = {.start = block->address, .size = block->size};
	struct fp_leak_hunt hunt = {.deadline = UINT64_MAX, .frames = frames, .stacks = stacks};

	(void)stack;
	if (make_threads(&hunt.threads) != 0)
		return false;
	fp_leak_hunt_begin(&hunt, &census, buffer);
	fp_leak_hunt(&hunt);
	free(hunt.threads.threads);
	census.obstacle = fp_remains_gap();
	if (census.obstacle != NULL)
		census.result = FP_CENSUS_PARTIAL;
	explanation->census = fp_session_log_census(log, &census, holders);
	explanation->holders = holders;
	explanation->holder_count = census.count;
	return true;
}

/* What snapshots saw is not read. */
bool fp_session_find_last_holder(fp_trace_id trace, struct fp_log *log,
                                 struct fp_log_holder *holder, uint64_t *milliseconds)
{
	(void)trace;
	(void)log;
	(void)holder;
	(void)milliseconds;
	return false;
}

void fp_session_release_holders(void)
{
}

static bool is_ignored(const struct fp_block *block, void *user)
{
	(void)user;
	return (block->marks & FP_BLOCK_IGNORED) != 0;
}

static void tell_group(const struct fp_leak_group *group, void *log)
{
	fp_session_log_group(log, group, true, false);
}

static size_t copy_roots(struct fp_leak_range *roots)
{
	size_t count = 0;

	while (count < ROOTS_MAX && fp_remains_range(&fp_remains_process.map.roots, count,
	                                             &roots[count].start, &roots[count].end))
		count++;
	return count;
}

int fp_remains_log_leaks(struct fp_log *log)
{
	static struct fp_leak_range roots[ROOTS_MAX];
	struct fp_leak_threads threads;
	struct fp_leak_result result = {0};
	const struct fp_leak_config config = {
	        .after = fp_remains_word(fp_remains_process.map.inherited),
	        .roots = roots,
	        .root_count = copy_roots(roots),
	        .is_kept = is_ignored,
	        .visit_group = tell_group,
	        .user = log,
	};
	/* None of the threads looks for leaks itself: a place that can be read, and no stack.
	 */
	struct fp_leak_search search = {
	        .config = &config, .stack = fp_remains_file.contexts, .threads = &threads};
	int status = make_threads(&threads);

	fp_log_leak_check(log, 0);
	if (status == 0)
		status = fp_leak_search(&search);
	free(threads.threads);
	if (status != 0)
		return status;
	fp_leak_groups_visit(&search.table, &config, &result);
	fp_leak_table_free(&search.table);
	return 0;
}
