/* SPDX-License-Identifier: Apache-2.0
 *
 * The search for leaks, in this process or in a copy of it, while its threads stand still.
 *
 * Context: alloc. Private to leak.
 */
#ifndef FP_LEAK_SEARCH_H
#define FP_LEAK_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "leak/leak.h"
#include "leak/table.h"
#include "leak/threads.h"

struct fp_leak_search {
	const struct fp_leak_config *config;
	uintptr_t stack;
	struct fp_leak_threads *threads;
	/* The result. */
	struct fp_leak_table table; /* classified; the caller frees it */
	uint64_t roots_bytes;
	bool is_blind;
};

/* 0 or -ENOMEM. */
int fp_leak_search(struct fp_leak_search *search);

#endif
