/* SPDX-License-Identifier: Apache-2.0
 *
 * Valgrind's XML, protocol 4, as Memcheck writes it: what Qt Creator, CLion and Jenkins read.
 * Parsers refuse kinds that they do not know, so every finding is one of Memcheck's, and its
 * own kind is in the text. A file tells of one process. When it has to tell of several, the
 * first is the one it names, and each error says which process it is of.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/writer.h"
#include "report/finding.h"
#include "report/holders.h"
#include "report/names.h"
#include "report/source.h"
#include "report/report.h"
#include "report/stack.h"
#include "report/suppress/suppress.h"

/* Where elements go, and how many they stand in. */
struct xml {
	FILE *out;
	int depth;
};

static void indent(const struct xml *xml)
{
	for (int i = 0; i < xml->depth; i++)
		fputs("  ", xml->out);
}

static void xml_open(struct xml *xml, const char *name)
{
	indent(xml);
	fprintf(xml->out, "<%s>\n", name);
	xml->depth++;
}

static void xml_close(struct xml *xml, const char *name)
{
	xml->depth--;
	indent(xml);
	fprintf(xml->out, "</%s>\n", name);
}

/* Bytes at the start of STRING that XML can hold; U+FFFE and U+FFFF are no characters. */
static size_t holdable_length(struct fp_report_string string)
{
	size_t length = fp_report_printable_length(string);

	if (length == 3 && (memcmp(string.bytes, "\xef\xbf\xbe", 3) == 0 ||
	                    memcmp(string.bytes, "\xef\xbf\xbf", 3) == 0))
		return 0;
	return length;
}

static void escape(FILE *out, struct fp_report_string string)
{
	while (string.size > 0) {
		size_t length = holdable_length(string);

		if (length == 0)
			fprintf(out, "\\x%02x", (unsigned char)string.bytes[0]);
		else if (string.bytes[0] == '&')
			fputs("&amp;", out);
		else if (string.bytes[0] == '<')
			fputs("&lt;", out);
		else if (string.bytes[0] == '>')
			fputs("&gt;", out);
		else
			fwrite(string.bytes, 1, length, out);
		length = length > 0 ? length : 1;
		string.bytes += length;
		string.size -= length;
	}
}

/* <name>...</name> on one line. */
static void xml_string(const struct xml *xml, const char *name, struct fp_report_string string)
{
	indent(xml);
	fprintf(xml->out, "<%s>", name);
	escape(xml->out, string);
	fprintf(xml->out, "</%s>\n", name);
}

__attribute__((format(printf, 3, 4))) static void
xml_print(const struct xml *xml, const char *name, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	xml_string(xml, name, fp_report_text(text));
}

/* Valgrind's directory and file are the two halves of one path. */
static int print_file(const struct xml *xml, const struct fp_symbol_frame *symbol)
{
	char *path = fp_report_make_path(symbol->directory, fp_report_text(symbol->file));
	struct fp_report_string directory;
	struct fp_report_string file;

	if (!path)
		return -ENOMEM;
	directory = fp_report_text(path);
	file = fp_report_base_name(directory);
	directory.size -= file.size;
	if (directory.size > 1)
		directory.size--;
	if (directory.size > 0)
		xml_string(xml, "dir", directory);
	xml_string(xml, "file", file);
	if (symbol->line > 0)
		xml_print(xml, "line", "%" PRIu32, symbol->line);
	free(path);
	return 0;
}

static int print_frame(struct xml *xml, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;
	uint64_t bias = frame->module ? frame->module->bias : 0;
	int result = 0;

	xml_open(xml, "frame");
	xml_print(xml, "ip", "0x%" PRIX64, bias + frame->offset);
	if (frame->module)
		xml_string(xml, "obj", frame->module->path);
	if (symbol && symbol->function)
		xml_string(xml, "fn", fp_report_text(symbol->function));
	if (symbol && symbol->file)
		result = print_file(xml, symbol);
	xml_close(xml, "frame");
	return result;
}

/* A stack down to main, which by the rules has at least one frame. 0 or -ENOMEM. */
static int xml_stack(struct xml *xml, const struct fp_report_stack *stack)
{
	static const struct fp_report_frame nowhere;
	int result = 0;

	xml_open(xml, "stack");
	if (stack->shown == 0)
		result = print_frame(xml, &nowhere);
	for (size_t i = 0; result == 0 && i < stack->shown; i++)
		result = print_frame(xml, &stack->frames[i]);
	xml_close(xml, "stack");
	return result;
}

/* What the rules put behind the findings of all processes. */
struct late {
	char *text;
	size_t size;
	struct xml xml;
};

struct document {
	struct xml xml;
	struct late leaks;
	struct late counts;
	uint64_t errors; /* so far, which is the name of the next one */
};

static bool begin_late(struct late *late, int depth)
{
	late->xml = (struct xml){open_memstream(&late->text, &late->size), depth};
	return late->xml.out != NULL;
}

/* Appends LATE to XML. */
static int flush_late(struct late *late, const struct xml *xml)
{
	int result = fclose(late->xml.out) == 0 ? 0 : -ENOMEM;

	late->xml.out = NULL;
	if (result == 0)
		fwrite(late->text, 1, late->size, xml->out);
	return result;
}

static void free_late(struct late *late)
{
	if (late->xml.out)
		fclose(late->xml.out);
	free(late->text);
}

static void print_failed(struct xml *xml, const struct fp_report_failed *failed)
{
	char *sentence = fp_report_failed_sentence(failed);

	if (sentence)
		xml_string(xml, "line", fp_report_text(sentence));
	free(sentence);
}

static void print_preamble(struct xml *xml, const struct fp_report_set *set)
{
	xml_open(xml, "preamble");
	xml_print(xml, "line", "Fencepost %s, a guard-page debugging allocator",
	          PACKAGE_VERSION);
	for (size_t i = 0; i < set->count; i++) {
		const struct fp_report *report = set->reports[i];

		if (set->count > 1)
			xml_print(xml, "line",
			          "One of several processes: %" PRIu32 ", its parent: %" PRIu32,
			          report->pid, report->ppid);
		for (size_t j = 0; j < report->note_count; j++)
			xml_string(xml, "line", report->notes[j]);
		for (size_t j = 0; j < report->failed_count; j++)
			print_failed(xml, &report->failed[j]);
	}
	xml_close(xml, "preamble");
	fputc('\n', xml->out);
}

static void print_settings(struct xml *xml, const struct fp_report *report)
{
	xml_open(xml, "vargv");
	xml_print(xml, "exe", "%s", PACKAGE_NAME);
	for (size_t i = 0; i < report->setting_count; i++) {
		const struct fp_report_setting *setting = &report->settings[i];

		indent(xml);
		fputs("<arg>--", xml->out);
		escape(xml->out, setting->key);
		fputc('=', xml->out);
		escape(xml->out, setting->value);
		fputs("</arg>\n", xml->out);
	}
	xml_close(xml, "vargv");
}

static void print_arguments(struct xml *xml, const struct fp_report *report)
{
	xml_open(xml, "args");
	print_settings(xml, report);
	xml_open(xml, "argv");
	xml_string(xml, "exe", report->executable);
	for (size_t i = 1; i < report->argument_count; i++)
		xml_string(xml, "arg", report->arguments[i]);
	xml_close(xml, "argv");
	xml_close(xml, "args");
	fputc('\n', xml->out);
}

/* The rules leave the text of a time open, but Jenkins' plug-in xUnit refuses a report whose
 * times it cannot read. The log knows none. */
static void print_status(struct xml *xml, const char *state)
{
	xml_open(xml, "status");
	xml_print(xml, "state", "%s", state);
	xml_print(xml, "time", "00:00:00:00.000");
	xml_close(xml, "status");
	fputc('\n', xml->out);
}

static int begin(struct fp_report_walk *walk)
{
	const struct fp_report *first = walk->set->reports[0];
	struct document *document = calloc(1, sizeof(*document));
	struct xml *xml;

	walk->state = document;
	if (!document || !begin_late(&document->leaks, 0) || !begin_late(&document->counts, 1))
		return -ENOMEM;
	xml = &document->xml;
	xml->out = walk->out;
	fputs("<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n\n", xml->out);
	xml_print(xml, "protocolversion", "4");
	xml_print(xml, "protocoltool", "memcheck");
	fputc('\n', xml->out);
	print_preamble(xml, walk->set);
	xml_print(xml, "pid", "%" PRIu32, first->pid);
	xml_print(xml, "ppid", "%" PRIu32, first->ppid);
	xml_print(xml, "tool", "%s", PACKAGE_NAME);
	fputc('\n', xml->out);
	print_arguments(xml, first);
	print_status(xml, "RUNNING");
	return 0;
}

/* What Memcheck calls it: a kind, and the words that begin the line, which filters look for. */
struct memcheck_error {
	const char *kind;
	const char *words;
};

static struct memcheck_error memcheck_error(const struct fp_report_finding *finding)
{
	static const struct memcheck_error errors[FP_ACCESS_COUNT] = {
	        [FP_ACCESS_READ] = {"InvalidRead", "Invalid read"},
	        [FP_ACCESS_WRITE] = {"InvalidWrite", "Invalid write"},
	        [FP_ACCESS_FREE] = {"InvalidFree",
	                            "Invalid free() / delete / delete[] / realloc()"},
	};

	if (finding->kind == FP_FINDING_ALLOC_DEALLOC_MISMATCH)
		return (struct memcheck_error){"MismatchedFree",
		                               "Mismatched free() / delete / delete []"};
	if (finding->signal != 0 && finding->access == FP_ACCESS_UNKNOWN)
		return (struct memcheck_error){"SyscallParam", "Process terminating"};
	if (finding->access != FP_ACCESS_UNKNOWN)
		return errors[finding->access];
	/* Of a bad access only the address may be known; the rest are bad calls. (ClientCheck
	 * would be nearer, but Jenkins drops what it does not know.) */
	return finding->has_block ? (struct memcheck_error){"InvalidRead", "Invalid access"}
	                          : (struct memcheck_error){"SyscallParam", "Invalid call"};
}

static bool is_found_at_end(const struct fp_report_finding *finding)
{
	return finding->trace == FP_TRACE_NONE && finding->stack->count == 0;
}

static void open_error(struct fp_report_walk *walk, struct xml *xml, const char *kind,
                       uint32_t thread)
{
	struct document *document = walk->state;

	xml_open(xml, "error");
	xml_print(xml, "unique", "0x%" PRIx64, document->errors++);
	xml_print(xml, "tid", "%" PRIu32, thread);
	xml_print(xml, "kind", "%s", kind);
}

static void close_error(struct xml *xml)
{
	xml_close(xml, "error");
	fputc('\n', xml->out);
}

/* Stands before what else is said: readers join it with the line that follows. */
static void print_process(const struct fp_report_walk *walk, const struct xml *xml)
{
	if (walk->set->count > 1)
		xml_print(xml, "auxwhat", "In process %" PRIu32 ".",
		          walk->set->reports[walk->index]->pid);
}

/* "Address 0x7018 is 0 bytes after a block of size 24 alloc'd", which a stack follows. */
static void print_address(const struct xml *xml, const struct fp_report_finding *finding,
                          const char *state)
{
	const struct fp_report_block *block = &finding->block;
	uint64_t distance = (uint64_t)block->offset;
	const char *where = "inside";

	if (block->offset < 0) {
		distance = 0 - distance;
		where = "before";
	} else if (distance >= block->size) {
		distance -= block->size;
		where = block->size > 0 ? "after" : where;
	}
	xml_print(
	        xml, "auxwhat",
	        "Address 0x%" PRIx64 " is %" PRIu64 " bytes %s a block of size %" PRIu64 " %s",
	        block->address + (uint64_t)block->offset, distance, where, block->size, state);
}

/* The stacks after the first, in Memcheck's words where it has some. */
static int print_moments(struct xml *xml, const struct fp_report_finding *finding)
{
	struct fp_report_moment moments[FP_REPORT_MOMENTS_MAX];
	size_t count = fp_report_moments(finding, moments);
	char words[FP_REPORT_MOMENT_WORDS_MAX];
	bool is_freed = false;
	int result = 0;

	for (size_t i = 1; result == 0 && i < count; i++) {
		fp_report_moment_words(&moments[i], words);
		if (moments[i].kind == FP_REPORT_FREE)
			print_address(xml, finding, "free'd");
		else if (moments[i].kind != FP_REPORT_ALLOCATION)
			xml_print(xml, "auxwhat", "%s", words);
		else if (is_freed)
			xml_print(xml, "auxwhat", "Block was alloc'd at");
		else
			print_address(xml, finding, "alloc'd");
		is_freed |= moments[i].kind == FP_REPORT_FREE;
		result = xml_stack(xml, moments[i].stack);
	}
	return result;
}

static void print_holders(struct xml *xml, const struct fp_report_holder *holders, size_t count)
{
	const struct fp_report_holder *shown[FP_REPORT_HOLDERS_SHOWN];
	size_t chosen = fp_report_choose_holders(holders, count, shown);

	for (size_t i = 0; i < chosen; i++) {
		char sentence[FP_REPORT_HOLDER_SENTENCE_MAX];

		fp_report_holder_sentence(shown[i], sentence);
		xml_string(xml, "auxwhat", fp_report_text(sentence));
	}
}

static int write_finding(struct fp_report_walk *walk, const struct fp_report_finding *finding)
{
	const struct fp_finding_traits *info = fp_finding_traits(finding->kind);
	const struct memcheck_error error = memcheck_error(finding);
	struct document *document = walk->state;
	struct xml *xml = &document->xml;
	struct xml *counts = &document->counts.xml;
	bool has_block_only = is_found_at_end(finding) && finding->has_block;
	int result;

	xml_open(counts, "pair");
	xml_print(counts, "count", "%" PRIu64, finding->count);
	xml_print(counts, "unique", "0x%" PRIx64, document->errors);
	xml_close(counts, "pair");
	open_error(walk, xml, error.kind, finding->thread);
	xml_print(xml, "what", "%s: %s (%s)%s", error.words, info->name, info->title,
	          has_block_only ? ", found when the process ended; allocated at" : "");
	/* A list of errors shows the first stack; without one of its own, where the block is
	 * from says most. */
	result = xml_stack(xml, has_block_only ? finding->block.alloc_stack : finding->stack);
	print_process(walk, xml);
	if (finding->description.size > 0)
		xml_string(xml, "auxwhat", finding->description);
	if (result == 0)
		result = print_moments(xml, finding);
	print_holders(xml, finding->holders, finding->holder_count);
	close_error(xml);
	return result;
}

static int write_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	static const struct {
		const char *kind;
		const char *words;
	} classes[FP_LEAK_CLASS_COUNT] = {
	        [FP_LEAK_DEFINITE] = {"Leak_DefinitelyLost", "definitely lost"},
	        [FP_LEAK_INDIRECT] = {"Leak_IndirectlyLost", "indirectly lost"},
	        [FP_LEAK_POSSIBLE] = {"Leak_PossiblyLost", "possibly lost"},
	        [FP_LEAK_REACHABLE] = {"Leak_StillReachable", "still reachable"},
	};
	const struct fp_report *report = walk->set->reports[walk->index];
	struct document *document = walk->state;
	struct xml *xml = &document->leaks.xml;
	int result;

	open_error(walk, xml, classes[leak->class].kind, report->pid);
	xml_open(xml, "xwhat");
	xml_print(xml, "text",
	          "%" PRIu64 " bytes in %" PRIu64 " blocks are %s in loss record %zu of %zu",
	          leak->bytes, leak->blocks, classes[leak->class].words,
	          (size_t)(leak - report->leaks) + 1, report->leak_count);
	xml_print(xml, "leakedbytes", "%" PRIu64, leak->bytes);
	xml_print(xml, "leakedblocks", "%" PRIu64, leak->blocks);
	xml_close(xml, "xwhat");
	result = xml_stack(xml, leak->stack);
	print_process(walk, xml);
	print_holders(xml, leak->holders, leak->holder_count);
	close_error(xml);
	return result;
}

static void print_suppressions(struct xml *xml,
                               const struct fp_report_suppressions *suppressions)
{
	xml_open(xml, "suppcounts");
	for (size_t i = 0; suppressions && i < suppressions->count; i++) {
		const struct fp_report_suppression *suppression = &suppressions->items[i];

		if (suppression->used == 0)
			continue;
		xml_open(xml, "pair");
		xml_print(xml, "count", "%" PRIu64, suppression->used);
		xml_string(xml, "name", fp_report_text(suppression->name));
		xml_close(xml, "pair");
	}
	xml_close(xml, "suppcounts");
}

/* What a process died of stands behind its errors, too. */
static int print_fatal_signal(struct xml *xml, const struct fp_report_finding *finding)
{
	char name[FP_REPORT_SIGNAL_MAX];
	int result;

	fp_report_signal_name(finding->signal, name);
	xml_open(xml, "fatal_signal");
	xml_print(xml, "tid", "%" PRIu32, finding->thread);
	xml_print(xml, "signo", "%" PRIu32, finding->signal);
	xml_print(xml, "signame", "%s", name);
	xml_print(xml, "sicode", "%" PRId32, finding->code);
	xml_string(xml, "event", finding->description);
	if (finding->access != FP_ACCESS_UNKNOWN)
		xml_print(xml, "siaddr", "0x%" PRIX64, finding->address);
	result = xml_stack(xml, finding->stack);
	xml_close(xml, "fatal_signal");
	fputc('\n', xml->out);
	return result;
}

static int print_fatal_signals(struct xml *xml, const struct fp_report *report)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < report->finding_count; i++)
		if (report->findings[i].signal != 0)
			result = print_fatal_signal(xml, &report->findings[i]);
	return result;
}

static int end(struct fp_report_walk *walk)
{
	struct document *document = walk->state;
	struct xml *xml = &document->xml;
	int result = 0;

	for (size_t i = 0; result == 0 && i < walk->set->count; i++)
		result = print_fatal_signals(xml, walk->set->reports[i]);
	print_status(xml, "FINISHED");
	if (result == 0)
		result = flush_late(&document->leaks, xml);
	xml_open(xml, "errorcounts");
	if (result == 0)
		result = flush_late(&document->counts, xml);
	xml_close(xml, "errorcounts");
	fputc('\n', xml->out);
	print_suppressions(xml, walk->set->reports[0]->suppressions);
	fputs("\n</valgrindoutput>\n", xml->out);
	return result;
}

static void release(struct fp_report_walk *walk)
{
	struct document *document = walk->state;

	if (!document)
		return;
	free_late(&document->leaks);
	free_late(&document->counts);
	free(document);
}

const struct fp_report_writer fp_report_xml_writer = {
        .name = "xml",
        .begin = begin,
        .finding = write_finding,
        .leak = write_leak,
        .end = end,
        .release = release,
};
