/* SPDX-License-Identifier: Apache-2.0
 *
 * The C library's malloc with a counter in front, for tests that prove it is not called. The
 * functions are this program's own, so calls from every shared library meet them too.
 */
#ifndef TESTS_SUPPORT_COUNTED_MALLOC_H
#define TESTS_SUPPORT_COUNTED_MALLOC_H

#include <stdbool.h>

/* Calls of malloc, calloc, realloc, free and the aligned ones, by any thread, while counting
 * was on. free(NULL) counts. */
void test_count_malloc(bool is_on);
unsigned long test_malloc_calls(void);

/* Whether a malloc and a free inside the C library are counted: without that, a count of none
 * proves nothing. Leaves the count as it was. */
bool test_counter_works(void);

#endif
