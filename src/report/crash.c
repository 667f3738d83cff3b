/* SPDX-License-Identifier: Apache-2.0
 *
 * What was said of a crash, put together: the type of an exception has its name in C++, and the
 * sentence says why the program aborted.
 */
#include "report/crash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/stack.h"

static int keep(struct fp_report *report, char *text, struct fp_report_string *kept)
{
	if (!text)
		return -ENOMEM;
	*kept = fp_report_text(fp_report_arena_keep(&report->arena, text, strlen(text)));
	free(text);
	return kept->bytes ? 0 : -ENOMEM;
}

/* "A: B", or A alone where B is empty. */
static char *join(const char *a, struct fp_report_string b)
{
	char *text;

	return asprintf(&text, "%s%s%.*s", a, b.size > 0 ? ": " : "", (int)b.size, b.bytes) < 0
	               ? NULL
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
