/* SPDX-License-Identifier: Apache-2.0
 *
 * Help, made from the table of commands and the table of options. That of a command fits on one
 * screen; --help=all has every option, by what it is for.
 */
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "cli/cli.h"

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

static void print_common(const struct fp_cli_command *command)
{
	for (size_t i = 0; command->common[i]; i++)
		print_option(command,
		             fp_options_find(command->common[i], strlen(command->common[i])));
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
		print_common(command);
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
