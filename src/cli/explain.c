/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost explain ADDRESS`: a running process is asked, and answers with all that it knows
 * now; an event log or a report knows what its findings and leaks have said.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "cli/cli.h"
#include "report/text/page.h"

static bool is_in(const struct fp_report_block *block, uint64_t address)
{
	return block->address != 0 && address >= block->address &&
	       address - block->address <= block->size;
}

/* The part of a report that says most of the address. */
struct answer {
	struct fp_report_explanation explanation;
	const struct fp_report_finding *finding; /* that it is of, or NULL */
};

static void take_block(struct answer *answer, const struct fp_report_block *block,
                       uint64_t address)
{
	if (answer->explanation.block.address != 0 || !is_in(block, address))
		return;
	answer->explanation.block = *block;
	answer->explanation.block.offset = (int64_t)(address - block->address);
}

static void take_finding(struct answer *answer, const struct fp_report_finding *finding,
                         uint64_t address)
{
	struct fp_report_explanation *explanation = &answer->explanation;

	if (finding->has_block &&
	    (is_in(&finding->block, address) || finding->address == address)) {
		answer->finding = finding;
		explanation->block = finding->block;
		explanation->block.offset = (int64_t)(address - finding->block.address);
		explanation->holders = finding->holders;
		explanation->holder_count = finding->holder_count;
		explanation->census = finding->census;
		return;
	}
	for (size_t i = 0; i < finding->nearest_count; i++)
		take_block(answer, &finding->nearest[i], address);
	for (size_t i = 0; i < finding->holder_count; i++)
		take_block(answer, &finding->holders[i].block, address);
}

static bool find(const struct fp_report *report, uint64_t address, struct answer *answer)
{
	*answer = (struct answer){.explanation = {.address = address}};
	if (report->explanation) {
		answer->explanation = *report->explanation;
		return true;
	}
	for (size_t i = 0; i < report->finding_count && !answer->finding; i++)
		take_finding(answer, &report->findings[i], address);
	for (size_t i = 0; i < report->leak_count; i++)
		for (size_t j = 0; j < report->leaks[i].holder_count; j++)
			take_block(answer, &report->leaks[i].holders[j].block, address);
	return answer->explanation.block.address != 0;
}

static int explain_logs(const struct fp_cli_logs *logs, uint64_t address)
{
	const struct fp_report_page page = {.out = stdout};
	bool is_found = false;

	for (size_t i = 0; i < logs->count; i++) {
		struct answer answer;

		if (!find(logs->logs[i].report, address, &answer))
			continue;
		is_found = true;
		fp_report_print_explanation(&page, &answer.explanation);
		if (answer.finding) {
			fputs(FP_SAY_AS_OF_FINDING, stdout);
			fp_report_print_title(&page, answer.finding);
			fputc('\n', stdout);
		}
	}
	return is_found ? 0 : fp_cli_fail(FP_SAY_EXPLAIN_NO_FINDING, address);
}

static int take_address(const char *argument, uint64_t *address)
{
	char *end = NULL;

	*address = 0;
	if (!argument)
		return fp_cli_fail(FP_SAY_EXPLAIN_NO_ADDRESS);
	errno = 0;
	*address = strtoull(argument, &end, 16);
	return *argument != '\0' && *end == '\0' && errno == 0
	               ? 0
	               : fp_cli_fail(FP_SAY_EXPLAIN_NOT_ADDRESS, argument);
}

/* A core file, a process by its number, or another file. */
static int read_source(struct fp_cli_logs *logs, const char *source, uint64_t address)
{
	char path[FP_CLI_EVENTS_PATH_MAX];
	char *end = NULL;
	long pid = strtol(source, &end, 10);

	if (fp_remains_is_core(source)) {
		const struct fp_remains_question question = {.address = &address};

		return fp_cli_read_core(source, &question, path) == 0
		               ? fp_cli_logs_read(logs, path)
		               : FP_CLI_FAILED;
	}
	if (*end != '\0' || pid <= 0)
		return fp_cli_logs_read(logs, source);
	return fp_cli_ask_about(pid, address, path) == 0 ? fp_cli_logs_read(logs, path)
	                                                 : FP_CLI_FAILED;
}

int fp_cli_explain(char **arguments)
{
	struct fp_cli_logs logs = {0};
	uint64_t address;
	int status = take_address(arguments[0], &address);

	if (status == 0 && !arguments[1])
		status = fp_cli_fail(FP_SAY_EXPLAIN_WHERE_NAME);
	for (size_t i = 1; status == 0 && arguments[i]; i++)
		status = read_source(&logs, arguments[i], address);
	if (status == 0)
		status = explain_logs(&logs, address);
	fp_cli_logs_free(&logs);
	return status;
}
