/* SPDX-License-Identifier: Apache-2.0
 *
 * The first line of a finding and of a leak: what, and where.
 */
#include <inttypes.h>
#include <string.h>

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
	if (finding->stack->count > 0)
		fp_report_print_place(page, "at", finding->stack, NULL);
	else if (finding->has_block)
		fp_report_print_place(page, "allocated at", finding->block.alloc_stack,
		                      &finding->block.site);
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
}
