/* SPDX-License-Identifier: Apache-2.0
 *
 * What does the kernel alone take of a pair of free and alloc? The one system call that the
 * move back end makes for it, UFFDIO_MOVE of a page into the next fresh slot, in the same churn
 * over LIVE pages with guards between, and nothing else: the floor under Fencepost's figures.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

static const char usage[] = "floor LIVE";

/* Debian 12's headers do not have them. */
struct move_request {
	uint64_t dst;
	uint64_t src;
	uint64_t len;
	uint64_t mode;
	int64_t moved;
};

#define IOCTL_MOVE _IOWR(UFFDIO, 0x05, struct move_request)

enum { FEATURE_MOVE = 1 << 16, USER_MODE_ONLY = 1 };
enum { PAGE = 4096, STRIDE = 2 * PAGE, WARM_UP_SHARE = 8, MOVES_PER_LOOK_AT_THE_CLOCK = 64 };
enum { SPARE_SLOTS = 1 << 24 };

struct floor {
	int fd;
	uintptr_t start;
	size_t fresh; /* slots used so far; none is used twice */
	uintptr_t *pages;
	size_t live;
	uint64_t random;
};

__attribute__((noreturn)) static void give_up(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static uintptr_t fresh_slot(struct floor *floor)
{
	return floor->start + floor->fresh++ * STRIDE;
}

static void open_range(struct floor *floor)
{
	size_t bytes = (floor->live + SPARE_SLOTS) * STRIDE;
	struct uffdio_api api = {.api = UFFD_API,
	                         .features = UFFD_FEATURE_SIGBUS | FEATURE_MOVE};
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct uffdio_register range = {.range = {(uintptr_t)base, bytes},
	                                .mode = UFFDIO_REGISTER_MODE_MISSING};

	if (base == MAP_FAILED)
		give_up("mmap");
	floor->start = (uintptr_t)base;
	floor->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);
	if (floor->fd < 0 || ioctl(floor->fd, UFFDIO_API, &api) != 0)
		give_up("cannot use userfaultfd with UFFDIO_MOVE");
	if (ioctl(floor->fd, UFFDIO_REGISTER, &range) != 0)
		give_up("cannot register memory with userfaultfd");
}

static void fill(struct floor *floor)
{
	static _Alignas(PAGE) unsigned char page[PAGE] = {1};

	for (size_t i = 0; i < floor->live; i++) {
		struct uffdio_copy copy = {.src = (uintptr_t)page, .len = PAGE};

		floor->pages[i] = fresh_slot(floor);
		copy.dst = floor->pages[i];
		if (ioctl(floor->fd, UFFDIO_COPY, &copy) != 0)
			give_up("UFFDIO_COPY");
		measure_workers[0].live++;
	}
}

static void move_one(struct floor *floor)
{
	uintptr_t *page = &floor->pages[measure_random(&floor->random, floor->live)];
	struct move_request move = {.dst = fresh_slot(floor), .src = *page, .len = PAGE};

	if (ioctl(floor->fd, IOCTL_MOVE, &move) != 0)
		give_up("UFFDIO_MOVE");
	*page = move.dst;
	measure_workers[0].pairs++;
}

static double time_per_move(struct floor *floor, uint64_t duration)
{
	size_t before = floor->fresh;
	uint64_t end = measure_now() + duration;
	uint64_t start = measure_used();

	do
		for (int i = 0; i < MOVES_PER_LOOK_AT_THE_CLOCK; i++)
			move_one(floor);
	while (measure_now() < end);
	return (double)(measure_used() - start) / (double)(floor->fresh - before);
}

static void work(char **arguments)
{
	struct floor floor = {
	        .live = measure_count(arguments[0], usage),
	        .random = UINT64_C(0x9e3779b97f4a7c15),
	};

	open_range(&floor);
	floor.pages = calloc(floor.live, sizeof(*floor.pages));
	if (floor.pages == NULL)
		abort();
	fill(&floor);
	time_per_move(&floor, measure_duration() / WARM_UP_SHARE);
	measure_print("ns_per_pair", time_per_move(&floor, measure_duration()));
}

int main(int argc, char **argv)
{
	(void)argc;
	return measure_in_child(work, argv + 1);
}
