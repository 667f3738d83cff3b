/* SPDX-License-Identifier: Apache-2.0
 *
 * The countdowns of fault injection. Never armed outside the tests.
 */
#include "base/inject.h"

#include <stdatomic.h>

static struct {
	_Atomic uint64_t armed; /* 0: no fault to inject */
	_Atomic uint64_t seen;
	_Atomic bool for_good;
} points[FP_INJECT_COUNT];

void fp_inject_arm(enum fp_inject_point point, uint64_t nth, bool for_good)
{
	atomic_store(&points[point].armed, 0);
	atomic_store(&points[point].seen, 0);
	atomic_store(&points[point].for_good, for_good);
	atomic_store(&points[point].armed, nth);
}

bool fp_inject_fails(enum fp_inject_point point)
{
	uint64_t nth = atomic_load_explicit(&points[point].armed, memory_order_relaxed);

	if (nth == 0)
		return false;
	uint64_t seen = atomic_fetch_add(&points[point].seen, 1) + 1;
	return seen == nth || (seen > nth && atomic_load(&points[point].for_good));
}
