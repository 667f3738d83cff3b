/* SPDX-License-Identifier: Apache-2.0
 *
 * Valgrind's syntax: a block with a name, a tool and its kind of error, then frames from the
 * innermost outwards. Kinds that only Valgrind finds, and other tools' blocks, are read and
 * never match: one file serves both.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/suppress/parse.h"

enum { FRAMES_MAX = 500 /* Valgrind has no more either */ };

#define BIT(kind) (UINT64_C(1) << FP_FINDING_##kind)
#define ACCESSES                                                                               \
	(BIT(HEAP_BUFFER_OVERFLOW) | BIT(HEAP_BUFFER_UNDERFLOW) | BIT(HEAP_USE_AFTER_FREE))
#define FREES                                                                                  \
	(BIT(INVALID_FREE) | BIT(DOUBLE_FREE) | BIT(WRONG_HEAP) | BIT(ALLOC_DEALLOC_MISMATCH))

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

static int size_of(struct fp_report_string string)
{
	return string.size < 80 ? (int)string.size : 80;
}

static bool next_line(struct fp_report_suppress_reader *reader)
{
	if (fp_report_suppress_next(reader))
		return true;
	fp_report_suppress_refuse(reader, "the block that began above does not end; write }");
	return false;
}

static int take_memcheck_kind(const struct fp_report_suppress_reader *reader,
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
	return fp_report_suppress_refuse(reader,
	                                 "Memcheck has no kind \"%.*s\"; write Memcheck:Leak, "
	                                 "Memcheck:Free or Memcheck:Addr4",
	                                 size_of(kind), kind.bytes);
}

static int take_own_kind(const struct fp_report_suppress_reader *reader,
                         struct fp_report_suppression *suppression,
                         struct fp_report_string word)
{
	enum fp_finding_kind kind = fp_report_find_kind(word);

	if (fp_report_is_word(word, "Leak")) {
		suppression->leaks = UINT32_MAX;
		return 0;
	}
	if (kind == FP_FINDING_COUNT)
		return fp_report_suppress_refuse(reader,
		                                 "Fencepost has no kind \"%.*s\"; write "
		                                 "Fencepost:Leak or Fencepost:double-free",
		                                 size_of(word), word.bytes);
	suppression->kinds = UINT64_C(1) << kind;
	return 0;
}

static bool is_tool(struct fp_report_string tools, const char *tool)
{
	while (tools.size > 0) {
		const char *comma = memchr(tools.bytes, ',', tools.size);
		size_t size = comma ? (size_t)(comma - tools.bytes) : tools.size;

		if (fp_report_is_word((struct fp_report_string){tools.bytes, size}, tool))
			return true;
		tools.bytes += comma ? size + 1 : size;
		tools.size -= comma ? size + 1 : size;
	}
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
static int take_kind(const struct fp_report_suppress_reader *reader,
                     struct fp_report_suppression *suppression)
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
	return fp_report_suppress_refuse(
	        reader,
	        "\"%.*s\" names no tool and kind; write Memcheck:Leak or Fencepost:Leak",
	        size_of(line), line.bytes);
}

static int take_leak_kinds(const struct fp_report_suppress_reader *reader,
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

	suppression->leaks = 0;
	while (words.size > 0) {
		const char *comma = memchr(words.bytes, ',', words.size);
		size_t size = comma ? (size_t)(comma - words.bytes) : words.size;
		size_t i = 0;

		while (i < 6 && !fp_report_is_word(fp_report_trim((struct fp_report_string){
		                                           words.bytes, size}),
		                                   kinds[i].word))
			i++;
		if (i == 6)
			break;
		suppression->leaks |= kinds[i].leaks;
		words.bytes += comma ? size + 1 : size;
		words.size -= comma ? size + 1 : size;
	}
	if (words.size == 0)
		return 0;
	return fp_report_suppress_refuse(reader,
	                                 "\"%.*s\" are no kinds of leaks; write definite, "
	                                 "indirect, possible, reachable, all or none",
	                                 size_of(all), all.bytes);
}

/* "fun:", "obj:", "src:", "..." */
static int take_frame(const struct fp_report_suppress_reader *reader,
                      struct fp_report_suppression *suppression)
{
	static const char *const words[] = {[FP_REPORT_PATTERN_FUNCTION] = "fun:",
	                                    [FP_REPORT_PATTERN_MODULE] = "obj:",
	                                    [FP_REPORT_PATTERN_SOURCE] = "src:"};
	const struct fp_report_string line = reader->line;

	if (suppression->pattern_count == FRAMES_MAX)
		return fp_report_suppress_refuse(reader, "more than %d frames; leave some out",
		                                 FRAMES_MAX);
	if (fp_report_is_word(line, "..."))
		return fp_report_suppress_add_pattern(suppression, FP_REPORT_PATTERN_FRAMES,
		                                      line, "");
	for (unsigned kind = 0; kind < sizeof(words) / sizeof(words[0]); kind++) {
		size_t skipped = strlen(words[kind]);

		if (fp_report_starts_with(line, words[kind]) && line.size > skipped)
			return fp_report_suppress_add_pattern(
			        suppression, kind,
			        (struct fp_report_string){line.bytes + skipped,
			                                  line.size - skipped},
			        "");
	}
	return fp_report_suppress_refuse(
	        reader, "\"%.*s\" is no frame; write fun:NAME, obj:FILE, src:FILE:LINE or ...",
	        size_of(line), line.bytes);
}

static int take_line(const struct fp_report_suppress_reader *reader,
                     struct fp_report_suppression *suppression)
{
	static const char leak_kinds[] = "match-leak-kinds:";
	int result = fp_report_suppress_limit(reader, suppression, reader->line);

	if (result != 0)
		return result < 0 ? result : 0;
	if (fp_report_starts_with(reader->line, leak_kinds)) {
		struct fp_report_string words = {reader->line.bytes + strlen(leak_kinds),
		                                 reader->line.size - strlen(leak_kinds)};

		return take_leak_kinds(reader, suppression, fp_report_trim(words));
	}
	return take_frame(reader, suppression);
}

int fp_report_suppress_block(struct fp_report_suppress_reader *reader,
                             struct fp_report_suppression *suppression)
{
	int result;

	suppression->is_block = true;
	if (!next_line(reader))
		return -EINVAL;
	suppression->name = strndup(reader->line.bytes, reader->line.size);
	if (!suppression->name)
		return -ENOMEM;
	if (!next_line(reader))
		return -EINVAL;
	result = take_kind(reader, suppression);
	/* The name of a system call's parameter, which is not known here. */
	if (result == 0 && suppression->is_call && !next_line(reader))
		return -EINVAL;
	while (result == 0) {
		if (!next_line(reader))
			return -EINVAL;
		if (fp_report_is_word(reader->line, "}"))
			break;
		result = take_line(reader, suppression);
	}
	if (result == 0 && suppression->pattern_count == 0)
		return fp_report_suppress_refuse(reader, "the block has no frame; write ...");
	return result;
}
