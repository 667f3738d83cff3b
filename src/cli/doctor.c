/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost doctor`: what works here, what it costs, and what to type where it does not: a fix
 * is a command, and what no command does is advice. It finds out by doing, and changes nothing.
 */
#include "cli/doctor.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "report/text/page.h"

static const char *const verdicts[FP_CLI_VERDICTS] = {
        [FP_CLI_OK] = "ok",
        [FP_CLI_WARNING] = "warning",
        [FP_CLI_PROBLEM] = "problem",
};

struct request {
	bool is_json;
	const char *program; /* or NULL */
};

struct fp_cli_check *fp_cli_checkup_add(struct fp_cli_checkup *checkup, const char *name,
                                        enum fp_cli_verdict verdict, const char *format, ...)
{
	struct fp_cli_check *check = &checkup->checks[checkup->count];
	va_list arguments;

	if (checkup->count + 1 < FP_CLI_CHECKS_MAX)
		checkup->count++;
	*check = (struct fp_cli_check){.name = name, .verdict = verdict};
	va_start(arguments, format);
	if (vasprintf(&check->text, format, arguments) < 0)
		check->text = NULL;
	va_end(arguments);
	return check;
}

void fp_cli_check_fix(struct fp_cli_check *check, const char *format, ...)
{
	va_list arguments;

	free(check->fix);
	va_start(arguments, format);
	if (vasprintf(&check->fix, format, arguments) < 0)
		check->fix = NULL;
	va_end(arguments);
}

void fp_cli_check_advise(struct fp_cli_check *check, const char *format, ...)
{
	va_list arguments;

	free(check->advice);
	va_start(arguments, format);
	if (vasprintf(&check->advice, format, arguments) < 0)
		check->advice = NULL;
	va_end(arguments);
}

static size_t count_of(const struct fp_cli_checkup *checkup, enum fp_cli_verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < checkup->count; i++)
		count += checkup->checks[i].verdict == verdict;
	return count;
}

/* What is told may be a path, with anything in it. */
static void print_line(FILE *out, const char *beginning, const char *text)
{
	const struct fp_report_page page = {.out = out};

	if (!text)
		return;
	fputs(beginning, out);
	fp_report_print_escaped(&page, (struct fp_report_string){text, strlen(text)});
	fputc('\n', out);
}

void fp_cli_checkup_print(const struct fp_cli_checkup *checkup, FILE *out)
{
	size_t problems = count_of(checkup, FP_CLI_PROBLEM);
	size_t warnings = count_of(checkup, FP_CLI_WARNING);

	for (size_t i = 0; i < checkup->count; i++) {
		const struct fp_cli_check *check = &checkup->checks[i];

		fprintf(out, "%-8s %s", verdicts[check->verdict], check->name);
		print_line(out, ": ", check->text ? check->text : "");
		print_line(out, "         fix: ", check->fix);
		print_line(out, "         advice: ", check->advice);
	}
	fprintf(out, FP_SAY_PROBLEMS_AND_WARNINGS, problems, problems == 1 ? "" : "s", warnings,
	        warnings == 1 ? "" : "s");
}

/* A path need not be UTF-8, which JSON is. */
static json_t *json_text(const char *text)
{
	if (!text)
		return json_null();
	json_t *string = json_string(text);
	return string ? string : json_string("not UTF-8");
}

int fp_cli_checkup_print_json(const struct fp_cli_checkup *checkup, FILE *out)
{
	json_t *checks = json_array();

	for (size_t i = 0; i < checkup->count; i++) {
		const struct fp_cli_check *check = &checkup->checks[i];
		json_t *line = json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", check->name,
		                         "status", verdicts[check->verdict], "text",
		                         json_text(check->text), "fix", json_text(check->fix),
		                         "advice", json_text(check->advice));

		if (check->nanoseconds > 0)
			json_object_set_new(line, "nanoseconds",
			                    json_integer((json_int_t)check->nanoseconds));
		json_array_append_new(checks, line);
	}
	json_t *root = json_pack(
	        "{s:s, s:s, s:I, s:I, s:o}", "schema", "fencepost-doctor-1", "backend",
	        checkup->backend, "problems", (json_int_t)count_of(checkup, FP_CLI_PROBLEM),
	        "warnings", (json_int_t)count_of(checkup, FP_CLI_WARNING), "checks", checks);
	int result = root ? json_dumpf(root, out, JSON_INDENT(2)) : -1;
	fputc('\n', out);
	json_decref(root);
	return result;
}

static int take_argument(struct request *request, const char *argument, bool is_option)
{
	if (is_option && strcmp(argument, "--json") == 0) {
		request->is_json = true;
		return 0;
	}
	if (is_option)
		return fp_cli_fail(FP_SAY_DOCTOR_UNKNOWN_OPTION, argument);
	if (request->program)
		return fp_cli_fail(FP_SAY_DOCTOR_GIVE_ONLY, argument);
	request->program = argument;
	return 0;
}

static int take_arguments(struct request *request, char **arguments)
{
	bool are_options = true;
	int result = 0;

	for (; *arguments && result == 0; arguments++) {
		if (are_options && strcmp(*arguments, "--") == 0)
			are_options = false;
		else
			result = take_argument(request, *arguments,
			                       are_options && (*arguments)[0] == '-');
	}
	return result;
}

static void check_machine(struct fp_cli_checkup *checkup)
{
	struct utsname system;

	if (uname(&system) == 0)
		fp_cli_checkup_add(checkup, "machine", FP_CLI_OK, FP_SAY_MACHINE,
		                   system.sysname, system.release, system.machine,
		                   sysconf(_SC_NPROCESSORS_ONLN));
}

static void free_checks(struct fp_cli_checkup *checkup)
{
	for (size_t i = 0; i < checkup->count; i++) {
		free(checkup->checks[i].text);
		free(checkup->checks[i].fix);
		free(checkup->checks[i].advice);
	}
}

int fp_cli_doctor(char **arguments)
{
	static struct fp_cli_checkup checkup = {.backend = "none"};
	struct request request = {0};
	int result = 0;

	if (take_arguments(&request, arguments) != 0)
		return FP_CLI_FAILED;
	check_machine(&checkup);
	fp_cli_check_backends(&checkup);
	fp_cli_check_limits(&checkup);
	fp_cli_check_installation(&checkup);
	if (request.program)
		fp_cli_check_program(&checkup, request.program);
	if (request.is_json)
		result = fp_cli_checkup_print_json(&checkup, stdout);
	else
		fp_cli_checkup_print(&checkup, stdout);
	if (result != 0 || fflush(stdout) != 0 || ferror(stdout))
		result = fp_cli_fail(FP_SAY_CANNOT_WRITE_STANDARD);
	else
		result = count_of(&checkup, FP_CLI_PROBLEM) > 0;
	free_checks(&checkup);
	return result;
}
