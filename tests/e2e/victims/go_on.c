/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad accesses of a program that runs with continue=yes: every one is harmless, and the program
 * ends as if there had been none. The argument names one of the programs in the table at the
 * end.
 */
#include "support/times.h"
#include "victim.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

enum { PAGE = 4096, FILL = 0xcb, SIZE = 256, MEGABYTE = 1 << 20 };

static IHostMalloc *heap;
static unsigned char *own_page;
static volatile sig_atomic_t ticks;
static volatile sig_atomic_t traps;

static unsigned char *allocate(size_t size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &block); /* plant: allocation */
	EXPECT(block != NULL);
	memset(block, 'x', size);
	return block;
}

static void release(void *block)
{
	IHostMalloc_Free(heap, block); /* plant: free */
}

static unsigned char read_at(const volatile unsigned char *at)
{
	return *at; /* plant: read */
}

static void write_at(volatile unsigned char *at, unsigned char value)
{
	*at = value; /* plant: write */
}

static uint64_t read_8(const volatile unsigned char *at)
{
	return *(const volatile uint64_t *)at; /* plant: read 8 */
}

static void write_8(volatile unsigned char *at, uint64_t value)
{
	*(volatile uint64_t *)at = value; /* plant: write 8 */
}

/* ---- What reads see and writes leave ------------------------------------------------------
 */

/* A freed block reads as what it last held, as far as that was kept, then as the fill byte. */
static void read_freed(void)
{
	unsigned char *block = allocate(1000);

	memcpy(block, "last words", 10);
	release(block);
	for (int i = 0; i < 10; i++)
		EXPECT(read_at(block + i) == "last words"[i]);
	EXPECT(read_at(block + 10) == 'x');
	EXPECT(read_at(block + 999) == FILL);
}

static void read_past(void)
{
	unsigned char *block = allocate(SIZE);

	EXPECT(read_at(block + SIZE) == FILL);
	EXPECT(read_at(block + SIZE + PAGE - 1) == FILL);
	release(block);
}

/* What is written is gone with the instruction. */
static void write_freed(void)
{
	unsigned char *block = allocate(1000);

	memcpy(block, "last words", 10);
	release(block);
	write_at(block + 2, 'S');
	EXPECT(read_at(block + 2) == 's');
}

static void write_past(void)
{
	unsigned char *block = allocate(SIZE);

	write_at(block + SIZE, 'A');
	write_8(block + SIZE + 100, 0x4847464544434241);
	EXPECT(read_at(block + SIZE) == FILL);
	EXPECT(read_at(block + SIZE + 100) == FILL);
	release(block);
}

/* Once for each place, however often. */
static void count(void)
{
	unsigned char *block = allocate(SIZE);

	release(block);
	for (int i = 0; i < 10000; i++)
		EXPECT(read_at(block) == 'x');
}

/* ---- Instructions that touch more than one page -------------------------------------------
 */

/* The half in the block is the block's. */
static void straddle(void)
{
	unsigned char *block = allocate(SIZE);

	memcpy(block + SIZE - 4, "good", 4);
	EXPECT(read_8(block + SIZE - 4) == (uint64_t)0xcbcbcbcb646f6f67);
	write_8(block + SIZE - 4, 0x4847464544434241);
	EXPECT(memcmp(block + SIZE - 4, "ABCD", 4) == 0);
	EXPECT(read_at(block + SIZE) == FILL);
	release(block);
}

/* From one freed page into another. */
static void straddle_freed(void)
{
	unsigned char *block = allocate(2 * PAGE);

	release(block);
	EXPECT(read_8(block + PAGE - 4) == 0xcbcbcbcbcbcbcbcb);
	write_8(block + PAGE - 4, 0);
	EXPECT(read_8(block + PAGE - 4) == 0xcbcbcbcbcbcbcbcb);
}

static void repeat_move(void *destination, const void *source, size_t size)
{
#ifdef __x86_64__
	__asm__ volatile("rep movsb" /* plant: rep movsb */
	                 : "+D"(destination), "+S"(source), "+c"(size)
	                 :
	                 : "memory");
	EXPECT(size == 0);
#else
	memcpy(destination, source, size);
#endif
}

/* Runs out of the block in the middle: what was inside is written, the rest is not. */
static void string_write(void)
{
	static char source[SIZE];
	unsigned char *block = allocate(SIZE);

	memset(source, 'z', sizeof(source));
	repeat_move(block + SIZE - 100, source, 150);
	EXPECT(block[SIZE - 101] == 'x');
	for (int i = 1; i <= 100; i++)
		EXPECT(block[SIZE - i] == 'z');
	EXPECT(read_at(block + SIZE) == FILL);
	release(block);
}

static void string_read(void)
{
	static unsigned char destination[SIZE];
	unsigned char *block = allocate(SIZE);

	repeat_move(destination, block + SIZE - 100, 150);
	for (int i = 0; i < 100; i++)
		EXPECT(destination[i] == 'x');
	for (int i = 100; i < 150; i++)
		EXPECT(destination[i] == FILL);
	release(block);
}

/* Meets a page of the program's own on its way, which the program's handler makes accessible.
 */
static void mend(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	EXPECT(info->si_addr == own_page);
	EXPECT(mprotect(own_page, PAGE, PROT_READ | PROT_WRITE) == 0);
}

static void string_mended(void)
{
	struct sigaction action = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};
	unsigned char *block = allocate(1000);

	own_page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &action, NULL);
	EXPECT(fp_install_fault_handler() == 0);
	release(block);
	repeat_move(own_page, block, 50);
	EXPECT(own_page[0] == 'x' && own_page[47] == 'x' && own_page[50] == 0);
}

/* Reads and writes what it must not. */
static void string_both(void)
{
	unsigned char *from = allocate(1000);
	unsigned char *to = allocate(1000);

	release(from);
	release(to);
	repeat_move(to, from, 50);
	EXPECT(read_at(to) == 'x');
}

static void library(void)
{
	static unsigned char copy[2 * SIZE];
	unsigned char *block = allocate(SIZE);
	volatile size_t size = SIZE + 30;

	memset(block, 'm', size);  /* plant: memset */
	memcpy(copy, block, size); /* plant: memcpy */
	for (size_t i = 0; i < size; i++)
		EXPECT(copy[i] == (i < SIZE ? 'm' : FILL));
	release(block);
}

/* ---- Far away and large ------------------------------------------------------------------ */

/* A page-sized block begins where its guard ends. */
static void far_before(void)
{
	unsigned char *first = allocate(PAGE);
	unsigned char *block = allocate(PAGE);

	EXPECT(read_at(block - 1) == FILL);
	write_at(block - PAGE, 'w');
	EXPECT(read_at(block - PAGE) == FILL);
	release(block);
	release(first);
}

static void large(void)
{
	unsigned char *block = allocate((size_t)64 * MEGABYTE);

	EXPECT(read_at(block + (size_t)64 * MEGABYTE) == FILL);
	write_at(block - 1, 'w');
	release(block);
	EXPECT(read_at(block) == 'x');
	EXPECT(read_at(block + (size_t)64 * MEGABYTE - 1) == FILL);
	write_at(block + MEGABYTE, 'w');
	EXPECT(read_at(block + MEGABYTE) == FILL);
}

/* A chunk whose slots are all dead gives its page tables back. */
static void buried(void)
{
	unsigned char *block = allocate(1000);

	release(block);
	for (long i = test_times(200000, 20000); i > 0; i--) {
		void *other = NULL;

		IHostMalloc_Alloc(heap, 1000, eTaskCritical, &other);
		IHostMalloc_Free(heap, other);
	}
	EXPECT(read_at(block) == 'x');
	write_at(block, 'w');
	EXPECT(read_at(block) == 'x');
}

/* ---- Others about ------------------------------------------------------------------------ */

enum { THREADS = 4, EACH = 500 };

static void *touch_own(void *block)
{
	for (int i = 0; i < EACH; i++) {
		EXPECT(read_at(block) == 'x');
		write_at(block, (unsigned char)i);
	}
	return NULL;
}

static void *touch_same(void *block)
{
	for (int i = 0; i < EACH; i++)
		read_at(block);
	return NULL;
}

static void run_threads(void *(*body)(void *), unsigned char *const blocks[])
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_create(&threads[i], NULL, body, blocks[i]) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void threads(void)
{
	unsigned char *blocks[THREADS];

	for (int i = 0; i < THREADS; i++) {
		blocks[i] = allocate(1000);
		release(blocks[i]);
	}
	run_threads(touch_own, blocks);
}

/* All of one page. */
static void threads_on_one_page(void)
{
	unsigned char *block = allocate(1000);
	unsigned char *const blocks[THREADS] = {block, block, block, block};

	release(block);
	run_threads(touch_same, blocks);
}

static void tick(int number)
{
	(void)number;
	ticks++;
}

static void signals(void)
{
	const struct itimerval soon = {{.tv_usec = 200}, {.tv_usec = 200}};
	const struct itimerval never = {.it_value.tv_usec = 0};
	struct sigaction action = {.sa_handler = tick};
	unsigned char *block = allocate(1000);

	release(block);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	for (int i = 0; i < 100000 && ticks < 100; i++)
		EXPECT(read_at(block) == 'x');
	setitimer(ITIMER_REAL, &never, NULL);
	EXPECT(ticks > 0);
	sigset_t mask;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	EXPECT(sigismember(&mask, SIGALRM) == 0 && sigismember(&mask, SIGTERM) == 0);
}

static void trap(int number)
{
	(void)number;
	traps++;
}

/* The program's own breakpoints and single steps. */
static void own_traps(void)
{
	struct sigaction action = {.sa_handler = trap};
	unsigned char *block;

	sigaction(SIGTRAP, &action, NULL);
	heap = victim_heap();
	block = allocate(1000);
	release(block);
	for (int i = 0; i < 10; i++) {
		EXPECT(read_at(block) == 'x');
		raise(SIGTRAP);
#ifdef __x86_64__
		__asm__ volatile("int3");
#endif
	}
	EXPECT(traps >= 10);
#ifdef __x86_64__
	EXPECT(traps == 20);
#endif
}

/* Faults of another kind are the program's, also with continue=yes. */
static void foreign(void)
{
	unsigned char *block = allocate(1000);

	release(block);
	read_at(block);
	*(volatile char *)NULL = 1;
}

static const struct {
	const char *name;
	void (*run)(void);
} programs[] = {
        {"read-freed", read_freed},
        {"read-past", read_past},
        {"write-freed", write_freed},
        {"write-past", write_past},
        {"count", count},
        {"straddle", straddle},
        {"straddle-freed", straddle_freed},
        {"string-write", string_write},
        {"string-read", string_read},
        {"string-both", string_both},
        {"string-mended", string_mended},
        {"library", library},
        {"far-before", far_before},
        {"large", large},
        {"buried", buried},
        {"threads", threads},
        {"threads-on-one-page", threads_on_one_page},
        {"signals", signals},
        {"own-traps", own_traps},
        {"foreign", foreign},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (argc != 2 || strcmp(programs[i].name, argv[1]) != 0)
			continue;
		if (programs[i].run != own_traps)
			heap = victim_heap();
		programs[i].run();
		IHostMalloc_Release(heap);
		return 0;
	}
	return 1;
}
