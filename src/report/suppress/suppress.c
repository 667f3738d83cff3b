/* SPDX-License-Identifier: Apache-2.0
 *
 * Which suppression matches what, and what comes of it. The first one in the order of the files
 * counts, as long as it is neither out of date nor exceeded.
 */
#include "report/suppress/suppress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "report/finding.h"
#include "report/leaks.h"
#include "report/names.h"
#include "report/stack.h"
#include "report/text/page.h"

/* A finding or leak as a suppression sees it. */
struct subject {
	const struct fp_report_finding *finding; /* NULL: a leak */
	enum fp_leak_class class;                /* of a leak */
	const struct fp_report_stack *stack;
	const struct fp_report_stack *leader; /* of the leak that it hangs from, or NULL */
	bool is_call;
	uint64_t weight; /* for max=N */
};

/* What Valgrind has as the innermost frame, and Fencepost has not: its own function that was
 * called. */
static const char *const own_functions[] = {
        "malloc",
        "calloc",
        "realloc",
        "memalign",
        "posix_memalign",
        "aligned_alloc",
        "valloc",
        "reallocarray",
        "free",
        "cfree",
        "_Znwm",
        "_Znam",
        "_Znwj",
        "_Znaj",
        "_ZdlPv",
        "_ZdaPv",
        "_ZdlPvm",
        "_ZdaPvm",
        "operator new(unsigned long)",
        "operator new[](unsigned long)",
        "operator delete(void*)",
        "operator delete[](void*)",
};

static const char *state_name(unsigned state)
{
	static const char *const names[] = {
	        [FP_REPORT_SUPPRESSION_ACTIVE] = "active",
	        [FP_REPORT_SUPPRESSION_EXPIRED] = "expired",
	        [FP_REPORT_SUPPRESSION_EXCEEDED] = "exceeded",
	        [FP_REPORT_SUPPRESSION_FOREIGN] = "foreign",
	};

	return names[state];
}

const struct fp_schema_words fp_report_suppression_states = {FP_REPORT_SUPPRESSION_STATES,
                                                             state_name};

/* Whether TEXT is as GLOB says. '*' is tried as short as it can be, and only the last one is
 * ever made longer, so that a hostile pattern takes no longer than the product of both. */
static bool is_like(const char *glob, struct fp_report_string text, bool has_any_byte)
{
	const char *star = NULL;
	size_t star_at = 0;
	size_t at = 0;

	while (at < text.size) {
		if (*glob == '*') {
			star = glob++;
			star_at = at;
		} else if (*glob != '\0' &&
		           (*glob == text.bytes[at] || (has_any_byte && *glob == '?'))) {
			glob++;
			at++;
		} else if (star) {
			glob = star + 1;
			at = ++star_at;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

static bool is_function(const char *glob, const struct fp_symbol_frame *symbol, bool is_block)
{
	if (!symbol || !symbol->function)
		return false;
	if (is_like(glob, fp_report_text(symbol->function), is_block))
		return true;
	return symbol->linkage && is_like(glob, fp_report_text(symbol->linkage), is_block);
}

/* "rows.c", "src/rows.c" and "rows.c:31" */
static bool is_source(const char *glob, const struct fp_symbol_frame *symbol)
{
	char line[16];
	const char *colon = strrchr(glob, ':');
	struct fp_report_string path;
	char file[512];

	if (!symbol || !symbol->file)
		return false;
	path = fp_report_text(symbol->file);
	if (is_like(glob, path, true) || is_like(glob, fp_report_base_name(path), true))
		return true;
	snprintf(line, sizeof(line), "%u", symbol->line);
	if (!colon || strcmp(colon + 1, line) != 0 ||
	    snprintf(file, sizeof(file), "%.*s", (int)(colon - glob), glob) >=
	            (int)sizeof(file))
		return false;
	return is_like(file, path, true) || is_like(file, fp_report_base_name(path), true);
}

static bool is_frame(const struct fp_report_pattern *pattern,
                     const struct fp_report_frame *frame, bool is_block)
{
	struct fp_report_string module =
	        frame->module ? frame->module->path : (struct fp_report_string){"", 0};

	switch (pattern->kind) {
	case FP_REPORT_PATTERN_FUNCTION:
		return is_function(pattern->glob, frame->symbol, is_block);
	case FP_REPORT_PATTERN_MODULE:
		return frame->module && is_like(pattern->glob, module, is_block);
	case FP_REPORT_PATTERN_SOURCE:
		return is_source(pattern->glob, frame->symbol);
	case FP_REPORT_PATTERN_ANY:
		if (is_function(pattern->glob, frame->symbol, is_block) ||
		    (frame->module && is_like(pattern->glob, module, is_block)))
			return true;
		return frame->symbol && frame->symbol->file &&
		       is_like(pattern->glob, fp_report_text(frame->symbol->file), is_block);
	default:
		return false;
	}
}

/* Whether PATTERN can stand for a frame of Fencepost's own that the stack does not have. */
static bool is_own(const struct fp_report_pattern *pattern)
{
	/* What a block says of its module is the C library's or Valgrind's, which is neither.
	 */
	if (pattern->kind != FP_REPORT_PATTERN_FUNCTION)
		return pattern->kind == FP_REPORT_PATTERN_MODULE;
	for (size_t i = 0; i < sizeof(own_functions) / sizeof(own_functions[0]); i++) {
		if (is_like(pattern->glob, fp_report_text(own_functions[i]), true))
			return true;
	}
	return false;
}

/* Whether the patterns from PATTERN on are the frames of STACK from FIRST on, in their order;
 * frames may be left over. The same walk as in is_like, with "..." as its star. */
static bool are_frames(const struct fp_report_suppression *suppression,
                       const struct fp_report_stack *stack, size_t first, size_t pattern)
{
	size_t star = SIZE_MAX;
	size_t star_at = 0;
	size_t at = first;

	while (pattern < suppression->pattern_count) {
		const struct fp_report_pattern *wanted = &suppression->patterns[pattern];

		if (wanted->kind == FP_REPORT_PATTERN_FRAMES) {
			star = pattern++;
			star_at = at;
		} else if (at < stack->count && is_frame(wanted, &stack->frames[at], true)) {
			pattern++;
			at++;
		} else if (star != SIZE_MAX && star_at < stack->count) {
			pattern = star + 1;
			at = ++star_at;
		} else {
			return false;
		}
	}
	return true;
}

static bool is_block_of(const struct fp_report_suppression *suppression,
                        const struct subject *subject)
{
	const struct fp_report_pattern *first = &suppression->patterns[0];

	if (are_frames(suppression, subject->stack, 0, 0))
		return true;
	/* A call of the C library that is checked is one frame that is not there either. */
	return (subject->is_call ? first->kind == FP_REPORT_PATTERN_FUNCTION : is_own(first)) &&
	       are_frames(suppression, subject->stack, 0, 1);
}

static bool is_line_of(const struct fp_report_suppression *suppression,
                       const struct subject *subject)
{
	const struct fp_report_pattern *pattern = &suppression->patterns[0];

	if (pattern->kind == FP_REPORT_PATTERN_CALL)
		return is_like(pattern->glob, fp_report_text(subject->stack->within), false);
	for (size_t i = 0; i < subject->stack->count; i++) {
		if (is_frame(pattern, &subject->stack->frames[i], false))
			return true;
	}
	return false;
}

static bool is_of_kind(const struct fp_report_suppression *suppression,
                       const struct subject *subject)
{
	const struct fp_report_finding *finding = subject->finding;

	if (finding ? !(suppression->kinds >> finding->kind & 1)
	            : !(suppression->leaks >> subject->class & 1))
		return false;
	if (suppression->is_call && !subject->is_call)
		return false;
	if (finding && suppression->access > 0) {
		uint64_t size = finding->access_size;

		if (size > 0 && size != suppression->access)
			return false;
	}
	return suppression->is_block ? is_block_of(suppression, subject)
	                             : is_line_of(suppression, subject);
}

enum match { MATCH_NONE, MATCH_ITSELF, MATCH_LEADER };

/* What hangs from a leak goes with it, as it is told with it. */
static enum match match(const struct fp_report_suppression *suppression,
                        const struct subject *subject)
{
	const struct subject leader = {.class = FP_LEAK_DEFINITE, .stack = subject->leader};

	if (is_of_kind(suppression, subject))
		return MATCH_ITSELF;
	return subject->leader && is_of_kind(suppression, &leader) ? MATCH_LEADER : MATCH_NONE;
}

static struct subject subject_of_finding(const struct fp_report_finding *finding)
{
	return (struct subject){.finding = finding,
	                        .stack = fp_report_finding_stack(finding),
	                        .is_call = fp_report_is_access_of_call(finding),
	                        .weight = 1};
}

static struct subject subject_of_leak(const struct fp_report_leak *leak)
{
	return (struct subject){.class = leak->class,
	                        .stack = leak->stack,
	                        .leader = leak->leader_stack,
	                        .weight = leak->blocks};
}

/* It stands for memory that can be reached, of which no number of blocks is lost. */
static struct subject subject_of_growing(const struct fp_report_growing *growing)
{
	return (struct subject){.class = FP_LEAK_REACHABLE, .stack = growing->stack};
}

/* Counts what matches SUBJECT, up to the one that takes it out, which it returns, or NULL. */
static struct fp_report_suppression *tally(struct fp_report_suppressions *suppressions,
                                           struct subject subject)
{
	for (size_t i = 0; i < suppressions->count; i++) {
		struct fp_report_suppression *suppression = &suppressions->items[i];

		enum match how = match(suppression, &subject);

		if (how == MATCH_NONE)
			continue;
		suppression->matched += how == MATCH_ITSELF ? subject.weight : 0;
		if (suppression->state == FP_REPORT_SUPPRESSION_ACTIVE)
			return suppression;
	}
	return NULL;
}

static void tally_report(struct fp_report_suppressions *suppressions,
                         const struct fp_report *report)
{
	for (size_t i = 0; i < report->finding_count; i++)
		tally(suppressions, subject_of_finding(&report->findings[i]));
	for (size_t i = 0; i < report->leak_count; i++)
		tally(suppressions, subject_of_leak(&report->leaks[i]));
}

/* Marks what matches more than it may; what it matched falls to those behind it. */
static bool find_exceeded(struct fp_report_suppressions *suppressions)
{
	bool has_found = false;

	for (size_t i = 0; i < suppressions->count; i++) {
		struct fp_report_suppression *suppression = &suppressions->items[i];

		if (suppression->state == FP_REPORT_SUPPRESSION_ACTIVE &&
		    suppression->has_max && suppression->matched > suppression->max) {
			suppression->state = FP_REPORT_SUPPRESSION_EXCEEDED;
			has_found = true;
		}
	}
	return has_found;
}

static void begin(struct fp_report_suppressions *suppressions, const char *today)
{
	for (size_t i = 0; i < suppressions->count; i++) {
		struct fp_report_suppression *suppression = &suppressions->items[i];

		if (suppression->kinds == 0 && suppression->leaks == 0)
			suppression->state = FP_REPORT_SUPPRESSION_FOREIGN;
		else if (suppression->until[0] != '\0' && strcmp(today, suppression->until) > 0)
			suppression->state = FP_REPORT_SUPPRESSION_EXPIRED;
	}
}

static void reset(struct fp_report_suppressions *suppressions)
{
	for (size_t i = 0; i < suppressions->count; i++)
		suppressions->items[i].matched = 0;
}

static bool is_taken(struct fp_report_suppressions *suppressions, struct subject subject)
{
	struct fp_report_suppression *suppression = tally(suppressions, subject);

	if (suppression)
		suppression->used++;
	return suppression != NULL;
}

/* Leaves in REPORT the COUNT ITEMS that are not taken. */
#define LEAVE(report, items, count, subject_of)                                                \
	do {                                                                                   \
		size_t left = 0;                                                               \
                                                                                               \
		for (size_t i = 0; i < (report)->count; i++)                                   \
			if (!is_taken(suppressions, subject_of(&(report)->items[i])))          \
				(report)->items[left++] = (report)->items[i];                  \
		(report)->suppressed += (report)->count - left;                                \
		(report)->count = left;                                                        \
	} while (0)

static void take_out(struct fp_report_suppressions *suppressions, struct fp_report *report)
{
	LEAVE(report, findings, finding_count, subject_of_finding);
	LEAVE(report, leaks, leak_count, subject_of_leak);
	LEAVE(report, growth.stacks, growth.count, subject_of_growing);
	report->suppressions = suppressions;
}

void fp_report_suppress(struct fp_report *const *reports, size_t count,
                        struct fp_report_suppressions *suppressions, const char *today)
{
	begin(suppressions, today);
	do {
		reset(suppressions);
		for (size_t i = 0; i < count; i++)
			tally_report(suppressions, reports[i]);
	} while (find_exceeded(suppressions));
	reset(suppressions);
	for (size_t i = 0; i < count; i++)
		take_out(suppressions, reports[i]);
}

/*
 * Suppressions as text: blocks to paste, and what those that were given did. Names come from a
 * log and must neither end a line nor mean more than themselves.
 */

enum { NAMED_MAX = 10 /* of the suppressions that did nothing */ };

/* NAME where a pattern is read: what would end the line or be trimmed off becomes '?', any one
 * character. */
static void print_name(FILE *out, struct fp_report_string name)
{
	for (size_t i = 0; i < name.size; i++) {
		unsigned char byte = (unsigned char)name.bytes[i];
		bool is_edge = i == 0 || i + 1 == name.size;

		fputc(byte < 0x20 || byte == 0x7f || (byte == ' ' && is_edge) ? '?' : byte,
		      out);
	}
}

static void print_pattern(FILE *out, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;
	const char *function = symbol ? symbol->linkage : NULL;

	if (!function && symbol)
		function = symbol->function;
	fputs("   ", out);
	if (function && function[0] != '\0') {
		fputs("fun:", out);
		print_name(out, fp_report_text(function));
	} else {
		fputs("obj:", out);
		if (frame->module && frame->module->path.size > 0)
			print_name(out, frame->module->path);
		else
			fputc('*', out);
	}
	fputc('\n', out);
}

/* The block of a finding or leak that WORD names. */
static int make_block(const char *word, const struct fp_report_stack *stack,
                      const char *leak_kind, char **block)
{
	const struct fp_report_frame *place = fp_report_stack_place(stack);
	size_t size;
	FILE *out = open_memstream(block, &size);

	if (!out)
		return -ENOMEM;
	fprintf(out, "{\n   %s", word);
	if (place && place->symbol && place->symbol->function) {
		fputs(" in ", out);
		print_name(out, fp_report_text(place->symbol->function));
	}
	fprintf(out, "\n   Fencepost:%s\n", leak_kind ? "Leak" : word);
	if (leak_kind)
		fprintf(out, "   match-leak-kinds: %s\n", leak_kind);
	for (size_t i = 0; i < stack->shown; i++)
		print_pattern(out, &stack->frames[i]);
	if (stack->shown == 0)
		fputs("   ...\n", out);
	fputs("}\n", out);
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

int fp_report_suppression_of_finding(const struct fp_report_finding *finding, char **block)
{
	return make_block(fp_finding_traits(finding->kind)->name,
	                  fp_report_finding_stack(finding), NULL, block);
}

int fp_report_suppression_of_leak(const struct fp_report_leak *leak, char **block)
{
	return make_block("leak", leak->stack, fp_leak_class_name(leak->class), block);
}

static void print_one(const struct fp_report_page *page,
                      const struct fp_report_suppression *suppression)
{
	fputc('"', page->out);
	fp_report_print_escaped(page, fp_report_text(suppression->name));
	fputs("\" (", page->out);
	fp_report_print_escaped(page, fp_report_text(suppression->file));
	fprintf(page->out, ":%" PRIu32 ")", suppression->line);
}

static void print_inactive(const struct fp_report_page *page,
                           const struct fp_report_suppression *suppression)
{
	fputs(FP_SAY_NOTE_SUPPRESSION, page->out);
	print_one(page, suppression);
	if (suppression->state == FP_REPORT_SUPPRESSION_EXPIRED)
		fprintf(page->out, FP_SAY_EXPIRED_AFTER, suppression->until);
	else
		fprintf(page->out, FP_SAY_ALLOWS_MAX, suppression->max);
	fprintf(page->out, ": the %s%s", FP_NUMBER(suppression->matched),
	        FP_SAY_MATCHES_REPORTED);
}

static void print_unused(const struct fp_report_page *page,
                         const struct fp_report_suppressions *suppressions)
{
	size_t unused = 0;

	for (size_t i = 0; i < suppressions->count; i++) {
		if (suppressions->items[i].matched > 0 ||
		    suppressions->items[i].state == FP_REPORT_SUPPRESSION_FOREIGN ||
		    unused++ >= NAMED_MAX)
			continue;
		fputs(unused == 1 ? FP_SAY_NEVER_USED : ", ", page->out);
		print_one(page, &suppressions->items[i]);
	}
	if (unused > NAMED_MAX)
		fprintf(page->out, FP_SAY_MORE_UNUSED, FP_NUMBER(unused - NAMED_MAX));
	if (unused > 0)
		fputc('\n', page->out);
}

void fp_report_print_suppressions(const struct fp_report_page *page,
                                  const struct fp_report_suppressions *suppressions)
{
	for (size_t i = 0; suppressions && i < suppressions->count; i++) {
		const struct fp_report_suppression *suppression = &suppressions->items[i];

		if (suppression->used > 0) {
			fprintf(page->out, "fencepost: %s%s", FP_NUMBER(suppression->used),
			        FP_SAY_SUPPRESSED);
			print_one(page, suppression);
			fputc('\n', page->out);
		} else if (suppression->matched > 0 &&
		           suppression->state != FP_REPORT_SUPPRESSION_ACTIVE) {
			print_inactive(page, suppression);
		}
	}
	if (suppressions)
		print_unused(page, suppressions);
}
