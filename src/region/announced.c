/* SPDX-License-Identifier: Apache-2.0
 *
 * What the caller says of mappings that it makes by itself: kept to be reported. The address
 * space of released regions is what we can give when one of them fails.
 */
#include "base/lock.h"
#include "base/meta.h"
#include "region/region.h"
#include "region/space.h"
#include "region/state.h"

struct mapping {
	struct mapping *next;
	uintptr_t address;
	size_t size;
};

static struct mapping *mappings;
static struct fp_region_announced sums;

bool fp_region_need(void)
{
	fp_lock_acquire(&fp_region_lock);
	bool is_granted = fp_space_give_back() > 0;
	sums.needs++;
	sums.granted += is_granted;
	fp_lock_release(&fp_region_lock);
	return is_granted;
}

void fp_region_acquired(uintptr_t address, size_t size)
{
	struct mapping *mapping = fp_meta_alloc(sizeof(*mapping));

	fp_lock_acquire(&fp_region_lock);
	sums.acquired++;
	sums.acquired_bytes += size;
	if (mapping != NULL) {
		*mapping = (struct mapping){mappings, address, size};
		mappings = mapping;
		sums.mapped++;
		sums.mapped_bytes += size;
	}
	fp_lock_release(&fp_region_lock);
}

void fp_region_returned(uintptr_t address)
{
	struct mapping *found;

	fp_lock_acquire(&fp_region_lock);
	struct mapping **link = &mappings;
	while (*link != NULL && (*link)->address != address)
		link = &(*link)->next;
	found = *link;
	if (found != NULL) {
		*link = found->next;
		sums.mapped--;
		sums.mapped_bytes -= found->size;
	} else {
		sums.unknown++;
	}
	fp_lock_release(&fp_region_lock);
	fp_meta_free(found, sizeof(*found));
}

void fp_region_announced(struct fp_region_announced *announced)
{
	fp_lock_acquire(&fp_region_lock);
	*announced = sums;
	fp_lock_release(&fp_region_lock);
}
