/* SPDX-License-Identifier: Apache-2.0
 *
 * The list is made while threads stand still, in metadata memory whose own mappings bear a mark
 * and are left out. Read-only memory counts too: a program may have sealed what it wrote.
 */
#include "leak/roots.h"

#include <errno.h>
#include <string.h>

#include "base/maps.h"
#include "base/meta.h"
#include "base/own.h"
#include "base/room.h"
#include "base/vm.h"
#include "guard/guard.h"
#include "leak/registers.h"
#include "log/channel.h"

enum {
	FIRST_CAPACITY = 1024,
	TRIES = 4,
	DESCRIPTOR_BYTES = 4096, /* what a thread's takes on top of its stack, and more */
	/* What our own frames take below the caller's. */
	OWN_FRAMES_BYTES = 16 << 10
};

struct collection {
	struct fp_leak_roots *roots;
	const struct fp_leak_config *config;
	const struct fp_leak_table *table;
	uintptr_t last_end;
	bool was_fence;
};

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Reading what belongs to a device may do anything. */
static bool is_device(const char *path)
{
	return starts_with(path, "/dev/") && !starts_with(path, "/dev/zero") &&
	       !starts_with(path, "/dev/shm/");
}

static bool is_candidate(const struct fp_mapping *mapping)
{
	if (!mapping->is_readable || starts_with(mapping->path, "[v") ||
	    fp_channel_is(mapping->start, mapping->path) || is_device(mapping->path))
		return false;
	if (mapping->is_writable)
		return true;
	return !mapping->is_shared && (!mapping->is_executable || mapping->path[0] == '\0');
}

static void append(struct fp_leak_roots *roots, const struct fp_leak_root *root)
{
	if (roots->wanted++ < roots->capacity)
		roots->items[roots->count++] = *root;
}

typedef bool area_function(size_t index, uintptr_t *start, uintptr_t *end);

/* Makes FOUND the lowest of the areas that [START, END) meets, if it was not lower already. */
static void find_area_of(area_function *area, uintptr_t start, uintptr_t end,
                         struct fp_leak_range *found)
{
	struct fp_leak_range range;

	for (size_t i = 0; area(i, &range.start, &range.end); i++)
		if (range.start < end && range.end > start && range.start < found->start)
			*found = range;
}

/* The same of regions: what a region holds counts when the region is reached. */
static void find_region(const struct fp_leak_table *table, uintptr_t start, uintptr_t end,
                        struct fp_leak_range *found)
{
	const struct fp_leak_block *region = fp_leak_table_region(table, start);

	if (region != NULL && region->address < end && region->address < found->start)
		*found =
		        (struct fp_leak_range){region->address, region->address + region->size};
}

/* The lowest area of blocks, regions or what is Fencepost's that [START, END) meets; false when
 * it meets none. */
static bool find_area(const struct fp_leak_table *table, uintptr_t start, uintptr_t end,
                      struct fp_leak_range *found)
{
	*found = (struct fp_leak_range){UINTPTR_MAX, UINTPTR_MAX};
	find_area_of(fp_guard_span, start, end, found);
	find_area_of(fp_meta_region, start, end, found);
	find_area_of(fp_own_range, start, end, found);
	find_region(table, start, end, found);
	return found->start != UINTPTR_MAX;
}

static void append_outside_areas(const struct collection *collection, struct fp_leak_root root)
{
	struct fp_leak_roots *roots = collection->roots;
	uintptr_t end = root.end;
	struct fp_leak_range area;

	while (root.start < end && find_area(collection->table, root.start, end, &area)) {
		root.end = area.start;
		if (root.start < root.end)
			append(roots, &root);
		root.start = area.end;
	}
	root.end = end;
	if (root.start < root.end)
		append(roots, &root);
}

static bool collect(const struct fp_mapping *mapping, void *user)
{
	struct collection *collection = user;

	if (is_candidate(mapping)) {
		const struct fp_leak_root root = {
		        .start = mapping->start,
		        .end = mapping->end,
		        .is_shared = mapping->is_shared,
		        .is_writable = mapping->is_writable,
		        .is_main_stack = strcmp(mapping->path, "[stack]") == 0,
		        .is_fenced =
		                collection->was_fence && collection->last_end == mapping->start,
		};
		append_outside_areas(collection, root);
	}
	collection->was_fence = !mapping->is_readable && !mapping->is_writable;
	collection->last_end = mapping->end;
	return true;
}

static int collect_all(struct collection *collection, size_t capacity)
{
	struct fp_leak_roots *roots = collection->roots;

	*roots = (struct fp_leak_roots){.capacity = capacity};
	roots->items = fp_meta_alloc(capacity * sizeof(*roots->items));
	if (roots->items == NULL)
		return -ENOMEM;
	collection->last_end = 0;
	int status = fp_maps_each(collect, collection);
	if (status != 0 || roots->wanted > roots->capacity)
		fp_meta_free(roots->items, capacity * sizeof(*roots->items));
	return status;
}

static int collect_with_room(struct collection *collection)
{
	size_t capacity = FIRST_CAPACITY;
	int status = -ENOMEM;

	for (int tries = 0; tries < TRIES; tries++) {
		status = collect_all(collection, capacity);
		if (status != 0 || collection->roots->wanted <= capacity)
			return status;
		capacity = 2 * collection->roots->wanted;
		status = -ENOMEM;
	}
	return status;
}

/* Metadata memory bears its mark at the end. It is looked at only where there is a page: asking
 * for one that is not might wake a userfaultfd whose thread stands still. */
static bool is_metadata(const struct fp_leak_memory *memory, const struct fp_leak_root *root)
{
	uint8_t mark[FP_META_MARK_BYTES];
	uintptr_t start = root->end - fp_vm_page_size();
	uintptr_t end;

	return root->is_writable &&
	       fp_leak_memory_next_run(memory, root->is_shared, &start, root->end, &end) &&
	       fp_leak_memory_read(memory, root->end - sizeof(mark), mark, sizeof(mark)) ==
	               sizeof(mark) &&
	       fp_meta_is_mark(mark, root->end);
}

int fp_leak_roots_make(struct fp_leak_roots *roots, const struct fp_leak_memory *memory,
                       const struct fp_leak_search *search)
{
	struct collection *collection = fp_meta_alloc(sizeof(*collection));

	if (collection == NULL)
		return -ENOMEM;
	collection->roots = roots;
	collection->config = search->config;
	collection->table = &search->table;
	int status = collect_with_room(collection);
	fp_meta_free(collection, sizeof(*collection));
	bool is_marked = false;
	for (size_t i = status == 0 ? roots->count : 0; i-- > 0;) {
		struct fp_leak_root *root = &roots->items[i];
		/* What of it core files have is a mapping of its own; fences are around all. */
		bool goes_on = is_marked && root->end == root[1].start;

		is_marked = goes_on || is_metadata(memory, root);
		root->is_own = is_marked || fp_room_holds(root->start);
	}
	return status;
}

void fp_leak_roots_free(struct fp_leak_roots *roots)
{
	fp_meta_free(roots->items, roots->capacity * sizeof(*roots->items));
}

static struct fp_leak_root *find(struct fp_leak_roots *roots, uintptr_t address)
{
	for (size_t i = 0; i < roots->count; i++)
		if (address >= roots->items[i].start && address < roots->items[i].end)
			return &roots->items[i];
	return NULL;
}

/* Whether all of ROOT is the stack of the thread: the first one's, or one made by the C
 * library, which puts a fence below and thread-local storage on top. What the program made
 * itself may hold other things below the stack. */
static bool is_stack_of(const struct fp_leak_root *root, uintptr_t stack, uintptr_t storage)
{
	return root->is_main_stack ||
	       (root->is_fenced && storage > stack && storage < root->end);
}

static bool cut(struct fp_leak_root *root, uintptr_t stack, uintptr_t storage)
{
	/* On an alternate stack that Fencepost gave it. */
	bool is_ours = root->is_own;

	if (!is_ours && !is_stack_of(root, stack, storage))
		return false;
	if (stack > root->start)
		root->start = stack;
	root->is_own = false;
	return true;
}

static void note_use(struct fp_leak_roots *roots, uintptr_t address)
{
	struct fp_leak_root *root = find(roots, address);

	if (root != NULL)
		root->is_in_use = true;
}

/* The stack that is in use at AT, from START on; false when others may use it, too. */
static bool cut_at(struct fp_leak_roots *roots, uintptr_t at, uintptr_t start,
                   uintptr_t storage)
{
	struct fp_leak_root *root = find(roots, at);

	note_use(roots, at);
	return root == NULL || cut(root, start, storage);
}

/* A thread that is in a room, with registers of the program's in its frames there, has left
 * another stack. Where it is then. */
static uintptr_t leave_room(struct fp_leak_roots *roots, uintptr_t at, uintptr_t start)
{
	uintptr_t outside = fp_room_outside(at);

	if (outside != at)
		cut_at(roots, at, start, 0);
	return outside;
}

void fp_leak_roots_cut_stack(struct fp_leak_roots *roots, const struct fp_leak_thread *thread,
                             uintptr_t start)
{
	uintptr_t stack = leave_room(roots, thread->stack, start);

	note_use(roots, thread->storage);
	cut_at(roots, stack, stack == thread->stack ? start : stack, thread->storage);
}

void fp_leak_roots_cut_own_stack(struct fp_leak_roots *roots, uintptr_t stack)
{
	stack = leave_room(roots, stack, stack);
	note_use(roots, fp_leak_thread_storage());
	if (cut_at(roots, stack, stack, fp_leak_thread_storage()) ||
	    roots->count == roots->capacity)
		return;
	struct fp_leak_root *root = find(roots, stack);
	/* A stack of the program's making: only what our frames take is left out. */
	uintptr_t below =
	        root->start + OWN_FRAMES_BYTES < stack ? stack - OWN_FRAMES_BYTES : root->start;
	roots->items[roots->count] = *root;
	roots->items[roots->count++].start = stack;
	root->end = below;
}

/* Whether all of ROOT is what a thread left behind that was joined. */
static bool is_left_behind(const struct fp_leak_root *root, const struct fp_leak_memory *memory,
                           struct fp_leak_range *kept)
{
	uint8_t bytes[DESCRIPTOR_BYTES];
	uintptr_t start = root->end - sizeof(bytes);

	return root->is_fenced && !root->is_in_use && root->is_writable && !root->is_shared &&
	       root->end - root->start > sizeof(bytes) &&
	       fp_leak_memory_read(memory, start, bytes, sizeof(bytes)) == sizeof(bytes) &&
	       fp_leak_is_joined(bytes, sizeof(bytes), start, kept);
}

static void mark(const struct fp_leak_root *root, struct fp_leak_marker *marker)
{
	struct fp_leak_range kept;
	uintptr_t start = root->start;
	uintptr_t end;

	/* Without the page map, read-only files would all be read. */
	if (root->is_own || (!root->is_writable && marker->memory->pagemap_fd < 0))
		return;
	if (is_left_behind(root, marker->memory, &kept)) {
		fp_leak_mark_root(marker, kept.start, kept.end);
		return;
	}
	while (fp_leak_memory_next_run(marker->memory, root->is_shared, &start, root->end,
	                               &end)) {
		fp_leak_mark_root(marker, start, end);
		start = end;
	}
}

void fp_leak_roots_mark(const struct fp_leak_roots *roots, struct fp_leak_marker *marker)
{
	for (size_t i = 0; i < roots->count; i++)
		mark(&roots->items[i], marker);
}
