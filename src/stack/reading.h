/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the stack while unwinding it. A stack may be any memory (a thread's, a coroutine's, a
 * block of the heap), and what leads along it may be wrong: no read may kill. Pages are asked
 * of the kernel once, and then remembered for as long as the thread stays on that stack.
 *
 * Context: alloc, and fault. Private to stack.
 */
#ifndef FP_STACK_READING_H
#define FP_STACK_READING_H

#include <stdbool.h>
#include <stdint.h>

/* What is known to be readable: from START to END. */
struct fp_reading {
	uintptr_t start;
	uintptr_t end;
};

extern _Thread_local struct fp_reading fp_reading;

enum { FP_READ_PAGE = 4096 }; /* of any size: pages of more are asked in parts */

/* Whether the byte at ADDRESS can be read: asks the kernel, each time. */
bool fp_read_is_readable(uintptr_t address);

/* Whether the word at ADDRESS can be read, if that has to be found out. */
bool fp_reading_extend(uintptr_t address);

static inline bool fp_reading_covers(uintptr_t address)
{
	/* Aligned, and the stack's bounds are those of pages: a word is within or without. */
	return address - fp_reading.start < fp_reading.end - fp_reading.start;
}

static inline bool fp_read_word(uintptr_t address, uintptr_t *word)
{
	if (address % sizeof(*word) != 0 ||
	    (!fp_reading_covers(address) && !fp_reading_extend(address)))
		return false;
	*word = *(const volatile uintptr_t *)address;
	return true;
}

#endif
