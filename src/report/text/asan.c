/* SPDX-License-Identifier: Apache-2.0
 *
 * The text as AddressSanitizer and LeakSanitizer would write it, for what reads theirs: CTest's
 * memory checker, dashboards, editors. Their words and their order; what they know and an event
 * log does not, the frame and stack pointer, is zero. Possible leaks and reachable blocks are
 * none to LeakSanitizer and left out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/finding.h"
#include "report/holders.h"
#include "report/writer.h"
#include "report/names.h"
#include "report/stack.h"
#include "report/text/page.h"

enum { THREADS_MAX = 256 /* that get a number of their own */ };

/* The report that is being visited. */
struct document {
	struct fp_report_page page;
	uint32_t pid;
	uint32_t threads[THREADS_MAX]; /* by the numbers they were given; the first is main's */
	size_t thread_count;
	bool has_leaks;
	uint64_t leaked_bytes;
	uint64_t leaked_objects;
};

static const char rule[] =
        "=================================================================\n";

/* "T0" is the main thread; the others have numbers in the order in which they come up. */
static size_t number_of(struct document *document, uint32_t thread)
{
	size_t i = 0;

	while (i < document->thread_count && document->threads[i] != thread)
		i++;
	if (i == document->thread_count && i < THREADS_MAX)
		document->threads[document->thread_count++] = thread;
	return i;
}

static void print_module(const struct fp_report_page *page, const struct fp_report_frame *frame)
{
	if (!frame->module) {
		fputs("(<unknown module>)", page->out);
		return;
	}
	fputc('(', page->out);
	fp_report_print_escaped(page, frame->module->path);
	fprintf(page->out, "+0x%" PRIx64 ")", frame->offset);
	if (frame->module->build_id.size == 0)
		return;
	fputs(" (BuildId: ", page->out);
	for (size_t i = 0; i < frame->module->build_id.size; i++)
		fprintf(page->out, "%02x", (unsigned char)frame->module->build_id.bytes[i]);
	fputc(')', page->out);
}

/* "/src/rows.cc:57:12", or the module. */
static void print_place(const struct fp_report_page *page, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;

	if (!symbol || !symbol->file) {
		print_module(page, frame);
		return;
	}
	fp_report_print_escaped(page, fp_report_text(symbol->file));
	if (symbol->line > 0)
		fprintf(page->out, ":%" PRIu32, symbol->line);
	if (symbol->line > 0 && symbol->column > 0)
		fprintf(page->out, ":%" PRIu32, symbol->column);
}

static uint64_t address_of(const struct fp_report_frame *frame)
{
	return frame->offset + (frame->module ? frame->module->bias : 0);
}

static void print_stack(const struct fp_report_page *page, const struct fp_report_stack *stack)
{
	for (size_t i = 0; stack && i < stack->count; i++) {
		const struct fp_report_frame *frame = &stack->frames[i];

		fprintf(page->out, "    #%zu 0x%012" PRIx64 " ", i, address_of(frame));
		if (frame->symbol && frame->symbol->function) {
			fputs("in ", page->out);
			fp_report_print_escaped(page, fp_report_text(frame->symbol->function));
		}
		fputc(' ', page->out);
		print_place(page, frame);
		fputc('\n', page->out);
	}
	fputc('\n', page->out);
}

static bool is_access(const struct fp_report_finding *finding)
{
	return finding->kind == FP_FINDING_HEAP_BUFFER_OVERFLOW ||
	       finding->kind == FP_FINDING_HEAP_BUFFER_UNDERFLOW ||
	       finding->kind == FP_FINDING_HEAP_USE_AFTER_FREE ||
	       finding->kind == FP_FINDING_USE_AFTER_POISON;
}

/* "SEGV": the signal without its first letters. */
static const char *crash_name(const struct fp_report_finding *finding)
{
	const char *name = sigabbrev_np((int)finding->signal);

	return name ? name : "UNKNOWN SIGNAL";
}

/* AddressSanitizer has one name for both sides of a block. */
static const char *name_of(const struct fp_report_finding *finding)
{
	if (finding->cause == FP_CRASH_STACK_OVERFLOW)
		return "stack-overflow";
	if (finding->signal != 0)
		return crash_name(finding);
	switch (finding->kind) {
	case FP_FINDING_HEAP_BUFFER_UNDERFLOW:
		return "heap-buffer-overflow";
	case FP_FINDING_INVALID_FREE:
		return "bad-free";
	default:
		return fp_finding_traits(finding->kind)->name;
	}
}

/* The first bad byte: of damage that was found later, where it is. */
static uint64_t access_address(const struct fp_report_finding *finding)
{
	if (fp_report_is_late(finding))
		return finding->block.address + (uint64_t)finding->evidence_offset;
	return finding->has_block && finding->access != FP_ACCESS_FREE
	               ? finding->block.address + (uint64_t)finding->block.offset
	               : finding->address;
}

static void print_access(struct document *document, const struct fp_report_finding *finding)
{
	static const char *const words[FP_ACCESS_COUNT] = {
	        "ACCESS", [FP_ACCESS_READ] = "READ", [FP_ACCESS_WRITE] = "WRITE", "ACCESS"};
	FILE *out = document->page.out;
	uint64_t size = finding->access_size;
	uint64_t pc = finding->stack->count > 0 ? address_of(&finding->stack->frames[0]) : 0;

	if (size == 0 && fp_report_is_late(finding))
		size = finding->evidence.size;
	fprintf(out,
	        "%s on address 0x%012" PRIx64 " at pc 0x%012" PRIx64
	        " bp 0x%012x sp 0x%012x\n%s of ",
	        name_of(finding), access_address(finding), pc, 0U, 0U, words[finding->access]);
	if (size > 0)
		fprintf(out, "size %" PRIu64, size);
	else
		fputs("unknown size", out);
	fprintf(out, " at 0x%012" PRIx64 " thread T%zu\n", access_address(finding),
	        number_of(document, finding->thread));
}

static uint64_t register_of(const struct fp_report_finding *finding, const char *const *names)
{
	for (size_t i = 0; i < finding->register_count; i++)
		for (const char *const *name = names; *name; name++)
			if (fp_report_is_word(finding->registers[i].name, *name))
				return finding->registers[i].value;
	return 0;
}

/* "SEGV on unknown address 0x000000000010 (pc 0x... bp 0x... sp 0x... T0)" */
static void print_crash(struct document *document, const struct fp_report_finding *finding)
{
	static const char *const pc[] = {"rip", "pc", NULL};
	static const char *const bp[] = {"rbp", "x29", NULL};
	static const char *const sp[] = {"rsp", "sp", NULL};
	FILE *out = document->page.out;

	if (finding->cause == FP_CRASH_STACK_OVERFLOW)
		fputs("stack-overflow on address", out);
	else
		fprintf(out, "%s on unknown address", crash_name(finding));
	if (finding->access != FP_ACCESS_UNKNOWN)
		fprintf(out, " 0x%012" PRIx64, finding->address);
	fprintf(out, " (pc 0x%012" PRIx64 " bp 0x%012" PRIx64 " sp 0x%012" PRIx64 " T%zu)\n",
	        register_of(finding, pc), register_of(finding, bp), register_of(finding, sp),
	        number_of(document, finding->thread));
	if (finding->access != FP_ACCESS_UNKNOWN)
		fprintf(out, "==%" PRIu32 "==The signal is caused by a %s memory access.\n",
		        document->pid, finding->access == FP_ACCESS_WRITE ? "WRITE" : "READ");
	if (finding->cause == FP_CRASH_NULL_POINTER)
		fprintf(out, "==%" PRIu32 "==Hint: address points to the zero page.\n",
		        document->pid);
}

static void print_call(struct document *document, const struct fp_report_finding *finding)
{
	FILE *out = document->page.out;
	size_t thread = number_of(document, finding->thread);

	if (finding->kind == FP_FINDING_DOUBLE_FREE)
		fputs("attempting double-free on ", out);
	else if (finding->kind == FP_FINDING_INVALID_FREE)
		fputs("attempting free on address which was not malloc()-ed: ", out);
	else
		fprintf(out, "%s on ", name_of(finding));
	fprintf(out, "0x%012" PRIx64 " in thread T%zu:\n", finding->address, thread);
}

static void print_position(const struct fp_report_page *page,
                           const struct fp_report_finding *finding)
{
	const struct fp_report_block *block = &finding->block;
	uint64_t address = access_address(finding);
	uint64_t end = block->address + block->size;

	fprintf(page->out, "0x%012" PRIx64 " is located ", address);
	if (address < block->address)
		fprintf(page->out, "%" PRIu64 " bytes before", block->address - address);
	else if (address < end)
		fprintf(page->out, "%" PRIu64 " bytes inside of", address - block->address);
	else
		fprintf(page->out, "%" PRIu64 " bytes after", address - end);
	fprintf(page->out, " %" PRIu64 "-byte region [0x%012" PRIx64 ",0x%012" PRIx64 ")\n",
	        block->size, block->address, end);
}

static void print_block(struct document *document, const struct fp_report_finding *finding)
{
	FILE *out = document->page.out;
	const struct fp_report_block *block = &finding->block;
	bool was_freed =
	        finding->block.free_stack && finding->block.free_stack != finding->stack;

	print_position(&document->page, finding);
	if (was_freed) {
		fprintf(out, "freed by thread T%zu here:\n",
		        number_of(document, block->free_thread));
		print_stack(&document->page, finding->block.free_stack);
	}
	fprintf(out, "%sallocated by thread T%zu here:\n", was_freed ? "previously " : "",
	        number_of(document, block->alloc_thread));
	print_stack(&document->page, finding->block.alloc_stack);
}

/* Their threads have a name only where theirs crashed. */
static void print_births(struct document *document, const struct fp_report_finding *finding)
{
	for (size_t i = 0; i < finding->birth_count; i++) {
		const struct fp_report_birth *birth = &finding->births[i];

		fprintf(document->page.out, "Thread T%zu ", number_of(document, birth->thread));
		if (birth->thread == finding->thread && finding->thread_name.size > 0) {
			fputc('(', document->page.out);
			fp_report_print_escaped(&document->page, finding->thread_name);
			fputs(") ", document->page.out);
		}
		fprintf(document->page.out, "created by T%zu here:\n",
		        number_of(document, birth->creator));
		print_stack(&document->page, birth->stack);
	}
}

static void print_holders(const struct fp_report_page *page,
                          const struct fp_report_holder *holders, size_t count)
{
	const struct fp_report_holder *shown[FP_REPORT_HOLDERS_SHOWN];
	size_t chosen = fp_report_choose_holders(holders, count, shown);

	for (size_t i = 0; i < chosen; i++) {
		char sentence[FP_REPORT_HOLDER_SENTENCE_MAX];

		fp_report_holder_sentence(shown[i], sentence);
		fputs("HINT: ", page->out);
		fp_report_print_escaped(page, fp_report_text(sentence));
		fputc('\n', page->out);
	}
}

static void print_summary(const struct fp_report_page *page,
                          const struct fp_report_finding *finding)
{
	const struct fp_report_stack *stack = fp_report_finding_stack(finding);
	const struct fp_report_frame *helper = fp_report_stack_helper(stack);
	const struct fp_report_frame *frame = helper ? helper : fp_report_stack_place(stack);

	fprintf(page->out, "SUMMARY: AddressSanitizer: %s", name_of(finding));
	if (frame) {
		fputc(' ', page->out);
		print_place(page, frame);
	}
	if (frame && frame->symbol && frame->symbol->function) {
		fputs(" in ", page->out);
		fp_report_print_escaped(page, fp_report_text(frame->symbol->function));
	}
	fputc('\n', page->out);
}

static int begin(struct fp_report_walk *walk)
{
	walk->state = calloc(1, sizeof(struct document));
	return walk->state ? 0 : -ENOMEM;
}

static int begin_report(struct fp_report_walk *walk, const struct fp_report *report)
{
	struct document *document = walk->state;

	*document = (struct document){
	        .page = {.out = walk->out,
	                 .has_colour = walk->view->has_colour,
	                 .has_all_frames = true},
	        .pid = report->pid,
	};
	number_of(document, report->pid);
	return 0;
}

static int write_finding(struct fp_report_walk *walk, const struct fp_report_finding *finding)
{
	struct document *document = walk->state;
	FILE *out = document->page.out;

	fputs(rule, out);
	fp_report_print_style(&document->page, FP_REPORT_STYLE_BAD);
	fprintf(out, "==%" PRIu32 "==ERROR: AddressSanitizer: ", document->pid);
	(finding->signal != 0 ? print_crash
	 : is_access(finding) ? print_access
	                      : print_call)(document, finding);
	fp_report_print_style(&document->page, FP_REPORT_STYLE_PLAIN);
	print_stack(&document->page, finding->stack);
	if (finding->has_block)
		print_block(document, finding);
	print_births(document, finding);
	if (finding->description.size > 0) {
		fputs("HINT: ", out);
		fp_report_print_escaped(&document->page, finding->description);
		fputc('\n', out);
	}
	print_holders(&document->page, finding->holders, finding->holder_count);
	print_summary(&document->page, finding);
	return 0;
}

static int write_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	struct document *document = walk->state;
	FILE *out = document->page.out;

	if (leak->class != FP_LEAK_DEFINITE && leak->class != FP_LEAK_INDIRECT)
		return 0;
	document->leaked_bytes += leak->bytes;
	document->leaked_objects += leak->blocks;
	if (walk->view->leaks != FP_REPORT_LEAKS_FULL)
		return 0;
	if (!document->has_leaks) {
		document->has_leaks = true;
		fputs(rule, out);
		fp_report_print_style(&document->page, FP_REPORT_STYLE_BAD);
		fprintf(out, "==%" PRIu32 "==ERROR: LeakSanitizer: detected memory leaks\n",
		        document->pid);
		fp_report_print_style(&document->page, FP_REPORT_STYLE_PLAIN);
		fputc('\n', out);
	}
	fprintf(out,
	        "%s leak of %" PRIu64 " byte(s) in %" PRIu64 " object(s) allocated from:\n",
	        leak->class == FP_LEAK_DEFINITE ? "Direct" : "Indirect", leak->bytes,
	        leak->blocks);
	print_stack(&document->page, leak->stack);
	print_holders(&document->page, leak->holders, leak->holder_count);
	return 0;
}

static int end_report(struct fp_report_walk *walk, const struct fp_report *report)
{
	struct document *document = walk->state;

	(void)report;
	if (document->leaked_objects > 0)
		fprintf(document->page.out,
		        "SUMMARY: AddressSanitizer: %" PRIu64 " byte(s) leaked in %" PRIu64
		        " allocation(s).\n",
		        document->leaked_bytes, document->leaked_objects);
	return 0;
}

static void release(struct fp_report_walk *walk)
{
	free(walk->state);
}

const struct fp_report_writer fp_report_asan_writer = {
        .name = "asan",
        .begin = begin,
        .begin_report = begin_report,
        .finding = write_finding,
        .leak = write_leak,
        .end_report = end_report,
        .release = release,
};
