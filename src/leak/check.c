/* SPDX-License-Identifier: Apache-2.0
 *
 * One check. The locks that the search needs are taken before threads are stopped, so that no
 * stopped thread holds one, and given back before it begins. Every signal but those of faults
 * waits meanwhile: a handler of the program's could ask for something that a stopped thread
 * has.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/lock.h"
#include "base/sys.h"
#include "leak/copy.h"
#include "leak/groups.h"
#include "leak/leak.h"
#include "leak/registers.h"
#include "leak/round.h"
#include "leak/search.h"
#include "leak/threads.h"

struct fp_lock fp_leak_lock = FP_LOCK_INITIALIZER(FP_RANK_LEAK);
FP_HELD_ACROSS_FORK(FP_RANK_LEAK, &fp_leak_lock);

enum {
	OTHERS = 1U << FP_RANK_SHARD | 1U << FP_RANK_POOLS | 1U << FP_RANK_MAPS |
	         1U << FP_RANK_META
};

/* 0: search->table is classified. */
static int search_copy(struct fp_leak_search *search, struct fp_leak_result *result)
{
	struct fp_leak_copy copy;
	int status = fp_leak_copy_make(&copy);

	if (status != 0)
		return status;
	fp_lock_acquire_ranks(OTHERS);
	fp_leak_threads_stop(search->threads);
	bool is_copy = fp_leak_copy_fork(&copy);
	fp_lock_release_ranks(OTHERS);
	if (is_copy)
		fp_leak_copy_search(&copy, search);
	fp_leak_threads_resume();
	result->is_snapshot = true;
	return fp_leak_copy_collect(&copy, search);
}

static int search_here(struct fp_leak_search *search, struct fp_leak_result *result)
{
	fp_lock_acquire_ranks(OTHERS);
	fp_leak_threads_stop(search->threads);
	fp_lock_release_ranks(OTHERS);
	int status = fp_leak_search(search);
	fp_leak_threads_resume();
	result->is_snapshot = false;
	return status;
}

static int search_and_visit(struct fp_leak_search *search, struct fp_leak_result *result)
{
	int status = -EAGAIN;

	if (search->config->is_snapshot)
		status = search_copy(search, result);
	/* A system that grants no copy: the threads wait a little longer. */
	if (status != 0) {
		fp_leak_threads_clear(search->threads);
		status = search_here(search, result);
	}
	if (status != 0)
		return status;
	result->threads = search->threads->stopped;
	result->unanswered = search->threads->unanswered;
	result->roots_bytes = search->roots_bytes;
	result->is_blind = search->is_blind;
	fp_leak_groups_visit(&search->table, search->config, result);
	fp_leak_table_free(&search->table);
	return 0;
}

/* All that are not raised by what the thread itself does. */
void fp_leak_block_signals(uint64_t *old)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	uint64_t set = ~(uint64_t)0;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		set &= ~((uint64_t)1 << (faults[i] - 1));
	fp_sys_sigmask(SIG_BLOCK, &set, old);
}

int fp_leak_check(const struct fp_leak_config *config, uintptr_t stack,
                  struct fp_leak_result *result)
{
	struct fp_leak_threads threads;
	struct fp_leak_search search = {
	        .config = config,
	        .stack = stack,
	        .threads = &threads,
	};
	uint64_t mask;
	int cancelability;

	*result = (struct fp_leak_result){0};
	/* Opening and reading files are cancellation points. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelability);
	fp_lock_acquire(&fp_leak_lock);
	fp_leak_block_signals(&mask);
	int status = fp_leak_threads_make(&threads);
	if (status == 0) {
		status = search_and_visit(&search, result);
		fp_leak_threads_free(&threads);
	}
	fp_sys_sigmask(SIG_SETMASK, &mask, NULL);
	fp_lock_release(&fp_leak_lock);
	pthread_setcancelstate(cancelability, NULL);
	return status;
}

void fp_leak_look_at(const void *context, struct fp_leak_interrupted *interrupted)
{
	/* Without files of its own: this may be a handler of a process that has none left. */
	const struct fp_leak_memory memory = {
	        .mem_fd = -1, .pagemap_fd = -1, .thread = fp_sys_gettid()};

	interrupted->stack = fp_leak_stack_in_use(&memory, context);
	interrupted->count = fp_leak_registers(context, interrupted->registers);
}

/* Never inlined: the frame that bears the registers is the caller of WORK. */
__attribute__((noinline)) static void begin(void (*work)(uintptr_t, void *), void *user)
{
	work((uintptr_t)__builtin_frame_address(0), user);
	/* No jump instead of the call: the frame stays. */
	__asm__ volatile("");
}

__attribute__((noinline)) void fp_leak_from_here(void (*work)(uintptr_t stack, void *user),
                                                 void *user)
{
	__builtin_unwind_init();
	begin(work, user);
	__asm__ volatile("");
}
