/* SPDX-License-Identifier: Apache-2.0
 *
 * The round of stopping: odd numbers of the round word say that one is on. Threads list
 * themselves in the table of the round, by the id they know, and wait for the word to change;
 * should the thread that stops them be gone, they go on by themselves.
 */
#include "leak/threads.h"

#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "base/clock.h"
#include "base/meta.h"
#include "base/sys.h"
#include "base/thread.h"
#include "leak/leak.h"
#include "leak/registers.h"
#include "leak/tasks.h"

enum {
	NSEC_PER_MSEC = 1000000,
	TURN_MSEC = 5,     /* between two looks at who has answered */
	DEAF_TURNS = 10,   /* for a thread that blocks signals for a moment, in libc */
	ALL_TURNS = 400,   /* for one that waits for a processor */
	LISTINGS_MAX = 20, /* of threads that may come while others are being stopped */
	SPARE_PLACES = 64,
	FIRST_SIGNAL = 35, /* libc and debuggers use those below */
	ROUND_PAUSE_SEC = 1
};

static struct fp_leak_threads *_Atomic current;
static _Atomic uint32_t round_word;
static _Atomic uint32_t answers;
static _Atomic uint32_t inside; /* handlers that may still look at the table */
static _Atomic uint32_t stopper;
static _Atomic int chosen;

static _Thread_local uint8_t storage;

uintptr_t fp_leak_thread_storage(void)
{
	return (uintptr_t)&storage;
}

static long futex(_Atomic uint32_t *word, int operation, uint32_t value,
                  const struct timespec *timeout)
{
	return fp_sys(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout);
}

static struct fp_leak_thread *find(struct fp_leak_threads *threads, uint32_t id)
{
	for (size_t i = 0; i < atomic_load(&threads->count); i++)
		if (threads->threads[i].id == id)
			return &threads->threads[i];
	return NULL;
}

/* Whether the calling thread was asked; then it has answered. */
static bool answer(uint32_t round, void *context)
{
	struct fp_leak_threads *threads = atomic_load(&current);

	if (round % 2 == 0 || round != atomic_load(&round_word) || threads == NULL)
		return false;
	struct fp_leak_thread *own = find(threads, (uint32_t)fp_sys_gettid());
	if (own == NULL || atomic_load(&own->state) != FP_LEAK_THREAD_ASKED)
		return false;
	own->context = (uintptr_t)context;
	own->stack = fp_leak_stack_pointer(context);
	own->storage = fp_leak_thread_storage();
	atomic_store(&own->state, FP_LEAK_THREAD_STOPPED);
	atomic_fetch_add(&answers, 1);
	futex(&answers, FUTEX_WAKE, 1, NULL);
	return true;
}

static void wait_for_end(uint32_t round)
{
	const struct timespec pause = {.tv_sec = ROUND_PAUSE_SEC};
	uint32_t leader = atomic_load(&stopper);

	while (atomic_load(&round_word) == round)
		if (futex(&round_word, FUTEX_WAIT, round, &pause) == -ETIMEDOUT &&
		    fp_sys(SYS_tgkill, fp_sys_getpid(), leader, 0) == -ESRCH)
			break;
}

static void handle_stop(int signal, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	(void)signal;
	(void)info;
	atomic_fetch_add(&inside, 1);
	uint32_t round = atomic_load(&round_word);
	bool is_asked = answer(round, context);
	atomic_fetch_sub(&inside, 1);
	if (is_asked)
		wait_for_end(round);
	errno = saved_errno;
}

/* ---- The signal ---------------------------------------------------------------------------
 */

static bool is_handled_by_us(int signal)
{
	struct sigaction action;

	return signal != 0 && fp_sys_sigaction(signal, NULL, &action) == 0 &&
	       (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == handle_stop;
}

static bool is_free(int signal)
{
	struct sigaction action;

	return fp_sys_sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

static bool install(int signal)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

	/* No handler of the program runs while its thread stands still. */
	sigfillset(&action.sa_mask);
	sigdelset(&action.sa_mask, SIGSEGV);
	sigdelset(&action.sa_mask, SIGBUS);
	action.sa_sigaction = handle_stop;
	return fp_sys_sigaction(signal, &action, NULL) == 0;
}

static int choose(int taken)
{
	for (int signal = NSIG - 1; signal >= FIRST_SIGNAL; signal--)
		if (signal != taken && is_free(signal) && install(signal))
			return signal;
	return 0;
}

int fp_leak_signal(void)
{
	int signal = atomic_load(&chosen);

	if (!is_handled_by_us(signal)) {
		signal = choose(0);
		atomic_store(&chosen, signal);
	}
	return signal;
}

int fp_leak_yield_signal(void)
{
	const struct sigaction action = {.sa_handler = SIG_DFL};
	int signal = atomic_load(&chosen);
	int other = choose(signal);

	atomic_store(&chosen, other);
	/* As the program has seen it; none of ours is on its way. */
	if (is_handled_by_us(signal))
		fp_sys_sigaction(signal, &action, NULL);
	return other;
}

/* ---- The round ----------------------------------------------------------------------------
 */

static void count_task(uint32_t id, void *user)
{
	size_t *count = user;

	(void)id;
	++*count;
}

static void add_task(uint32_t id, void *user)
{
	struct fp_leak_threads *threads = user;
	size_t count = atomic_load(&threads->count);

	if (id == fp_thread_self() || find(threads, id) != NULL || count == threads->capacity)
		return;
	threads->threads[count].id = id;
	atomic_store(&threads->count, count + 1);
}

static void settle(struct fp_leak_thread *thread, enum fp_leak_thread_state state)
{
	uint32_t asked = FP_LEAK_THREAD_ASKED;

	/* It may answer at this very moment. */
	atomic_compare_exchange_strong(&thread->state, &asked, (uint32_t)state);
}

static void ask(struct fp_leak_thread *thread, int signal)
{
	thread->is_signalled = true;
	long status = fp_sys(SYS_tgkill, fp_sys_getpid(), thread->id, signal);
	if (status != 0)
		settle(thread,
		       status == -ESRCH ? FP_LEAK_THREAD_GONE : FP_LEAK_THREAD_UNANSWERED);
}

/* Whether THREAD can be left out of the waiting. */
static bool is_settled(const struct fp_leak_thread *thread)
{
	return atomic_load(&thread->state) != FP_LEAK_THREAD_ASKED;
}

/* One look at a thread that has not answered. */
static void look_at(struct fp_leak_thread *thread, unsigned turn, unsigned all_turns)
{
	int signal = atomic_load(&chosen);
	enum fp_leak_task_state state = fp_leak_task_look(thread->id, signal);
	bool is_deaf = state == FP_LEAK_TASK_DEAF && !thread->is_signalled;

	if (state == FP_LEAK_TASK_GONE)
		settle(thread, FP_LEAK_THREAD_GONE);
	else if (signal == 0 || turn >= all_turns || (is_deaf && turn >= DEAF_TURNS))
		settle(thread, FP_LEAK_THREAD_UNANSWERED);
	else if (!is_deaf && state != FP_LEAK_TASK_BUSY && !thread->is_signalled)
		ask(thread, signal);
}

/* How many have not answered. */
static size_t look(struct fp_leak_threads *threads, unsigned turn)
{
	unsigned all_turns =
	        threads->patience_ms != 0 ? threads->patience_ms / TURN_MSEC : ALL_TURNS;
	size_t left = 0;

	for (size_t i = 0; i < atomic_load(&threads->count); i++) {
		if (!is_settled(&threads->threads[i]))
			look_at(&threads->threads[i], turn, all_turns);
		left += !is_settled(&threads->threads[i]);
	}
	return left;
}

/* Until every thread listed has answered or is given up. */
static void wait_for_answers(struct fp_leak_threads *threads)
{
	const struct timespec pause = {.tv_nsec = TURN_MSEC * NSEC_PER_MSEC};
	const uint64_t start = fp_clock_milliseconds();
	unsigned turn = 0;

	for (;;) {
		uint32_t seen = atomic_load(&answers);

		if (look(threads, turn) == 0)
			return;
		if (atomic_load(&answers) == seen)
			futex(&answers, FUTEX_WAIT, seen, &pause);
		turn = (unsigned)((fp_clock_milliseconds() - start) / TURN_MSEC);
	}
}

int fp_leak_threads_make(struct fp_leak_threads *threads)
{
	size_t count = 0;
	int status = fp_leak_tasks_each(count_task, &count);

	*threads = (struct fp_leak_threads){.capacity = 2 * count + SPARE_PLACES};
	if (status != 0)
		return status;
	threads->threads = fp_meta_alloc(threads->capacity * sizeof(*threads->threads));
	return threads->threads == NULL ? -ENOMEM : 0;
}

void fp_leak_threads_clear(struct fp_leak_threads *threads)
{
	memset(threads->threads, 0, threads->capacity * sizeof(*threads->threads));
	atomic_store(&threads->count, 0);
	threads->stopped = threads->unanswered = 0;
}

void fp_leak_threads_free(struct fp_leak_threads *threads)
{
	fp_meta_free(threads->threads, threads->capacity * sizeof(*threads->threads));
}

static void count_states(struct fp_leak_threads *threads)
{
	for (size_t i = 0; i < atomic_load(&threads->count); i++) {
		uint32_t state = atomic_load(&threads->threads[i].state);

		threads->stopped += state == FP_LEAK_THREAD_STOPPED;
		threads->unanswered += state == FP_LEAK_THREAD_UNANSWERED;
	}
}

void fp_leak_threads_stop(struct fp_leak_threads *threads)
{
	size_t listed;

	fp_leak_signal();
	atomic_store(&stopper, fp_thread_self());
	atomic_store(&current, threads);
	atomic_fetch_add(&round_word, 1);
	/* Those that are not stopped yet may make more. */
	for (unsigned listings = 0; listings < LISTINGS_MAX; listings++) {
		listed = atomic_load(&threads->count);
		fp_leak_tasks_each(add_task, threads);
		if (atomic_load(&threads->count) == listed)
			break;
		wait_for_answers(threads);
	}
	count_states(threads);
}

void fp_leak_threads_resume(void)
{
	const struct timespec pause = {.tv_nsec = NSEC_PER_MSEC};

	atomic_fetch_add(&round_word, 1);
	atomic_store(&current, NULL);
	futex(&round_word, FUTEX_WAKE, INT_MAX, NULL);
	while (atomic_load(&inside) > 0)
		fp_sys_sleep(&pause);
}
