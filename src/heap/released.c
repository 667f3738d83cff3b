/* SPDX-License-Identifier: Apache-2.0
 *
 * What a heap still holds when it is released: nobody can free that any more, so each place
 * that allocated some of it becomes a finding, the largest first.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/messages.h"
#include "base/meta.h"
#include "base/text.h"
#include "heap/state.h"
#include "registry/registry.h"

enum { PLACES_MAX = 64, FINDINGS_MAX = 16 };

/* Blocks of one allocation stack, site and level. */
struct place {
	struct fp_block example;
	uint64_t blocks;
	uint64_t bytes;
};

struct inventory {
	fp_heap_id heap;
	uint64_t blocks;
	uint64_t bytes;
	size_t places;
	struct place place[PLACES_MAX];
};

static bool is_same(const struct fp_block *a, const struct fp_block *b)
{
	return a->alloc_trace == b->alloc_trace && a->site == b->site && a->level == b->level;
}

static struct place *place_of(struct inventory *inventory, const struct fp_block *block)
{
	for (size_t i = 0; i < inventory->places; i++)
		if (is_same(&inventory->place[i].example, block))
			return &inventory->place[i];
	if (inventory->places == PLACES_MAX)
		return NULL;
	struct place *place = &inventory->place[inventory->places++];
	place->example = *block;
	return place;
}

static void count_block(const struct fp_block *block, void *user)
{
	struct inventory *inventory = user;

	if (block->heap != inventory->heap)
		return;
	inventory->blocks++;
	inventory->bytes += block->size;
	/* Of more places than fit, the others are counted in the sum only. */
	struct place *place = place_of(inventory, block);
	if (place == NULL)
		return;
	place->blocks++;
	place->bytes += block->size;
}

/* The largest that was not taken yet, or NULL. */
static struct place *take_largest(struct inventory *inventory)
{
	struct place *largest = NULL;

	for (size_t i = 0; i < inventory->places; i++) {
		struct place *place = &inventory->place[i];

		if (place->blocks > 0 && (largest == NULL || place->bytes > largest->bytes))
			largest = place;
	}
	return largest;
}

static void report(const struct fp_misuse *misuse, const struct inventory *inventory,
                   const struct place *place)
{
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_HEAP_RELEASED_IN_USE, misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	finding.address = place->example.address;
	finding.has_block = true;
	finding.block = place->example;
	fp_text_print(&text, FP_TELL_HELD, inventory->heap, FP_TEXT_COUNT(inventory->blocks),
	              FP_TEXT_COUNT(inventory->bytes), FP_TEXT_COUNT(place->blocks),
	              FP_TEXT_COUNT(place->bytes), place->blocks == 1 ? "was" : "were");
	fp_findings_deliver(&finding);
}

void fp_heap_report_held(const struct fp_heap *heap, fp_trace_id trace)
{
	struct inventory *inventory = fp_meta_alloc(sizeof(*inventory));
	struct fp_misuse misuse = fp_heap_misuse(heap, NULL, trace);
	struct place *place;

	if (inventory == NULL)
		return;
	/* Release gives a count and no HRESULT. */
	misuse.has_hresult = false;
	inventory->heap = heap->id;
	fp_registry_each_live(count_block, inventory);
	for (int i = 0; i < FINDINGS_MAX && (place = take_largest(inventory)) != NULL; i++) {
		report(&misuse, inventory, place);
		place->blocks = 0;
	}
	fp_meta_free(inventory, sizeof(*inventory));
}
