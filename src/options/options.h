/* SPDX-License-Identifier: Apache-2.0
 *
 * The options: one struct, filled from "key=value:key=value" text. options.def is the only
 * list of them; the struct, the parser, the table for --help and the settings of a report all
 * come from it. Nothing here reads the environment or a file: the caller hands over the text.
 *
 * Context: alloc. Fixed buffers only; no malloc, stdio or getenv.
 */
#ifndef FP_OPTIONS_OPTIONS_H
#define FP_OPTIONS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options/rule.h"

enum {
	FP_OPTION_PATH_MAX = 1024, /* bytes of a PATH value, terminating zero included */
	FP_OPTION_ERROR_MAX = 512  /* an error buffer of this size holds the whole remedy */
};

/* The indices a CHOICE field can hold, in the order of options.def. */
enum fp_options_backend {
	FP_OPTIONS_BACKEND_AUTO,
	FP_OPTIONS_BACKEND_MOVE,
	FP_OPTIONS_BACKEND_GUARD,
	FP_OPTIONS_BACKEND_MPROTECT,
	FP_OPTIONS_BACKEND_NONE
};

enum fp_options_one_cpu {
	FP_OPTIONS_ONE_CPU_AUTO,
	FP_OPTIONS_ONE_CPU_YES,
	FP_OPTIONS_ONE_CPU_NO
};

/* Those before are the logarithms of alignments. */
enum { FP_OPTIONS_ALIGN_16 = 4, FP_OPTIONS_ALIGN_AUTO };

enum fp_options_placement {
	FP_OPTIONS_PLACEMENT_RIGHT,
	FP_OPTIONS_PLACEMENT_LEFT,
	FP_OPTIONS_PLACEMENT_ALTERNATE
};

enum fp_options_leak_check {
	FP_OPTIONS_LEAK_CHECK_NO,
	FP_OPTIONS_LEAK_CHECK_SUMMARY,
	FP_OPTIONS_LEAK_CHECK_FULL
};

enum fp_options_leak_signal {
	FP_OPTIONS_LEAK_SIGNAL_NO,
	FP_OPTIONS_LEAK_SIGNAL_HUP,
	FP_OPTIONS_LEAK_SIGNAL_USR1,
	FP_OPTIONS_LEAK_SIGNAL_USR2,
	FP_OPTIONS_LEAK_SIGNAL_PWR,
	FP_OPTIONS_LEAK_SIGNAL_URG,
	FP_OPTIONS_LEAK_SIGNAL_WINCH
};

enum fp_options_report { FP_OPTIONS_REPORT_NOW, FP_OPTIONS_REPORT_END };
enum fp_options_color {
	FP_OPTIONS_COLOR_AUTO,
	FP_OPTIONS_COLOR_ALWAYS,
	FP_OPTIONS_COLOR_NEVER
};

enum fp_options_style { FP_OPTIONS_STYLE_FENCEPOST, FP_OPTIONS_STYLE_ASAN };

enum fp_options_stacks { FP_OPTIONS_STACKS_CUT, FP_OPTIONS_STACKS_FULL };

#define FP_OPTION_FIELD_BOOL(field) bool field;
#define FP_OPTION_FIELD_COUNT(field) uint64_t field;
#define FP_OPTION_FIELD_SIZE(field) uint64_t field;
#define FP_OPTION_FIELD_CHOICE(field) int field;
#define FP_OPTION_FIELD_PATH(field) char field[FP_OPTION_PATH_MAX];
#define FP_OPTION_FIELD_RULE(field) struct fp_option_rule field;

struct fp_options {
#define FP_OPTION(field, stage, type, standard, minimum, maximum, value, help)                 \
	FP_OPTION_FIELD_##type(field)
#define FP_OPTION_GROUP(group, title)
#include "options/options.def"
#undef FP_OPTION
#undef FP_OPTION_GROUP
};

enum fp_option_type {
	FP_OPTION_BOOL,
	FP_OPTION_COUNT,
	FP_OPTION_SIZE,
	FP_OPTION_CHOICE,
	FP_OPTION_PATH,
	FP_OPTION_RULE
};

enum fp_option_stage { FP_OPTION_RECORD, FP_OPTION_RENDER, FP_OPTION_OUTPUT };

/* One line of options.def. */
struct fp_option {
	const char *key; /* with underscores */
	enum fp_option_stage stage;
	enum fp_option_type type;
	const char *standard; /* the default, as text */
	uint64_t minimum;
	uint64_t maximum;
	const char *value; /* value syntax: "yes|no", "N", "SIZE", "FILE", ... */
	const char *help;
	size_t field; /* offset in struct fp_options */
};

enum {
#define FP_OPTION(field, stage, type, standard, minimum, maximum, value, help)                 \
	FP_OPTIONS_INDEX_##field,
#define FP_OPTION_GROUP(group, title)
#include "options/options.def"
#undef FP_OPTION
#undef FP_OPTION_GROUP
	FP_OPTIONS_COUNT
};

/* What options are for, in the order of options.def. */
enum fp_option_group {
#define FP_OPTION(field, stage, type, standard, minimum, maximum, value, help)
#define FP_OPTION_GROUP(group, title) FP_OPTION_GROUP_##group,
#include "options/options.def"
#undef FP_OPTION
#undef FP_OPTION_GROUP
	FP_OPTION_GROUPS
};

extern const char *const fp_option_groups[FP_OPTION_GROUPS];

/* Of one index. */
enum fp_option_group fp_options_group(size_t index);

/* In the order of options.def. */
extern const struct fp_option fp_options_table[FP_OPTIONS_COUNT];

/* One key and its value, neither terminated. */
struct fp_options_item {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
};

/*
 * Where a refusal is explained. SOURCE names where the text came from ("FENCEPOST_OPTIONS", a
 * command) and starts the message, which is one line without a newline and is cut to SIZE
 * bytes.
 */
struct fp_options_error {
	const char *source;
	char *text;
	size_t size;
	bool is_command; /* keys are shown as its arguments: --stack-depth */
};

/* Every option as if nothing had been said. */
void fp_options_defaults(struct fp_options *options);

/*
 * Applies "key=value:key=value" to OPTIONS. A value with ':' in it is put in ' or ". Empty
 * items are ignored, the last of two equal keys wins, '-' and '_' are the same in keys. Returns
 * 0, or -EINVAL with ERROR saying which item was refused and what to write; then OPTIONS is
 * unchanged.
 */
int fp_options_parse(struct fp_options *options, const char *text, const char *source,
                     char *error, size_t error_size);

/* The same for one item, whose value is taken as it is. */
int fp_options_set(struct fp_options *options, const struct fp_options_item *item,
                   const struct fp_options_error *error);

/* The option called KEY, or NULL. */
const struct fp_option *fp_options_find(const char *key, size_t key_len);

/* Hands every effective value to VISIT as text; sizes in bytes. VALUE lives until VISIT
 * returns. */
void fp_options_each(const struct fp_options *options,
                     void (*visit)(const struct fp_option *option, const char *value,
                                   void *user),
                     void *user);

/* The name of the file that an option of stage OUTPUT holds; "" for none. */
const char *fp_options_output(const struct fp_options *options, const struct fp_option *option);

/* Whether findings are text on standard error, where somebody reads them now. */
bool fp_options_show_at_once(const struct fp_options *options);

/* Takes the next "key=value" or "key='value'" out of *AT, the options of a sanitizer. False at
 * their end. */
bool fp_options_next_other(const char **at, struct fp_options_item *item);

#endif
