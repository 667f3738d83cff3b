/* SPDX-License-Identifier: Apache-2.0
 *
 * The mistakes of the README's table, one for each name that is given: mistakes.sh runs each
 * under each tool. Built with -O0, so that no compiler takes a mistake away.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

static char *volatile block;
static volatile char seen;
static void *volatile kept[20000];

static void make(size_t size)
{
	block = static_cast<char *>(malloc(size));
	memset(block, 'x', size);
}

static void write_past_end(void)
{
	make(32);
	block[32] = 1;
	free(block);
}

static void read_past_end(void)
{
	make(32);
	seen = block[32];
}

static void write_past_odd_size(void)
{
	make(21);
	block[21] = 1;
	free(block);
}

static void read_past_odd_size(void)
{
	make(21);
	seen = block[21];
}

static void write_before_start(void)
{
	make(32);
	block[-1] = 1;
	free(block);
}

static void write_far_past_end(void)
{
	make(32);
	block[3000] = 1;
	free(block);
}

static void use_after_free(void)
{
	make(32);
	free(block);
	seen = block[4];
}

static void use_long_after_free(void)
{
	make(32);
	free(block);
	for (void *volatile &one : kept)
		one = malloc(32);
	seen = block[4];
}

static void free_twice(void)
{
	make(32);
	free(block);
	free(block);
}

static void free_inside(void)
{
	make(32);
	free(block + 16);
}

static void delete_malloced(void)
{
	make(32);
	delete[] block;
}

static void read_into_short_buffer(void)
{
	int zeros = open("/dev/zero", O_RDONLY);

	make(32);
	if (read(zeros, block, 40) != 40)
		perror("read");
	free(block);
}

static void lose(void)
{
	make(1000);
	block = nullptr;
}

static void grow(void)
{
	for (int i = 0; i < 300; i++) {
		kept[i] = malloc(10000);
		usleep(10000);
	}
}

static void follow_null(void)
{
	*reinterpret_cast<volatile int *>(block + 8) = 1;
}

static void read_never_written(void)
{
	block = static_cast<char *>(malloc(32));
	if (block[3] == 'x')
		puts("x");
	free(block);
}

static void overflow_array_on_stack(void)
{
	volatile char array[16] = "";
	volatile int end = 16;

	seen = array[end];
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*make)(void);
	} mistakes[] = {
	        {"write-past-end", write_past_end},
	        {"read-past-end", read_past_end},
	        {"write-past-odd-size", write_past_odd_size},
	        {"read-past-odd-size", read_past_odd_size},
	        {"write-before-start", write_before_start},
	        {"write-far-past-end", write_far_past_end},
	        {"use-after-free", use_after_free},
	        {"use-long-after-free", use_long_after_free},
	        {"free-twice", free_twice},
	        {"free-inside", free_inside},
	        {"delete-malloced", delete_malloced},
	        {"short-buffer", read_into_short_buffer},
	        {"leak", lose},
	        {"growth", grow},
	        {"null", follow_null},
	        {"never-written", read_never_written},
	        {"stack-array", overflow_array_on_stack},
	};

	for (const auto &mistake : mistakes)
		if (argc == 2 && strcmp(argv[1], mistake.name) == 0)
			mistake.make();
	return 0;
}
