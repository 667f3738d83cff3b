/* SPDX-License-Identifier: Apache-2.0
 *
 * What each stack of a finding is called, and which of them there are.
 *
 * Of a free of no block only the description tells what was freed (src/heap/findings.c): "the
 * pointer is not a block; it points to ...".
 */
#include "report/finding.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/names.h"
#include "report/stack.h"

bool fp_report_is_access_of_call(const struct fp_report_finding *finding)
{
	return finding->is_by_call || finding->stack->within[0] != '\0';
}

bool fp_report_is_late(const struct fp_report_finding *finding)
{
	return finding->evidence.size > 0 && !finding->is_evidence_last && !finding->is_exact &&
	       finding->has_block;
}

struct fp_report_string fp_report_pointer_target(const struct fp_report_finding *finding)
{
	static const char before[] = "points to ";
	const struct fp_report_string text = finding->description;
	const char *found =
	        text.size > 0 ? memmem(text.bytes, text.size, before, strlen(before)) : NULL;

	if (!found)
		return (struct fp_report_string){"", 0};
	found += strlen(before);
	return (struct fp_report_string){found, (size_t)(text.bytes + text.size - found)};
}

const struct fp_report_stack *fp_report_finding_stack(const struct fp_report_finding *finding)
{
	if (finding->stack->count == 0 && finding->block.alloc_stack)
		return finding->block.alloc_stack;
	return finding->stack;
}

/* The instruction at the address is what was read. */
static bool is_executed(const struct fp_report_finding *finding)
{
	const struct fp_report_frame *first = finding->stack->frames;

	return finding->access == FP_ACCESS_READ && finding->stack->count > 0 &&
	       !first->module && first->offset == finding->address;
}

static const char *call_title(const struct fp_report_finding *finding)
{
	if (finding->access == FP_ACCESS_FREE)
		return finding->kind == FP_FINDING_DOUBLE_FREE ? "freed again" : "freed";
	/* Only a fault's own stack is that of the access; a call merely came across the damage.
	 */
	if (finding->kind == FP_FINDING_CRASH && is_executed(finding))
		return "executed";
	if (finding->is_exact && finding->access == FP_ACCESS_READ)
		return "read";
	if (finding->is_exact && finding->access == FP_ACCESS_WRITE)
		return "written";
	if (finding->kind == FP_FINDING_CRASH)
		return "raised";
	if (finding->evidence.size == 0)
		return "called";
	return finding->block.free_stack == finding->stack ? "found while it was freed"
	                                                   : "found";
}

static const char *party_title(enum fp_party_role role)
{
	static const char *const titles[FP_PARTY_COUNT] = {
	        [FP_PARTY_INSIDE] = "at the same time the heap was being used",
	        [FP_PARTY_HOLDER] = "the heap had been locked",
	        [FP_PARTY_RELEASER] = "the heap had been released",
	        [FP_PARTY_FINDER] = "the heap had been found unusable",
	        [FP_PARTY_UNMAPPER] = "the memory had been unmapped",
	        [FP_PARTY_POISONER] = "the memory had been poisoned",
	};

	return titles[role];
}

static const char *free_title(const struct fp_report_finding *finding)
{
	if (finding->kind == FP_FINDING_DOUBLE_FREE)
		return "first freed";
	switch (finding->page.state) {
	case FP_PAGE_NONE:
		return "freed";
	case FP_PAGE_DECOMMITTED:
		return "decommitted";
	default:
		return "released";
	}
}

void fp_report_moment_words(const struct fp_report_moment *moment,
                            char words[FP_REPORT_MOMENT_WORDS_MAX])
{
	int used = 0;

	if (moment->kind == FP_REPORT_CREATION)
		used = snprintf(words, FP_REPORT_MOMENT_WORDS_MAX, "thread %" PRIu32 " ",
		                moment->created);
	used += snprintf(words + used, FP_REPORT_MOMENT_WORDS_MAX - (size_t)used, "%s",
	                 moment->title);
	if (moment->thread != 0)
		snprintf(words + used, FP_REPORT_MOMENT_WORDS_MAX - (size_t)used,
		         " by thread %" PRIu32, moment->thread);
}

size_t fp_report_moments(const struct fp_report_finding *finding,
                         struct fp_report_moment *moments)
{
	const struct fp_report_block *block = &finding->block;
	bool is_region = finding->page.state != FP_PAGE_NONE;
	size_t count = 0;

	moments[count++] = (struct fp_report_moment){call_title(finding), finding->stack,
	                                             FP_REPORT_CALL, finding->thread, 0};
	if (finding->other.stack)
		moments[count++] = (struct fp_report_moment){
		        party_title(finding->other.role), finding->other.stack, FP_REPORT_OTHER,
		        finding->other.thread, 0};
	if (finding->block.free_stack && finding->block.free_stack != finding->stack)
		moments[count++] = (struct fp_report_moment){
		        free_title(finding), finding->block.free_stack, FP_REPORT_FREE,
		        block->free_thread, 0};
	if (finding->page.commit_stack)
		moments[count++] = (struct fp_report_moment){
		        "committed", finding->page.commit_stack, FP_REPORT_COMMIT,
		        finding->page.commit_thread, 0};
	if (finding->has_block)
		moments[count++] = (struct fp_report_moment){
		        is_region ? "reserved" : "allocated", finding->block.alloc_stack,
		        FP_REPORT_ALLOCATION, block->alloc_thread, 0};
	for (size_t i = 0; i < finding->birth_count && i < FP_BIRTHS_MAX; i++)
		moments[count++] = (struct fp_report_moment){
		        "created", finding->births[i].stack, FP_REPORT_CREATION,
		        finding->births[i].creator, finding->births[i].thread};
	return count;
} /*
   * Accesses that a function of the C library on memory and strings made for the program:
   * whoever called it made the access.
   */

/* The public part of a name like __memcpy_avx_unaligned_erms: "memcpy". */
static struct fp_report_string public_name(const char *function)
{
	function += strspn(function, "_");
	return (struct fp_report_string){function, strcspn(function, "_")};
}

static bool has_memory_prefix(struct fp_report_string name)
{
	static const char *const prefixes[] = {"mem",  "str",    "stp",   "wcs",   "wcp",
	                                       "wmem", "rawmem", "bcopy", "bzero", "bcmp"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t size = strlen(prefixes[i]);

		if (name.size >= size && memcmp(name.bytes, prefixes[i], size) == 0)
			return true;
	}
	return false;
}

bool fp_report_is_memory_function(const char *function)
{
	return has_memory_prefix(public_name(function));
}

size_t fp_report_count_memory_function(const struct fp_report_frame *frames, size_t count,
                                       char *name, size_t name_size)
{
	size_t inner = 0;

	name[0] = '\0';
	while (inner < count && fp_report_is_in_c_library(&frames[inner]) &&
	       frames[inner].symbol != NULL && frames[inner].symbol->function != NULL) {
		struct fp_report_string public = public_name(frames[inner].symbol->function);

		if (!has_memory_prefix(public) || public.size >= name_size)
			break;
		memcpy(name, public.bytes, public.size);
		name[public.size] = '\0';
		inner++;
	}
	/* Somebody must be left to blame. */
	return inner < count ? inner : 0;
}

/* The same where the program is known to have CALLED the C library, in which FRAMES begin; 0
 * when that is none of these functions. */
static size_t count_called(const struct fp_report_frame *frames, size_t count,
                           const char *called, char *name, size_t name_size)
{
	struct fp_report_string public = public_name(called);
	size_t inner = 0;

	if (!has_memory_prefix(public) || public.size >= name_size)
		return 0;
	while (inner < count && fp_report_is_in_c_library(&frames[inner]))
		inner++;
	if (inner == 0 || inner == count)
		return 0;
	memcpy(name, public.bytes, public.size);
	name[public.size] = '\0';
	return inner;
}

/* The name that the program called the C library by, in which TRACE begins; or NULL. The
 * library's own are those of variants, and one variant may have several. */
static const char *called_name(const struct fp_report *report,
                               const struct fp_report_trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		const struct fp_report_address *address = &trace->addresses[i];
		const struct fp_report_frame frame = {
		        .module =
		                address->module < 0 ? NULL : &report->modules[address->module]};

		if (frame.module && fp_report_is_in_c_library(&frame))
			continue;
		return i > 0 && frame.module && frame.module->image
		               ? fp_symbol_callee(frame.module->image,
		                                  address->address - frame.module->bias)
		               : NULL;
	}
	return NULL;
}

void fp_report_drop_memory_function(const struct fp_report *report,
                                    const struct fp_report_trace *trace,
                                    struct fp_report_stack *stack)
{
	const char *called = called_name(report, trace);
	size_t inner = called ? count_called(stack->frames, stack->count, called, stack->within,
	                                     sizeof(stack->within))
	                      : 0;

	if (inner == 0)
		inner = fp_report_count_memory_function(stack->frames, stack->count,
		                                        stack->within, sizeof(stack->within));
	if (inner == 0)
		return;
	stack->count -= inner;
	memmove(stack->frames, stack->frames + inner, stack->count * sizeof(stack->frames[0]));
} /*
   * When the innermost frame of a mistake is a helper's, of another file than its caller's, the
   * place to look at is the caller's. A helper is a destructor or an operator delete, which
   * does what it was called for; or it was handed a block which its file did not allocate, and
   * had no say in how far it went: it read a text to its end, or is small. Others of another
   * file have a loop or a count of their own that may be wrong, and stay the place.
   */

/* Of code. In tests/cli/shapes.py, as gcc and clang compile it at -O0 to -O3, what makes one
 * access to what it was handed has 56 bytes at most. Of the 40 functions of another file that
 * have a loop, a count or an index of their own, three are as small at -O0: those with an
 * index. */
enum { SMALL_BYTES = 63 };

static bool are_of_one_file(const struct fp_report_frame *a, const struct fp_report_frame *b)
{
	return a && b && a->symbol && b->symbol && a->symbol->file && b->symbol->file &&
	       fp_report_compare_strings(
	               fp_report_base_name(fp_report_text(a->symbol->file)),
	               fp_report_base_name(fp_report_text(b->symbol->file))) == 0;
}

/* "row::~row()", "operator delete(void*)", "std::default_delete<row>::operator()(row*) const".
 */
static bool is_deleter(const struct fp_report_frame *frame)
{
	const char *name = frame->symbol->function ? frame->symbol->function : "";

	return strstr(name, "::~") != NULL || strncmp(name, "operator delete", 15) == 0 ||
	       strncmp(name, "std::default_delete<", 20) == 0;
}

static bool is_helper(const struct fp_report_finding *finding,
                      const struct fp_report_frame *place)
{
	const struct fp_report_stack *allocated =
	        finding->has_block ? finding->block.alloc_stack : NULL;
	const struct fp_report_frame *maker =
	        allocated ? fp_report_stack_place(allocated) : NULL;

	if (is_deleter(place))
		return true;
	/* By a function of the C library that goes on until there is a zero. */
	bool reads_text = finding->is_by_call && finding->access == FP_ACCESS_READ &&
	                  finding->access_size == 0;
	bool is_small = place->symbol->size > 0 && place->symbol->size <= SMALL_BYTES;
	return (reads_text || is_small) && maker && maker->symbol && maker->symbol->file &&
	       !are_of_one_file(place, maker);
}

/* Another finding may have the same stack and another block. */
static int stand_for(struct fp_report *report, struct fp_report_finding *finding,
                     const struct fp_report_frame *place, const struct fp_report_frame *caller)
{
	struct fp_report_stack *stack = fp_report_arena_take(&report->arena, sizeof(*stack));

	if (!stack)
		return -ENOMEM;
	*stack = *finding->stack;
	stack->helper = (size_t)(place - stack->frames) + 1;
	stack->passed = (size_t)(caller - stack->frames);
	/* One call can be the mistake and the free. */
	if (finding->block.free_stack == finding->stack)
		finding->block.free_stack = stack;
	finding->stack = stack;
	return 0;
}

static int find_helper(struct fp_report *report, struct fp_report_finding *finding)
{
	const struct fp_report_frame *place = fp_report_stack_place(finding->stack);
	const struct fp_report_frame *caller = fp_report_stack_caller(finding->stack);

	/* Of what is found late the stack is whose turn it was. */
	if (!caller || finding->stack->helper > 0 || fp_report_is_late(finding) ||
	    !is_helper(finding, place))
		return 0;
	return stand_for(report, finding, place, caller);
}

int fp_report_find_helpers(struct fp_report *report)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < report->finding_count; i++)
		result = find_helper(report, &report->findings[i]);
	return result;
} /*
   * What was said of a crash, in one sentence.
   */

static int keep(struct fp_report *report, char *text, struct fp_report_string *kept)
{
	if (!text)
		return -ENOMEM;
	*kept = fp_report_text(fp_report_arena_keep(&report->arena, text, strlen(text)));
	free(text);
	return kept->bytes ? 0 : -ENOMEM;
}

/* "A: B", or A alone where B is empty or says no more: std::bad_alloc says its own name. */
static char *join(const char *a, struct fp_report_string b)
{
	bool is_same = strlen(a) == b.size && memcmp(a, b.bytes, b.size) == 0;
	int size = is_same ? 0 : (int)b.size;
	char *text;

	return asprintf(&text, "%s%s%.*s", a, size > 0 ? ": " : "", size, b.bytes) < 0 ? NULL
	                                                                               : text;
}

static int name_exception(struct fp_report *report, struct fp_report_finding *finding)
{
	char *mangled = finding->exception.size > 0
	                        ? strndup(finding->exception.bytes, finding->exception.size)
	                        : NULL;
	char *type;
	int result;

	if (finding->exception.size == 0)
		return 0;
	type = mangled ? fp_symbol_demangle_type(mangled) : NULL;
	free(mangled);
	if (!type)
		return -ENOMEM;
	result = keep(report, join(type, finding->message), &finding->message);
	free(type);
	return result;
}

int fp_report_settle_crash(struct fp_report *report, struct fp_report_finding *finding)
{
	bool is_thrown = finding->exception.size > 0;
	int result = name_exception(report, finding);

	if (result != 0 || finding->cause != FP_CRASH_ABORT || finding->message.size == 0)
		return result;
	return keep(
	        report,
	        join(is_thrown ? "nobody caught the exception" : "the program called abort()",
	             finding->message),
	        &finding->description);
}

static bool is_of_crash(int signal)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL,  SIGFPE,
	                              SIGABRT, SIGSYS, SIGTRAP, SIGXCPU};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (signals[i] == signal)
			return true;
	return false;
}

/* Whether a finding tells why the process died of SIGNAL. */
static bool is_explained(const struct fp_report *report, int signal)
{
	bool is_access = signal == SIGSEGV || signal == SIGBUS;

	if (signal == SIGABRT && report->finding_count > 0 &&
	    fp_report_has_setting(report, "halt_on_error", "yes"))
		return true;
	for (size_t i = 0; i < report->finding_count; i++) {
		const struct fp_report_finding *finding = &report->findings[i];

		if (finding->signal != 0 || (is_access && (finding->access == FP_ACCESS_READ ||
		                                           finding->access == FP_ACCESS_WRITE)))
			return true;
	}
	return false;
}

int fp_report_add_unseen_crash(struct fp_report *report)
{
	static const char why[] = "Fencepost's signal handler was not called: the process "
	                          "ignored the signal, set it "
	                          "back to its default by itself, or was killed with it";
	const struct fp_report_finding *last =
	        report->finding_count > 0 ? &report->findings[report->finding_count - 1] : NULL;
	const struct fp_report_finding crash = {.index = last ? last->index + 1 : 0,
	                                        .kind = FP_FINDING_CRASH,
	                                        .count = 1,
	                                        .description = {why, sizeof(why) - 1},
	                                        .thread = report->pid,
	                                        .signal = (uint32_t)report->exit_value,
	                                        .cause = FP_CRASH_OTHER};

	/* Its handler was called, and had nothing to add: what it dies of came of a finding. */
	if (report->is_exit_own || report->exit != FP_LOG_EXIT_SIGNAL ||
	    !is_of_crash(report->exit_value) || is_explained(report, report->exit_value))
		return 0;
	return fp_report_append(&report->arena, &report->findings, &report->finding_count,
	                        &crash, sizeof(crash));
}
