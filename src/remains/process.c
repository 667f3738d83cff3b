/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry, the regions, the traces and the event log, out of the core file's memory. Lists
 * there may be circles, and longer than the file: nothing is followed for longer than the file
 * has bytes for it.
 */
#include "remains/process.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/align.h"
#include "base/clock.h"
#include "base/search.h"
#include "base/tool_messages.h"
#include "heap/heap.h"
#include "heap/pools.h"
#include "leak/holders.h"
#include "region/region.h"
#include "region/table.h"
#include "registry/registry.h"
#include "remains/file.h"
#include "stack/depot.h"
#include "stack/stack.h"

enum {
	MAP_SEARCHED = 64 << 20, /* from where the core library begins */
	CHUNK = 64 << 10,
	SHARDS_MAX = FP_REGISTRY_PARTS,
	REGIONS_MAX = 1 << 20,
	ELEMENT_MAX = 4096,
	RANGES_MAX = 1 << 12,
	FRAMES_MAX = FP_TRACE_DEPTH_MAX + FP_TRACE_OUTER + 2,
	SITE_MAX = 2048,
	PIECES_MAX = 1 << 14, /* of the event log */
	PIECE_MAX = 1 << 20,
	PAGE = 4096
};

#define TAIL_BIT ((uintptr_t)1 << 63) /* as in stack/stack.c */

static const uintptr_t user_end = (uintptr_t)1 << 47;

struct fp_remains_process fp_remains_process;
static struct fp_remains_process *const process = &fp_remains_process;

/* ---- The map -------------------------------------------------------------------------------
 */

static bool find_in(uintptr_t start, uintptr_t end)
{
	static char chunk[CHUNK + FP_REMAINS_MAGIC_BYTES];

	for (uintptr_t at = start; at < end; at += CHUNK) {
		size_t got = fp_remains_copy(
		        at, chunk, end - at < sizeof(chunk) ? end - at : sizeof(chunk));

		for (size_t i = 0; i + FP_REMAINS_MAGIC_BYTES <= got; i += sizeof(uintptr_t))
			if (memcmp(chunk + i, FP_REMAINS_MAGIC, FP_REMAINS_MAGIC_BYTES) == 0 &&
			    fp_remains_word(at + i + FP_REMAINS_MAGIC_BYTES) == at + i)
				return fp_remains_get(at + i, &process->map,
				                      sizeof(process->map));
	}
	return false;
}

/* In the data of the core library, behind its file's. */
static bool find_map(void)
{
	for (size_t i = 0; i < fp_remains_file.mapped_count; i++) {
		const struct fp_remains_mapped *mapped = &fp_remains_file.mapped[i];
		uintptr_t end = mapped->start + MAP_SEARCHED;
		const struct fp_remains_segment *segment;

		if (!strstr(mapped->path, "libfencepost-core"))
			continue;
		for (uintptr_t at = mapped->start;
		     (segment = fp_remains_segment_at(at)) && segment->start < end;
		     at = segment->end)
			if (find_in(segment->start, segment->filled))
				return true;
		return false;
	}
	return false;
}

static int check_map(void)
{
	const struct fp_remains *map = &process->map;

	if (strnlen(map->version, sizeof(map->version)) == sizeof(map->version))
		return fp_remains_refuse(-EBADMSG, FP_SAY_DAMAGED_FENCEPOST_DATA);
	if (strcmp(map->version, PACKAGE_VERSION) != 0 || map->bytes != sizeof(*map) ||
	    map->block_bytes != sizeof(struct fp_block))
		return fp_remains_refuse(-ENOTSUP, FP_SAY_FENCEPOST_ANOTHER_USE, map->version,
		                         PACKAGE_VERSION);
	if (map->shards.count > SHARDS_MAX || map->live.bytes > ELEMENT_MAX ||
	    map->freed.bytes > ELEMENT_MAX || map->live.bytes < sizeof(struct fp_block) ||
	    map->freed.bytes < sizeof(struct fp_block) ||
	    (map->live.bytes & (map->live.bytes - 1)) != 0 || map->freed.run == 0 ||
	    map->freed.run > ELEMENT_MAX || map->live.batch_bytes > ELEMENT_MAX ||
	    map->live.block > map->live.bytes - sizeof(struct fp_block) ||
	    map->freed.block > map->freed.bytes - sizeof(struct fp_block))
		return fp_remains_refuse(-EBADMSG, FP_SAY_DAMAGED_FENCEPOST_DATA);
	return 0;
}

bool fp_remains_range(const struct fp_remains_ranges *ranges, size_t index, uintptr_t *start,
                      uintptr_t *end)
{
	uintptr_t at = ranges->first + index * ranges->bytes;

	if (index >= fp_remains_word(ranges->count) || index >= RANGES_MAX)
		return false;
	*start = fp_remains_word(at + ranges->start);
	*end = fp_remains_word(at + ranges->end);
	if (ranges->is_size)
		*end += *start;
	return true;
}

/* ---- Blocks --------------------------------------------------------------------------------
 */

static bool is_sane(const struct fp_block *block)
{
	return block->address >= PAGE && block->address < user_end &&
	       block->size <= user_end - block->address && block->family < FP_FAMILY_COUNT &&
	       block->tier < FP_TIER_COUNT && block->level < FP_LEVEL_COUNT &&
	       block->state <= FP_BLOCK_FREED;
}

/* Into a table that doubles. */
static int add(struct fp_remains_block **table, size_t *count,
               const struct fp_remains_block *block)
{
	if ((*count & (*count - 1)) == 0) {
		struct fp_remains_block *grown =
		        reallocarray(*table, *count == 0 ? 1 : 2 * *count, sizeof(*grown));

		if (!grown)
			return fp_remains_refuse(-ENOMEM, FP_SAY_MORE_BLOCKS_THAN);
		*table = grown;
	}
	(*table)[(*count)++] = *block;
	return 0;
}

static void take_time(const struct fp_block *block)
{
	/* It starts again from 0. */
	if ((process->count == 0 && process->now == 0) ||
	    (int32_t)(block->born - process->now) > 0)
		process->now = block->born;
}

static int add_block(const struct fp_remains_block *found)
{
	if (!is_sane(&found->block))
		return 0;
	take_time(&found->block);
	return add(&process->blocks, &process->count, found);
}

/* Where the slot begins that BLOCK has: no record says so. */
static uintptr_t slot_of(const struct fp_block *block)
{
	return block->tier == FP_TIER_GUARDED ? fp_align_down(block->address, PAGE)
	                                      : block->address;
}

static int load_batch(uintptr_t batch)
{
	const struct fp_remains *map = &process->map;
	uintptr_t end = batch + map->live.batch_bytes;
	uintptr_t at = fp_align_up(batch + map->live.first, map->live.bytes);
	int status = 0;

	for (; at + map->live.bytes <= end && status == 0; at += map->live.bytes) {
		struct fp_remains_block found = {0};

		if (!fp_remains_get(at + map->live.block, &found.block, sizeof(found.block)))
			break;
		found.slot = slot_of(&found.block);
		status = add_block(&found);
	}
	return status;
}

static int load_live(uintptr_t shard, uint64_t *left)
{
	const struct fp_remains *map = &process->map;
	uintptr_t batch = fp_remains_word(shard + map->shards.batches);
	int status = 0;

	for (; batch != 0 && status == 0 && *left > 0; --*left) {
		status = load_batch(batch);
		batch = fp_remains_word(batch + map->live.next);
	}
	return status;
}

static int load_freed(uintptr_t shard, uint64_t *left)
{
	const struct fp_remains *map = &process->map;
	uint64_t places = fp_remains_word(map->shards.places);
	uint64_t count = fp_remains_word(shard + map->shards.freed_count);
	uintptr_t at = fp_remains_word(shard + map->shards.ring);
	int status = 0;

	fp_remains_claim(at, 1);
	for (uint64_t i = 0; i < count && i < places && status == 0 && *left > 0; i++) {
		struct fp_remains_block found = {.slot = fp_remains_word(at + map->freed.slot)};

		--*left;
		fp_remains_get(at + map->freed.kept, &found.kept, sizeof(found.kept));
		if (found.kept > sizeof(found.bytes))
			found.kept = sizeof(found.bytes);
		if (!fp_remains_get(at + map->freed.kept_bytes, found.bytes, found.kept))
			found.kept = 0;
		if (!fp_remains_get(at + map->freed.block, &found.block, sizeof(found.block)))
			break;
		status = add_block(&found);
		at += map->freed.bytes;
		if ((i + 1) % map->freed.run == 0)
			at += (uint64_t)(map->shards.count - 1) * map->freed.run *
			      map->freed.bytes;
	}
	return status;
}

/* Of a slot the live block comes first, then the one that was freed last. */
static int compare(const void *a, const void *b)
{
	const struct fp_remains_block *first = a;
	const struct fp_remains_block *second = b;

	if (first->slot != second->slot)
		return first->slot < second->slot ? -1 : 1;
	if (first->block.state != second->block.state)
		return first->block.state < second->block.state ? -1 : 1;
	return (first->block.serial < second->block.serial) -
	       (first->block.serial > second->block.serial);
}

static void keep_last_of_slots(void)
{
	struct fp_remains_block *blocks = process->blocks;
	size_t kept = 0;

	if (process->count == 0)
		return;
	qsort(blocks, process->count, sizeof(*blocks), compare);
	for (size_t i = 0; i < process->count; i++)
		if (kept == 0 || blocks[kept - 1].slot != blocks[i].slot)
			blocks[kept++] = blocks[i];
	process->count = kept;
	for (size_t i = 0; i < kept; i++)
		process->live += blocks[i].block.state == FP_BLOCK_LIVE;
}

static int load_regions(void)
{
	uintptr_t index = fp_remains_word(process->map.regions);
	uint64_t count =
	        index == 0 ? 0
	                   : fp_remains_word(index + offsetof(struct fp_region_index, count));
	uintptr_t last = 0;
	int status = 0;

	fp_remains_claim(index, 1);
	for (uint64_t i = 0; i < count && i < REGIONS_MAX && status == 0; i++) {
		uintptr_t at = index + offsetof(struct fp_region_index, regions) +
		               i * sizeof(uintptr_t);
		struct fp_region region;

		if (!fp_remains_get(fp_remains_word(at), &region, sizeof(region)))
			break;
		const struct fp_remains_block found = {.slot = fp_region_extent_start(&region),
		                                       .block = region.block,
		                                       .behind = region.guard_after};
		fp_remains_claim(fp_remains_word(at), 1);
		if (!is_sane(&region.block) || region.block.address < last)
			continue;
		last = region.block.address + region.block.size;
		status = add(&process->regions, &process->region_count, &found);
	}
	return status;
}

/* Of the tables that core files have. */
static void claim_depot(uintptr_t depot)
{
	uintptr_t pages = depot + offsetof(struct fp_depot, pages);

	fp_remains_claim(fp_remains_word(depot + offsetof(struct fp_depot, buckets)), 1);
	for (uintptr_t i = 0; i < FP_DEPOT_PAGES; i++)
		fp_remains_claim(fp_remains_word(pages + i * sizeof(uintptr_t)), 1);
}

static void claim_events(void)
{
	const struct fp_remains *map = &process->map;
	uintptr_t piece = fp_remains_word(map->log.first);

	for (int i = 0; piece != 0 && i < PIECES_MAX; i++) {
		fp_remains_claim(piece, 1);
		piece = fp_remains_word(piece + map->log.next);
	}
}

int fp_remains_load(void)
{
	const struct fp_remains *map = &process->map;
	uint64_t left = fp_remains_file.bytes / sizeof(struct fp_block);

	if (!find_map())
		return fp_remains_refuse(-ENOENT, FP_SAY_NOTHING_FENCEPOST_PROGRAM);
	int status = check_map();
	process->now = map->last_finding;
	for (uint32_t i = 0; i < map->shards.count && status == 0; i++) {
		uintptr_t shard = map->shards.first + (uintptr_t)i * map->shards.bytes;

		status = load_live(shard, &left);
		if (status == 0)
			status = load_freed(shard, &left);
	}
	if (status == 0)
		status = load_regions();
	keep_last_of_slots();
	claim_depot(map->traces);
	claim_depot(map->sites);
	claim_events();
	return status;
}

/* In the block, its slot, or the guard behind. */
bool fp_heap_find(uintptr_t address, struct fp_block *block)
{
	size_t count = FP_SEARCH(process->count, i, process->blocks[i].slot <= address);

	if (count == 0)
		return false;
	const struct fp_remains_block *found = &process->blocks[count - 1];
	bool is_guarded = found->block.tier == FP_TIER_GUARDED;
	uintptr_t end = found->block.address + found->block.size;
	end = fp_align_up(end + (found->block.size == 0), is_guarded ? PAGE : 16) +
	      (is_guarded ? process->map.guard_bytes : 0);
	*block = found->block;
	return address < end;
}

void fp_registry_each_live_of(size_t part, fp_registry_visitor visit, void *user)
{
	for (size_t i = 0; part == 0 && i < process->count; i++)
		if (process->blocks[i].block.state == FP_BLOCK_LIVE)
			visit(&process->blocks[i].block, user);
}

void fp_registry_each_live(fp_registry_visitor visit, void *user)
{
	fp_registry_each_live_of(0, visit, user);
}

size_t fp_registry_live_count(void)
{
	return process->live;
}

/* Cells are used again. */
static bool is_last(const struct fp_remains_block *freed)
{
	struct fp_block last;

	return !fp_heap_find(freed->block.address, &last) || last.serial == freed->block.serial;
}

void fp_registry_each_kept_pointer(uintptr_t start, size_t size, fp_registry_met meet,
                                   void *user)
{
	for (size_t i = 0; i < process->count; i++) {
		const struct fp_remains_block *freed = &process->blocks[i];

		for (size_t word = 0; word < freed->kept / sizeof(uint64_t); word++)
			if (freed->block.state == FP_BLOCK_FREED &&
			    freed->bytes[word] - start < size && is_last(freed))
				meet(&freed->block, word * sizeof(uint64_t), freed->bytes[word],
				     user);
	}
}

/* Pages that were committed are those that the file has. */
bool fp_region_find(uintptr_t address, struct fp_region_place *place)
{
	size_t count = FP_SEARCH(process->region_count, i, process->regions[i].slot <= address);
	const struct fp_remains_block *found = count > 0 ? &process->regions[count - 1] : NULL;

	if (found == NULL ||
	    address >= found->block.address + found->block.size + found->behind)
		return false;
	*place = (struct fp_region_place){.block = found->block,
	                                  .page.state = FP_PAGE_COMMITTED,
	                                  .start = found->block.address,
	                                  .end = found->block.address + found->block.size};
	return true;
}

void fp_region_each_live(uint64_t after, fp_region_visitor visit, void *user)
{
	for (size_t i = 0; i < process->region_count; i++)
		if (process->regions[i].block.state == FP_BLOCK_LIVE &&
		    process->regions[i].block.serial > after)
			visit(&process->regions[i].block, user);
}

bool fp_heap_is_masked(uintptr_t start, uintptr_t address)
{
	bool is_masked = false;

	for (uintptr_t unit = 2; process->map.is_aligning && unit <= 16; unit *= 2)
		is_masked |= fp_align_down(start, unit) == address;
	return is_masked && address != start;
}

void fp_heap_align_site(fp_trace_id trace)
{
	(void)trace;
}

uint32_t fp_clock_now(void)
{
	return process->now;
}

/* Blocks of pools are not told from what they were cut from. */
bool fp_pools_find(uintptr_t address, struct fp_block *block)
{
	(void)address;
	(void)block;
	return false;
}

bool fp_pools_next(uintptr_t start, uintptr_t end, struct fp_block *block)
{
	(void)end;
	return fp_pools_find(start, block);
}

void fp_pools_each_live(fp_registry_visitor visit, void *user)
{
	(void)visit;
	(void)user;
}

size_t fp_pools_live_count(void)
{
	return 0;
}

/* ---- Traces and sites ----------------------------------------------------------------------
 */

/* Traces that are none of the process': where its threads stand. Their ids count down. */
static struct {
	unsigned count;
	uintptr_t frames[FP_LEAK_HOLDER_FRAMES];
} made[FP_LEAK_HOLDERS_MAX];
static uint32_t made_count;

/* Sites are told while others are, so each is kept. */
static struct site {
	struct site *next;
	fp_site_id id;
	int32_t line;
	char file[];
} * known_sites;

/* The content of the entry ID of the depot at DEPOT; how many bytes of it there are, of SIZE at
 * most. */
static size_t read_entry(uintptr_t depot, uint32_t id, void *content, size_t size)
{
	uintptr_t page = fp_remains_word(depot + offsetof(struct fp_depot, pages) +
	                                 (uintptr_t)(id / FP_DEPOT_PAGE_IDS % FP_DEPOT_PAGES) *
	                                         sizeof(uintptr_t));
	uintptr_t at =
	        page == 0 || id == FP_DEPOT_NONE
	                ? 0
	                : fp_remains_word(page + id % FP_DEPOT_PAGE_IDS * sizeof(uintptr_t));
	struct fp_depot_entry entry;

	if (at == 0 || !fp_remains_get(at, &entry, sizeof(entry)) || entry.id != id ||
	    entry.size > size)
		return 0;
	return fp_remains_copy(at + offsetof(struct fp_depot_entry, content), content,
	                       entry.size);
}

const uintptr_t *fp_stack_trace(fp_trace_id trace, size_t *count)
{
	static uintptr_t frames[FRAMES_MAX];

	if (UINT32_MAX - trace < made_count) {
		*count = made[UINT32_MAX - trace].count;
		return made[UINT32_MAX - trace].frames;
	}
	*count = read_entry(process->map.traces, trace, frames, sizeof(frames)) /
	         sizeof(frames[0]);
	if (*count > 0 && (frames[*count - 1] & TAIL_BIT) != 0)
		--*count;
	return frames;
}

fp_trace_id fp_stack_keep_frames(const uintptr_t *frames, unsigned count)
{
	if (made_count == FP_LEAK_HOLDERS_MAX || count > FP_LEAK_HOLDER_FRAMES)
		return FP_TRACE_NONE;
	made[made_count].count = count;
	memcpy(made[made_count].frames, frames, count * sizeof(frames[0]));
	return UINT32_MAX - made_count++;
}

bool fp_stack_site(fp_site_id site, const char **file, int *line)
{
	char content[SITE_MAX];
	size_t size = read_entry(process->map.sites, site, content, sizeof(content));
	struct site *known = known_sites;

	while (known && known->id != site)
		known = known->next;
	if (!known && size > sizeof(known->line) && content[size - 1] == '\0') {
		known = malloc(sizeof(*known) + size);
		if (!known)
			return false;
		known->next = known_sites;
		known->id = site;
		memcpy(&known->line, content, sizeof(known->line));
		memcpy(known->file, content + sizeof(known->line), size - sizeof(known->line));
		known_sites = known;
	}
	if (!known)
		return false;
	*file = known->file;
	*line = known->line;
	return true;
}

/* ---- Events --------------------------------------------------------------------------------
 */

char *fp_remains_take_events(size_t *size)
{
	const struct fp_remains *map = &process->map;
	uintptr_t piece = fp_remains_word(map->log.first);
	char *events = NULL;

	*size = 0;
	for (int i = 0; piece != 0 && i < PIECES_MAX; i++) {
		uint64_t used = fp_remains_word(piece + map->log.used);
		char *grown = used > PIECE_MAX ? NULL : realloc(events, *size + used + 1);

		if (!grown)
			break;
		events = grown;
		*size += fp_remains_copy(piece + map->log.bytes, events + *size, used);
		piece = fp_remains_word(piece + map->log.next);
	}
	return events;
}

void fp_remains_unload(void)
{
	while (known_sites) {
		struct site *next = known_sites->next;

		free(known_sites);
		known_sites = next;
	}
	made_count = 0;
	free(process->blocks);
	free(process->regions);
	*process = (struct fp_remains_process){0};
}
