/* SPDX-License-Identifier: Apache-2.0
 *
 * One word, one ':' and what belongs to the word. Probabilities are read as the decimal
 * fractions they are: nothing here knows floating point.
 */
#include "options/rule.h"

#include <string.h>

struct part {
	const char *text;
	size_t len;
};

static bool read_number(struct part part, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < part.len; i++)
		if (part.text[i] < '0' || part.text[i] > '9' ||
		    __builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(part.text[i] - '0'), number))
			return false;
	return part.len > 0;
}

static bool read_count(struct part part, struct fp_option_rule *rule)
{
	return read_number(part, &rule->number) && rule->number > 0;
}

/* ".DIGITS" as a share of 2^64: what a digit is worth is a tenth of the one before. */
static bool read_fraction(struct part part, uint64_t *share)
{
	uint64_t worth = UINT64_MAX / 10;

	*share = 0;
	if (part.len < 2 || part.text[0] != '.')
		return part.len == 0;
	for (size_t i = 1; i < part.len; i++) {
		if (part.text[i] < '0' || part.text[i] > '9')
			return false;
		*share += worth * (uint64_t)(part.text[i] - '0');
		worth /= 10;
	}
	return true;
}

/* P, and the seed behind a comma. */
static bool read_probability(struct part part, struct fp_option_rule *rule)
{
	const char *comma = memchr(part.text, ',', part.len);
	size_t len = comma == NULL ? part.len : (size_t)(comma - part.text);
	const struct part seed = {part.text + len + 1, part.len - len - 1};
	const struct part fraction = {part.text + 1, len - 1};

	if (comma != NULL && !read_number(seed, &rule->seed))
		return false;
	if (len == 0 || (part.text[0] != '0' && part.text[0] != '1') ||
	    !read_fraction(fraction, &rule->number))
		return false;
	if (part.text[0] == '1' && rule->number != 0)
		return false;
	if (part.text[0] == '1')
		rule->number = UINT64_MAX;
	return true;
}

static bool is_word(struct part part, const char *word)
{
	return strlen(word) == part.len && memcmp(part.text, word, part.len) == 0;
}

static bool read_level(struct part part, struct fp_option_rule *rule)
{
	static const char *const levels[] = {"task", "appdomain", "process"};

	for (rule->number = 0; rule->number < 3; rule->number++)
		if (is_word(part, levels[rule->number]))
			return true;
	return false;
}

/* The name itself stays in the text. */
static bool read_function(struct part part, struct fp_option_rule *rule)
{
	(void)rule;
	return part.len > 0;
}

static const struct {
	const char *word;
	bool (*read)(struct part part, struct fp_option_rule *rule);
} kinds[] = {
        [FP_OPTION_RULE_AT] = {"at", read_count},
        [FP_OPTION_RULE_EVERY] = {"every", read_count},
        [FP_OPTION_RULE_PROBABILITY] = {"probability", read_probability},
        [FP_OPTION_RULE_LEVEL] = {"level", read_level},
        [FP_OPTION_RULE_STACK] = {"stack", read_function},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* FP_OPTION_RULE_NEVER when there is none. */
static enum fp_option_rule_kind find_kind(struct part word)
{
	size_t kind = FP_OPTION_RULE_AT;

	while (kind < KINDS && !is_word(word, kinds[kind].word))
		kind++;
	return kind < KINDS ? (enum fp_option_rule_kind)kind : FP_OPTION_RULE_NEVER;
}

bool fp_option_rule_is_word(const char *text, size_t len)
{
	return find_kind((struct part){text, len}) != FP_OPTION_RULE_NEVER;
}

bool fp_option_rule_read(struct fp_option_rule *rule, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	struct fp_option_rule read = {.kind = FP_OPTION_RULE_NEVER};

	if (len >= FP_OPTION_RULE_MAX || (len > 0 && colon == NULL))
		return false;
	if (len > 0) {
		const struct part word = {text, (size_t)(colon - text)};
		const struct part rest = {colon + 1, len - word.len - 1};

		read.kind = find_kind(word);
		if (read.kind == FP_OPTION_RULE_NEVER || !kinds[read.kind].read(rest, &read))
			return false;
		memcpy(read.text, text, len);
	}
	*rule = read;
	return true;
}

const char *fp_option_rule_function(const struct fp_option_rule *rule)
{
	return rule->kind == FP_OPTION_RULE_STACK ? rule->text + strlen("stack:") : "";
}
