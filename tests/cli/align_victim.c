/* SPDX-License-Identifier: Apache-2.0
 *
 * What blocks that end at their guard to the byte may meet: a read just behind one, aligned
 * instructions, low bits of pointers, alignments that were asked for, a lock in a structure
 * with a tail. Each way returns 3 where all went as without us.
 */
#include <immintrin.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef IS_HOST
#include "../e2e/victims/victim.h"

static IHostMalloc *heap;

static void *take(size_t size)
{
	void *taken = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &taken);
	return taken;
}

static void drop(void *taken)
{
	IHostMalloc_Free(heap, taken);
}
#else
#define take malloc
#define drop free
#endif

enum { SIZE = 53, ROUNDS = 5 };

static char *volatile block;
static volatile char seen;

__attribute__((noinline)) static void *take_one(size_t size)
{
	return take(size);
}

__attribute__((noinline)) static void read_at(long offset)
{
	seen = block[offset]; /* read */
	__asm__ volatile("");
}

static int overread(void)
{
	block = take_one(SIZE);
	read_at(SIZE);
	return 3;
}

/* Each instruction is written out, so that no compiler makes another one of it. */
#define ON(instruction, address, ...)                                                          \
	__asm__ volatile(instruction                                                           \
	                 : "+x"(value)                                                         \
	                 : "r"(address), "r"((long)1)__VA_ARGS__                               \
	                 : "memory")

static int moves(void)
{
	static const char text[16] = "fifteen letters";
	int bad = 0;

	for (int i = 0; i < ROUNDS; i++) {
		char *bytes = take_one(SIZE);
		__m128i value = _mm_loadu_si128((const __m128i *)text);

		ON("movaps %0, (%1)", bytes);
		ON("movdqa %0, 16(%1)", bytes);
		ON("movntdq %0, 31(%1,%2,1)", bytes);
		bad |= memcmp(bytes, text, 16) | memcmp(bytes + 16, text, 16) |
		       memcmp(bytes + 32, text, 16);
		bytes[0] = 'F';
		ON("movdqa (%1), %0", bytes);
		bad |= _mm_extract_epi16(value, 0) != ('F' | 'i' << 8);
		ON("paddb 16(%1), %0", bytes);
		bad |= (_mm_extract_epi16(value, 0) & 0xff) != 'F' + 'f';
		ON("xorps %0, %0\n\taddps (%1), %0", bytes);
		bad |= bytes[48] != bytes[48];
		drop(bytes);
	}
	return bad ? 4 : 3;
}

__attribute__((target("avx"))) static int avx(void)
{
	int bad = 0;

	if (!__builtin_cpu_supports("avx"))
		return 3;
	for (int i = 0; i < ROUNDS; i++) {
		char *bytes = take_one(69);
		char *at = bytes + ((uintptr_t)bytes & 16); /* malloc promises no more */
		__m256i value = _mm256_set1_epi8('v');
		char kept[32];

		memset(bytes, 'm', 69);
		ON("vmovdqa %0, (%1)", at);
		bad |= at[0] != 'v' || at[31] != 'v' || at[32] != 'm';
		at[31] = 'w';
		ON("vmovaps (%1), %0", at);
		_mm256_storeu_si256((__m256i *)kept, value);
		bad |= kept[0] != 'v' || kept[31] != 'w';
		drop(bytes);
	}
	return bad ? 4 : 3;
}

/* What the compiler makes of a structure that malloc promises to be aligned. */
struct pair {
	long a, b, c;
};

__attribute__((noinline)) static struct pair *make_pair(void)
{
	struct pair *pair = take(sizeof(*pair));
	__m128i zero = _mm_setzero_si128();

	_mm_store_si128((__m128i *)pair, zero);
	pair->c = 7;
	return pair;
}

static int structure(void)
{
	long sum = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct pair *pair = make_pair();

		sum += pair->a + pair->b + pair->c;
		drop(pair);
	}
	return sum == 7 * ROUNDS ? 3 : 4;
}

/* A bad access is one, whatever it is made with. */
static int freed(void)
{
	char *bytes = take_one(SIZE);
	__m128i value;

	drop(bytes);
	ON("movdqa (%1), %0", bytes); /* freed */
	return 3;
}

static int across(void)
{
	char *bytes = take_one(SIZE);
	__m128i value = _mm_setzero_si128();

	ON("movdqa %0, 48(%1)", bytes); /* across */
	return 3;
}

#ifndef IS_HOST
/* Whether all ends in zeros that have to. */
static int asked(void)
{
	uintptr_t bits = 0;

	for (size_t align = 16; align <= 4096; align *= 2) {
		void *got;

		bits |= (uintptr_t)aligned_alloc(align, 3 * align) % align;
		bits |= (uintptr_t)memalign(align, SIZE) % align;
		bits |= posix_memalign(&got, align, SIZE) | (uintptr_t)got % align;
	}
	return bits == 0 ? 3 : 4;
}

/* A flag in the lowest bit of each pointer: who clears it has another one than malloc gave. */
static void *volatile tagged[ROUNDS];

static char *untag(void *pointer)
{
	return (char *)((uintptr_t)pointer & ~(uintptr_t)7);
}

__attribute__((noinline)) static void tag(int i)
{
	tagged[i] = (void *)((uintptr_t)take_one(SIZE) | (i & 1));
	memset(untag(tagged[i]), 'a' + i, SIZE);
}

static int tags(int count)
{
	int bad = 0;

	for (int i = 0; i < ROUNDS; i++)
		tag(i);
	for (int i = 0; i < ROUNDS; i++) {
		bad |= malloc_usable_size(untag(tagged[i])) < SIZE;
		if (i % 2 == 1)
			tagged[i] = realloc(untag(tagged[i]), 2 * SIZE);
		bad |= *untag(tagged[i]) != 'a' + i || untag(tagged[i])[SIZE - 1] != 'a' + i;
		if (i < count)
			free(untag(tagged[i]));
	}
	return bad ? 4 : 3;
}

static int free_tags(void)
{
	return tags(ROUNDS);
}

/* Nothing else points to what is left: no leak. */
static int keep_tags(void)
{
	return tags(0);
}

struct with_tail {
	pthread_mutex_t mutex;
	long count;
	char name[];
};

static void *count_up(void *user)
{
	struct with_tail *shared = user;

	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&shared->mutex);
		shared->count++;
		pthread_mutex_unlock(&shared->mutex);
	}
	return NULL;
}

static int lock(void)
{
	struct with_tail *shared = take_one(sizeof(*shared) + 5);
	pthread_t threads[2];

	pthread_mutex_init(&shared->mutex, NULL);
	shared->count = 0;
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, count_up, shared);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return shared->count == 40000 ? 3 : 4;
}
#endif

static const struct {
	const char *name;
	int (*go)(void);
} ways[] = {
        {"overread", overread},   {"moves", moves},         {"avx", avx},
        {"structure", structure}, {"freed", freed},         {"across", across},
#ifndef IS_HOST
        {"asked", asked},         {"free_tags", free_tags}, {"keep_tags", keep_tags},
        {"lock", lock},
#endif
};

int main(int count, char **arguments)
{
#ifdef IS_HOST
	heap = victim_heap();
#endif
	for (size_t i = 0; count > 1 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, arguments[1]) == 0)
			return ways[i].go();
	return 98;
}
