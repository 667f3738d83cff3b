/* SPDX-License-Identifier: Apache-2.0
 *
 * Values by type. Each type is one reader and one remedy; a new type is a row in each switch.
 * Numbers are read by hand: strtoul would accept signs, blanks and octal.
 */
#include "options/value.h"

#include <string.h>

#include "base/messages.h"
#include "base/text.h"

/* The word of "a|b|c" that starts at WORDS, and where the next one starts (NULL after the
 * last). */
static size_t word_length(const char *words, const char **next)
{
	size_t len = 0;

	while (words[len] != '\0' && words[len] != '|')
		len++;
	*next = words[len] == '|' ? words + len + 1 : NULL;
	return len;
}

static int word_index(const char *words, const char *text, size_t len)
{
	for (int index = 0; words; index++) {
		const char *word = words;

		if (word_length(word, &words) == len && memcmp(word, text, len) == 0)
			return index;
	}
	return -1;
}

/* Reads digits; the first other byte ends the number. Returns how many bytes it took, 0 when
 * there is no digit or the number does not fit. */
static size_t read_digits(const char *text, size_t len, uint64_t *number)
{
	size_t at;

	*number = 0;
	for (at = 0; at < len && text[at] >= '0' && text[at] <= '9'; at++) {
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(text[at] - '0'), number))
			return 0;
	}
	return at;
}

static bool read_count(const struct fp_option *option, const struct fp_options_item *item,
                       uint64_t *count)
{
	uint64_t number;
	size_t taken = read_digits(item->value, item->value_len, &number);

	if (taken == 0 || taken != item->value_len)
		return false;
	if (number < option->minimum || number > option->maximum)
		return false;
	*count = number;
	return true;
}

static bool read_size(const struct fp_options_item *item, uint64_t *size)
{
	static const char suffixes[] = "kmgt";
	uint64_t number;
	size_t taken = read_digits(item->value, item->value_len, &number);
	unsigned shift = 0;

	if (taken == 0 || item->value_len - taken > 1)
		return false;
	if (taken < item->value_len) {
		const char *suffix =
		        memchr(suffixes, item->value[taken] | 0x20, sizeof(suffixes) - 1);

		if (!suffix)
			return false;
		shift = 10 * (unsigned)(suffix - suffixes + 1);
	}
	if (number > UINT64_MAX >> shift)
		return false;
	*size = number << shift;
	return true;
}

static bool read_bool(const struct fp_options_item *item, bool *answer)
{
	static const char words[] = "no|yes|0|1|false|true|off|on";
	int index = word_index(words, item->value, item->value_len);

	if (index < 0)
		return false;
	*answer = index % 2 == 1;
	return true;
}

static bool read_choice(const struct fp_option *option, const struct fp_options_item *item,
                        int *choice)
{
	int index = word_index(option->value, item->value, item->value_len);

	if (index < 0)
		return false;
	*choice = index;
	return true;
}

static bool is_file(const struct fp_option *option)
{
	return strlen(option->value) >= 4 && memcmp(option->value, "FILE", 4) == 0;
}

/* --xml=yes, as with Valgrind, means no file of that name. */
static bool read_path(const struct fp_option *option, const struct fp_options_item *item,
                      char *path)
{
	bool answer;

	if (item->value_len >= FP_OPTION_PATH_MAX ||
	    (is_file(option) && read_bool(item, &answer)))
		return false;
	memset(path, 0, FP_OPTION_PATH_MAX);
	memcpy(path, item->value, item->value_len);
	return true;
}

bool fp_options_value_read(struct fp_options *options, const struct fp_option *option,
                           const struct fp_options_item *item)
{
	void *field = (char *)options + option->field;

	switch (option->type) {
	case FP_OPTION_BOOL:
		return read_bool(item, field);
	case FP_OPTION_COUNT:
		return read_count(option, item, field);
	case FP_OPTION_SIZE:
		return read_size(item, field);
	case FP_OPTION_CHOICE:
		return read_choice(option, item, field);
	case FP_OPTION_PATH:
		return read_path(option, item, field);
	case FP_OPTION_RULE:
		return fp_option_rule_read(field, item->value, item->value_len);
	}
	return false;
}

static void show_choice(struct fp_text *text, const char *words, int index)
{
	const char *word = words;
	size_t len = word_length(word, &words);

	for (; index > 0 && words; index--) {
		word = words;
		len = word_length(word, &words);
	}
	fp_text_bytes(text, word, len);
}

void fp_options_value_show(const struct fp_options *options, const struct fp_option *option,
                           char *text)
{
	const void *field = (const char *)options + option->field;
	struct fp_text to;

	fp_text_begin(&to, text, FP_OPTION_PATH_MAX);
	switch (option->type) {
	case FP_OPTION_BOOL:
		fp_text_string(&to, *(const bool *)field ? "yes" : "no");
		break;
	case FP_OPTION_COUNT:
	case FP_OPTION_SIZE:
		fp_text_decimal(&to, *(const uint64_t *)field);
		break;
	case FP_OPTION_CHOICE:
		show_choice(&to, option->value, *(const int *)field);
		break;
	case FP_OPTION_PATH:
		fp_text_string(&to, field);
		break;
	case FP_OPTION_RULE:
		fp_text_string(&to, ((const struct fp_option_rule *)field)->text);
		break;
	}
}

static void explain_words(struct fp_text *text, const char *words)
{
	const char *before = "use ";

	while (words) {
		const char *word = words;
		size_t len = word_length(word, &words);

		fp_text_string(text, before);
		fp_text_bytes(text, word, len);
		before = words && memchr(words, '|', strlen(words)) ? ", " : " or ";
	}
}

void fp_options_value_explain(struct fp_text *text, const struct fp_option *option)
{
	switch (option->type) {
	case FP_OPTION_COUNT:
		fp_text_print(text, FP_TELL_USE_RANGE, option->minimum, option->maximum);
		break;
	case FP_OPTION_BOOL:
	case FP_OPTION_CHOICE:
		explain_words(text, option->value);
		break;
	case FP_OPTION_SIZE:
		fp_text_string(text, FP_TELL_USE_SIZE);
		break;
	case FP_OPTION_PATH:
		fp_text_print(text, is_file(option) ? FP_TELL_USE_FILE_YES : FP_TELL_USE_FILE,
		              FP_OPTION_PATH_MAX);
		break;
	case FP_OPTION_RULE:
		fp_text_string(text, FP_TELL_USE_RULE);
		break;
	}
}
