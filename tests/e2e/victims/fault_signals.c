/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that knows nothing of Fencepost and expects a bad access to be a SIGSEGV, as it is
 * on every machine. The argument says what it does about that.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 48, PAGE = 4096, KERNEL_SIGSET_BYTES = 8, RESTORER = 0x04000000 };

static sigjmp_buf escape;
static volatile char *block;
static volatile char sink;
static volatile int calls;

static void access_badly(void)
{
	sink = block[3]; /* plant: access */
}

static void free_block(void)
{
	block = malloc(BLOCK); /* plant: allocation */
	free((void *)block);   /* plant: free */
}

/* ---- Handlers ------------------------------------------------------------------------------
 */

static void say(int number)
{
	printf("handler of %d\n", number);
	fflush(stdout);
	calls++;
}

static void leap(int number)
{
	say(number);
	siglongjmp(escape, 1);
}

static void leap_with(int number, siginfo_t *info, void *context)
{
	sigset_t mask;

	(void)context;
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	printf("%d, code %s, address %s, blocked%s%s\n", info->si_signo,
	       info->si_code == SEGV_ACCERR || info->si_code == SEGV_MAPERR ? "right" : "wrong",
	       info->si_addr == (void *)(block + 3) ? "right" : "wrong",
	       sigismember(&mask, SIGBUS) == 1 ? " SIGBUS" : "",
	       sigismember(&mask, SIGUSR1) == 1 ? " SIGUSR1" : "");
	leap(number);
}

static void leave(int number)
{
	say(number);
	signal(number, SIG_DFL);
}

static void crash(int number)
{
	say(number);
	access_badly();
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigaddset(&action.sa_mask, SIGUSR1);
	sigaction(number, &action, NULL);
}

static void handle_with(int flags)
{
	struct sigaction action = {.sa_sigaction = leap_with, .sa_flags = SA_SIGINFO | flags};

	sigaddset(&action.sa_mask, SIGUSR1);
	sigaction(SIGSEGV, &action, NULL);
}

static void fall(int times)
{
	for (volatile int i = 0; i < times; i++)
		if (sigsetjmp(escape, 1) == 0)
			access_badly();
	printf("%d calls\n", calls);
}

/* ---- Ways that go on -----------------------------------------------------------------------
 */

static void by_action(void)
{
	handle_with(0);
	fall(3);
}

static void by_action_not_deferred(void)
{
	handle_with(SA_NODEFER);
	fall(3);
}

static void by_action_on_stack(void)
{
	const stack_t stack = {.ss_sp = malloc(64 << 10), .ss_size = 64 << 10};

	sigaltstack(&stack, NULL);
	handle_with(SA_ONSTACK);
	fall(3);
}

static void by_signal(void)
{
	signal(SIGSEGV, leap);
	fall(3);
}

static void by_both(void)
{
	signal(SIGBUS, leap);
	signal(SIGSEGV, leap);
	fall(3);
}

static void *fall_in_thread(void *unused)
{
	fall(2);
	return unused;
}

static void by_thread(void)
{
	pthread_t thread;

	signal(SIGSEGV, leap);
	pthread_create(&thread, NULL, fall_in_thread, NULL);
	pthread_join(thread, NULL);
}

/* As run times do that use no C library: nobody sees it but the kernel. */
static void by_kernel(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} action;

	signal(SIGSEGV, leap);
	syscall(SYS_rt_sigaction, SIGSEGV, NULL, &action, KERNEL_SIGSET_BYTES);
	action.handler = leap;
	action.flags = (action.flags & RESTORER) | SA_NODEFER;
	syscall(SYS_rt_sigaction, SIGSEGV, &action, NULL, KERNEL_SIGSET_BYTES);
	fall(2);
}

/* A file that became shorter is the program's own SIGBUS. */
static volatile char *map_nothing(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	off_t end = (lseek(fd, 0, SEEK_END) + PAGE - 1) / PAGE * PAGE;
	char *map = mmap(NULL, (size_t)end + PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	close(fd);
	return map + end;
}

static void own_bus(void)
{
	signal(SIGSEGV, leap);
	signal(SIGBUS, leap);
	if (sigsetjmp(escape, 1) == 0)
		sink = *map_nothing();
	printf("%d calls\n", calls);
}

/* The same in place of a part of a block. */
static void own_bus_in_block(void)
{
	char *place = aligned_alloc(PAGE, (size_t)4 * PAGE);
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);

	memset(place, 1, (size_t)4 * PAGE);
	mmap(place + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	signal(SIGBUS, leap);
	if (sigsetjmp(escape, 1) == 0)
		sink = ((volatile char *)place)[PAGE];
	printf("%d calls\n", calls);
	fflush(stdout);
	_exit(0);
}

static int status_of(pid_t child)
{
	int status = 0;

	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void own_bus_of_child(void)
{
	volatile char *nothing = map_nothing();
	pid_t child = fork();

	if (child == 0) {
		sink = *nothing;
		_exit(0);
	}
	printf("child: %d\n", status_of(child));
}

/* ---- Ways that end -------------------------------------------------------------------------
 */

static void no_handler(void)
{
	access_badly();
}

static void handler_of_bus(void)
{
	signal(SIGBUS, leap);
	fall(1);
}

static void ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	fall(1);
}

static void handler_once(void)
{
	handle(SIGSEGV, leap, (int)SA_RESETHAND);
	fall(2);
}

static void blocked(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	signal(SIGSEGV, leap);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fall(1);
}

static void handler_leaves(void)
{
	handle(SIGSEGV, leave, 0);
	access_badly();
}

static void handler_leaves_once(void)
{
	handle(SIGSEGV, say, (int)SA_RESETHAND);
	access_badly();
}

static void handler_crashes(void)
{
	handle(SIGSEGV, crash, 0);
	access_badly();
}

/* A child that has our memory does not end our report, nor our own death. */
static void after_vfork(void)
{
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork) */
	pid_t child = vfork();

	if (child == 0) {
		sink = *(volatile char *)8;
		_exit(0);
	}
	printf("child: %d\n", status_of(child));
	fflush(stdout);
	access_badly();
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {
        {"by-action", by_action},
        {"by-action-not-deferred", by_action_not_deferred},
        {"by-action-on-stack", by_action_on_stack},
        {"by-signal", by_signal},
        {"by-both", by_both},
        {"by-thread", by_thread},
        {"by-kernel", by_kernel},
        {"own-bus", own_bus},
        {"own-bus-in-block", own_bus_in_block},
        {"own-bus-of-child", own_bus_of_child},
        {"no-handler", no_handler},
        {"handler-of-bus", handler_of_bus},
        {"ignored", ignored},
        {"handler-once", handler_once},
        {"blocked", blocked},
        {"handler-leaves", handler_leaves},
        {"handler-leaves-once", handler_leaves_once},
        {"handler-crashes", handler_crashes},
        {"after-vfork", after_vfork},
};

int main(int argc, char **argv)
{
	free_block();
	for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, argv[1]) != 0)
			continue;
		ways[i].run();
		return 0;
	}
	return 1;
}
