/* SPDX-License-Identifier: Apache-2.0
 *
 * holders_victim HOLDER MISUSE [THREAD]: one pointer to a block that was freed is left where
 * HOLDER says, and then the block is read, freed again or freed in its middle, by a thread when
 * THREAD is given; or the program waits, and says where the block is. All else that knows the
 * pointer has it disguised. Built as C and as C++, optimised and not.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 40, THOUSANDS = 5000, BUSY_THREADS = 4, BUSY_FINDINGS = 12 };

struct row {
	long id;
	char *volatile text;
};

struct box {
	int count;
	struct row rows[4];
};

struct node {
	struct node *volatile next;
	char *volatile text;
};

struct box box;
static char *volatile inside;
static __thread char *volatile mine;
static struct node *volatile list;
static const uintptr_t disguise = 0x5555000000000000;
static volatile uintptr_t disguised;
static volatile int is_ready;
static volatile int is_done;
static const char *misuse;

#define NOINLINE __attribute__((noinline))
#define BLOCK() ((char *)(disguised ^ disguise))

static NOINLINE void make(void)
{
	disguised = (uintptr_t)malloc(BYTES) ^ disguise;
}

/* Nothing of the pointer stays on the stack that is still in use. */
static NOINLINE void clean(void)
{
	volatile char room[16384];

	memset((char *)room, 0, sizeof(room));
}

static NOINLINE void hold_in_block(int times)
{
	for (int i = 0; i < times; i++) {
		struct node *node = (struct node *)malloc(sizeof(*node)); /* node */

		node->next = list;
		node->text = BLOCK();
		list = node;
	}
}

static NOINLINE void hold_in_freed_block(void)
{
	struct node *node = (struct node *)malloc(sizeof(*node));

	node->next = NULL;
	node->text = BLOCK();
	free(node);
}

static NOINLINE void hold_in_mapping(void)
{
	/* Not beside thread-local storage, which it would look like. */
	void *far = (void *)((uintptr_t)1 << 45);
	char **page = (char **)mmap(far, 65536, PROT_READ | PROT_WRITE,
	                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	page[7] = BLOCK();
	disguised = disguised; /* the page is known to nobody */
}

static void *hold_on_other_stack(void *unused)
{
	char *volatile kept = BLOCK();

	is_ready = 1;
	while (!is_done)
		usleep(1000); /* other */
	return kept == unused ? (void *)kept : NULL;
}

static void *hold_in_other_storage(void *unused)
{
	mine = BLOCK();
	clean();
	is_ready = 1;
	while (!is_done)
		usleep(1000);
	return unused;
}

static void *hold_in_register(void *unused)
{
#if defined(__x86_64__)
	__asm__ volatile("movq %0, %%r13\n\txorq %1, %%r13\n\tmovl $1, %2\n"
	                 "1:\tpause\n\tcmpl $0, %3\n\tje 1b"
	                 :
	                 : "m"(disguised), "r"(disguise), "m"(is_ready), "m"(is_done)
	                 : "r13", "memory", "cc");
#else
	is_ready = 1;
#endif
	return unused;
}

static void *be_deaf(void *unused)
{
	uint64_t all = ~(uint64_t)0;

#if defined(__x86_64__)
	/* The C library keeps some for itself, and Fencepost does in each of its functions. */
	register long size __asm__("r10") = sizeof(all);
	long result;

	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "a"(SYS_rt_sigprocmask), "D"(SIG_SETMASK), "S"(&all), "d"(NULL),
	                   "r"(size)
	                 : "rcx", "r11", "memory");
#endif
	is_ready = 1;
	while (!is_done)
		usleep(100000);
	return unused;
}

static void start(void *(*run)(void *))
{
	pthread_t thread;

	pthread_create(&thread, NULL, run, NULL);
	pthread_detach(thread);
	while (!is_ready)
		usleep(1000);
}

static NOINLINE void do_misuse(void)
{
	if (strcmp(misuse, "wait") == 0) {
		printf("%p %p\n", (void *)BLOCK(), (void *)list);
		fflush(stdout);
		while (!is_done)
			usleep(10000);
	} else if (strcmp(misuse, "read") == 0)
		printf("%c\n", *(volatile char *)(BLOCK() + 3)); /* read */
	else if (strcmp(misuse, "inside") == 0)
		free(BLOCK() + 8); /* inside */
	else
		free(BLOCK()); /* double */
}

static NOINLINE void hold_on_stack(void)
{
	char *volatile local = BLOCK();

	do_misuse(); /* stack */
	if (local == NULL)
		abort();
}

static void hold(const char *holder)
{
	if (strcmp(holder, "global") == 0)
		box.rows[2].text = BLOCK();
	else if (strcmp(holder, "inside") == 0)
		inside = BLOCK() + 8;
	else if (strcmp(holder, "block") == 0)
		hold_in_block(1);
	else if (strcmp(holder, "live") == 0)
		box.rows[3].text = BLOCK() + 4;
	else if (strcmp(holder, "thousands") == 0)
		hold_in_block(THOUSANDS);
	else if (strcmp(holder, "freed-block") == 0)
		hold_in_freed_block();
	else if (strcmp(holder, "thread-local") == 0)
		mine = BLOCK();
	else if (strcmp(holder, "memory") == 0)
		hold_in_mapping();
	else if (strcmp(holder, "other-stack") == 0)
		start(hold_on_other_stack);
	else if (strcmp(holder, "other-storage") == 0)
		start(hold_in_other_storage);
	else if (strcmp(holder, "register") == 0)
		start(hold_in_register);
	else if (strcmp(holder, "deaf") == 0)
		start(be_deaf);
}

static void *run(void *holder)
{
	clean();
	if (strcmp((const char *)holder, "thread-local") == 0)
		hold((const char *)holder);
	clean();
	if (strcmp((const char *)holder, "stack") == 0)
		hold_on_stack();
	else
		do_misuse(); /* call */
	return NULL;
}

/* ---- Many threads in the heap while findings are made ---- */

static void *keep_busy(void *unused)
{
	while (!is_done)
		free(malloc(24));
	return unused;
}

static NOINLINE int free_twice(int depth)
{
	if (depth > 0)
		return free_twice(depth - 1) + 1;
	char *volatile block = (char *)malloc(BYTES);
	free(block);
	free(block);
	return 0;
}

static int be_busy(void)
{
	pthread_t threads[BUSY_THREADS];

	for (int i = 0; i < BUSY_THREADS; i++)
		pthread_create(&threads[i], NULL, keep_busy, NULL);
	for (int i = 0; i < BUSY_FINDINGS; i++)
		free_twice(i);
	is_done = 1;
	for (int i = 0; i < BUSY_THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 3)
		return 2;
	misuse = argv[2];
	if (strcmp(argv[1], "busy") == 0)
		return be_busy();
	make();
	if (strcmp(argv[1], "thread-local") != 0)
		hold(argv[1]);
	if (strcmp(misuse, "inside") != 0 && strcmp(argv[1], "live") != 0)
		free(BLOCK());
	if (strcmp(argv[1], "fork") == 0) {
		pid_t child = fork();

		if (child == 0) {
			box.rows[1].text = BLOCK();
			do_misuse();
			_exit(0);
		}
		waitpid(child, NULL, 0);
		return 0;
	}
	if (argc > 3) {
		pthread_create(&thread, NULL, run, argv[1]);
		pthread_join(thread, NULL);
	} else {
		run(argv[1]);
	}
	is_done = 1;
	return 0;
}
