/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, and help made from it and from the table of options.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "report/text/page.h"
#include "options/options.h"
#include "options/words.h"

static int print_help(char **arguments);

static const struct fp_cli_command commands[] = {
        {"run", " [--sweep] [--gdb] [--force] [--KEY=VALUE ...] [--] PROGRAM [ARGUMENTS]",
         "run a program with the heap under its malloc, and report", fp_cli_run},
        {"report", " [OPTIONS] EVENT-LOG|REPORT.json|DIRECTORY|@LIST|- ...",
         "render event logs and JSON reports, several of them as one", fp_cli_report},
        {"diff", " [--json[=FILE]] [--strict] [--suppressions=FILE] OLD NEW",
         "say what is new, gone and grown; exit with 1 when anything is new", fp_cli_diff},
        {"leaks", " [--timeout=SECONDS] [OPTIONS OF REPORT] PID",
         "have a running program look for leaks now, and print its report", fp_cli_leaks},
        {"snapshot", " [--timeout=SECONDS] [OPTIONS OF REPORT] PID",
         "report now on a program that runs on", fp_cli_snapshot},
        {"explain", " ADDRESS PID|EVENT-LOG|REPORT.json ...",
         "say what is known of an address: the block, its stacks, who points to it",
         fp_cli_explain},
        {"doctor", " [--json] [PROGRAM]",
         "say what works here, what it costs, and what to change", fp_cli_doctor},
        {"help", "", "show this help", print_help},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list arguments)
{
	const struct fp_report_page page = {.out = stderr};
	char *line = NULL;
	int length = vasprintf(&line, format, arguments);

	fp_cli_progress_end();
	fputs("fencepost: ", stderr);
	if (length >= 0)
		fp_report_print_escaped(&page, (struct fp_report_string){line, (size_t)length});
	fputc('\n', stderr);
	if (length >= 0)
		free(line);
}

void fp_cli_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
}

int fp_cli_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	return FP_CLI_FAILED;
}

static int finish_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	return fp_cli_fail("cannot write to standard output: direct it elsewhere");
}

static void print_option(const struct fp_option *option)
{
	printf("  %s=%s\n      %s", option->key, option->value, option->help);
	if (option->standard[0] != '\0')
		printf(" (default %s)", option->standard);
	putchar('\n');
}

static int print_help(char **arguments)
{
	(void)arguments;
	puts("Usage: fencepost COMMAND [ARGUMENTS]\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  fencepost %s%s\n      %s\n", commands[i].name, commands[i].arguments,
		       commands[i].summary);
	fputs("  fencepost --version\n      show the version\n\nreport takes "
	      "--merge=yes|no",
	      stdout);
	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		if (fp_options_table[i].stage != FP_OPTION_RECORD)
			printf(" --%s=%s", fp_options_table[i].key, fp_options_table[i].value);
	}
	puts(".\nIt exits with 0 when it could render, and with 125 when it could not.\n"
	     "doctor exits with 1 when there is a problem.\n\n"
	     "A program under Fencepost takes its options from the environment,\n"
	     "FENCEPOST_OPTIONS=key=value:key=value; '-' and '_' are the same in keys:\n");
	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++)
		print_option(&fp_options_table[i]);
	return finish_output();
}

static int print_version(void)
{
	puts(PACKAGE_STRING);
	return finish_output();
}

static const char *nearest_command(const char *name)
{
	const char *nearest = commands[0].name;

	for (size_t i = 1; i < COMMAND_COUNT; i++) {
		if (fp_words_distance(name, strlen(name), commands[i].name) <
		    fp_words_distance(name, strlen(name), nearest))
			nearest = commands[i].name;
	}
	return nearest;
}

static bool is_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int refuse_command(const char *name)
{
	if (name[0] == '-')
		return fp_cli_fail(
		        "unknown option \"%s\": options follow a command, as in fencepost run "
		        "--quiet PROGRAM",
		        name);
	char names[256] = "";

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s %s",
		         i == 0 ? "" : ",", commands[i].name);
	return fp_cli_fail("unknown command \"%s\"; the nearest one is \"%s\" (there are%s)",
	                   name, nearest_command(name), names);
}

int main(int argc, char **argv)
{
	fp_cli_prepare_process();
	if (argc < 2)
		return fp_cli_fail("no command: write fencepost run PROGRAM, or fencepost "
		                   "--help");
	if (strcmp(argv[1], "--version") == 0)
		return print_version();
	if (is_help(argv[1]) || (argc > 2 && is_help(argv[2])))
		return print_help(argv + 2);
	/* Standard input is what a process of ours is reported from, which is no command of
	 * anybody's. */
	bool is_asked = strcmp(argv[1], "watch") != 0 && strcmp(argv[argc - 1], "-") != 0;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (is_asked)
			fp_cli_orphans_say();
		return commands[i].run(argv + 2);
	}
	/* Not for people: a host starts it. */
	if (strcmp(argv[1], "watch") == 0)
		return fp_cli_watch(argv + 2);
	return refuse_command(argv[1]);
}
