/* SPDX-License-Identifier: Apache-2.0
 *
 * Which command, and how any of them speaks.
 */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/tool_messages.h"
#include "base/vm.h"
#include "cli/cli.h"
#include "options/options.h"
#include "options/words.h"
#include "report/text/page.h"

/* ---- Progress
 * --------------------------------------------------------------------------------
 *
 * A line on the terminal while symbols are read, for who waits longer than a second. It is
 * erased before anything else is written, and there is none where nobody looks.
 */

enum { FIRST_MILLISECONDS = 1000, FRAME_MILLISECONDS = 200 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static bool is_shown; /* a thread shows it, or will */
static bool has_ended;

/* Whether the end came in time. The mutex is held. */
static bool await_end(long milliseconds)
{
	struct timespec until;
	int result = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += milliseconds % 1000 * 1000000;
	until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!has_ended && result == 0)
		result = pthread_cond_timedwait(&ended, &mutex, &until);
	return has_ended;
}

static void *show(void *unused)
{
	static const char frames[] = "|/-\\";
	long milliseconds = FIRST_MILLISECONDS;

	(void)unused;
	pthread_mutex_lock(&mutex);
	for (unsigned i = 0; !await_end(milliseconds); i++) {
		fprintf(stderr, FP_SAY_PROGRESS, frames[i % 4]);
		milliseconds = FRAME_MILLISECONDS;
	}
	if (milliseconds == FRAME_MILLISECONDS)
		fputs("\r\033[K", stderr);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

void fp_cli_progress_begin(void)
{
	sigset_t all;
	sigset_t before;

	const char *terminal = getenv("TERM");

	if (!isatty(STDERR_FILENO) || (terminal && strcmp(terminal, "dumb") == 0))
		return;
	has_ended = false;
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	is_shown = pthread_create(&thread, NULL, show, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void fp_cli_progress_end(void)
{
	if (!is_shown)
		return;
	pthread_mutex_lock(&mutex);
	has_ended = true;
	pthread_cond_signal(&ended);
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
	is_shown = false;
}

/* ---- The command
 * -----------------------------------------------------------------------------
 */

enum { STACK_BYTES = 8 << 20 };

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

static int print_version(void)
{
	puts(PACKAGE_STRING);
	return fp_cli_finish_output();
}

/* NULL: no command is like it. */
static const char *nearest_command(const char *name)
{
	const char *nearest = NULL;

	for (const struct fp_cli_command *command = fp_cli_commands; command->name; command++)
		nearest = fp_words_nearer(name, strlen(name), nearest, command->name);
	return nearest;
}

/* Somebody meant to run it. */
static bool is_program(const char *name)
{
	char *path = fp_cli_find_program(name);
	bool is_there = path != NULL;

	free(path);
	return is_there;
}

static int refuse_command(const char *name)
{
	const char *nearest = nearest_command(name);

	if (name[0] == '-')
		return fp_cli_fail(FP_SAY_OPTION_WITHOUT_COMMAND, name);
	if (strchr(name, '/') || (!nearest && is_program(name)))
		return fp_cli_fail(FP_SAY_NO_COMMAND_FENCEPOST, name, name);
	if (nearest)
		return fp_cli_fail(FP_SAY_UNKNOWN_COMMAND_NEAREST, name, nearest);
	return fp_cli_fail(FP_SAY_UNKNOWN_COMMAND_FENCEPOST, name);
}

/* Whether ARGUMENT asks for help, and for all of it. */
static bool is_help(const char *argument, bool *wants_all)
{
	*wants_all = strcmp(argument, "--help=all") == 0;
	return *wants_all || strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

struct call {
	int argc;
	char **argv;
	int status;
};

static int run_command(int argc, char **argv)
{
	fp_cli_prepare_process();
	if (argc < 2)
		return fp_cli_fail(FP_SAY_NO_COMMAND_WRITE);
	if (strcmp(argv[1], "--version") == 0)
		return print_version();
	bool wants_all;
	if (is_help(argv[1], &wants_all))
		return fp_cli_print_help(NULL, wants_all);
	/* Standard input is what a process of ours is reported from, which is no command of
	 * anybody's. */
	bool is_asked = strcmp(argv[1], "watch") != 0 && strcmp(argv[argc - 1], "-") != 0;
	const struct fp_cli_command *command = fp_cli_find_command(argv[1]);
	if (command && argc > 2 && is_help(argv[2], &wants_all))
		return fp_cli_print_help(command, wants_all);
	if (command) {
		if (is_asked)
			fp_cli_orphans_say();
		return command->run(argv + 2);
	}
	/* Not for people: a host starts it. */
	if (strcmp(argv[1], "watch") == 0)
		return fp_cli_watch(argv + 2);
	return refuse_command(argv[1]);
}

static void work(void *argument)
{
	struct call *call = argument;

	call->status = run_command(call->argc, call->argv);
}

/* `ulimit -s` is for the program: names and reports take more than it may leave. */
int main(int argc, char **argv)
{
	struct call call = {.argc = argc, .argv = argv};
	struct rlimit limit;
	uintptr_t stack = 0;

	if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < STACK_BYTES &&
	    fp_vm_map(STACK_BYTES, PROT_READ | PROT_WRITE, &stack) == 0)
		fp_sys_call_on((char *)stack + STACK_BYTES, work, &call);
	else
		work(&call);
	return call.status;
}
