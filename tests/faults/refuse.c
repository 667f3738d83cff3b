/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a command and has the kernel refuse a system call to Fencepost's own code in it and its
 * children: the command's own calls, and the loader's, are left alone. A filter of seccomp's
 * asks us about each such call; nobody is traced, and the caller sees what a refusal is.
 *
 *   refuse count FILE COMMAND...                    writes a line "WHO NUMBER COUNT" for each
 * call refuse NUMBER WHO ERRNO FIRST COMMAND...        refuses from the FIRST on; the status is
 * the command's, 77 where the kernel cannot
 *
 * WHO is "tool" (a process that runs the program `fencepost`), "library" (code of ours in
 * another process) or "process" (what is not of ours in such a process). EINTR, which no call
 * has for ever, is every other call's.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	NOT_POSSIBLE = 77,
	BROKEN = 99,
	CALLS = 600,
	PAGES = 1 << 16,
	PAGE_BITS = 12,
	NOBODY = -1
};

enum who { TOOL, LIBRARY, PROCESS, LOADER, WHOS };

static const char *const names[] = {"tool", "library", "process", "loader"};

static struct {
	enum who who;
	int error;
	unsigned long first;
} refusal;

static unsigned long counts[WHOS][CALLS];

static void need(bool is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "refuse: %s: %s\n", what, strerror(errno));
	exit(BROKEN);
}

/* ---- Whose call it is ----------------------------------------------------------------------
 */

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static enum who runner(unsigned pid)
{
	char path[64];
	char program[4096];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	length = readlink(path, program, sizeof(program) - 1);
	program[length < 0 ? 0 : length] = '\0';
	/* Our own child's calls are those of nobody. */
	return ends_with(program, "/refuse")      ? LOADER
	       : ends_with(program, "/fencepost") ? TOOL
	                                          : PROCESS;
}

static enum who look_up(unsigned pid, uint64_t address)
{
	char path[64];
	char line[4200];
	enum who who = runner(pid);
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = fopen(path, "r");
	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		unsigned long start;
		unsigned long end;

		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || address < start ||
		    address >= end)
			continue;
		if (strstr(line, "/ld-linux") != NULL || strstr(line, "/ld-musl") != NULL)
			who = LOADER;
		else if (who == PROCESS && strstr(line, "/libfencepost") != NULL)
			who = LIBRARY;
		break;
	}
	if (maps != NULL)
		fclose(maps);
	return who;
}

/* Maps are long where each block is one. A page of code stays what it is: what a process
 * executes next has other addresses. */
static enum who whose(unsigned pid, uint64_t address)
{
	static struct {
		uint64_t page;
		unsigned pid;
		enum who who;
	} known[PAGES];
	uint64_t page = address >> PAGE_BITS;
	size_t place = (page * 31 + pid) % PAGES;

	if (known[place].page != page || known[place].pid != pid) {
		known[place].who = look_up(pid, address);
		known[place].page = page;
		known[place].pid = pid;
	}
	return known[place].who;
}

/* ---- The filter and its answers ------------------------------------------------------------
 */

/* In the child, whose descriptors are ours until it executes the command. NUMBER: NOBODY asks
 * of all.
 */
static int install(long number)
{
	struct sock_filter code[] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 1, 0),
	        BPF_STMT(BPF_RET | BPF_K,
	                 number == NOBODY ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	const unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	const unsigned whole_calls =
	        1U << 5; /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19 */
	long fd;

	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | whole_calls, &program);
	if (fd < 0 && errno == EACCES) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | whole_calls,
		             &program);
	}
	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return (int)fd;
}

static bool is_refused(enum who who, unsigned long count)
{
	return refusal.error != 0 && who == refusal.who && count >= refusal.first &&
	       (refusal.error != EINTR || (count - refusal.first) % 2 == 0);
}

static void answer(int fd)
{
	struct seccomp_notif call = {0};
	struct seccomp_notif_resp reply = {0};
	enum who who;

	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
		return; /* who asked is dead */
	who = whose(call.pid, call.data.instruction_pointer);
	reply.id = call.id;
	if (call.data.nr >= 0 && call.data.nr < CALLS &&
	    is_refused(who, ++counts[who][call.data.nr]))
		reply.error = -refusal.error;
	else
		reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

/* Until nobody is left who could call anything. */
static void answer_all(int fd)
{
	struct pollfd listener = {.fd = fd, .events = POLLIN};

	while (poll(&listener, 1, -1) >= 0 || errno == EINTR)
		if ((listener.revents & POLLIN) != 0)
			answer(fd);
		else if ((listener.revents & (POLLHUP | POLLERR)) != 0)
			return;
}

static void write_counts(const char *path)
{
	FILE *file = fopen(path, "w");

	need(file != NULL, path);
	for (int who = 0; who < WHOS; who++)
		for (int number = 0; number < CALLS; number++)
			if (counts[who][number] != 0)
				fprintf(file, "%s %d %lu\n", names[who], number,
				        counts[who][number]);
	fclose(file);
}

static int run(long number, char **command)
{
	_Atomic int *listener = mmap(NULL, sizeof(*listener), PROT_READ | PROT_WRITE,
	                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;
	int status;

	need(listener != MAP_FAILED, "mmap");
	atomic_store(listener, NOBODY);
	child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0);
	need(child >= 0, "clone");
	if (child == 0) {
		atomic_store(listener, install(number));
		if (atomic_load(listener) > 0)
			execvp(command[0], command);
		_exit(atomic_load(listener) > 0 ? 127 : NOT_POSSIBLE);
	}
	while (atomic_load(listener) == NOBODY && waitpid(child, &status, WNOHANG) == 0)
		sched_yield();
	if (atomic_load(listener) == NOBODY)
		return NOT_POSSIBLE;
	answer_all(atomic_load(listener));
	need(waitpid(child, &status, 0) == child, "waitpid");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int count, char **words)
{
	int status;

	if (count > 3 && strcmp(words[1], "count") == 0) {
		status = run(NOBODY, words + 3);
		write_counts(words[2]);
		return status;
	}
	need(count > 5,
	     "usage: refuse count FILE COMMAND... | refuse NUMBER WHO ERRNO FIRST COMMAND...");
	while (refusal.who < WHOS && strcmp(words[2], names[refusal.who]) != 0)
		refusal.who++;
	refusal.error = atoi(words[3]);
	refusal.first = strtoul(words[4], NULL, 10);
	return run(atol(words[1]), words + 5);
}
