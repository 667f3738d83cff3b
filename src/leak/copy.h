/* SPDX-License-Identifier: Apache-2.0
 *
 * A copy of the process to search in while the process goes on: a child by fork(2) without its
 * handlers, whose result comes back in memory that both share. The program is told of no child.
 *
 * Context: alloc. Private to leak.
 */
#ifndef FP_LEAK_COPY_H
#define FP_LEAK_COPY_H

#include <stdbool.h>
#include <stddef.h>

#include "leak/search.h"

struct fp_leak_copy_result;

struct fp_leak_copy {
	struct fp_leak_copy_result *result; /* shared */
	size_t capacity;                    /* blocks it has room for */
	int child;
};

/* Room for the result. 0 or -ENOMEM. */
int fp_leak_copy_make(struct fp_leak_copy *copy);

/* With all locks held: true in the copy, false in the process itself. */
bool fp_leak_copy_fork(struct fp_leak_copy *copy);

/* In the copy: searches, leaves the result and ends. */
_Noreturn void fp_leak_copy_search(struct fp_leak_copy *copy, struct fp_leak_search *search);

/* In the process: waits for the result and makes it that of SEARCH. 0, or a negative errno when
 * there is none. */
int fp_leak_copy_collect(struct fp_leak_copy *copy, struct fp_leak_search *search);

#endif
