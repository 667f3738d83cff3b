/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of one address.
 */
#include <inttypes.h>

#include "report/text/page.h"

static void print_position(const struct fp_report_page *page,
                           const struct fp_report_block *block)
{
	if (block->offset == 0)
		fputs("the start of", page->out);
	else
		fp_report_print_offset(page, block->offset, block->size);
	fprintf(page->out, "%s%s",
	        block->state == FP_BLOCK_FREED ? " a freed block of " : " a block of ",
	        FP_COUNT(block->size, "byte"));
}

static void print_block(const struct fp_report_page *page,
                        const struct fp_report_explanation *explanation)
{
	const struct fp_report_block *block = &explanation->block;

	print_position(page, block);
	if (explanation->age > 0) {
		fputs(", allocated ", page->out);
		fp_report_print_duration(page, explanation->age);
		fputs(" ago", page->out);
	}
	fprintf(page->out,
	        "\n  the block: at 0x%" PRIx64 ", serial %" PRIu64 ", heap %" PRIu32
	        ", family %s, %s\n  allocated by thread %" PRIu32 ":\n",
	        block->address, block->serial, block->heap, fp_family_name(block->family),
	        fp_tier_name(block->tier), block->alloc_thread);
	fp_report_print_stack(page, block->alloc_stack);
	if (block->free_stack && block->state == FP_BLOCK_FREED) {
		fprintf(page->out, "  freed by thread %" PRIu32 ":\n", block->free_thread);
		fp_report_print_stack(page, block->free_stack);
	}
	fp_report_print_all_holders(page, explanation->holders, explanation->holder_count,
	                            &explanation->census);
}

static void print_neighbour(const struct fp_report_page *page,
                            const struct fp_report_block *block)
{
	fprintf(page->out, "%s%s at 0x%" PRIx64 " (serial %" PRIu64 ")",
	        block->offset < 0 ? "  next behind it: " : "  next before it: ",
	        FP_COUNT(block->size, "byte"), block->address, block->serial);
	fp_report_print_place(page, "allocated at", block->alloc_stack, &block->site);
	fputc('\n', page->out);
}

void fp_report_print_explanation(const struct fp_report_page *page,
                                 const struct fp_report_explanation *explanation)
{
	fprintf(page->out, "0x%" PRIx64 " is ", explanation->address);
	if (explanation->block.address != 0) {
		print_block(page, explanation);
	} else {
		fputs("no block: it is ", page->out);
		fp_report_print_escaped(page, explanation->place);
		fputc('\n', page->out);
	}
	for (size_t i = 0; i < explanation->neighbour_count; i++)
		print_neighbour(page, &explanation->neighbours[i]);
}
