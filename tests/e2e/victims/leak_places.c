/* SPDX-License-Identifier: Apache-2.0
 *
 * One block that is kept in one place, and one that is lost: "leak_places PLACE". Knows nothing
 * of Fencepost.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "leak_places.h"

/* Optimized, calls would move to other lines, and pointers into registers. */
#ifdef __clang__
#pragma clang optimize off
#else
#pragma GCC optimize("O0")
#endif

enum { KEPT_BYTES = 99, LOST_BYTES = 77, SCRUB_BYTES = 32 << 10, PAGE = 4096 };

static void *global;
static _Thread_local void *volatile storage;
static volatile uintptr_t disguised;
static volatile uintptr_t handover; /* disguised */
static volatile int is_ready;
static volatile int is_done;
static int ends[2];
static ucontext_t outside;
static ucontext_t inside;

/* Of the pointer that is kept: INSIDE in the environment is where it points to. */
static size_t offset(void)
{
	const char *inside = getenv("INSIDE");

	return inside == NULL ? 0 : strtoul(inside, NULL, 10);
}

static void *allocate_kept(void)
{
	char *block = malloc(KEPT_BYTES); /* plant: kept */

	return block + offset();
}

static void *allocate_lost(void)
{
	return malloc(LOST_BYTES); /* plant: lost */
}

static void scrub(void)
{
	volatile char area[SCRUB_BYTES];

	memset((char *)area, 0, sizeof(area));
}

static uintptr_t disguise(void *block)
{
	return ~(uintptr_t)block;
}

static void *reveal(uintptr_t value)
{
	return (void *)~value;
}

/* ---- Places of the first thread ------------------------------------------------------------
 */

static void in_nothing(void)
{
	disguised = disguise(allocate_kept());
}

static void in_global(void)
{
	global = allocate_kept();
}

static void in_heap(void)
{
	void **outer = malloc(64);

	outer[7] = allocate_kept();
	global = outer;
}

static void in_storage(void)
{
	storage = allocate_kept();
}

static void map_and_keep(int flags)
{
	void **area = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	area[100] = allocate_kept();
}

static void in_mapping(void)
{
	map_and_keep(MAP_PRIVATE);
}

static void in_shared_mapping(void)
{
	map_and_keep(MAP_SHARED);
}

static void in_sealed_mapping(void)
{
	void **area =
	        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	area[100] = allocate_kept();
	mprotect(area, PAGE, PROT_READ);
}

static void in_module(void)
{
	void *module = dlopen(getenv("LEAK_MODULE"), RTLD_NOW);
	void **place = module == NULL ? NULL : dlsym(module, "leak_module_place");

	if (place == NULL)
		exit(3);
	*place = allocate_kept();
}

static void at_inside(void)
{
	global = (char *)allocate_kept() + 40;
}

/* ---- Places of another thread -------------------------------------------------------------
 */

static void wait_in_call(void)
{
	char byte;

	is_ready = 1;
	while (read(ends[0], &byte, 1) < 0)
		;
}

static void *keep_on_stack(void *unused)
{
	void *volatile kept = reveal(handover);

	handover = 0;
	wait_in_call();
	return kept == unused ? NULL : unused;
}

static void *keep_with_signals_blocked(void *unused)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	return keep_on_stack(unused);
}

static void *keep_waiting_for_signals(void *unused)
{
	void *volatile kept = reveal(handover);
	sigset_t all;
	int number;

	handover = 0;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	is_ready = 1;
	sigwait(&all, &number);
	printf("signal %d\n", number);
	return kept == unused ? NULL : unused;
}

static void *keep_in_storage(void *unused)
{
	storage = reveal(handover);
	handover = 0;
	scrub();
	wait_in_call();
	return unused;
}

static void *keep_as_specific(void *unused)
{
	pthread_key_t key;

	for (int i = 0; i < 40; i++)
		pthread_key_create(&key, NULL);
	pthread_setspecific(key, reveal(handover));
	handover = 0;
	scrub();
	wait_in_call();
	return unused;
}

#ifdef __x86_64__
/* With the pointer, that nothing else holds now, in rbx: MOVE, and then runs. */
#define RUN_WITH(move, ...)                                                                    \
	__asm__ volatile("movq %[handover], %%rbx\n\t"                                         \
	                 "notq %%rbx\n\t" move "movq $0, %[handover]\n\t"                      \
	                 "movl $1, %[ready]\n"                                                 \
	                 "1:\tpause\n\t"                                                       \
	                 "cmpl $0, %[done]\n\t"                                                \
	                 "je 1b"                                                               \
	                 : [handover] "+m"(handover), [ready] "+m"(is_ready)                   \
	                 : [done] "m"(is_done)                                                 \
	                 : __VA_ARGS__)

static void *keep_in_register(void *unused)
{
	RUN_WITH("", "rbx", "memory");
	return unused;
}

static void *keep_in_vector(void *unused)
{
	RUN_WITH("movq %%rbx, %%xmm9\n\txorl %%ebx, %%ebx\n\t", "rbx", "xmm9", "memory");
	return unused;
}

/* Below the stack pointer, where a function that calls none may keep it. */
static void *keep_in_red_zone(void *unused)
{
	RUN_WITH("movq %%rbx, -120(%%rsp)\n\txorl %%ebx, %%ebx\n\t", "rbx", "memory");
	return unused;
}

/* The same place, where calls that have returned left it, of a thread that waits. */
static void *leave_in_red_zone(void *unused)
{
	long call = SYS_pause;

	__asm__ volatile("movq %[handover], %%rbx\n\t"
	                 "notq %%rbx\n\t"
	                 "movq %%rbx, -120(%%rsp)\n\t"
	                 "xorl %%ebx, %%ebx\n\t"
	                 "movq $0, %[handover]\n\t"
	                 "movl $1, %[ready]\n\t"
	                 "syscall"
	                 : "+a"(call), [handover] "+m"(handover), [ready] "+m"(is_ready)
	                 :
	                 : "rbx", "rcx", "r11", "memory");
	return unused;
}
#else
#define keep_in_register keep_on_stack
#define keep_in_vector keep_on_stack
#endif

/* What it leaves behind is below the stack pointer when it has returned. */
static void forget_on_stack(void)
{
	void *volatile places[64];

	for (int i = 0; i < 64; i++)
		places[i] = reveal(handover);
}

static void call_deeper(int depth)
{
	volatile char area[1000];

	area[0] = (char)depth;
	if (depth > 0)
		call_deeper(depth - area[0] / depth);
	else
		forget_on_stack();
}

static void *leave_on_stale_stack(void *unused)
{
	call_deeper(10);
	handover = 0;
	wait_in_call();
	return unused;
}

static void run_inside(void)
{
	keep_on_stack(NULL);
}

/* Its own stack waits while it runs on another. */
static void *keep_in_coroutine(void *unused)
{
	char *stack = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                   -1, 0);

	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = 64 * PAGE;
	inside.uc_link = &outside;
	makecontext(&inside, run_inside, 0);
	swapcontext(&outside, &inside);
	return unused;
}

static void yield_inside(void)
{
	void *volatile kept = reveal(handover);

	handover = 0;
	swapcontext(&inside, &outside);
	is_done = kept != NULL;
}

/* The other stack waits. */
static void in_suspended_coroutine(void)
{
	char *stack = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                   -1, 0);

	handover = disguise(allocate_kept());
	/* Registers for arguments are saved, too. */
	scrub();
	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = 64 * PAGE;
	makecontext(&inside, yield_inside, 0);
	swapcontext(&outside, &inside);
}

static void *pass_on(void *argument)
{
	return argument;
}

/* Its descriptor has both, and the C library keeps it for the next thread. */
static void with_joined_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, pass_on, allocate_kept());
	pthread_join(thread, NULL);
	thread = 0;
}

/* Who joins it gets the block. */
static void with_ended_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, pass_on, allocate_kept());
	usleep(100000);
}

static void in_thread(void *(*body)(void *))
{
	pthread_t thread;

	handover = disguise(allocate_kept());
	pthread_create(&thread, NULL, body, NULL);
	while (!is_ready)
		usleep(1000);
	usleep(20000);
}

static void *end_at_once(void *argument)
{
	return argument;
}

static void *make_threads(void *unused)
{
	pthread_t thread;

	is_ready = 1;
	while (pthread_create(&thread, NULL, end_at_once, malloc(10)) == 0)
		pthread_detach(thread);
	return unused;
}

static void among_exiting_threads(void)
{
	pthread_t thread;

	in_global();
	pthread_create(&thread, NULL, make_threads, NULL);
	while (!is_ready)
		usleep(1000);
	usleep(20000);
}

/* ---- The child of a fork ------------------------------------------------------------------
 */

static void in_child(void)
{
	in_global();
	if (fork() == 0) {
		free(global);
		global = NULL;
		disguised = disguise(malloc(55)); /* plant: child */
		scrub();
		exit(0);
	}
	wait(NULL);
}

static const struct {
	const char *name;
	void (*keep)(void);
	void *(*in_thread)(void *);
} places[] = {
        {"nothing", in_nothing, NULL},
        {"global", in_global, NULL},
        {"heap", in_heap, NULL},
        {"storage", in_storage, NULL},
        {"mapping", in_mapping, NULL},
        {"shared-mapping", in_shared_mapping, NULL},
        {"sealed-mapping", in_sealed_mapping, NULL},
        {"module", in_module, NULL},
        {"inside", at_inside, NULL},
        {"suspended-coroutine", in_suspended_coroutine, NULL},
        {"exiting-threads", among_exiting_threads, NULL},
        {"fork", in_child, NULL},
        {"joined-thread", with_joined_thread, NULL},
        {"ended-thread", with_ended_thread, NULL},
        {"thread-stack", NULL, keep_on_stack},
        {"thread-storage", NULL, keep_in_storage},
        {"thread-specific", NULL, keep_as_specific},
        {"register", NULL, keep_in_register},
        {"vector-register", NULL, keep_in_vector},
        {"signals-blocked", NULL, keep_with_signals_blocked},
        {"sigwait", NULL, keep_waiting_for_signals},
        {"coroutine", NULL, keep_in_coroutine},
        {"stale-stack", NULL, leave_on_stale_stack},
#ifdef __x86_64__
        {"red-zone", NULL, keep_in_red_zone},
        {"stale-red-zone", NULL, leave_in_red_zone},
#endif
};

/* ---- Shapes of what is lost ---------------------------------------------------------------
 */

static void lose_one(void)
{
	disguised ^= disguise(allocate_lost());
}

static void lose_ring(void)
{
	void **first = malloc(24); /* plant: ring */
	void **last = first;

	for (int i = 0; i < 9; i++) {
		void **next = malloc(24); /* plant: ring followers */

		*last = next;
		last = next;
	}
	*last = first;
}

int main(int argc, char **argv)
{
	const char *place = argc > 1 ? argv[1] : "";

	if (pipe(ends) != 0)
		return 2;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strcmp(places[i].name, place) != 0)
			continue;
		if (places[i].in_thread != NULL)
			in_thread(places[i].in_thread);
		else
			places[i].keep();
	}
	lose_one();
	if (argc > 2)
		lose_ring();
	scrub();
	exit(0);
}
