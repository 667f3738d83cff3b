/* SPDX-License-Identifier: Apache-2.0
 *
 * Running the reporter: a child that shares our memory has `fencepost report` executed,
 * with the event log as its standard input. All descriptors that needs are made in the child,
 * so a program that has used up its own can still be reported on; no SIGCHLD reaches the
 * program, and no wait of the program's can take the child's status away. For that the child
 * must not execute the reporter itself: execve makes any process one that ends with SIGCHLD.
 * A watcher is started the same way, and left alone: it outlives the program, and what ends the
 * group or the terminal of that does not end it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/meta.h"
#include "base/sys.h"
#include "session/state.h"

/* The child's stack, at whose low end stands that of the process that executes the reporter. */
enum { CHILD_STACK_BYTES = 64 << 10, EXECUTE_STACK_BYTES = 4 << 10, EXIT_NOT_RUN = 127 };

struct child {
	struct fp_log *tail; /* NULL: it is a watcher, which reads OUTPUT_FD */
	int output_fd;       /* or -1 */
	int feed_fd; /* the pipe through which the reporter gets the log; -1: it has a file */
	bool is_stderr_lost;
	char *stack;
	sigset_t signals; /* blocked in the program when it called us */
	const struct fp_session_command *command;
	int status; /* what kept the reporter from running: shared memory brings it back */
	pid_t reporter;
};

static struct stat stderr_at_start;
static bool had_stderr;

void fp_session_remember_stderr(void)
{
	had_stderr = fp_sys_fstat(STDERR_FILENO, &stderr_at_start) == 0;
}

bool fp_session_is_stderr_lost(void)
{
	struct stat now;

	return !had_stderr || fp_sys_fstat(STDERR_FILENO, &now) != 0 ||
	       now.st_dev != stderr_at_start.st_dev || now.st_ino != stderr_at_start.st_ino;
}

/* What a program allows itself may be less than the reporter needs: fewer descriptors than the
 * loader takes, less memory, no files. */
static void raise_limits(void)
{
	static const int resources[] = {RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
		if (fp_sys_get_limit(resources[i], &limit) != 0)
			continue;
		limit.rlim_cur = limit.rlim_max;
		fp_sys_set_limit(resources[i], &limit);
	}
}

int fp_session_make_events(struct fp_log *tail)
{
	int fd = (int)fp_sys(SYS_memfd_create, "fencepost-events", 0);

	if (fd < 0)
		return fd;
	int status = fp_log_copy(fp_session_log(), fd);
	if (status == 0)
		status = fp_log_copy(tail, fd);
	if (status == 0)
		status = (int)fp_sys_lseek(fd, 0, SEEK_SET);
	if (status != 0)
		fp_sys_close(fd);
	return status == 0 ? fd : status;
}

/* No limit of a file's size ends a pipe: that is written while the reporter reads. */
static int make_feed(struct child *child)
{
	int ends[2];

	int status = (int)fp_sys(SYS_pipe2, ends, O_CLOEXEC);
	if (status != 0)
		return status;
	child->feed_fd = ends[1];
	fp_sys_fcntl(ends[0], F_SETFD, 0);
	return ends[0];
}

/* Our end for reading is closed first: a reporter that has died must not leave us waiting. */
static void feed(const struct child *child)
{
	fp_sys_close(STDIN_FILENO);
	if (fp_log_copy(fp_session_log(), child->feed_fd) == 0)
		fp_log_copy(child->tail, child->feed_fd);
	fp_sys_close(child->feed_fd);
}

/* A watcher sees the end of this process, also one that comes before it runs. Without it (Linux
 * before 5.3) it asks for the number. */
static int arrange_for_watcher(int null)
{
	int end = (int)fp_sys(SYS_pidfd_open, fp_session.pid, 0);

	if (end >= 0)
		fp_sys_dup_to(end, FP_SESSION_END_FD);
	return fp_sys_dup_to(null, STDIN_FILENO);
}

/* Leaves standard input the log, standard error what it was at the start, FP_SESSION_OUTPUT_FD
 * the file asked for, and nothing else. */
static int arrange_descriptors(struct child *child)
{
	int keep = STDERR_FILENO;

	if (child->output_fd >= 0) {
		int status = fp_sys_dup_to(child->output_fd, FP_SESSION_OUTPUT_FD);
		if (status < 0)
			return status;
		fp_sys_fcntl(FP_SESSION_OUTPUT_FD, F_SETFD, 0);
		keep = FP_SESSION_OUTPUT_FD;
	}
	fp_sys(SYS_close_range, keep + 1, ~0U, 0);
	if (child->is_stderr_lost)
		fp_sys_close(STDERR_FILENO);
	int null = fp_sys_open("/dev/null", O_RDWR, 0);
	/* Fill the gaps below: no file of ours may become somebody's standard error. */
	while (null >= 0 && null <= STDERR_FILENO)
		null = fp_sys_open("/dev/null", O_RDWR, 0);
	if (child->tail == NULL)
		return arrange_for_watcher(null);
	fp_sys_close(STDIN_FILENO);
	int input = fp_session_make_events(child->tail);
	if (input == -EFBIG)
		input = make_feed(child);
	if (input < 0)
		return input;
	return fp_sys_dup_to(input, STDIN_FILENO);
}

static int execute_reporter(void *argument)
{
	struct child *child = argument;

	if (child->tail != NULL)
		fp_sys_sigmask(SIG_SETMASK, &child->signals, NULL);
	else
		fp_sys(SYS_setsid);
	child->status = (int)fp_sys(SYS_execve, child->command->program,
	                            child->command->arguments, child->command->environment);
	return EXIT_NOT_RUN;
}

static int run_child(void *argument)
{
	struct child *child = argument;
	int wait_status = 0;

	/* Ignored and handled signals alike: the program's handlers must not run in its memory
	 * here. */
	struct sigaction action = {.sa_handler = SIG_DFL};
	for (int number = 1; number < NSIG; number++)
		fp_sys_sigaction(number, &action, NULL);
	raise_limits();
	child->status = arrange_descriptors(child);
	if (child->status != 0)
		return EXIT_NOT_RUN;
	/* Memory stays shared until the new process has executed the reporter, or could not. */
	pid_t pid = child->reporter = (pid_t)fp_sys_clone(CLONE_VM | CLONE_VFORK | SIGCHLD,
	                                                  child->stack + EXECUTE_STACK_BYTES,
	                                                  execute_reporter, child);
	if (pid < 0)
		child->status = pid;
	if (child->tail == NULL)
		return child->status == 0 ? 0 : EXIT_NOT_RUN;
	if (pid > 0 && child->feed_fd >= 0)
		feed(child);
	if (pid > 0)
		fp_sys_wait(pid, &wait_status, 0);
	if (pid > 0 && WIFSIGNALED(wait_status))
		child->status = -ECHILD;
	return wait_status == 0 ? 0 : EXIT_NOT_RUN;
}

/* 0 once the reporter has done its work. */
static int run(struct child *child)
{
	char *stack = child->stack = fp_meta_alloc(CHILD_STACK_BYTES);
	sigset_t all;
	int wait_status = 0;
	int status = 0;

	if (stack == NULL)
		return -ENOMEM;
	sigfillset(&all);
	fp_sys_sigmask(SIG_BLOCK, &all, &child->signals);
	/* No exit signal: the program may handle SIGCHLD, or wait for any child. */
	pid_t pid = (pid_t)fp_sys_clone(CLONE_VM | CLONE_VFORK, stack + CHILD_STACK_BYTES,
	                                run_child, child);
	if (pid < 0)
		status = pid;
	else
		fp_sys_wait(pid, &wait_status, __WCLONE);
	fp_sys_sigmask(SIG_SETMASK, &child->signals, NULL);
	fp_meta_free(stack, CHILD_STACK_BYTES);
	if (status == 0)
		status = child->status;
	if (status == 0 && wait_status != 0)
		status = -EIO;
	return status;
}

int fp_session_run_reporter(const struct fp_session_command *command, struct fp_log *tail,
                            int fd)
{
	struct child child = {
	        .tail = tail,
	        .output_fd = fd,
	        .feed_fd = -1,
	        .is_stderr_lost = fp_session_is_stderr_lost(),
	        .command = command,
	};
	int status = run(&child);

	return status == 0 && tail == NULL ? child.reporter : status;
}
