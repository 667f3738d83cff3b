/* SPDX-License-Identifier: Apache-2.0
 *
 * What was said of a crash, put together: the type of an exception has its name in C++, and the
 * sentence says why the program aborted. Of what no handler saw there is the signal.
 */
#include "report/crash.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/names.h"
#include "report/stack.h"

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
	static const char why[] =
	        "the process died of it where no handler of Fencepost's was called: it ignored "
	        "the signal or set it back to its default by itself, or was killed with it";
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
