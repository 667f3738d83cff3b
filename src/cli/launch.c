/* SPDX-License-Identifier: Apache-2.0
 *
 * The program as a child: it shares terminal, process group and descriptors, so that job
 * control and pipelines are as without us. Signals from the terminal reach the whole group,
 * hence the program, without our help; those that somebody sends to us are passed on.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/meta.h"
#include "base/tool_messages.h"
#include "base/vm.h"
#include "cli/cli.h"

/* ---- What this process was started with ----------------------------------------------------
 *
 * What this process was started with and cannot use: signals that would end it because an
 * output takes no more, children whose end nobody is told because SIGCHLD is ignored, and
 * standard streams that are closed, under whose numbers its own files would come to be. The
 * program that is run gets all of it as it was.
 */

/* The first two are sent to who writes into a pipe that nobody reads, or beyond the limit of a
 * file's size. */
static const struct {
	int signal;
	void (*handler)(int);
} actions[] = {{SIGPIPE, SIG_IGN}, {SIGXFSZ, SIG_IGN}, {SIGCHLD, SIG_DFL}};

enum { SIGNALS = sizeof(actions) / sizeof(actions[0]) };

static struct sigaction actions_before[SIGNALS];
static bool was_closed[STDERR_FILENO + 1];

void fp_cli_prepare_process(void)
{
	for (size_t i = 0; i < SIGNALS; i++) {
		const struct sigaction action = {.sa_handler = actions[i].handler};

		sigaction(actions[i].signal, &action, &actions_before[i]);
	}
	/* The lowest number that is free is the one that is looked at. */
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		was_closed[fd] =
		        fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) == fd;
	fp_cli_open_standard_streams();
}

static void restore_process(void)
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(actions[i].signal, &actions_before[i], NULL);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (was_closed[fd])
			close(fd);
}

/* ---- The child -----------------------------------------------------------------------------
 */

static const int passed_on[] = {SIGHUP,  SIGINT,    SIGQUIT,  SIGTERM, SIGUSR1, SIGUSR2,
                                SIGALRM, SIGVTALRM, SIGWINCH, SIGCONT, SIGTSTP};

enum { PASSED_ON = sizeof(passed_on) / sizeof(passed_on[0]) };

enum { LOOK_MS = 100, SERVE_MS = 1000 };

static volatile sig_atomic_t child;

/* By the default action, which leaves alone a group that nobody could continue. */
static void stop(void)
{
	const struct sigaction by_default = {.sa_handler = SIG_DFL};
	struct sigaction ours;
	sigset_t set;

	sigaction(SIGTSTP, &by_default, &ours);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGTSTP, &ours, NULL);
}

static void pass_on(int number, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	(void)context;
	/* The kernel speaks to the whole group, a process to us alone. */
	if (info->si_code <= 0 && child > 0)
		kill((pid_t)child, number);
	if (number == SIGTSTP)
		stop();
	errno = saved_errno;
}

static void catch_signals(struct sigaction *before)
{
	struct sigaction action = {.sa_sigaction = pass_on,
	                           .sa_flags = SA_SIGINFO | SA_RESTART};

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < PASSED_ON; i++)
		sigaction(passed_on[i], &action, &before[i]);
}

static void restore_signals(const struct sigaction *before)
{
	for (size_t i = 0; i < PASSED_ON; i++)
		sigaction(passed_on[i], &before[i], NULL);
}

/* A text without "#!" is the shell's, as execvp(3) has it. */
static void execute(const struct fp_cli_launch *launch)
{
	size_t count = 0;

	execve(launch->path, launch->arguments, launch->environment);
	if (errno != ENOEXEC)
		return;
	while (launch->arguments[count])
		count++;
	char **arguments = calloc(count + 2, sizeof(*arguments));
	if (!arguments)
		return;
	arguments[0] = (char *)(uintptr_t) "sh";
	arguments[1] = (char *)(uintptr_t)launch->path;
	for (size_t i = 1; i < count; i++)
		arguments[i + 1] = launch->arguments[i];
	execve("/bin/sh", arguments, launch->environment);
	errno = ENOEXEC;
}

/* ERROR is shared, and says why there is no program. */
static void run_child(const struct fp_cli_launch *launch, const struct sigaction *before,
                      int *error)
{
	restore_signals(before);
	restore_process();
	sigprocmask(SIG_SETMASK, &launch->mask, NULL);
	if (launch->input > 0)
		dup2(launch->input, STDIN_FILENO);
	if (launch->output > 0) {
		dup2(launch->output, STDOUT_FILENO);
		dup2(launch->output, STDERR_FILENO);
	}
	execute(launch);
	*error = errno;
	_exit(FP_CLI_NOT_EXECUTABLE);
}

/* A thread of its own, because a process that asks stands still, and the wait for the end of
 * the program cannot be for the bell, too. */
struct servant {
	struct fp_channel *channel;
	bool is_on_one_cpu;
	atomic_bool is_done;
};

static void *serve(void *argument)
{
	struct servant *servant = argument;
	bool is_steering = false;
	uint32_t rung = 0;

	while (!atomic_load(&servant->is_done)) {
		fp_channel_await_bell(servant->channel, &rung,
		                      is_steering ? FP_CLI_STEER_MS : SERVE_MS);
		fp_cli_run_errands(servant->channel);
		is_steering = fp_cli_steer_cpus(servant->channel, servant->is_on_one_cpu);
	}
	return NULL;
}

/* Looks at what the program does until it ends. */
static void watch(const struct fp_cli_launch *launch)
{
	int fd = (int)syscall(SYS_pidfd_open, launch->pid, 0);
	struct pollfd end = {.fd = fd, .events = POLLIN};

	/* Linux before 5.3: what was found is shown at the end. */
	if (fd < 0)
		return;
	int got;

	while ((got = poll(&end, 1, launch->live && launch->live->channel ? LOOK_MS : -1)) ==
	               0 ||
	       (got < 0 && errno == EINTR))
		if (launch->live && launch->live->channel)
			fp_cli_live_look(launch->live);
	close(fd);
}

static void watch_and_serve(const struct fp_cli_launch *launch)
{
	struct servant servant = {.channel = launch->channel,
	                          .is_on_one_cpu = launch->is_on_one_cpu};
	pthread_t thread;
	sigset_t all;
	sigset_t before;

	/* Signals are for the thread that passes them on. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	bool is_served = pthread_create(&thread, NULL, serve, &servant) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	watch(launch);
	atomic_store(&servant.is_done, true);
	fp_channel_ring(launch->channel);
	if (is_served)
		pthread_join(thread, NULL);
}

static void await_end(const struct fp_cli_launch *launch, int *status)
{
	while (waitpid(launch->pid, status, 0) < 0)
		if (errno != EINTR) {
			fp_cli_fail(FP_SAY_CANNOT_FIND_END, launch->path, strerror(errno));
			*status = W_EXITCODE(FP_CLI_FAILED, 0);
			return;
		}
}

int fp_cli_launch(struct fp_cli_launch *launch, int *status)
{
	struct sigaction before[PASSED_ON];
	sigset_t all;
	int *error = fp_meta_alloc_shared(fp_vm_page_size());

	if (!error)
		return -ENOMEM;
	catch_signals(before);
	/* A signal must not find us between the fork and knowing whom to pass it on to. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &launch->mask);
	launch->pid = fork();
	if (launch->pid == 0)
		run_child(launch, before, error);
	child = launch->pid;
	int result = launch->pid < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &launch->mask, NULL);
	if (result == 0) {
		fp_cli_orphans_mark(launch->path, launch->pid);
		watch_and_serve(launch);
		fp_cli_orphans_unmark();
		await_end(launch, status);
		result = -*error;
	}
	fp_meta_free(error, fp_vm_page_size());
	child = 0;
	restore_signals(before);
	return result;
}

/* ---- The environment of the program --------------------------------------------------------
 *
 * The environment of a program that is watched: ours, with the library in it and what it is to
 * do. Nothing else is changed unless an option asks for it.
 */

enum { EXTRA_VARIABLES = 2 + FP_CLI_POOLS };

static char *variable(const char *name, const char *first, const char *second)
{
	const char *separator = first[0] != '\0' && second[0] != '\0' ? ":" : "";
	char *text;

	return asprintf(&text, "%s=%s%s%s", name, first, separator, second) < 0 ? NULL : text;
}

static bool is_ours(const char *text)
{
	return strncmp(text, "LD_PRELOAD=", strlen("LD_PRELOAD=")) == 0 ||
	       strncmp(text, "FENCEPOST_OPTIONS=", strlen("FENCEPOST_OPTIONS=")) == 0;
}

char **fp_cli_make_environment(const char *given, bool has_pools)
{
	char *library = fp_cli_find_library();
	const char *preload = getenv("LD_PRELOAD");
	const char *options = getenv("FENCEPOST_OPTIONS");
	size_t count = 0;
	size_t used = 0;

	if (!library)
		return NULL;
	if (access(library, R_OK) != 0 || strpbrk(library, ": ")) {
		fp_cli_fail(FP_SAY_CANNOT_USE_INSTALL, library);
		free(library);
		return NULL;
	}
	while (environ[count])
		count++;
	char **environment = calloc(count + EXTRA_VARIABLES + 1, sizeof(*environment));
	if (!environment) {
		fp_cli_fail(FP_SAY_NO_MEMORY_START);
		free(library);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (!is_ours(environ[i]))
			environment[used++] = environ[i];
	if (!has_pools)
		used += fp_cli_pools_leave(environment + used);
	environment[used++] = variable("LD_PRELOAD", library, preload ? preload : "");
	environment[used++] = variable("FENCEPOST_OPTIONS", options ? options : "", given);
	free(library);
	return environment;
}

/* ---- Under gdb -----------------------------------------------------------------------------
 *
 * `fencepost run --gdb PROGRAM`: gdb, which gives its program the environment of a watched one,
 * and knows Fencepost's commands. gdb itself is not watched, and no shell is: the program
 * reports for itself, through the watcher that it starts.
 */

enum { OWN_ARGUMENTS = 16 };

static char *join(const char *a, const char *b)
{
	char *text;

	return asprintf(&text, "%s%s", a, b) < 0 ? NULL : text;
}

int fp_cli_debug(char **command, const char *given, bool has_pools)
{
	static const char *const first[] = {"gdb", "-ex", "set startup-with-shell off"};
	char *library = fp_cli_find_library();
	char **environment = library ? fp_cli_make_environment(given, has_pools) : NULL;
	size_t count = 0;
	size_t used = sizeof(first) / sizeof(first[0]);

	if (!environment)
		return FP_CLI_FAILED;
	/* gdb's commands are beside the library. */
	*(strrchr(library, '/') + 1) = '\0';
	while (command[count])
		count++;
	const char **arguments = calloc(count + OWN_ARGUMENTS, sizeof(char *));
	if (!arguments)
		return fp_cli_fail(FP_SAY_NO_MEMORY_START);
	memcpy(arguments, first, sizeof(first));
	for (; *environment; environment++) {
		/* What the pools of other allocators are told is for all that is started. */
		if (!is_ours(*environment)) {
			putenv(*environment);
			continue;
		}
		arguments[used++] = "-ex";
		arguments[used++] = join("set environment ", *environment);
	}
	arguments[used++] = "-x";
	arguments[used++] = join(library, "fencepost-gdb.py");
	arguments[used++] = "--args";
	memcpy(arguments + used, command, count * sizeof(*command));
	restore_process();
	execvp("gdb", (char **)(uintptr_t)arguments);
	return fp_cli_fail(FP_SAY_CANNOT_RUN_GDB, strerror(errno));
}
