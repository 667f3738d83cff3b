/* SPDX-License-Identifier: Apache-2.0
 *
 * Running victims and looking at how they ended.
 */
#include "fault_runs.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void fault_run(struct e2e_run *run, int backend, const char *options,
               const char *const arguments[])
{
	const char *argv[ARGUMENTS_MAX + 2] = {NULL};
	char program[200];
	char all[200];

	snprintf(program, sizeof(program), VICTIMS "%s", arguments[0]);
	argv[0] = program;
	for (int i = 1; i <= ARGUMENTS_MAX && arguments[i] != NULL; i++)
		argv[i] = arguments[i];
	snprintf(all, sizeof(all), "%s%s%s", e2e_backend_option(backend),
	         options != NULL ? ":" : "", options != NULL ? options : "");
	e2e_run(run, all, argv);
}

/* It died of the signal that the report names. */
void fault_check_signal(const struct e2e_run *run, int number)
{
	json_t *end;

	ck_assert_msg(WIFSIGNALED(run->status) && WTERMSIG(run->status) == number,
	              "status %#x, not signal %d: %s", (unsigned)run->status, number, run->err);
	ck_assert_msg(run->report != NULL, "no report: %s", run->err);
	end = e2e_get(e2e_get(run->report, "process"), "exit");
	ck_assert_str_eq(e2e_get_string(end, "signal"),
	                 number == SIGBUS ? "SIGBUS" : "SIGSEGV");
}

json_t *fault_finding(const struct e2e_run *run, size_t index)
{
	return json_array_get(e2e_get(run->report, "findings"), index);
}

void fault_check_description(const struct e2e_run *run, const char *words)
{
	const char *description = e2e_get_string(fault_finding(run, 0), "description");

	ck_assert_msg(strstr(description, words) != NULL, "no \"%s\" in: %s", words,
	              description);
}
