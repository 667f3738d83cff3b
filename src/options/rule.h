/* SPDX-License-Identifier: Apache-2.0
 *
 * The value of a RULE: which of many events are meant.
 *
 *   at:N  every:N  probability:P  probability:P,SEED  level:LEVEL  stack:FUNCTION
 *
 * Context: alloc.
 */
#ifndef FP_OPTIONS_RULE_H
#define FP_OPTIONS_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FP_OPTION_RULE_MAX = 256 /* bytes of the text, terminating zero included */ };

enum fp_option_rule_kind {
	FP_OPTION_RULE_NEVER,
	FP_OPTION_RULE_AT,          /* the one of that number */
	FP_OPTION_RULE_EVERY,       /* each whose number that divides */
	FP_OPTION_RULE_PROBABILITY, /* number of 2^64; UINT64_MAX is all */
	FP_OPTION_RULE_LEVEL,       /* 0 task, 1 appdomain, 2 process */
	FP_OPTION_RULE_STACK        /* those that FUNCTION led to */
};

struct fp_option_rule {
	enum fp_option_rule_kind kind;
	uint64_t number;
	uint64_t seed;
	char text[FP_OPTION_RULE_MAX]; /* as it was written */
};

/* Whether the LEN bytes at TEXT are a rule, which is then in RULE. Empty is none. */
bool fp_option_rule_read(struct fp_option_rule *rule, const char *text, size_t len);

/* FUNCTION of "stack:FUNCTION", else "". */
const char *fp_option_rule_function(const struct fp_option_rule *rule);

/* Whether LEN bytes at TEXT are the word before the ':' of a rule: that ':' ends no item. */
bool fp_option_rule_is_word(const char *text, size_t len);

#endif
