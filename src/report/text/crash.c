/* SPDX-License-Identifier: Apache-2.0
 *
 * What only crashes have: the blocks that a wild pointer may have been meant for, and the
 * registers.
 */
#include <inttypes.h>

#include "report/text/parts.h"

/* A block that is not far from where a wild pointer led. */
static void print_nearest(const struct fp_report_page *page,
                          const struct fp_report_block *block)
{
	uint64_t offset = (uint64_t)block->offset;

	fputs("  that is ", page->out);
	if (block->offset < 0) {
		fp_report_print_count(page, 0 - offset, "byte");
		fputs(" before", page->out);
	} else if (offset < block->size) {
		fp_report_print_count(page, offset, "byte");
		fputs(" inside", page->out);
	} else {
		fp_report_print_count(page, offset - block->size, "byte");
		fputs(" past the end of", page->out);
	}
	fputs(block->state == FP_BLOCK_FREED ? " a freed block of " : " a block of ",
	      page->out);
	fp_report_print_count(page, block->size, "byte");
	fprintf(page->out, ", allocated by thread %" PRIu32 ":\n", block->alloc_thread);
	fp_report_print_stack(page, block->alloc_stack);
	if (block->free_stack) {
		fprintf(page->out, "  and freed by thread %" PRIu32 ":\n", block->free_thread);
		fp_report_print_stack(page, block->free_stack);
	}
}

static void print_registers(const struct fp_report_page *page,
                            const struct fp_report_finding *finding)
{
	fputs("  registers:\n", page->out);
	for (size_t i = 0; i < finding->register_count; i++) {
		const struct fp_report_register *here = &finding->registers[i];

		fputs("    ", page->out);
		fp_report_print_escaped(page, here->name);
		fprintf(page->out, "%*s 0x%016" PRIx64,
		        here->name.size < 3 ? (int)(3 - here->name.size) : 0, "", here->value);
		if (here->meaning.size > 0) {
			fputs("  ", page->out);
			fp_report_print_escaped(page, here->meaning);
		}
		fputc('\n', page->out);
	}
}

/* Those of a thread that sends itself a signal, or is sent one, say nothing. */
static bool has_telling_registers(const struct fp_report_finding *finding)
{
	return finding->register_count > 0 && finding->code > 0 &&
	       finding->cause != FP_CRASH_ABORT;
}

void fp_report_print_crash(const struct fp_report_page *page,
                           const struct fp_report_finding *finding)
{
	for (size_t i = 0; i < finding->nearest_count; i++)
		print_nearest(page, &finding->nearest[i]);
	if (has_telling_registers(finding))
		print_registers(page, finding);
}
