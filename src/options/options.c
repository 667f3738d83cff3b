/* SPDX-License-Identifier: Apache-2.0
 *
 * The table made from options.def, and the text that changes the fields it describes. A text is
 * applied to a copy, so that a refused one changes nothing.
 */
#include "options/options.h"

#include <errno.h>
#include <string.h>

#include "base/messages.h"
#include "base/text.h"
#include "options/others.h"
#include "options/value.h"
#include "options/words.h"

enum { SHOWN_MAX = 60 /* bytes of a refused text that its error repeats */ };

const struct fp_option fp_options_table[FP_OPTIONS_COUNT] = {
#define FP_OPTION(field_, stage_, type_, standard_, minimum_, maximum_, value_, help_)         \
	{.key = &#field_[#field_[0] == '_'],                                                   \
	 .stage = FP_OPTION_##stage_,                                                          \
	 .type = FP_OPTION_##type_,                                                            \
	 .standard = (standard_),                                                              \
	 .minimum = (minimum_),                                                                \
	 .maximum = (maximum_),                                                                \
	 .value = (value_),                                                                    \
	 .help = (help_),                                                                      \
	 .field = offsetof(struct fp_options, field_)},
#define FP_OPTION_GROUP(group, title)
#include "options/options.def"
#undef FP_OPTION
#undef FP_OPTION_GROUP
};

const char *const fp_option_groups[FP_OPTION_GROUPS] = {
#define FP_OPTION(field, stage, type, standard, minimum, maximum, value, help)
#define FP_OPTION_GROUP(group, title) [FP_OPTION_GROUP_##group] = (title),
#include "options/options.def"
#undef FP_OPTION
#undef FP_OPTION_GROUP
};

/* The index of the first option of each. */
enum {
#define FP_OPTION(field, stage, type, standard, minimum, maximum, value, help) POSITION_##field,
#define FP_OPTION_GROUP(group, title) FIRST_##group, BEFORE_##group = FIRST_##group - 1,
#include "options/options.def"
#undef FP_OPTION
#undef FP_OPTION_GROUP
};

static const size_t first_of_group[FP_OPTION_GROUPS] = {
#define FP_OPTION(field, stage, type, standard, minimum, maximum, value, help)
#define FP_OPTION_GROUP(group, title) [FP_OPTION_GROUP_##group] = FIRST_##group,
#include "options/options.def"
#undef FP_OPTION
#undef FP_OPTION_GROUP
};

enum fp_option_group fp_options_group(size_t index)
{
	size_t group = 0;

	while (group + 1 < FP_OPTION_GROUPS && first_of_group[group + 1] <= index)
		group++;
	return (enum fp_option_group)group;
}

void fp_options_defaults(struct fp_options *options)
{
	memset(options, 0, sizeof(*options));
	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		const struct fp_option *option = &fp_options_table[i];
		const struct fp_options_item item = {.value = option->standard,
		                                     .value_len = strlen(option->standard)};

		fp_options_value_read(options, option, &item);
	}
}

const struct fp_option *fp_options_find(const char *key, size_t key_len)
{
	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		if (fp_words_equal(key, key_len, fp_options_table[i].key))
			return &fp_options_table[i];
	}
	return NULL;
}

/* NULL: none is like it. */
static const char *nearest_key(const char *key, size_t key_len)
{
	const char *nearest = NULL;

	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++)
		nearest = fp_words_nearer(key, key_len, nearest, fp_options_table[i].key);
	return nearest;
}

/* What the user wrote, kept to one line and a bearable length. */
static const char *show(const char *bytes, size_t len, char shown[SHOWN_MAX + 4])
{
	struct fp_text text;

	fp_text_begin(&text, shown, SHOWN_MAX + 4);
	for (size_t i = 0; i < len && i < SHOWN_MAX; i++) {
		bool is_control = (unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7f;

		fp_text_bytes(&text, is_control ? "?" : &bytes[i], 1);
	}
	if (len > SHOWN_MAX)
		fp_text_string(&text, "...");
	return shown;
}

static int refuse_key(const struct fp_options_item *item, const struct fp_options_error *error)
{
	const char *nearest = nearest_key(item->key, item->key_len);
	const struct fp_options_other *other = fp_options_find_other(item->key, item->key_len);
	char key[SHOWN_MAX + 4];
	struct fp_text text;

	show(item->key, item->key_len, key);
	fp_text_begin(&text, error->text, error->size);
	if (other)
		fp_text_print(&text, FP_TELL_OTHERS_OPTION, error->source, key, other->tool,
		              other->advice);
	else if (nearest)
		fp_text_print(&text, FP_TELL_NEAREST_OPTION, error->source, key, nearest);
	else
		fp_text_print(&text, FP_TELL_UNKNOWN_OPTION, error->source, key);
	return -EINVAL;
}

static int refuse_value(const struct fp_option *option, const struct fp_options_item *item,
                        const struct fp_options_error *error)
{
	char value[SHOWN_MAX + 4];
	struct fp_text text;

	fp_text_begin(&text, error->text, error->size);
	fp_text_print(&text, FP_TELL_BAD_VALUE, error->source, option->key,
	              show(item->value, item->value_len, value));
	fp_options_value_explain(&text, option);
	return -EINVAL;
}

int fp_options_set(struct fp_options *options, const struct fp_options_item *item,
                   const struct fp_options_error *error)
{
	const struct fp_option *option = fp_options_find(item->key, item->key_len);

	if (!option)
		return refuse_key(item, error);
	if (!fp_options_value_read(options, option, item))
		return refuse_value(option, item, error);
	return 0;
}

static int refuse_missing_value(const char *text, size_t len,
                                const struct fp_options_error *error)
{
	const struct fp_option *option = fp_options_find(text, len);
	struct fp_text to;

	if (!option)
		return refuse_key(&(struct fp_options_item){.key = text, .key_len = len},
		                  error);
	fp_text_begin(&to, error->text, error->size);
	fp_text_print(&to, FP_TELL_NO_VALUE, error->source, option->key, option->key,
	              option->value);
	return -EINVAL;
}

static int refuse_quote(const struct fp_options_item *item, bool is_closed,
                        const struct fp_options_error *error)
{
	char key[SHOWN_MAX + 4];
	char value[SHOWN_MAX + 4];
	struct fp_text text;

	fp_text_begin(&text, error->text, error->size);
	fp_text_print(&text, is_closed ? FP_TELL_BEHIND_QUOTE : FP_TELL_OPEN_QUOTE,
	              error->source, show(item->key, item->key_len, key),
	              show(item->value, strlen(item->value), value));
	return -EINVAL;
}

/* Takes the quotes off ITEM's value, which starts at one; *NEXT is where the item ends. */
static int take_quoted(struct fp_options_item *item, const char **next,
                       const struct fp_options_error *error)
{
	const char *end = memchr(item->value + 1, item->value[0], strlen(item->value + 1));

	if (!end)
		return refuse_quote(item, false, error);
	if (end[1] != '\0' && end[1] != ':')
		return refuse_quote(item, true, error);
	item->value++;
	item->value_len = (size_t)(end - item->value);
	*next = end + 1;
	return 0;
}

static size_t length_to_colon(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0' && text[len] != ':')
		len++;
	return len;
}

/* Whether the value, as far as it is known, begins a rule. */
static bool is_rule(const struct fp_options_item *item)
{
	const struct fp_option *option = fp_options_find(item->key, item->key_len);

	return option && option->type == FP_OPTION_RULE &&
	       fp_option_rule_is_word(item->value, item->value_len);
}

/* Splits the item that starts at TEXT. */
static int take_item(const char *text, struct fp_options_item *item, const char **next,
                     const struct fp_options_error *error)
{
	size_t len = 0;

	while (text[len] != '\0' && text[len] != '=' && text[len] != ':')
		len++;
	if (text[len] != '=')
		return refuse_missing_value(text, len, error);
	item->key = text;
	item->key_len = len;
	item->value = text + len + 1;
	if (item->value[0] == '"' || item->value[0] == '\'')
		return take_quoted(item, next, error);
	item->value_len = length_to_colon(item->value);
	/* at:5 is one value. */
	if (is_rule(item) && item->value[item->value_len] == ':')
		item->value_len += 1 + length_to_colon(item->value + item->value_len + 1);
	*next = item->value + item->value_len;
	return 0;
}

int fp_options_parse(struct fp_options *options, const char *text, const char *source,
                     char *error, size_t error_size)
{
	const struct fp_options_error where = {source, error, error_size};
	struct fp_options changed = *options;

	for (const char *next = text; *next != '\0';) {
		struct fp_options_item item;
		int result;

		if (*next == ':') {
			next++;
			continue;
		}
		result = take_item(next, &item, &next, &where);
		if (result == 0)
			result = fp_options_set(&changed, &item, &where);
		if (result != 0)
			return result;
	}
	*options = changed;
	return 0;
}

void fp_options_each(const struct fp_options *options,
                     void (*visit)(const struct fp_option *option, const char *value,
                                   void *user),
                     void *user)
{
	char value[FP_OPTION_PATH_MAX];

	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		fp_options_value_show(options, &fp_options_table[i], value);
		visit(&fp_options_table[i], value, user);
	}
}

const char *fp_options_output(const struct fp_options *options, const struct fp_option *option)
{
	return option->stage == FP_OPTION_OUTPUT ? (const char *)options + option->field : "";
}
