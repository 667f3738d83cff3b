/* SPDX-License-Identifier: Apache-2.0
 *
 * Words and the distance between them, for errors that name what was probably meant.
 *
 * Context: alloc.
 */
#ifndef FP_OPTIONS_WORDS_H
#define FP_OPTIONS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Equal when '-' and '_' count as the same; WORD is not terminated. */
bool fp_words_equal(const char *word, size_t word_len, const char *other);

/*
 * Letters to insert, delete, replace or swap with the next to make OTHER from WORD. Only the
 * first 32 bytes of either count.
 */
size_t fp_words_distance(const char *word, size_t word_len, const char *other);

/*
 * OTHER if it is nearer to WORD than NEAREST, and near enough to have been meant; NEAREST,
 * which may be NULL, if it is not.
 */
const char *fp_words_nearer(const char *word, size_t word_len, const char *nearest,
                            const char *other);

#endif
