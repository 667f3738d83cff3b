/* SPDX-License-Identifier: Apache-2.0
 *
 * The first line of a finding and of a leak: what, and where.
 */
#include <inttypes.h>
#include <string.h>

#include "report/finding_facts.h"
#include "report/names.h"
#include "report/text/parts.h"

/* Whether NUMBER, said aloud, takes "an": eight, eleven and eighteen do, at the start of it. */
static bool has_vowel(uint64_t number)
{
	while (number >= 1000)
		number /= 1000;
	return number == 8 || number == 11 || number == 18 || number / 10 == 8 ||
	       number / 100 == 8;
}

/* When bytes were changed that nobody saw change: who changed them is in no stack. */
static void print_times(const struct fp_report_page *page,
                        const struct fp_report_finding *finding)
{
	const struct fp_report_block *block = &finding->block;

	if (block->free_stack && block->free_stack != finding->stack) {
		fputs(", written after the free", page->out);
		fp_report_print_place(page, "at", block->free_stack, NULL);
		return;
	}
	fputs(", written between the allocation", page->out);
	fp_report_print_place(page, "at", block->alloc_stack, &block->site);
	if (block->free_stack)
		fputs(" and the free", page->out);
	else if (finding->stack->count > 0)
		fputs(" and the check", page->out);
	else
		fputs(" and the end of the process", page->out);
	fp_report_print_place(page, "at", finding->stack, NULL);
}

/* Of a free of what is not the start of a block: what it is. */
static void print_pointer(const struct fp_report_page *page,
                          const struct fp_report_finding *finding)
{
	const struct fp_report_string target = fp_report_pointer_target(finding);
	const struct fp_report_block *block = &finding->block;
	bool is_region = finding->page.state != FP_PAGE_NONE;

	if (finding->has_block && block->offset != 0) {
		fputs("; the pointer is ", page->out);
		fp_report_print_offset(page, block->offset, block->size);
		fputs(block->free_stack ? " a freed " : " the ", page->out);
		fputs(is_region ? "region," : "block,", page->out);
		fp_report_print_place(page, is_region ? "reserved at" : "allocated at",
		                      block->alloc_stack, &block->site);
	} else if (target.size > 0) {
		fputs("; it points to ", page->out);
		fp_report_print_escaped(page, target);
	}
}

static void print_where(const struct fp_report_page *page,
                        const struct fp_report_finding *finding)
{
	if (finding->stack->count > 0) {
		fp_report_print_place(page, "at", finding->stack, NULL);
		fp_report_print_caller(page, finding->stack);
	} else if (finding->has_block) {
		fp_report_print_place(page, "allocated at", finding->block.alloc_stack,
		                      &finding->block.site);
	}
	if (finding->kind == FP_FINDING_INVALID_FREE)
		print_pointer(page, finding);
}

void fp_report_print_title(const struct fp_report_page *page,
                           const struct fp_report_finding *finding)
{
	const struct fp_finding_traits *info = fp_finding_traits(finding->kind);
	bool is_error = strcmp(info->severity, "error") == 0;

	fp_report_print_style(page, is_error ? FP_REPORT_STYLE_BAD : FP_REPORT_STYLE_WARNING);
	fputs(info->name, page->out);
	fp_report_print_style(page, FP_REPORT_STYLE_PLAIN);
	if (finding->signal != 0) {
		char name[FP_REPORT_SIGNAL_MAX];

		fp_report_signal_name(finding->signal, name);
		fprintf(page->out, " (%s)", name);
	} else if (finding->has_block) {
		fputs(has_vowel(finding->block.size) ? " of an " : " of a ", page->out);
		fp_report_print_number(page, finding->block.size);
		fputs(finding->page.state == FP_PAGE_NONE ? "-byte block" : "-byte region",
		      page->out);
	} else if (finding->address != 0) {
		fprintf(page->out, " of 0x%" PRIx64, finding->address);
	}
	if (fp_report_is_late(finding))
		print_times(page, finding);
	else
		print_where(page, finding);
	if (finding->count > 1) {
		fputs(" (", page->out);
		fp_report_print_count(page, finding->count, "time");
		fputc(')', page->out);
	}
}

void fp_report_print_leak_title(const struct fp_report_page *page,
                                const struct fp_report_leak *leak)
{
	static const char *const titles[FP_LEAK_CLASS_COUNT] = {
	        [FP_LEAK_DEFINITE] = "leak",
	        [FP_LEAK_INDIRECT] = "indirect leak",
	        [FP_LEAK_POSSIBLE] = "possible leak",
	        [FP_LEAK_REACHABLE] = "reachable memory, never freed,",
	};

	fp_report_print_style(page, leak->class == FP_LEAK_REACHABLE ? FP_REPORT_STYLE_WARNING
	                                                             : FP_REPORT_STYLE_BAD);
	fputs(titles[leak->class], page->out);
	fp_report_print_style(page, FP_REPORT_STYLE_PLAIN);
	fputs(" of ", page->out);
	fp_report_print_count(page, leak->bytes, "byte");
	fputs(" in ", page->out);
	fp_report_print_count(page, leak->blocks, "block");
	fp_report_print_place(page, "at", leak->stack, &leak->site);
	fp_report_print_caller(page, leak->stack);
}
