/* SPDX-License-Identifier: Apache-2.0
 *
 * Valgrind's XML, protocol 4, as Memcheck writes it: what Qt Creator, CLion and Jenkins read.
 * Parsers refuse kinds that they do not know, so every finding is one of Memcheck's, and its
 * own kind is in the text. A file tells of one process. When it has to tell of several, the
 * first is the one it names, and each error says which process it is of.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats.h"
#include "report/moments.h"
#include "report/names.h"
#include "report/stack.h"
#include "report/suppress/suppress.h"
#include "report/xml/parts.h"

/* What the rules put behind the findings of all processes. */
struct late {
	char *text;
	size_t size;
	struct fp_report_xml xml;
};

struct document {
	struct fp_report_xml xml;
	struct late leaks;
	struct late counts;
	uint64_t errors; /* so far, which is the name of the next one */
};

static bool begin_late(struct late *late, int depth)
{
	late->xml = (struct fp_report_xml){open_memstream(&late->text, &late->size), depth};
	return late->xml.out != NULL;
}

/* Appends LATE to XML. */
static int flush_late(struct late *late, const struct fp_report_xml *xml)
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

static void print_failed(struct fp_report_xml *xml, const struct fp_report_failed *failed)
{
	char *sentence = fp_report_failed_sentence(failed);

	if (sentence)
		fp_report_xml_string(xml, "line", fp_report_text(sentence));
	free(sentence);
}

static void print_preamble(struct fp_report_xml *xml, const struct fp_report_set *set)
{
	fp_report_xml_open(xml, "preamble");
	fp_report_xml_print(xml, "line", "Fencepost %s, a guard-page debugging allocator",
	                    PACKAGE_VERSION);
	for (size_t i = 0; i < set->count; i++) {
		const struct fp_report *report = set->reports[i];

		if (set->count > 1)
			fp_report_xml_print(xml, "line",
			                    "One of several processes: %" PRIu32
			                    ", its parent: %" PRIu32,
			                    report->pid, report->ppid);
		for (size_t j = 0; j < report->note_count; j++)
			fp_report_xml_string(xml, "line", report->notes[j]);
		for (size_t j = 0; j < report->failed_count; j++)
			print_failed(xml, &report->failed[j]);
	}
	fp_report_xml_close(xml, "preamble");
	fputc('\n', xml->out);
}

static void print_settings(struct fp_report_xml *xml, const struct fp_report *report)
{
	fp_report_xml_open(xml, "vargv");
	fp_report_xml_print(xml, "exe", "%s", PACKAGE_NAME);
	for (size_t i = 0; i < report->setting_count; i++) {
		const struct fp_report_setting *setting = &report->settings[i];
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		if (!out)
			continue;
		fputs("--", out);
		fwrite(setting->key.bytes, 1, setting->key.size, out);
		fputc('=', out);
		fwrite(setting->value.bytes, 1, setting->value.size, out);
		if (fclose(out) == 0)
			fp_report_xml_string(xml, "arg", (struct fp_report_string){text, size});
		free(text);
	}
	fp_report_xml_close(xml, "vargv");
}

static void print_arguments(struct fp_report_xml *xml, const struct fp_report *report)
{
	fp_report_xml_open(xml, "args");
	print_settings(xml, report);
	fp_report_xml_open(xml, "argv");
	fp_report_xml_string(xml, "exe", report->executable);
	for (size_t i = 1; i < report->argument_count; i++)
		fp_report_xml_string(xml, "arg", report->arguments[i]);
	fp_report_xml_close(xml, "argv");
	fp_report_xml_close(xml, "args");
	fputc('\n', xml->out);
}

/* The rules leave the text of a time open, and the log knows none. */
static void print_status(struct fp_report_xml *xml, const char *state, const char *time)
{
	fp_report_xml_open(xml, "status");
	fp_report_xml_print(xml, "state", "%s", state);
	fp_report_xml_print(xml, "time", "%s", time);
	fp_report_xml_close(xml, "status");
	fputc('\n', xml->out);
}

static int begin(struct fp_report_walk *walk)
{
	const struct fp_report *first = walk->set->reports[0];
	struct document *document = calloc(1, sizeof(*document));
	struct fp_report_xml *xml;

	walk->state = document;
	if (!document || !begin_late(&document->leaks, 0) || !begin_late(&document->counts, 1))
		return -ENOMEM;
	xml = &document->xml;
	xml->out = walk->out;
	fputs("<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n\n", xml->out);
	fp_report_xml_print(xml, "protocolversion", "4");
	fp_report_xml_print(xml, "protocoltool", "memcheck");
	fputc('\n', xml->out);
	print_preamble(xml, walk->set);
	fp_report_xml_print(xml, "pid", "%" PRIu32, first->pid);
	fp_report_xml_print(xml, "ppid", "%" PRIu32, first->ppid);
	fp_report_xml_print(xml, "tool", "%s", PACKAGE_NAME);
	fputc('\n', xml->out);
	print_arguments(xml, first);
	print_status(xml, "RUNNING", "at the start");
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

static void open_error(struct fp_report_walk *walk, struct fp_report_xml *xml, const char *kind,
                       uint32_t thread)
{
	struct document *document = walk->state;

	fp_report_xml_open(xml, "error");
	fp_report_xml_print(xml, "unique", "0x%" PRIx64, document->errors++);
	fp_report_xml_print(xml, "tid", "%" PRIu32, thread);
	fp_report_xml_print(xml, "kind", "%s", kind);
}

static void close_error(struct fp_report_xml *xml)
{
	fp_report_xml_close(xml, "error");
	fputc('\n', xml->out);
}

/* Stands before what else is said: readers join it with the line that follows. */
static void print_process(const struct fp_report_walk *walk, const struct fp_report_xml *xml)
{
	if (walk->set->count > 1)
		fp_report_xml_print(xml, "auxwhat", "In process %" PRIu32 ".",
		                    walk->set->reports[walk->index]->pid);
}

/* "Address 0x7018 is 0 bytes after a block of size 24 alloc'd", which a stack follows. */
static void print_address(const struct fp_report_xml *xml,
                          const struct fp_report_finding *finding, const char *state)
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
	fp_report_xml_print(
	        xml, "auxwhat",
	        "Address 0x%" PRIx64 " is %" PRIu64 " bytes %s a block of size %" PRIu64 " %s",
	        block->address + (uint64_t)block->offset, distance, where, block->size, state);
}

/* The stacks after the first, in Memcheck's words where it has some. */
static int print_moments(struct fp_report_xml *xml, const struct fp_report_finding *finding)
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
			fp_report_xml_print(xml, "auxwhat", "%s", words);
		else if (is_freed)
			fp_report_xml_print(xml, "auxwhat", "Block was alloc'd at");
		else
			print_address(xml, finding, "alloc'd");
		is_freed |= moments[i].kind == FP_REPORT_FREE;
		result = fp_report_xml_stack(xml, moments[i].stack);
	}
	return result;
}

/* A list of errors shows the first stack; without one of its own, where the block is from says
 * most. */
static const struct fp_report_stack *first_stack(const struct fp_report_finding *finding)
{
	return is_found_at_end(finding) && finding->has_block ? finding->block.alloc_stack
	                                                      : finding->stack;
}

static int write_finding(struct fp_report_walk *walk, const struct fp_report_finding *finding)
{
	const struct fp_finding_traits *info = fp_finding_traits(finding->kind);
	const struct memcheck_error error = memcheck_error(finding);
	struct document *document = walk->state;
	struct fp_report_xml *xml = &document->xml;
	struct fp_report_xml *counts = &document->counts.xml;
	int result;

	fp_report_xml_open(counts, "pair");
	fp_report_xml_print(counts, "count", "%" PRIu64, finding->count);
	fp_report_xml_print(counts, "unique", "0x%" PRIx64, document->errors);
	fp_report_xml_close(counts, "pair");
	open_error(walk, xml, error.kind, finding->thread);
	fp_report_xml_print(xml, "what", "%s: %s (%s)%s", error.words, info->name, info->title,
	                    is_found_at_end(finding) && finding->has_block
	                            ? ", found when the process ended; allocated at"
	                            : "");
	result = fp_report_xml_stack(xml, first_stack(finding));
	print_process(walk, xml);
	if (finding->description.size > 0)
		fp_report_xml_string(xml, "auxwhat", finding->description);
	if (result == 0)
		result = print_moments(xml, finding);
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
	struct fp_report_xml *xml = &document->leaks.xml;
	int result;

	open_error(walk, xml, classes[leak->class].kind, report->pid);
	fp_report_xml_open(xml, "xwhat");
	fp_report_xml_print(xml, "text",
	                    "%" PRIu64 " bytes in %" PRIu64
	                    " blocks are %s in loss record %zu of %zu",
	                    leak->bytes, leak->blocks, classes[leak->class].words,
	                    (size_t)(leak - report->leaks) + 1, report->leak_count);
	fp_report_xml_print(xml, "leakedbytes", "%" PRIu64, leak->bytes);
	fp_report_xml_print(xml, "leakedblocks", "%" PRIu64, leak->blocks);
	fp_report_xml_close(xml, "xwhat");
	result = fp_report_xml_stack(xml, leak->stack);
	print_process(walk, xml);
	close_error(xml);
	return result;
}

static void print_finished(struct fp_report_xml *xml, const struct fp_report *report)
{
	char text[64] = "at the end";

	if (report->exit == FP_LOG_EXIT_CODE)
		snprintf(text, sizeof(text), "at the end, exit status %" PRId32,
		         report->exit_value);
	else if (report->exit == FP_LOG_EXIT_SIGNAL)
		snprintf(text, sizeof(text), "killed by signal %" PRId32, report->exit_value);
	print_status(xml, "FINISHED", text);
}

static void print_suppressions(struct fp_report_xml *xml,
                               const struct fp_report_suppressions *suppressions)
{
	fp_report_xml_open(xml, "suppcounts");
	for (size_t i = 0; suppressions && i < suppressions->count; i++) {
		const struct fp_report_suppression *suppression = &suppressions->items[i];

		if (suppression->used == 0)
			continue;
		fp_report_xml_open(xml, "pair");
		fp_report_xml_print(xml, "count", "%" PRIu64, suppression->used);
		fp_report_xml_string(xml, "name", fp_report_text(suppression->name));
		fp_report_xml_close(xml, "pair");
	}
	fp_report_xml_close(xml, "suppcounts");
}

/* What a process died of stands behind its errors, too. */
static int print_fatal_signal(struct fp_report_xml *xml,
                              const struct fp_report_finding *finding)
{
	char name[FP_REPORT_SIGNAL_MAX];
	int result;

	fp_report_signal_name(finding->signal, name);
	fp_report_xml_open(xml, "fatal_signal");
	fp_report_xml_print(xml, "tid", "%" PRIu32, finding->thread);
	fp_report_xml_print(xml, "signo", "%" PRIu32, finding->signal);
	fp_report_xml_print(xml, "signame", "%s", name);
	fp_report_xml_print(xml, "sicode", "%" PRId32, finding->code);
	fp_report_xml_string(xml, "event", finding->description);
	if (finding->access != FP_ACCESS_UNKNOWN)
		fp_report_xml_print(xml, "siaddr", "0x%" PRIX64, finding->address);
	result = fp_report_xml_stack(xml, finding->stack);
	fp_report_xml_close(xml, "fatal_signal");
	fputc('\n', xml->out);
	return result;
}

static int print_fatal_signals(struct fp_report_xml *xml, const struct fp_report *report)
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
	struct fp_report_xml *xml = &document->xml;
	int result = 0;

	for (size_t i = 0; result == 0 && i < walk->set->count; i++)
		result = print_fatal_signals(xml, walk->set->reports[i]);
	print_finished(xml, walk->set->reports[0]);
	if (result == 0)
		result = flush_late(&document->leaks, xml);
	fp_report_xml_open(xml, "errorcounts");
	if (result == 0)
		result = flush_late(&document->counts, xml);
	fp_report_xml_close(xml, "errorcounts");
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
