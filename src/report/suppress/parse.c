/* SPDX-License-Identifier: Apache-2.0
 *
 * The file as lines, and the sanitizers' syntax: one suppression a line, "kind:pattern". A
 * pattern is found anywhere in a name, unless ^ or $ tie it to an end.
 */
#include "report/suppress/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t accesses = UINT64_C(1) << FP_FINDING_HEAP_BUFFER_OVERFLOW |
                                 UINT64_C(1) << FP_FINDING_HEAP_BUFFER_UNDERFLOW |
                                 UINT64_C(1) << FP_FINDING_HEAP_USE_AFTER_FREE;

/* The words of LeakSanitizer and AddressSanitizer; beside them stand the kinds of findings. */
static const struct {
	const char *word;
	uint64_t kinds;
	unsigned leaks;
	bool is_call;
	enum fp_report_pattern_kind pattern;
} line_kinds[] = {
        {"leak", 0, UINT32_MAX, false, FP_REPORT_PATTERN_ANY},
        {"interceptor_name", accesses, 0, true, FP_REPORT_PATTERN_CALL},
        {"interceptor_via_fun", accesses, 0, true, FP_REPORT_PATTERN_FUNCTION},
        {"interceptor_via_lib", accesses, 0, true, FP_REPORT_PATTERN_MODULE},
        {"alloc_dealloc_mismatch", UINT64_C(1) << FP_FINDING_ALLOC_DEALLOC_MISMATCH, 0, false,
         FP_REPORT_PATTERN_ANY},
        {"odr_violation", 0, 0, false, FP_REPORT_PATTERN_ANY},
};

struct fp_report_string fp_report_trim(struct fp_report_string string)
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

bool fp_report_is_word(struct fp_report_string string, const char *word)
{
	return string.size == strlen(word) && memcmp(string.bytes, word, string.size) == 0;
}

bool fp_report_starts_with(struct fp_report_string string, const char *word)
{
	size_t size = strlen(word);

	return string.size >= size && memcmp(string.bytes, word, size) == 0;
}

enum fp_finding_kind fp_report_find_kind(struct fp_report_string word)
{
	unsigned kind = 0;

	while (kind < FP_FINDING_COUNT &&
	       !fp_report_is_word(word, fp_finding_traits(kind)->name))
		kind++;
	return kind;
}

bool fp_report_suppress_next(struct fp_report_suppress_reader *reader)
{
	do {
		const char *end =
		        reader->left > 0 ? memchr(reader->at, '\n', reader->left) : NULL;
		size_t size = end ? (size_t)(end - reader->at) : reader->left;

		if (reader->left == 0)
			return false;
		reader->line = fp_report_trim((struct fp_report_string){reader->at, size});
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

int fp_report_suppress_refuse(const struct fp_report_suppress_reader *reader,
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

static int shown_size(struct fp_report_string string)
{
	return string.size < 80 ? (int)string.size : 80;
}

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

int fp_report_suppress_limit(const struct fp_report_suppress_reader *reader,
                             struct fp_report_suppression *suppression,
                             struct fp_report_string word)
{
	bool is_max = fp_report_starts_with(word, "max=");
	size_t skipped = is_max ? strlen("max=") : strlen("until=");
	struct fp_report_string value;

	if (!is_max && !fp_report_starts_with(word, "until="))
		return 0;
	value = (struct fp_report_string){word.bytes + skipped, word.size - skipped};
	if (is_max && !take_number(value, &suppression->max))
		return fp_report_suppress_refuse(reader, "\"%.*s\" has no number; write max=10",
		                                 shown_size(word), word.bytes);
	if (!is_max && !is_date(value))
		return fp_report_suppress_refuse(reader,
		                                 "\"%.*s\" has no date; write until=2026-12-31",
		                                 shown_size(word), word.bytes);
	if (is_max)
		suppression->has_max = true;
	else
		memcpy(suppression->until, value.bytes, value.size);
	return 1;
}

int fp_report_suppress_add_pattern(struct fp_report_suppression *suppression,
                                   enum fp_report_pattern_kind kind,
                                   struct fp_report_string text, const char *around)
{
	struct fp_report_pattern *patterns = fp_report_grow(
	        suppression->patterns, suppression->pattern_count, sizeof(*patterns));
	char *glob;

	if (!patterns)
		return -ENOMEM;
	suppression->patterns = patterns;
	if (asprintf(&glob, "%s%.*s%s", around, (int)text.size, text.bytes, around) < 0)
		return -ENOMEM;
	patterns[suppression->pattern_count++] = (struct fp_report_pattern){kind, glob};
	return 0;
}

/* Takes the limits off the end of PATTERN. 0 or -EINVAL. */
static int take_limits(const struct fp_report_suppress_reader *reader,
                       struct fp_report_suppression *suppression,
                       struct fp_report_string *pattern)
{
	while (pattern->size > 0) {
		const char *blank = memrchr(pattern->bytes, ' ', pattern->size);
		size_t before = blank ? (size_t)(blank - pattern->bytes) : 0;
		size_t start = blank ? before + 1 : 0;
		struct fp_report_string word = {pattern->bytes + start, pattern->size - start};
		int result = fp_report_suppress_limit(reader, suppression, word);

		if (result <= 0)
			return result;
		*pattern = fp_report_trim((struct fp_report_string){pattern->bytes, before});
	}
	return 0;
}

/* '^' and '$' tie a pattern to an end of the name; else there may be more on that side. */
static int add_line_pattern(struct fp_report_suppression *suppression,
                            enum fp_report_pattern_kind kind, struct fp_report_string pattern)
{
	bool has_start = pattern.size > 0 && pattern.bytes[0] == '^';
	bool has_end = pattern.size > 0 && pattern.bytes[pattern.size - 1] == '$';
	size_t size = pattern.size - has_start - (has_end && pattern.size > has_start);
	char *loose;
	int result;

	if (asprintf(&loose, "%s%.*s%s", has_start ? "" : "*", (int)size,
	             pattern.bytes + has_start, has_end ? "" : "*") < 0)
		return -ENOMEM;
	result = fp_report_suppress_add_pattern(
	        suppression, kind, (struct fp_report_string){loose, strlen(loose)}, "");
	free(loose);
	return result;
}

static int refuse_line(const struct fp_report_suppress_reader *reader)
{
	return fp_report_suppress_refuse(
	        reader,
	        "\"%.*s\" is no suppression; write leak:PATTERN, a kind of finding like "
	        "double-free:PATTERN, or a block of Valgrind's in { and }",
	        shown_size(reader->line), reader->line.bytes);
}

static int parse_line(const struct fp_report_suppress_reader *reader,
                      struct fp_report_suppression *suppression)
{
	const char *colon = memchr(reader->line.bytes, ':', reader->line.size);
	struct fp_report_string word = {reader->line.bytes,
	                                colon ? (size_t)(colon - reader->line.bytes) : 0};
	struct fp_report_string pattern;
	enum fp_finding_kind kind = fp_report_find_kind(word);
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
		return refuse_line(reader);
	pattern = fp_report_trim(
	        (struct fp_report_string){colon + 1, reader->line.size - word.size - 1});
	if (take_limits(reader, suppression, &pattern) != 0)
		return -EINVAL;
	if (pattern.size == 0)
		return fp_report_suppress_refuse(reader, "\"%.*s\" has no pattern; * is any",
		                                 shown_size(reader->line), reader->line.bytes);
	return add_line_pattern(suppression, pattern_kind, pattern);
}

static int parse_one(struct fp_report_suppress_reader *reader,
                     struct fp_report_suppression *suppression)
{
	if (fp_report_is_word(reader->line, "{"))
		return fp_report_suppress_block(reader, suppression);
	suppression->name = strndup(reader->line.bytes, reader->line.size);
	return suppression->name ? parse_line(reader, suppression) : -ENOMEM;
}

static int add_file(struct fp_report_suppressions *suppressions, const char *name)
{
	char **files =
	        fp_report_grow(suppressions->files, suppressions->file_count, sizeof(*files));

	if (!files)
		return -ENOMEM;
	suppressions->files = files;
	files[suppressions->file_count] = strdup(name);
	return files[suppressions->file_count] ? (suppressions->file_count++, 0) : -ENOMEM;
}

int fp_report_suppressions_parse(struct fp_report_suppressions *suppressions,
                                 const struct fp_report_suppression_text *text)
{
	struct fp_report_suppress_reader reader = {.suppressions = suppressions,
	                                           .name = text->name,
	                                           .at = text->bytes,
	                                           .left = text->size};
	int result = add_file(suppressions, text->name);

	while (result == 0 && fp_report_suppress_next(&reader)) {
		struct fp_report_suppression *items = fp_report_grow(
		        suppressions->items, suppressions->count, sizeof(*items));

		if (!items)
			return -ENOMEM;
		suppressions->items = items;
		items[suppressions->count] = (struct fp_report_suppression){
		        .file = suppressions->files[suppressions->file_count - 1],
		        .line = reader.number};
		result = parse_one(&reader, &items[suppressions->count++]);
	}
	return result;
}

void fp_report_suppressions_free(struct fp_report_suppressions *suppressions)
{
	for (size_t i = 0; i < suppressions->count; i++) {
		struct fp_report_suppression *suppression = &suppressions->items[i];

		for (size_t j = 0; j < suppression->pattern_count; j++)
			free(suppression->patterns[j].glob);
		free(suppression->patterns);
		free((char *)(uintptr_t)suppression->name);
	}
	for (size_t i = 0; i < suppressions->file_count; i++)
		free(suppressions->files[i]);
	free(suppressions->items);
	free(suppressions->files);
	*suppressions = (struct fp_report_suppressions){0};
}
