/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, with all that their help says beside the table of options.
 */
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "cli/cli.h"

static int help(char **arguments);

#define OF_LOGS " EVENT-LOG|REPORT.json|DIRECTORY|@LIST|- ..."
#define RENDERING "Exit status: 0 when the report could be made, 125 when it could not."

const struct fp_cli_command fp_cli_commands[] = {
        {.name = "run",
         .arguments = " [OPTIONS] [--] PROGRAM [ARGUMENTS]",
         .summary = "run a program and report its memory errors and leaks",
         .own = {{"--sweep",
                  "run it three times, with other layouts of blocks, which finds the "
                  "shortest overflows and underflows"},
                 {"--gdb", "run it in gdb, with Fencepost's commands for it"},
                 {"--force", "also run a program that Fencepost cannot watch"}},
         .options = FP_CLI_OPTIONS_ALL,
         .common = {"leak_check", "suppressions", "continue", "error_exitcode", "quiet", "log",
                    "json", "html", "sample", "stack_depth"},
         .examples = "  fencepost run ./app --its-own-option\n"
                     "  fencepost run --error-exitcode=9 --json=report.json ctest\n"
                     "  fencepost run --sweep ./parser input.bin\n",
         .more = "Exit status: that of the program, or --error-exitcode when anything was "
                 "found or a process could not report; 125 when Fencepost itself failed.",
         .run = fp_cli_run},
        {.name = "report",
         .arguments = " [OPTIONS]" OF_LOGS,
         .summary = "render event logs and JSON reports, several of them as one",
         .own = {{"--merge=yes|no", "make one report of all files, or one of each"}},
         .options = FP_CLI_OPTIONS_OF_REPORTS,
         .common = {"leak_check", "suppressions", "stacks", "log", "json", "html", "sarif",
                    "xml"},
         .examples = "  fencepost report --html=report.html app.events\n"
                     "  fencepost report reports/*.json\n",
         .more = RENDERING,
         .run = fp_cli_report},
        {.name = "diff",
         .arguments = " [OPTIONS] OLD NEW",
         .summary = "say what is new, gone and grown between two reports",
         .own = {{"--json[=FILE]", "write the difference as JSON, to FILE or standard output"},
                 {"--strict", "exit with 1 also when a leak has only grown"},
                 {"--suppressions=FILE[,FILE]", "leave out what these files name"}},
         .examples = "  fencepost diff before.json after.json\n",
         .more = "Exit status: 1 when anything is new (with --strict: or has grown), 0 when "
                 "nothing is, 125 when a report "
                 "could not be read.",
         .run = fp_cli_diff},
        {.name = "leaks",
         .arguments = " [OPTIONS] PID|CORE",
         .summary = "have a running program look for leaks now, and print its report",
         .own = {{"--timeout=SECONDS", "how long to wait for its answer"}},
         .options = FP_CLI_OPTIONS_OF_REPORTS,
         .common = {"show_possible", "suppressions", "log", "json", "html"},
         .examples = "  fencepost leaks $(pidof server)\n"
                     "  fencepost leaks core\n",
         .more = RENDERING " The program has to run under Fencepost, or to have done so until "
                           "it left a core file.",
         .run = fp_cli_leaks},
        {.name = "snapshot",
         .arguments = " [OPTIONS] PID|CORE",
         .summary = "report what was found so far in a running program",
         .own = {{"--timeout=SECONDS", "how long to wait for its answer"}},
         .options = FP_CLI_OPTIONS_OF_REPORTS,
         .common = {"suppressions", "log", "json", "html"},
         .examples = "  fencepost snapshot --json=now.json $(pidof server)\n",
         .more = RENDERING " The program has to run under Fencepost.",
         .run = fp_cli_snapshot},
        {.name = "explain",
         .arguments = " ADDRESS PID|CORE|EVENT-LOG|REPORT.json ...",
         .summary = "say what is known about an address",
         .examples = "  fencepost explain 0x7f0012345678 $(pidof server)\n"
                     "  fencepost explain 0x7f0012345678 core\n"
                     "  fencepost explain 0x7f0012345678 app.events\n",
         .more = "Exit status: 0 when the address is known, 125 when it is not.",
         .run = fp_cli_explain},
        {.name = "symbolize",
         .arguments = " [OPTIONS] [LINES ...]",
         .summary = "find names for lines of --ndjson that have none",
         .own = {{"--debug-dir=DIRECTORY",
                  "where the files .build-id/xx/yyyy.debug are (default /usr/lib/debug)"},
                 {"--debuginfod=yes", "ask the servers in DEBUGINFOD_URLS, too"}},
         .examples =
                 "  fencepost symbolize --debug-dir=/srv/debug <lines.ndjson >named.ndjson\n",
         .more = "Reads standard input when no file is named. Writes the lines with their "
                 "names, "
                 "and with the fingerprints that follow from them, to standard output.",
         .run = fp_cli_symbolize},
        {.name = "doctor",
         .arguments = " [--json] [PROGRAM]",
         .summary = "say what works here, what it costs, and what to change",
         .own = {{"--json", "write the answers as JSON"}},
         .examples = "  fencepost doctor\n"
                     "  fencepost doctor ./app\n",
         .more = "Exit status: 1 when there is a problem, 0 when there is none.",
         .run = fp_cli_doctor},
        {.name = "help",
         .arguments = " [COMMAND]",
         .summary = "show this help, or that of a command",
         .run = help},
        {0},
};

const struct fp_cli_command *fp_cli_find_command(const char *name)
{
	for (const struct fp_cli_command *command = fp_cli_commands; command->name; command++)
		if (strcmp(name, command->name) == 0)
			return command;
	return NULL;
}

int fp_cli_take_arguments(char **arguments, fp_cli_argument_taker take, void *user)
{
	bool are_options = true;
	int result = 0;

	for (; *arguments && result == 0; arguments++) {
		bool is_option =
		        are_options && (*arguments)[0] == '-' && (*arguments)[1] != '\0';

		if (is_option && strcmp(*arguments, "--") == 0)
			are_options = false;
		else
			result = take(user, *arguments, is_option);
	}
	return result;
}

const struct fp_option *fp_cli_take_option(const struct fp_cli_given *given, const char *text)
{
	char refusal[FP_OPTION_ERROR_MAX];
	const struct fp_options_error error = {given->command, refusal, sizeof(refusal), true};
	const char *value = strchr(text, '=');
	struct fp_options_item item = {.key = text};

	item.key_len = value ? (size_t)(value - text) : strlen(text);
	item.value = value ? value + 1 : "yes";
	item.value_len = strlen(item.value);
	const struct fp_option *option = fp_options_find(item.key, item.key_len);
	if (option && option->stage == FP_OPTION_RECORD && !given->records)
		fp_cli_fail(FP_SAY_BELONGS_TO_RUN, (int)item.key_len, text, option->key,
		            option->value);
	else if (option && !value && option->type != FP_OPTION_BOOL)
		fp_cli_fail(FP_SAY_NO_VALUE, text, text, option->value);
	else if (fp_options_set(given->options, &item, &error) != 0 || !option)
		fp_cli_fail("%s", refusal);
	else {
		given->is_given[option - fp_options_table] = true;
		return option;
	}
	return NULL;
}

static int help(char **arguments)
{
	const struct fp_cli_command *command = NULL;

	if (*arguments && !(command = fp_cli_find_command(*arguments)))
		return fp_cli_fail(FP_SAY_UNKNOWN_COMMAND_FENCEPOST, *arguments);
	return fp_cli_print_help(command, false);
}

/* ---- Help ----------------------------------------------------------------------------------
 *
 * Help, made from the table of commands and the table of options. That of a command fits on one
 * screen; --help=all has every option, by what it is for.
 */

enum { COLUMNS = 80, INDENT = 26, NAME_MAX_BYTES = 128 };

/* TEXT from column AT on, its further lines from column INDENT_BY. */
static void print_wrapped(const char *text, size_t at, size_t indent_by)
{
	size_t column = at;

	while (*text != '\0') {
		size_t length = strcspn(text, " ");

		if (column > indent_by && column + 1 + length > COLUMNS) {
			printf("\n%*s", (int)indent_by, "");
			column = indent_by;
		} else if (column > indent_by) {
			putchar(' ');
			column++;
		}
		fwrite(text, 1, length, stdout);
		column += length;
		text += length + (text[length] == ' ');
	}
	putchar('\n');
}

static void print_line(const char *name, const char *help)
{
	size_t length = (size_t)printf("  %s", name);

	/* A name that is too long has a line of its own. */
	if (length + 2 > INDENT) {
		putchar('\n');
		length = 0;
	}
	printf("%*s", (int)(INDENT - length), "");
	print_wrapped(help, INDENT, INDENT);
}

/* COMMAND: NULL for any. */
static void print_option(const struct fp_cli_command *command, const struct fp_option *option)
{
	static const char of_run[] = "fencepost run: ";
	bool is_of_run = command && strncmp(option->help, of_run, sizeof(of_run) - 1) == 0;
	char name[NAME_MAX_BYTES];
	char help[2 * COLUMNS + NAME_MAX_BYTES];
	bool has_default = option->standard[0] != '\0';

	snprintf(name, sizeof(name), "--%s=%s", option->key, option->value);
	for (char *at = name + 2; *at != '\0' && *at != '='; at++)
		*at = *at == '_' ? '-' : *at;
	snprintf(help, sizeof(help), "%s%s%s%s",
	         option->help + (is_of_run ? sizeof(of_run) - 1 : 0),
	         has_default ? " (default " : "", option->standard, has_default ? ")" : "");
	print_line(name, help);
}

static bool takes(const struct fp_cli_command *command, const struct fp_option *option)
{
	return command->options == FP_CLI_OPTIONS_ALL ||
	       (command->options == FP_CLI_OPTIONS_OF_REPORTS &&
	        option->stage != FP_OPTION_RECORD);
}

/* NULL: what any command takes. */
static void print_all(const struct fp_cli_command *command)
{
	size_t group = FP_OPTION_GROUPS;

	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		if (command && !takes(command, &fp_options_table[i]))
			continue;
		if (group != fp_options_group(i))
			printf("\n%s:\n", fp_option_groups[fp_options_group(i)]);
		group = fp_options_group(i);
		print_option(command, &fp_options_table[i]);
	}
}

static void print_command(const struct fp_cli_command *command, bool all)
{
	printf("Usage: fencepost %s%s\n\n", command->name, command->arguments);
	putchar(command->summary[0] - 'a' + 'A');
	printf("%s.\n", command->summary + 1);
	if (command->own[0].text || command->common[0])
		puts("\nOptions:");
	for (size_t i = 0; command->own[i].text; i++)
		print_line(command->own[i].text, command->own[i].help);
	if (all)
		print_all(command);
	else
		for (size_t i = 0; command->common[i]; i++)
			print_option(command, fp_options_find(command->common[i],
			                                      strlen(command->common[i])));
	if (!all && command->options != FP_CLI_OPTIONS_NONE)
		printf("\nfencepost %s --help=all lists the others.\n", command->name);
	if (command->examples)
		printf("\nExamples:\n%s", command->examples);
	if (command->more) {
		putchar('\n');
		print_wrapped(command->more, 0, 0);
	}
}

static void print_commands(bool all)
{
	puts("Usage: fencepost COMMAND [ARGUMENTS]\n\n"
	     "Finds memory errors and leaks: fencepost run ./app\n\n"
	     "Commands:");
	for (const struct fp_cli_command *command = fp_cli_commands; command->name; command++)
		print_line(command->name, command->summary);
	puts("\nfencepost COMMAND --help shows what a command takes,\n"
	     "fencepost --version the version.");
	if (!all) {
		puts("fencepost --help=all lists all options.");
		return;
	}
	puts("\nA program under Fencepost also takes its options from the environment,\n"
	     "FENCEPOST_OPTIONS=key=value:key=value; '-' and '_' are the same in keys.");
	print_all(NULL);
}

int fp_cli_finish_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	return fp_cli_fail(FP_SAY_CANNOT_WRITE_STANDARD);
}

int fp_cli_print_help(const struct fp_cli_command *command, bool all)
{
	if (command)
		print_command(command, all);
	else
		print_commands(all);
	return fp_cli_finish_output();
}
