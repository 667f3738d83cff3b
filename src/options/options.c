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
#include "options/words.h"

enum {
	SHOWN_MAX = 60, /* bytes of a refused text that its error repeats */
	KEY_MAX = SHOWN_MAX + 6
};

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

/*
 * Values by type. Each type is one reader and one remedy; a new type is a row in each switch.
 * Numbers are read by hand: strtoul would accept signs, blanks and octal.
 */

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

/* Stores ITEM's value in OPTION's field of OPTIONS. False, and nothing stored, when it does not
 * fit. */
static bool read_value(struct fp_options *options, const struct fp_option *option,
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

static void show_value(const struct fp_options *options, const struct fp_option *option,
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

/* What would have fitted: "use a whole number from 1 to 256". */
static void explain_value(struct fp_text *text, const struct fp_option *option)
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

/*
 * What users of other tools write, and what to write here: the options of Valgrind's memcheck,
 * of the sanitizers, of Electric Fence and of GWP-ASan that have a counterpart here, or of
 * which somebody who moves has to know that there is none.
 */

#define UNINITIALISED                                                                          \
	"Fencepost does not see uses of uninitialised memory; Valgrind and clang "             \
	"-fsanitize=memory do"
#define STACK                                                                                  \
	"Fencepost sees the heap, not the stack and not globals; build with "                  \
	"-fsanitize=address"
#define ALWAYS "Fencepost always does that: leave it out"
#define FILL "Fencepost fills new blocks itself, and freed ones are inaccessible: leave it out"
#define NEVER "Fencepost has nothing like it: leave it out"

static const struct other_option {
	const char *key; /* with underscores */
	const char *tool;
	const char *advice;
} others[] = {
        {"alignment", "Valgrind", "write --align=N"},
        {"demangle", "Valgrind", ALWAYS},
        {"expensive_definedness_checks", "Valgrind", UNINITIALISED},
        {"freelist_vol", "Valgrind",
         "freed blocks stay protected; write --history=SIZE to keep "
         "the stacks of more of them"},
        {"keep_debuginfo", "Valgrind", ALWAYS},
        {"keep_stacktraces", "Valgrind", "Fencepost always keeps both stacks: leave it out"},
        {"leak_check_heuristics", "Valgrind", ALWAYS},
        {"log_file", "Valgrind", "write --log=FILE"},
        {"num_callers", "Valgrind", "write --stack-depth=N"},
        {"read_var_info", "Valgrind", ALWAYS},
        {"redzone_size", "Valgrind", "write --guard-pages=N"},
        {"show_leak_kinds", "Valgrind",
         "lost blocks are always shown; write --show-possible=yes or --show-reachable=yes for "
         "more"},
        {"show_mismatched_frees", "Valgrind", ALWAYS},
        {"tool", "Valgrind", "Fencepost is one tool: leave it out"},
        {"track_fds", "Valgrind", "Fencepost sees the heap only; use valgrind --track-fds=yes"},
        {"track_origins", "Valgrind", UNINITIALISED},
        {"undef_value_errors", "Valgrind", UNINITIALISED},
        {"error_limit", "Valgrind", "all distinct errors are reported: leave it out"},
        {"errors_for_leak_kinds", "Valgrind",
         "write --error-exitcode=N: leaks count; --leak-check=no leaves them out"},
        {"exit_on_first_error", "Valgrind", "write --halt-on-error=yes"},
        {"free_fill", "Valgrind", FILL},
        {"fullpath_after", "Valgrind", "write --source-root=DIRECTORY"},
        {"leak_resolution", "Valgrind", "leaks are one if their stacks are: leave it out"},
        {"log_fd", "Valgrind", "write --log=FILE"},
        {"malloc_fill", "Valgrind", FILL},
        {"partial_loads_ok", "Valgrind", NEVER},
        {"read_inline_info", "Valgrind", ALWAYS},
        {"run_libc_freeres", "Valgrind", NEVER},
        {"show_below_main", "Valgrind", "write --stacks=full"},
        {"smc_check", "Valgrind", NEVER},
        {"soname_synonyms", "Valgrind",
         "a malloc that the program brings itself is not tracked: build without it"},
        {"trace_children_skip", "Valgrind",
         "write --trace-children=no, or --suppressions=FILE"},
        {"vgdb_error", "Valgrind",
         "write fencepost run --gdb PROGRAM, and there fencepost break"},
        {"vgdb", "Valgrind", "write fencepost run --gdb PROGRAM"},
        {"xml_file", "Valgrind", "write --xml=FILE"},
        {"abort_on_error", "AddressSanitizer", "write --halt-on-error=yes"},
        {"alloc_dealloc_mismatch", "AddressSanitizer", ALWAYS},
        {"allocator_may_return_null", "AddressSanitizer", ALWAYS},
        {"detect_container_overflow", "AddressSanitizer", STACK},
        {"detect_leaks", "AddressSanitizer", "write --leak-check=full or --leak-check=no"},
        {"detect_odr_violation", "AddressSanitizer", STACK},
        {"detect_stack_use_after_return", "AddressSanitizer", STACK},
        {"check_initialization_order", "AddressSanitizer", STACK},
        {"exitcode", "AddressSanitizer", "write --error-exitcode=N"},
        {"fast_unwind_on_malloc", "AddressSanitizer", NEVER},
        {"handle_segv", "AddressSanitizer", "write --fault-handler=yes or --fault-handler=no"},
        {"log_path", "AddressSanitizer", "write --log=FILE"},
        {"malloc_context_size", "AddressSanitizer", "write --stack-depth=N"},
        {"quarantine_size_mb", "AddressSanitizer",
         "freed blocks stay protected; write --history=SIZE to keep the stacks of more of "
         "them"},
        {"redzone", "AddressSanitizer", "write --guard-pages=N"},
        {"symbolize", "AddressSanitizer", ALWAYS},
        {"print_suppressions", "AddressSanitizer",
         "the report says what was suppressed; --gen-suppressions=yes writes new ones"},
        {"allow_user_poisoning", "AddressSanitizer", ALWAYS},
        {"detect_invalid_pointer_pairs", "AddressSanitizer", NEVER},
        {"disable_coredump", "AddressSanitizer",
         "core files are never turned off: leave it out"},
        {"hard_rss_limit_mb", "AddressSanitizer", "write --max-memory=SIZE"},
        {"max_free_fill_size", "AddressSanitizer", FILL},
        {"max_malloc_fill_size", "AddressSanitizer", FILL},
        {"max_redzone", "AddressSanitizer", "write --guard-pages=N"},
        {"new_delete_type_mismatch", "AddressSanitizer", ALWAYS},
        {"poison_heap", "AddressSanitizer", "write --backend=none to protect no block"},
        {"strict_string_checks", "AddressSanitizer", NEVER},
        {"strip_path_prefix", "AddressSanitizer", "write --source-root=DIRECTORY"},
        {"verbosity", "AddressSanitizer", "fencepost doctor says what Fencepost does here"},
        {"EF_ALIGNMENT", "Electric Fence", "write --align=N"},
        {"EF_ALLOW_MALLOC_0", "Electric Fence", "malloc(0) is always allowed: leave it out"},
        {"EF_FILL", "Electric Fence", NEVER},
        {"EF_PROTECT_BELOW", "Electric Fence", "write --placement=left"},
        {"EF_PROTECT_FREE", "Electric Fence", ALWAYS},
        {"MaxSimultaneousAllocations", "GWP-ASan", "write --max-memory=SIZE"},
        {"SampleRate", "GWP-ASan", "write --sample=N"},
};

static const struct other_option *find_other(const char *key, size_t key_len)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (fp_words_equal(key, key_len, others[i].key))
			return &others[i];
	return NULL;
}

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

		read_value(options, option, &item);
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

/* KEY as the user has to write it, or has written it. */
static const char *spell(const char *key, size_t len, const struct fp_options_error *error,
                         char spelled[KEY_MAX])
{
	size_t dashes = error->is_command ? 2 : 0;

	memcpy(spelled, "--", dashes);
	show(key, len, spelled + dashes);
	for (char *at = spelled; error->is_command && fp_options_find(key, len) && *at; at++)
		*at = *at == '_' ? '-' : *at;
	return spelled;
}

static int refuse_key(const struct fp_options_item *item, const struct fp_options_error *error)
{
	const char *nearest = nearest_key(item->key, item->key_len);
	const struct other_option *other = find_other(item->key, item->key_len);
	char key[KEY_MAX];
	char right[KEY_MAX];
	struct fp_text text;

	spell(item->key, item->key_len, error, key);
	fp_text_begin(&text, error->text, error->size);
	if (other)
		fp_text_print(&text, FP_TELL_OTHERS_OPTION, error->source, key, other->tool,
		              other->advice);
	else if (nearest)
		fp_text_print(&text, FP_TELL_NEAREST_OPTION, error->source, key,
		              spell(nearest, strlen(nearest), error, right));
	else
		fp_text_print(&text, FP_TELL_UNKNOWN_OPTION, error->source, key);
	return -EINVAL;
}

static int refuse_value(const struct fp_option *option, const struct fp_options_item *item,
                        const struct fp_options_error *error)
{
	char key[KEY_MAX];
	char value[SHOWN_MAX + 4];
	struct fp_text text;

	fp_text_begin(&text, error->text, error->size);
	fp_text_print(&text, FP_TELL_BAD_VALUE, error->source,
	              spell(option->key, strlen(option->key), error, key),
	              show(item->value, item->value_len, value));
	explain_value(&text, option);
	return -EINVAL;
}

int fp_options_set(struct fp_options *options, const struct fp_options_item *item,
                   const struct fp_options_error *error)
{
	const struct fp_option *option = fp_options_find(item->key, item->key_len);

	if (!option)
		return refuse_key(item, error);
	if (!read_value(options, option, item))
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
	const struct fp_options_error where = {source, error, error_size, false};
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
		show_value(options, &fp_options_table[i], value);
		visit(&fp_options_table[i], value, user);
	}
}

bool fp_options_show_at_once(const struct fp_options *options)
{
	return options->report == FP_OPTIONS_REPORT_NOW &&
	       options->style == FP_OPTIONS_STYLE_FENCEPOST && options->log[0] == '\0';
}

const char *fp_options_output(const struct fp_options *options, const struct fp_option *option)
{
	return option->stage == FP_OPTION_OUTPUT ? (const char *)options + option->field : "";
}

bool fp_options_next_other(const char **at, struct fp_options_item *item)
{
	static const char ends_of_key[] = "= ,:\n\t\r";

	for (const char *next = *at; *next != '\0'; next += *next != '\0') {
		item->key = next;
		item->key_len = strcspn(next, ends_of_key);
		next += item->key_len;
		if (*next != '=')
			continue;
		const char quote[] = {next[1], '\0'};
		bool is_quoted = next[1] == '\'' || next[1] == '"';
		item->value = next + 1 + is_quoted;
		item->value_len = strcspn(item->value, is_quoted ? quote : ends_of_key + 1);
		*at = item->value + item->value_len;
		*at += **at != '\0';
		return true;
	}
	return false;
}
