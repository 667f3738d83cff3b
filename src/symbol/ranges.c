/* SPDX-License-Identifier: Apache-2.0
 *
 * An array sorted by start. Each entry remembers how far anything before it reaches, which ends
 * the walk backwards as soon as nothing earlier can hold the address.
 */
#include "symbol/ranges.h"

#include <errno.h>
#include <stdlib.h>

int fp_symbol_ranges_add(struct fp_symbol_ranges *ranges, uint64_t low, uint64_t high,
                         size_t owner)
{
	if (low == 0 || low >= high)
		return 0;
	if (ranges->count == ranges->room) {
		size_t room = ranges->room ? 2 * ranges->room : 64;
		struct fp_symbol_range *items =
		        reallocarray(ranges->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		ranges->items = items;
		ranges->room = room;
	}
	ranges->items[ranges->count++] =
	        (struct fp_symbol_range){.low = low, .high = high, .owner = owner};
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct fp_symbol_range *a = left;
	const struct fp_symbol_range *b = right;

	return (a->low > b->low) - (a->low < b->low);
}

void fp_symbol_ranges_sort(struct fp_symbol_ranges *ranges)
{
	uint64_t reach = 0;

	if (ranges->count > 0)
		qsort(ranges->items, ranges->count, sizeof(ranges->items[0]), compare);
	for (size_t i = 0; i < ranges->count; i++) {
		if (ranges->items[i].high > reach)
			reach = ranges->items[i].high;
		ranges->items[i].reach = reach;
	}
}

/* How many ranges start at or below ADDRESS. */
static size_t count_starting_by(const struct fp_symbol_ranges *ranges, uint64_t address)
{
	size_t low = 0;
	size_t high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->items[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct fp_symbol_range *fp_symbol_ranges_find(const struct fp_symbol_ranges *ranges,
                                                    uint64_t address)
{
	const struct fp_symbol_range *best = NULL;

	for (size_t i = count_starting_by(ranges, address); i > 0; i--) {
		const struct fp_symbol_range *range = &ranges->items[i - 1];

		if (range->reach <= address)
			break;
		if (range->high <= address)
			continue;
		if (!best || range->high - range->low < best->high - best->low)
			best = range;
	}
	return best;
}

void fp_symbol_ranges_free(struct fp_symbol_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct fp_symbol_ranges){0};
}
