/* SPDX-License-Identifier: Apache-2.0
 *
 * The meaning of requests: valgrind.h's numbers, of which programs have copies, and so never
 * change. What is not here is answered as if nobody were there.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "fault/fault.h"
#include "heap/heap.h"
#include "heap/pools.h"
#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"

enum request {
	RUNNING_ON_VALGRIND = 0x1001,
	COUNT_ERRORS = 0x1201,
	MALLOCLIKE_BLOCK = 0x1301,
	FREELIKE_BLOCK,
	CREATE_MEMPOOL,
	DESTROY_MEMPOOL,
	MEMPOOL_ALLOC,
	MEMPOOL_FREE,
	MEMPOOL_TRIM,
	MOVE_MEMPOOL,
	MEMPOOL_CHANGE,
	MEMPOOL_EXISTS,
	RESIZEINPLACE_BLOCK,
	PRINTF_BY_REFERENCE = 0x1403,
	PRINTF_BACKTRACE_BY_REFERENCE,
	/* memcheck's: 'M', 'C' */
	MAKE_MEM_NOACCESS = 0x4d430000,
	MAKE_MEM_UNDEFINED,
	MAKE_MEM_DEFINED,
	DISCARD,
	CHECK_MEM_IS_ADDRESSABLE,
	CHECK_MEM_IS_DEFINED,
	DO_LEAK_CHECK,
	COUNT_LEAKS,
	COUNT_LEAK_BLOCKS = MAKE_MEM_NOACCESS + 12,
};

enum { DONE = -1 }; /* what memcheck says of memory whose state was changed */

struct visit {
	const uintptr_t *arguments;
	uintptr_t answer;
};

/* Of pools and their blocks: with arguments as fp_pools_ has them. */
static void answer_pool(struct visit *visit)
{
	const uintptr_t *of = visit->arguments;

	switch (of[0]) {
	case MALLOCLIKE_BLOCK:
		fp_pools_alloc(0, of[1], of[2]);
		break;
	case FREELIKE_BLOCK:
		fp_pools_free(0, of[1]);
		break;
	case RESIZEINPLACE_BLOCK:
		fp_pools_change(0, of[1], of[1], of[3]);
		break;
	case CREATE_MEMPOOL:
		fp_pools_create(of[1], (unsigned)of[4]);
		break;
	case DESTROY_MEMPOOL:
		fp_pools_destroy(of[1]);
		break;
	case MEMPOOL_ALLOC:
		fp_pools_alloc(of[1], of[2], of[3]);
		break;
	case MEMPOOL_FREE:
		fp_pools_free(of[1], of[2]);
		break;
	case MEMPOOL_TRIM:
		fp_pools_trim(of[1], of[2], of[3]);
		break;
	case MOVE_MEMPOOL:
		fp_pools_move(of[1], of[2]);
		break;
	case MEMPOOL_CHANGE:
		fp_pools_change(of[1], of[2], of[3], of[4]);
		break;
	case MEMPOOL_EXISTS:
		visit->answer = fp_pools_exists(of[1]);
		break;
	default:
		break;
	}
}

static void answer_inside(void *argument)
{
	struct visit *visit = argument;
	const uintptr_t *of = visit->arguments;

	switch (of[0]) {
	case MAKE_MEM_NOACCESS:
		fp_heap_poison((const void *)of[1], of[2]);
		visit->answer = (uintptr_t)DONE;
		break;
	case MAKE_MEM_UNDEFINED:
	case MAKE_MEM_DEFINED:
		fp_heap_unpoison((const void *)of[1], of[2]);
		visit->answer = (uintptr_t)DONE;
		break;
	case CHECK_MEM_IS_ADDRESSABLE:
	case CHECK_MEM_IS_DEFINED:
		visit->answer = fp_fault_find_bad(of[1], of[2], FP_ACCESS_UNKNOWN);
		break;
	default:
		answer_pool(visit);
		break;
	}
}

/* Where memcheck writes them, in its order: the last are those that were suppressed. */
static void tell_leaks(const uintptr_t *places, bool of_blocks)
{
	const struct fp_session_leak_counts counts = fp_session_count_leaks(of_blocks);

	*(uintptr_t *)places[0] = counts.lost;
	*(uintptr_t *)places[1] = counts.possible;
	*(uintptr_t *)places[2] = counts.reachable;
	*(uintptr_t *)places[3] = 0;
}

static uintptr_t answer(const uintptr_t *arguments, uintptr_t otherwise)
{
	struct visit visit = {arguments, otherwise};

	if (!fp_preload_enter())
		return otherwise;
	if (arguments[0] == DO_LEAK_CHECK)
		fp_session_check_leaks();
	else if (arguments[0] == COUNT_LEAKS || arguments[0] == COUNT_LEAK_BLOCKS)
		tell_leaks(arguments + 1, arguments[0] == COUNT_LEAK_BLOCKS);
	else
		fp_room_run(answer_inside, &visit);
	fp_preload_leave();
	return visit.answer;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* it is the program's */

/* In the program's place: it may allocate. */
static uintptr_t print(const uintptr_t *arguments)
{
	const char *format = (const char *)arguments[1];
	va_list values;

	va_copy(values, *(va_list *)arguments[2]);
	int printed = vdprintf(STDERR_FILENO, format, values);
	va_end(values);
	return (uintptr_t)printed;
}

#pragma GCC diagnostic pop

uintptr_t fp_client_answer(const uintptr_t *arguments, uintptr_t otherwise)
{
	int saved_errno = errno;
	uintptr_t result = otherwise;

	switch (arguments[0]) {
	case RUNNING_ON_VALGRIND:
		result = 1;
		break;
	case COUNT_ERRORS:
		result = fp_session_finding_count();
		break;
	case PRINTF_BY_REFERENCE:
	case PRINTF_BACKTRACE_BY_REFERENCE:
		result = print(arguments);
		break;
	default:
		result = answer(arguments, otherwise);
		break;
	}
	errno = saved_errno;
	return result;
}

/* ---- AddressSanitizer ----------------------------------------------------------------------
 *
 * AddressSanitizer's functions for arenas, for programs that know nothing of us. Nothing is
 * checked but what a page can: whole pages, and what is handed to calls.
 */

struct area {
	const void *address;
	size_t bytes;
	const void *found;
};

static void poison_inside(void *visit)
{
	fp_heap_poison(((struct area *)visit)->address, ((struct area *)visit)->bytes);
}

static void unpoison_inside(void *visit)
{
	fp_heap_unpoison(((struct area *)visit)->address, ((struct area *)visit)->bytes);
}

static void find_inside(void *argument)
{
	struct area *visit = argument;

	visit->found = fp_heap_find_poisoned(visit->address, visit->bytes);
}

static struct area pass(void (*work)(void *), const volatile void *address, size_t bytes)
{
	struct area visit = {.address = (const void *)(uintptr_t)address, .bytes = bytes};

	/* A sample leaves memory to libc, which gives it out again. */
	if (bytes == 0 || (fp_preload.picks && !fp_heap_is_ours(visit.address)) ||
	    !fp_preload_enter())
		return visit;
	fp_room_run(work, &visit);
	fp_preload_leave();
	return visit;
}

void __asan_poison_memory_region(const volatile void *address, size_t bytes)
{
	pass(poison_inside, address, bytes);
}

void __asan_unpoison_memory_region(const volatile void *address, size_t bytes)
{
	pass(unpoison_inside, address, bytes);
}

int __asan_address_is_poisoned(const volatile void *address)
{
	return pass(find_inside, address, 1).found != NULL;
}

void *__asan_region_is_poisoned(void *address, size_t bytes)
{
	return (void *)(uintptr_t)pass(find_inside, address, bytes).found;
}
