/* SPDX-License-Identifier: Apache-2.0
 *
 * With AVX2 each byte is loaded once, 32 at a time: half of what comparing the run with itself
 * takes. The choice is a flag that is set once, and no indirect function, because a free may
 * come before those are resolved.
 */
#include "heap/intact.h"

#include <stdint.h>
#include <string.h>

#include "heap/padding.h"

typedef uint64_t lanes __attribute__((vector_size(32), aligned(1), may_alias));

enum { BYTES_AT_ONCE = 4 * sizeof(lanes) };

static bool has_avx2;

static uint64_t differences_of_words(const unsigned char *at, size_t bytes, uint64_t wanted)
{
	uint64_t differences = 0;
	uint64_t word;

	for (; bytes >= sizeof(word); at += sizeof(word), bytes -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		differences |= word ^ wanted;
	}
	for (; bytes > 0; bytes--)
		differences |= *at++ ^ (wanted & 0xff);
	return differences;
}

__attribute__((target("avx2"))) static bool is_intact_by_avx2(const unsigned char *at,
                                                              size_t bytes)
{
	const uint64_t word = FP_PADDING_BYTE * (UINT64_MAX / 0xff);
	const lanes wanted = {word, word, word, word};
	lanes even = {0};
	lanes odd = {0};

	for (; bytes >= BYTES_AT_ONCE; at += BYTES_AT_ONCE, bytes -= BYTES_AT_ONCE) {
		const lanes *four = (const void *)at;

		even |= (four[0] ^ wanted) | (four[2] ^ wanted);
		odd |= (four[1] ^ wanted) | (four[3] ^ wanted);
	}
	lanes all = even | odd;
	return (all[0] | all[1] | all[2] | all[3] | differences_of_words(at, bytes, word)) == 0;
}

bool fp_intact_is(const unsigned char *start, size_t bytes)
{
	return has_avx2 ? is_intact_by_avx2(start, bytes) : fp_intact_is_by_libc(start, bytes);
}

void fp_intact_init(void)
{
	__builtin_cpu_init();
	has_avx2 = __builtin_cpu_supports("avx2");
}
