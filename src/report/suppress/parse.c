/* SPDX-License-Identifier: Apache-2.0
 *
 * The file as lines, and the sanitizers' syntax: one suppression a line, "kind:pattern". A
 * pattern is found anywhere in a name, unless ^ or $ tie it to an end.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "report/stack.h"
#include "report/suppress/suppress.h"

/* A text being read. */
struct reader {
	struct fp_report_suppressions *suppressions;
	const char *name;
	const char *at;
	size_t left;
	uint32_t number;              /* of the line */
	struct fp_report_string line; /* without blanks around it and without comments */
};

#define BIT(kind) (UINT64_C(1) << FP_FINDING_##kind)
#define ACCESSES                                                                               \
	(BIT(HEAP_BUFFER_OVERFLOW) | BIT(HEAP_BUFFER_UNDERFLOW) | BIT(HEAP_USE_AFTER_FREE))
#define FREES                                                                                  \
	(BIT(INVALID_FREE) | BIT(DOUBLE_FREE) | BIT(WRONG_HEAP) | BIT(ALLOC_DEALLOC_MISMATCH))

/* The words of LeakSanitizer and AddressSanitizer; beside them stand the kinds of findings. */
static const struct {
	const char *word;
	uint64_t kinds;
	unsigned leaks;
	bool is_call;
	enum fp_report_pattern_kind pattern;
} line_kinds[] = {
        {"leak", 0, UINT32_MAX, false, FP_REPORT_PATTERN_ANY},
        {"interceptor_name", ACCESSES, 0, true, FP_REPORT_PATTERN_CALL},
        {"interceptor_via_fun", ACCESSES, 0, true, FP_REPORT_PATTERN_FUNCTION},
        {"interceptor_via_lib", ACCESSES, 0, true, FP_REPORT_PATTERN_MODULE},
        {"alloc_dealloc_mismatch", BIT(ALLOC_DEALLOC_MISMATCH), 0, false,
         FP_REPORT_PATTERN_ANY},
        {"odr_violation", 0, 0, false, FP_REPORT_PATTERN_ANY},
};

static struct fp_report_string trim(struct fp_report_string string)
{
	static const char blanks[] = " \t\r";

	while (string.size > 0 && memchr(blanks, string.bytes[0], sizeof(blanks) - 1)) {
		string.bytes++;
		string.size--;
	}
	while (string.size > 0 &&
	       memchr(blanks, string.bytes[string.size - 1], sizeof(blanks) - 1))
		string.size--;
	return string;
}

/* The kind of finding that WORD names, or FP_FINDING_COUNT. */
static enum fp_finding_kind find_kind(struct fp_report_string word)
{
	unsigned kind = 0;

	while (kind < FP_FINDING_COUNT &&
	       !fp_report_is_word(word, fp_finding_traits(kind)->name))
		kind++;
	return kind;
}

/* The next line that has something in it; false at the end. */
static bool next_line(struct reader *reader)
{
	do {
		const char *end =
		        reader->left > 0 ? memchr(reader->at, '\n', reader->left) : NULL;
		size_t size = end ? (size_t)(end - reader->at) : reader->left;

		if (reader->left == 0)
			return false;
		reader->line = trim((struct fp_report_string){reader->at, size});
		reader->number++;
		reader->at += end ? size + 1 : size;
		reader->left -= end ? size + 1 : size;
	} while (reader->line.size == 0 || reader->line.bytes[0] == '#');
	return true;
}

/* What follows ends up on a terminal, and may be anything. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

/* Says in the suppressions' error what is wrong with the line. -EINVAL. */
__attribute__((format(printf, 2, 3))) static int refuse(const struct reader *reader,
                                                        const char *format, ...)
{
	char *error = reader->suppressions->error;
	va_list arguments;
	int used = snprintf(error, FP_REPORT_SUPPRESSION_ERROR_MAX, "%.200s:%u: ", reader->name,
	                    reader->number);

	va_start(arguments, format);
	vsnprintf(error + used, (size_t)(FP_REPORT_SUPPRESSION_ERROR_MAX - used), format,
	          arguments);
	va_end(arguments);
	make_printable(error);
	return -EINVAL;
}

/* As much of STRING as an error shows, for "%.*s". */
#define SHOWN(string) ((string).size < 80 ? (int)(string).size : 80), (string).bytes

static bool is_day(const char *date)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int month = (date[5] - '0') * 10 + date[6] - '0';
	int day = (date[8] - '0') * 10 + date[9] - '0';

	return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

static bool is_date(struct fp_report_string word)
{
	if (word.size != 10)
		return false;
	for (size_t i = 0; i < word.size; i++) {
		bool is_digit = word.bytes[i] >= '0' && word.bytes[i] <= '9';

		if (i == 4 || i == 7 ? word.bytes[i] != '-' : !is_digit)
			return false;
	}
	return is_day(word.bytes);
}

static bool take_number(struct fp_report_string word, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < word.size; i++) {
		if (word.bytes[i] < '0' || word.bytes[i] > '9' ||
		    __builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(word.bytes[i] - '0'), number))
			return false;
	}
	return word.size > 0;
}

/* Takes "max=N" or "until=DATE". 1, 0 when WORD is neither, or -EINVAL. */
static int take_limit(const struct reader *reader, struct fp_report_suppression *suppression,
                      struct fp_report_string word)
{
	bool is_max = fp_report_starts_with(word, "max=");
	size_t skipped = is_max ? strlen("max=") : strlen("until=");
	struct fp_report_string value;

	if (!is_max && !fp_report_starts_with(word, "until="))
		return 0;
	value = (struct fp_report_string){word.bytes + skipped, word.size - skipped};
	if (is_max && !take_number(value, &suppression->max))
		return refuse(reader, FP_SAY_NO_NUMBER_WRITE, SHOWN(word));
	if (!is_max && !is_date(value))
		return refuse(reader, FP_SAY_NO_DATE_WRITE, SHOWN(word));
	if (is_max)
		suppression->has_max = true;
	else
		memcpy(suppression->until, value.bytes, value.size);
	return 1;
}

/* Adds a pattern that is BEFORE, TEXT and AFTER. 0 or -ENOMEM. */
static int add_pattern(const struct reader *reader, struct fp_report_suppression *suppression,
                       enum fp_report_pattern_kind kind, const char *before,
                       struct fp_report_string text, const char *after)
{
	struct fp_report_arena *arena = &reader->suppressions->arena;
	struct fp_report_pattern pattern = {kind, fp_report_arena_take(arena, text.size + 3)};

	if (!pattern.glob)
		return -ENOMEM;
	sprintf(pattern.glob, "%s%.*s%s", before, (int)text.size, text.bytes, after);
	return fp_report_append(arena, &suppression->patterns, &suppression->pattern_count,
	                        &pattern, sizeof(pattern));
}

/* Takes the limits off the end of PATTERN. 0 or -EINVAL. */
static int take_limits(const struct reader *reader, struct fp_report_suppression *suppression,
                       struct fp_report_string *pattern)
{
	while (pattern->size > 0) {
		const char *blank = memrchr(pattern->bytes, ' ', pattern->size);
		size_t before = blank ? (size_t)(blank - pattern->bytes) : 0;
		size_t start = blank ? before + 1 : 0;
		struct fp_report_string word = {pattern->bytes + start, pattern->size - start};
		int result = take_limit(reader, suppression, word);

		if (result <= 0)
			return result;
		*pattern = trim((struct fp_report_string){pattern->bytes, before});
	}
	return 0;
}

/* '^' and '$' tie a pattern to an end of the name; else there may be more on that side. */
static int add_line_pattern(const struct reader *reader,
                            struct fp_report_suppression *suppression,
                            enum fp_report_pattern_kind kind, struct fp_report_string pattern)
{
	bool has_start = pattern.size > 0 && pattern.bytes[0] == '^';
	bool has_end = pattern.size > has_start && pattern.bytes[pattern.size - 1] == '$';

	pattern.bytes += has_start;
	pattern.size -= has_start + has_end;
	return add_pattern(reader, suppression, kind, has_start ? "" : "*", pattern,
	                   has_end ? "" : "*");
}

static int parse_line(const struct reader *reader, struct fp_report_suppression *suppression)
{
	const char *colon = memchr(reader->line.bytes, ':', reader->line.size);
	struct fp_report_string word = {reader->line.bytes,
	                                colon ? (size_t)(colon - reader->line.bytes) : 0};
	struct fp_report_string pattern;
	enum fp_finding_kind kind = find_kind(word);
	enum fp_report_pattern_kind pattern_kind = FP_REPORT_PATTERN_ANY;
	bool is_known = kind != FP_FINDING_COUNT;

	if (is_known)
		suppression->kinds = UINT64_C(1) << kind;
	for (size_t i = 0; i < sizeof(line_kinds) / sizeof(line_kinds[0]); i++) {
		if (!fp_report_is_word(word, line_kinds[i].word))
			continue;
		is_known = true;
		suppression->kinds = line_kinds[i].kinds;
		suppression->leaks = line_kinds[i].leaks;
		suppression->is_call = line_kinds[i].is_call;
		pattern_kind = line_kinds[i].pattern;
	}
	if (!is_known)
		return refuse(reader, FP_SAY_NO_SUPPRESSION_WRITE, SHOWN(reader->line));
	pattern = trim((struct fp_report_string){colon + 1, reader->line.size - word.size - 1});
	if (take_limits(reader, suppression, &pattern) != 0)
		return -EINVAL;
	if (pattern.size == 0)
		return refuse(reader, FP_SAY_NO_PATTERN_ANY, SHOWN(reader->line));
	return add_line_pattern(reader, suppression, pattern_kind, pattern);
}

/*
 * Valgrind's syntax: a block with a name, a tool and its kind of error, then frames from the
 * innermost outwards. Kinds that only Valgrind finds, and other tools' blocks, are read and
 * never match: one file serves both.
 */

enum { FRAMES_MAX = 500 /* Valgrind has no more either */ };

/* Memcheck's kinds; without bits: not found here. */
static const struct {
	const char *word;
	uint64_t kinds;
	uint32_t access;
	bool is_call;
} memcheck_kinds[] = {
        {"Addr1", ACCESSES, 1, false},
        {"Addr2", ACCESSES, 2, false},
        {"Addr4", ACCESSES, 4, false},
        {"Addr8", ACCESSES, 8, false},
        {"Addr16", ACCESSES, 16, false},
        {"Addr32", ACCESSES, 32, false},
        {"Param", ACCESSES, 0, true},
        {"Free", FREES, 0, false},
        {"FishyValue", BIT(ALLOCATION_TOO_LARGE), 0, false},
        {"Cond", 0, 0, false},
        {"Value0", 0, 0, false},
        {"Value1", 0, 0, false},
        {"Value2", 0, 0, false},
        {"Value4", 0, 0, false},
        {"Value8", 0, 0, false},
        {"Value16", 0, 0, false},
        {"Value32", 0, 0, false},
        {"Jump", 0, 0, false},
        {"Overlap", 0, 0, false},
        {"User", 0, 0, false},
        {"ReallocZero", 0, 0, false},
        {"BadAlign", 0, 0, false},
        {"BadSize", 0, 0, false},
        {"UnsafeZeroSize", 0, 0, false},
};

static bool next_in_block(struct reader *reader)
{
	if (next_line(reader))
		return true;
	refuse(reader, FP_SAY_BLOCK_BEGAN_ABOVE);
	return false;
}

static int take_memcheck_kind(const struct reader *reader,
                              struct fp_report_suppression *suppression,
                              struct fp_report_string kind)
{
	if (fp_report_is_word(kind, "Leak")) {
		suppression->leaks = UINT32_MAX;
		return 0;
	}
	for (size_t i = 0; i < sizeof(memcheck_kinds) / sizeof(memcheck_kinds[0]); i++) {
		if (!fp_report_is_word(kind, memcheck_kinds[i].word))
			continue;
		suppression->kinds = memcheck_kinds[i].kinds;
		suppression->access = memcheck_kinds[i].access;
		suppression->is_call = memcheck_kinds[i].is_call;
		return 0;
	}
	return refuse(reader, FP_SAY_MEMCHECK_NO_KIND, SHOWN(kind));
}

static int take_own_kind(const struct reader *reader, struct fp_report_suppression *suppression,
                         struct fp_report_string word)
{
	enum fp_finding_kind kind = find_kind(word);

	if (fp_report_is_word(word, "Leak")) {
		suppression->leaks = UINT32_MAX;
		return 0;
	}
	if (kind == FP_FINDING_COUNT)
		return refuse(reader, FP_SAY_FENCEPOST_NO_KIND, SHOWN(word));
	suppression->kinds = UINT64_C(1) << kind;
	return 0;
}

/* Takes the next of WORDS, which commas stand between, into WORD; false at the end. */
static bool next_word(struct fp_report_string *words, struct fp_report_string *word)
{
	const char *comma = words->size > 0 ? memchr(words->bytes, ',', words->size) : NULL;
	bool has_word = words->size > 0;

	*word = (struct fp_report_string){words->bytes,
	                                  comma ? (size_t)(comma - words->bytes) : words->size};
	words->bytes += word->size + (comma != NULL);
	words->size -= word->size + (comma != NULL);
	return has_word;
}

static bool is_tool(struct fp_report_string tools, const char *tool)
{
	struct fp_report_string word;

	while (next_word(&tools, &word))
		if (fp_report_is_word(word, tool))
			return true;
	return false;
}

static bool is_foreign_tool(struct fp_report_string tools)
{
	static const char *const names[] = {
	        "Helgrind", "helgrind",    "DRD",      "drd",         "DHAT",
	        "dhat",     "Massif",      "massif",   "CoreError",   "Addrcheck",
	        "SGCheck",  "exp-sgcheck", "Ptrcheck", "exp-ptrcheck"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_tool(tools, names[i]))
			return true;
	}
	return false;
}

/* "Memcheck:Leak", "Memcheck,Fencepost:Addr4" */
static int take_kind(const struct reader *reader, struct fp_report_suppression *suppression)
{
	const struct fp_report_string line = reader->line;
	const char *colon = memchr(line.bytes, ':', line.size);
	struct fp_report_string tools = {line.bytes, colon ? (size_t)(colon - line.bytes) : 0};
	struct fp_report_string kind = {colon ? colon + 1 : "",
	                                colon ? line.size - tools.size - 1 : 0};

	if (is_tool(tools, "Fencepost"))
		return take_own_kind(reader, suppression, kind);
	if (is_tool(tools, "Memcheck") || is_tool(tools, "memcheck"))
		return take_memcheck_kind(reader, suppression, kind);
	if (is_foreign_tool(tools))
		return 0;
	return refuse(reader, FP_SAY_NAMES_NO_TOOL, SHOWN(line));
}

static int take_leak_kinds(const struct reader *reader,
                           struct fp_report_suppression *suppression,
                           struct fp_report_string words)
{
	static const struct {
		const char *word;
		unsigned leaks;
	} kinds[] = {{"definite", 1U << FP_LEAK_DEFINITE},
	             {"indirect", 1U << FP_LEAK_INDIRECT},
	             {"possible", 1U << FP_LEAK_POSSIBLE},
	             {"reachable", 1U << FP_LEAK_REACHABLE},
	             {"all", UINT32_MAX},
	             {"none", 0}};
	const struct fp_report_string all = words;
	struct fp_report_string word;

	suppression->leaks = 0;
	while (next_word(&words, &word)) {
		size_t i = 0;

		while (i < 6 && !fp_report_is_word(trim(word), kinds[i].word))
			i++;
		if (i == 6)
			return refuse(reader, FP_SAY_NO_KINDS_LEAKS, SHOWN(all));
		suppression->leaks |= kinds[i].leaks;
	}
	return 0;
}

/* "fun:", "obj:", "src:", "..." */
static int take_frame(const struct reader *reader, struct fp_report_suppression *suppression)
{
	static const char *const words[] = {[FP_REPORT_PATTERN_FUNCTION] = "fun:",
	                                    [FP_REPORT_PATTERN_MODULE] = "obj:",
	                                    [FP_REPORT_PATTERN_SOURCE] = "src:"};
	const struct fp_report_string line = reader->line;

	if (suppression->pattern_count == FRAMES_MAX)
		return refuse(reader, FP_SAY_MORE_THAN_FRAMES, FRAMES_MAX);
	if (fp_report_is_word(line, "..."))
		return add_pattern(reader, suppression, FP_REPORT_PATTERN_FRAMES, "", line, "");
	for (unsigned kind = 0; kind < sizeof(words) / sizeof(words[0]); kind++) {
		size_t skipped = strlen(words[kind]);

		if (fp_report_starts_with(line, words[kind]) && line.size > skipped)
			return add_pattern(reader, suppression, kind, "",
			                   (struct fp_report_string){line.bytes + skipped,
			                                             line.size - skipped},
			                   "");
	}
	return refuse(reader, FP_SAY_NO_FRAME_WRITE, SHOWN(line));
}

static int take_line(const struct reader *reader, struct fp_report_suppression *suppression)
{
	static const char leak_kinds[] = "match-leak-kinds:";
	int result = take_limit(reader, suppression, reader->line);

	if (result != 0)
		return result < 0 ? result : 0;
	if (fp_report_starts_with(reader->line, leak_kinds)) {
		struct fp_report_string words = {reader->line.bytes + strlen(leak_kinds),
		                                 reader->line.size - strlen(leak_kinds)};

		return take_leak_kinds(reader, suppression, trim(words));
	}
	return take_frame(reader, suppression);
}

/* The line is its name. */
static bool keep_name(const struct reader *reader, struct fp_report_suppression *suppression)
{
	suppression->name = fp_report_arena_keep(&reader->suppressions->arena,
	                                         reader->line.bytes, reader->line.size);
	return suppression->name != NULL;
}

/* The rest of the block whose "{" was the line. 0, -EINVAL or -ENOMEM. */
static int read_block(struct reader *reader, struct fp_report_suppression *suppression)
{
	int result;

	suppression->is_block = true;
	if (!next_in_block(reader))
		return -EINVAL;
	if (!keep_name(reader, suppression))
		return -ENOMEM;
	if (!next_in_block(reader))
		return -EINVAL;
	result = take_kind(reader, suppression);
	/* The name of a system call's parameter, which is not known here. */
	if (result == 0 && suppression->is_call && !next_in_block(reader))
		return -EINVAL;
	while (result == 0) {
		if (!next_in_block(reader))
			return -EINVAL;
		if (fp_report_is_word(reader->line, "}"))
			break;
		result = take_line(reader, suppression);
	}
	if (result == 0 && suppression->pattern_count == 0)
		return refuse(reader, FP_SAY_BLOCK_NO_FRAME);
	return result;
}

static int parse_one(struct reader *reader, struct fp_report_suppression *suppression)
{
	if (fp_report_is_word(reader->line, "{"))
		return read_block(reader, suppression);
	return keep_name(reader, suppression) ? parse_line(reader, suppression) : -ENOMEM;
}

int fp_report_suppressions_parse(struct fp_report_suppressions *suppressions,
                                 const struct fp_report_suppression_text *text)
{
	struct reader reader = {.suppressions = suppressions,
	                        .name = text->name,
	                        .at = text->bytes,
	                        .left = text->size};
	const char *file =
	        fp_report_arena_keep(&suppressions->arena, text->name, strlen(text->name));
	int result = file ? 0 : -ENOMEM;

	while (result == 0 && next_line(&reader)) {
		struct fp_report_suppression added = {.file = file, .line = reader.number};

		result = parse_one(&reader, &added);
		if (result == 0)
			result = fp_report_append(&suppressions->arena, &suppressions->items,
			                          &suppressions->count, &added, sizeof(added));
	}
	return result;
}

void fp_report_suppressions_free(struct fp_report_suppressions *suppressions)
{
	fp_report_arena_free(&suppressions->arena);
	*suppressions = (struct fp_report_suppressions){0};
}
