/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, with all that their help says beside the table of options.
 */
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

static int help(char **arguments)
{
	const struct fp_cli_command *command = NULL;

	if (*arguments && !(command = fp_cli_find_command(*arguments)))
		return fp_cli_fail(FP_SAY_UNKNOWN_COMMAND_FENCEPOST, *arguments);
	return fp_cli_print_help(command, false);
}
