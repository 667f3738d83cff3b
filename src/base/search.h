/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking something up in what is sorted. Any context.
 */
#ifndef FP_BASE_SEARCH_H
#define FP_BASE_SEARCH_H

#include <stddef.h>

/* How many of the first COUNT elements IS_BEFORE, an expression of the index AT, holds for: it
 * holds for none behind the first that it does not hold for. */
#define FP_SEARCH(count, at, is_before)                                                        \
	({                                                                                     \
		size_t search_low = 0;                                                         \
		size_t search_high = (count);                                                  \
		while (search_low < search_high) {                                             \
			size_t at = search_low + (search_high - search_low) / 2;               \
			if (is_before)                                                         \
				search_low = (at) + 1;                                         \
			else                                                                   \
				search_high = (at);                                            \
		}                                                                              \
		search_low;                                                                    \
	})

#endif
