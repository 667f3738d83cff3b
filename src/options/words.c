/* SPDX-License-Identifier: Apache-2.0
 *
 * Levenshtein's distance, in which two neighbours that are swapped are one mistake. In fixed
 * buffers, because it runs before the heap exists. It only ranks suggestions: nothing is
 * accepted because it is near.
 */
#include "options/words.h"

#include <string.h>

enum { WORD_MAX = 32 };

static char folded(char letter)
{
	if (letter == '-')
		return '_';
	return letter;
}

bool fp_words_equal(const char *word, size_t word_len, const char *other)
{
	if (strlen(other) != word_len)
		return false;
	for (size_t i = 0; i < word_len; i++) {
		if (folded(word[i]) != folded(other[i]))
			return false;
	}
	return true;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t fp_words_distance(const char *word, size_t word_len, const char *other)
{
	size_t other_len = smaller(strlen(other), WORD_MAX);
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	word_len = smaller(word_len, WORD_MAX);
	for (size_t j = 0; j <= other_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= word_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= other_len; j++) {
			char letter = folded(word[i - 1]);
			size_t replaced = last[j - 1] + (letter != folded(other[j - 1]));

			row[j] = smaller(replaced, smaller(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && letter == folded(other[j - 2]) &&
			    folded(word[i - 2]) == folded(other[j - 1]))
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
		size_t *spent = before;
		before = last;
		last = row;
		row = spent;
	}
	return last[other_len];
}

/* A word of N letters may have a third of them wrong; otherwise a suggestion is a riddle. */
const char *fp_words_nearer(const char *word, size_t word_len, const char *nearest,
                            const char *other)
{
	size_t away = fp_words_distance(word, word_len, other);
	size_t limit = nearest ? fp_words_distance(word, word_len, nearest) : word_len / 3 + 1;

	return away < limit || (!nearest && away == 1 && word_len > 1) ? other : nearest;
}
