/* SPDX-License-Identifier: Apache-2.0
 *
 * By what the repetitions of the tests are divided on this machine: 1 where a page that comes
 * and goes costs a microsecond, as with page tables in hardware, and up to 20 where it costs
 * more.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGES = 64, ATTEMPTS = 50, ORDINARY_NANOSECONDS = 1000, DIVISOR_MAX = 20 };

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Nanoseconds a page, of one attempt. */
static long attempt(char *pages, size_t page)
{
	long start = now();

	for (size_t i = 0; i < PAGES; i++) {
		*(volatile char *)&pages[i * page] = 1;
		madvise(&pages[i * page], page, MADV_DONTNEED);
	}
	return (now() - start) / PAGES;
}

int main(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long least = DIVISOR_MAX * ORDINARY_NANOSECONDS;

	if (pages == MAP_FAILED)
		return 1;
	/* The best of many: what others do meanwhile is not this machine's cost. */
	for (int i = 0; i < ATTEMPTS; i++) {
		long cost = attempt(pages, page);

		least = cost < least ? cost : least;
	}
	printf("%ld\n", least > ORDINARY_NANOSECONDS ? least / ORDINARY_NANOSECONDS : 1);
	return 0;
}
