/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that treats its aligned blocks as what they are, pages of its own: it gives them
 * back, maps something else over them, unmaps, moves, protects and locks them, and then frees
 * them: own_pages HOW. It says on which line something was not as without a heap that watches.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPECT(condition)                                                                      \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			printf("%s:%d: not %s\n", __FILE__, __LINE__, #condition);             \
			fflush(stdout);                                                        \
			_exit(1);                                                              \
		}                                                                              \
	} while (0)

enum { PAGE = 4096, FREE = 8 /* MADV_FREE */, CHURN = 12 };

static const size_t sizes[] = {PAGE, 2 * PAGE, 16 * PAGE, 17 * PAGE, 400 * PAGE};

enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static char *make(size_t size)
{
	char *block = aligned_alloc(PAGE, size);

	EXPECT(block != NULL && (uintptr_t)block % PAGE == 0);
	memset(block, 5, size);
	return block;
}

static int is_all(const char *bytes, size_t size, char value)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != value)
			return 0;
	return 1;
}

/* Others of the size come and go, so that memory that was not ours any more would be seen. */
static void churn(size_t size)
{
	for (int i = 0; i < CHURN; i++) {
		char *block = calloc(1, size);

		EXPECT(block != NULL && is_all(block, size < PAGE ? size : PAGE, 0));
		memset(block, 7, size);
		free(block);
	}
}

static void give_back(char *start, size_t size, int is_raw)
{
	EXPECT((is_raw ? syscall(SYS_madvise, start, size, MADV_DONTNEED)
	               : madvise(start, size, MADV_DONTNEED)) == 0);
}

/* By the program's own instructions, and by the kernel for it. */
static void given_back(int is_raw)
{
	for (int i = 0; i < SIZES; i++) {
		size_t size = sizes[i];
		char *block = make(size);
		int ends[2];

		give_back(block, size, is_raw);
		EXPECT(is_all(block, size, 0));
		give_back(block, size, is_raw);
		block[size - 1] = 1;
		EXPECT(block[size - 1] == 1 && block[0] == 0);
		give_back(block, size, is_raw);
		EXPECT(pipe(ends) == 0 &&
		       write(ends[1], block, size > 16 * PAGE ? 16 * PAGE : size) > 0);
		give_back(block, size, is_raw);
		EXPECT(read(ends[0], block + size - PAGE, PAGE) == PAGE);
		close(ends[0]);
		close(ends[1]);
		give_back(block, size, is_raw);
		char *larger = realloc(block, size + 100);
		EXPECT(larger != NULL && is_all(larger, size, 0));
		free(larger);
		block = make(size);
		give_back(block, size, is_raw);
		free(block);
		block = make(size);
		EXPECT(madvise(block, size, FREE) == 0);
		EXPECT(block[0] == 5 || block[0] == 0);
		free(block);
		churn(size);
	}
}

static void end_child(pid_t child)
{
	int status;

	EXPECT(child > 0 && waitpid(child, &status, 0) == child);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* FLAGS beside MAP_FIXED; the middle of the block, or all of it. */
static void map_over(int flags, int is_all_of_it)
{
	for (int i = 0; i < SIZES; i++) {
		size_t size = sizes[i];
		char *block = make(size);
		size_t part = is_all_of_it || size < 4 * PAGE ? size : 2 * PAGE;
		char *mapped = block + (size - part) / PAGE / 2 * PAGE;
		int fd = memfd_create("ring", 0);

		EXPECT(fd >= 0 && ftruncate(fd, size) == 0);
		EXPECT(mmap(mapped, part, PROT_READ | PROT_WRITE, flags | MAP_FIXED,
		            (flags & MAP_ANONYMOUS) != 0 ? -1 : fd, 0) == mapped);
		strcpy(mapped, "ours");
		pid_t child = fork();
		if (child == 0) {
			EXPECT(strcmp(mapped, "ours") == 0 && mapped[part - 1] == 0);
			strcpy(mapped, "the child's");
			mapped[part - 1] = 1;
			EXPECT(block == mapped || block[0] == 5);
			free(block);
			_exit(0);
		}
		end_child(child);
		EXPECT(strcmp(mapped, (flags & MAP_SHARED) != 0 ? "the child's" : "ours") == 0);
		strcpy(mapped, "ours");
		free(block);
		if (flags == MAP_SHARED) {
			char bytes[5];

			EXPECT(pread(fd, bytes, 5, 0) == 5 && strcmp(bytes, "ours") == 0);
		}
		close(fd);
		churn(size);
	}
}

static void mapped(void)
{
	for (int is_all_of_it = 0; is_all_of_it < 2; is_all_of_it++) {
		map_over(MAP_PRIVATE | MAP_ANONYMOUS, is_all_of_it);
		map_over(MAP_SHARED | MAP_ANONYMOUS, is_all_of_it);
		map_over(MAP_SHARED, is_all_of_it);
		map_over(MAP_PRIVATE, is_all_of_it);
	}
}

/* Both ways, a part of the block has no pages when it is freed. */
static void unmapped(int is_moved)
{
	for (int i = 1; i < SIZES; i++) {
		size_t size = sizes[i];
		char *block = make(size);
		char *gone = block + size - PAGE;
		char *moved = NULL;

		if (is_moved) {
			moved = mremap(gone, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			               mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			                    -1, 0));
			EXPECT(moved != MAP_FAILED && is_all(moved, PAGE, 5));
		} else {
			EXPECT(munmap(gone, PAGE) == 0);
		}
		pid_t child = fork();
		if (child == 0) {
			EXPECT(moved == NULL || is_all(moved, PAGE, 5));
			free(block);
			_exit(0);
		}
		end_child(child);
		free(block);
		EXPECT(moved == NULL || is_all(moved, PAGE, 5));
	}
}

/* The kernel tells who may access what. */
static int can_read(const char *at)
{
	int ends[2];

	EXPECT(pipe(ends) == 0);
	int is_readable = syscall(SYS_write, ends[1], at, 1) == 1;
	close(ends[0]);
	close(ends[1]);
	return is_readable;
}

static void protected(void)
{
	for (int i = 0; i < SIZES; i++) {
		char *block = make(sizes[i]);

		EXPECT(mprotect(block, PAGE, PROT_NONE) == 0);
		EXPECT(!can_read(block));
		pid_t child = fork();
		if (child == 0) {
			EXPECT(!can_read(block));
			churn(sizes[i]);
			_exit(0);
		}
		end_child(child);
		EXPECT(!can_read(block));
		EXPECT(mprotect(block, PAGE, PROT_READ | PROT_WRITE) == 0 && block[0] == 5);
		free(block);
		churn(sizes[i]);
	}
}

static void locked(void)
{
	for (int round = 0; round < CHURN; round++) {
		size_t size = sizes[round % SIZES];
		char *block = make(size);

		if (mlock(block, size < 16 * PAGE ? size : 16 * PAGE) != 0)
			EXPECT(errno == ENOMEM || errno == EPERM);
		free(block);
		churn(size);
	}
}

/* What fork does with them is the program's affair, too. */
static void forked(void)
{
	for (int i = 0; i < SIZES; i++) {
		size_t size = sizes[i];
		char *wiped = make(size);
		char *left_out = make(size);

		EXPECT(madvise(wiped, size, MADV_WIPEONFORK) == 0);
		EXPECT(madvise(left_out, size, MADV_DONTFORK) == 0);
		pid_t child = fork();
		if (child == 0) {
			EXPECT(is_all(wiped, size, 0));
			wiped[0] = 1;
			EXPECT(!can_read(left_out));
			free(wiped);
			churn(size);
			_exit(0);
		}
		end_child(child);
		EXPECT(is_all(wiped, size, 5) && is_all(left_out, size, 5));
		free(wiped);
		free(left_out);
		churn(size);
	}
}

static long resident_mib(void)
{
	struct rusage usage;

	EXPECT(getrusage(RUSAGE_SELF, &usage) == 0);
	return usage.ru_maxrss >> 10;
}

static char *volatile table;

/* Gigabytes, of which a page is used; the last table lives until the end. */
static void sparse(void)
{
	const size_t size = (size_t)1 << 30;

	EXPECT((table = calloc(size / 8, 8)) != NULL);
	table[size / 2] = 1;
	EXPECT((table = realloc(table, 2 * size)) != NULL);
	EXPECT(table[size / 2] == 1 && table[size / 2 + PAGE] == 0 && table[size + 9] == 0);
	EXPECT((table = realloc(table, size)) != NULL && table[size / 2] == 1);
	free(table);
	EXPECT((table = aligned_alloc(size, PAGE)) != NULL && (uintptr_t)table % size == 0);
	table[0] = 1;
	free(table);
	table = malloc(2 * size);
	char **inside = (char **)(table + size);
	*inside = malloc(40);
	EXPECT(resident_mib() < 200);
}

int main(int argc, char **argv)
{
	if (strcmp(argv[1], "given back") == 0)
		given_back(0);
	else if (strcmp(argv[1], "given back raw") == 0)
		given_back(1);
	else if (strcmp(argv[1], "mapped") == 0)
		mapped();
	else if (strcmp(argv[1], "unmapped") == 0)
		unmapped(0);
	else if (strcmp(argv[1], "moved") == 0)
		unmapped(1);
	else if (strcmp(argv[1], "protected") == 0)
	protected();
	else if (strcmp(argv[1], "locked") == 0) locked();
	else if (strcmp(argv[1], "forked") == 0) forked();
	else sparse();
	return 0;
}
