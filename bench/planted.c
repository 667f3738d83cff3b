/* SPDX-License-Identifier: Apache-2.0
 *
 * A program with forty mistakes, of which the argument chooses one: five kinds, made by each of
 * four places, the first time that it runs or the 10,000th. Around them it does what many
 * programs do: it fills and empties lists, trees and buffers, from some forty places.
 *
 * What a mistake does without a tool is nothing that the C library would notice.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define FUNCTION __attribute__((noinline, noclone, noipa))

enum { KINDS = 5, PLACES = 4, TIMES = 2, ROUNDS = 400000, LATE = 10000, SIZE = 48, RING = 512 };

static const char *const kinds[] = {"write-past-the-end", "read-past-the-end", "read-freed",
                                    "write-freed", "read-after-realloc"};
static const char *const places[] = {"hot", "hot, by a wrapper", "cold", "cold, by a wrapper"};

static int mistake;
static long executions[PLACES];
static volatile char sink;

FUNCTION static void *xmalloc(size_t size)
{
	void *block = malloc(size);

	if (block == NULL)
		abort();
	return block;
}

/* Whether the mistake is to be made by PLACE now. */
static int is_due(int place)
{
	long wanted = mistake / (KINDS * PLACES) == 0 ? 1 : LATE;

	return ++executions[place] == wanted && mistake / KINDS % PLACES == place;
}

FUNCTION static void use(char *block, int place)
{
	int is_wrong = is_due(place);
	volatile char *bytes = block; /* what compilers know of free is no concern here */

	memset(block, place, SIZE);
	if (is_wrong && mistake % KINDS == 0)
		bytes[SIZE] = 1;
	if (is_wrong && mistake % KINDS == 1)
		sink = bytes[SIZE];
	if (is_wrong && mistake % KINDS == 4) {
		char *volatile old = block;

		block = realloc(block, 4 * SIZE);
		sink = old[20];
	}
	free(block);
	if (is_wrong && mistake % KINDS == 2)
		sink = bytes[20];
	if (is_wrong && mistake % KINDS == 3)
		bytes[20] = 1;
}

FUNCTION static void hot(void)
{
	use(malloc(SIZE), 0);
}
FUNCTION static void hot_wrapped(void)
{
	use(xmalloc(SIZE), 1);
}
FUNCTION static void cold(void)
{
	use(malloc(SIZE), 2);
}
FUNCTION static void cold_wrapped(void)
{
	volatile char room[128];

	room[0] = 0;
	use(xmalloc(SIZE), 3);
	room[1] = room[0];
}

/* Other places: N is how much of the stack each has. */
static void *ring[RING];

#define PLACE(n)                                                                               \
	FUNCTION static void other_##n(unsigned at, size_t size)                               \
	{                                                                                      \
		volatile char room[16 * (n) + 16];                                             \
		room[0] = 0;                                                                   \
		free(ring[at % RING]);                                                         \
		ring[at % RING] = (n) % 3 == 0   ? malloc(size)                                \
		                  : (n) % 3 == 1 ? xmalloc(size)                               \
		                                 : realloc(xmalloc(size / 2 + 1), size);       \
		memset(ring[at % RING], room[0], size);                                        \
	}
#define PLACES_OF(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)
PLACES_OF(PLACE)

#define NAME(n) other_##n,
static void (*const others[])(unsigned, size_t) = {PLACES_OF(NAME)};

int main(int argc, char **argv)
{
	unsigned random = 1;
	uint64_t sum = 0;

	mistake = argc > 1 && strcmp(argv[1], "peak") != 0 ? atoi(argv[1]) : -1;
	if (argc > 2) {
		printf("%s|%s|%s\n", kinds[mistake % KINDS], places[mistake / KINDS % PLACES],
		       mistake / (KINDS * PLACES) == 0 ? "first" : "10,000th");
		return 0;
	}
	for (int i = 0; i < ROUNDS; i++) {
		random = random * 1664525 + 1013904223;
		others[i % 64 == 0 ? 8 + (random >> 24 & 3) : random >> 20 & 7](
		        random >> 8, 16 + (random >> 12) % (i % 200 == 0 ? 20000 : 400));
		hot();
		if (i % 2 == 0)
			hot_wrapped();
		/* Half of the run is over before they are needed at all. */
		if (i >= ROUNDS / 2 && i % 16 == 0) {
			cold();
			cold_wrapped();
		}
		for (int j = 0; j < 150; j++)
			sum = sum * 31 + (random >> j % 8);
	}
	if (argc > 1 && mistake < 0) {
		struct rusage usage;

		getrusage(RUSAGE_SELF, &usage);
		printf("%ld\n", usage.ru_maxrss);
	}
	return sum == 1;
}
