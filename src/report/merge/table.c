/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing. Names are hashes already, but anybody may have made them: they are mixed
 * once more.
 */
#include "base/hash.h"
#include "report/merge/table.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };

static struct fp_report_table_item *find_place(const struct fp_report_table *table,
                                               uint64_t name)
{
	size_t at = fp_hash_place(fp_hash_word(0, name), table->room);

	while (table->items[at].index != 0 && table->items[at].name != name)
		at = fp_hash_next(at, table->room);
	return &table->items[at];
}

/* Keeps a quarter of the places free. */
static bool make_room(struct fp_report_table *table)
{
	struct fp_report_table grown = {.count = table->count,
	                                .room = table->room > 0 ? 2 * table->room : FIRST_ROOM};

	if (table->count < table->room / 4 * 3)
		return true;
	grown.items = calloc(grown.room, sizeof(*grown.items));
	if (!grown.items)
		return false;
	for (size_t i = 0; i < table->room; i++) {
		if (table->items[i].index != 0)
			*find_place(&grown, table->items[i].name) = table->items[i];
	}
	free(table->items);
	*table = grown;
	return true;
}

size_t fp_report_table_find(struct fp_report_table *table, uint64_t name, size_t next,
                            bool *is_new)
{
	struct fp_report_table_item *item;

	if (!make_room(table))
		return SIZE_MAX;
	item = find_place(table, name);
	*is_new = item->index == 0;
	if (*is_new) {
		*item = (struct fp_report_table_item){name, next + 1};
		table->count++;
	}
	return item->index - 1;
}

void fp_report_table_free(struct fp_report_table *table)
{
	free(table->items);
	*table = (struct fp_report_table){0};
}
