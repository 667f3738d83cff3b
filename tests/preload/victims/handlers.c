/* SPDX-License-Identifier: Apache-2.0
 *
 * Handlers of signals that call malloc, or do not, in the way that the argument names: wrong
 * where the signal can come while malloc runs ("wrong-..."), and right in every other.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { TIMES = 20 };

static volatile sig_atomic_t calls;
static sigjmp_buf escape;
static ucontext_t origin;
static void *volatile kept;

static void allocate(void)
{
	void *block = malloc(40); /* plant: malloc */

	kept = block;
	free(block);
}

static void handle(int number)
{
	allocate(); /* plant: handler */
	calls++;
}

static void release(int number)
{
	free(kept); /* plant: free */
	kept = NULL;
	calls++;
}

static void count(int number)
{
	calls++;
}

static void leap(int number)
{
	calls++;
	siglongjmp(escape, number);
}

static void switch_context(int number)
{
	calls++;
	setcontext(&origin);
}

static void tick(void (*handler)(int))
{
	const struct itimerval often = {{0, 2000}, {0, 2000}};

	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void stop_ticks(void)
{
	signal(SIGALRM, SIG_IGN);
}

static void churn(int depth)
{
	volatile char room[100];

	allocate();
	room[0] = 1;
	if (depth > 0)
		churn(depth - 1);
	allocate();
	room[1] = 1;
}

/* Nothing that a handler could disturb. */
static void compute(void)
{
	for (volatile int i = 0; i < 100000; i++)
		;
}

static void churn_and_compute(int times)
{
	for (int rounds = 0; calls < times && rounds < 100000; rounds++) {
		churn(1);
		compute();
	}
	stop_ticks();
}

/* ---- Wrong ----------------------------------------------------------------------------------
 */

static void wrong_timer(void)
{
	tick(handle);
	churn_and_compute(TIMES);
}

static void *compute_in_thread(void *unused)
{
	churn_and_compute(TIMES);
	return NULL;
}

static void wrong_thread(void)
{
	pthread_t thread;
	sigset_t set;

	tick(handle);
	pthread_create(&thread, NULL, compute_in_thread, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_join(thread, NULL);
}

static void wrong_free(void)
{
	signal(SIGALRM, release);
	while (calls < TIMES) {
		int before = calls;
		void *block = malloc(30);

		kept = block;
		ualarm(1000, 0);
		while (calls == before)
			compute();
	}
}

static void send_often(int number)
{
	pid_t receiver = getpid();

	if (fork() == 0) {
		union sigval value = {0};

		for (int i = 0; i < 100 * TIMES && sigqueue(receiver, number, value) == 0; i++)
			usleep(1000);
		_exit(0);
	}
}

static void wrong_sent(void)
{
	signal(SIGRTMIN + 2, handle);
	send_often(SIGRTMIN + 2);
	/* Those that wait in the queue all come at one place. */
	churn_and_compute(10 * TIMES);
	signal(SIGRTMIN + 2, SIG_IGN);
}

static void handle_by_action(int number, siginfo_t *info, void *context)
{
	if (info->si_signo == number && context != NULL)
		handle(number);
}

static void wrong_alternate_stack(void)
{
	static char stack[65536];
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	const struct sigaction action = {.sa_sigaction = handle_by_action,
	                                 .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaltstack(&alternate, NULL);
	tick(count);
	sigaction(SIGALRM, &action, NULL);
	churn_and_compute(TIMES);
}

/* ---- Right ----------------------------------------------------------------------------------
 */

static void flag_only(void)
{
	tick(count);
	while (calls < TIMES)
		churn(20);
	stop_ticks();
}

static void raised(void)
{
	union sigval value = {0};

	signal(SIGUSR1, handle);
	for (int i = 0; i < TIMES; i++) {
		allocate();
		raise(SIGUSR1);
		kill(getpid(), SIGUSR1);
		pthread_kill(pthread_self(), SIGUSR1);
		sigqueue(getpid(), SIGUSR1, value);
	}
}

static void broken_pipe(void)
{
	int ends[2];

	signal(SIGPIPE, handle);
	allocate();
	if (pipe(ends) == 0 && close(ends[0]) == 0)
		for (int i = 0; i < TIMES; i++)
			write(ends[1], "", 1);
}

static void recover(int number)
{
	handle(number);
	siglongjmp(escape, number);
}

static void faults(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};

	for (int i = 0; i < 4; i++)
		signal(numbers[i], recover);
	for (volatile int i = 0; i < TIMES; i++) {
		allocate();
		if (sigsetjmp(escape, 1) == 0 && i % 2 == 0)
			*(volatile int *)8 = 0;
		else if (sigsetjmp(escape, 1) == 0)
			__builtin_trap();
	}
}

/* The signal only ever comes while the thread waits for it. */
static void blocked(void)
{
	sigset_t none;
	sigset_t set;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	tick(handle);
	while (calls < TIMES) {
		churn(3);
		sigsuspend(&none);
	}
	stop_ticks();
}

/* As shells do it: what waits in a system call is in no malloc. */
static void waiting(void)
{
	signal(SIGALRM, handle);
	while (calls < TIMES) {
		const int before = calls;

		churn(3);
		ualarm(3000, 0);
		if (calls == before)
			pause();
	}
}

/* The signal could come while malloc runs, and this time comes while it does not. */
static void tick_once(void)
{
	churn(2);
	ualarm(1000, 0);
}

/* Once out of a handler, malloc is as safe as ever. */
static void left_by_jump(void)
{
	signal(SIGALRM, leap);
	while (calls < TIMES) {
		if (sigsetjmp(escape, 1) == 0) {
			tick_once(); /* not sooner: there would be nowhere to leap to */
			for (;;)
				compute();
		}
		churn(100);
	}
}

static void left_by_context(void)
{
	volatile int rounds = 0;

	signal(SIGALRM, switch_context);
	getcontext(&origin);
	churn(100);
	if (rounds++ < TIMES) {
		tick_once();
		for (;;)
			compute();
	}
}

static void compute_and_allocate(int number)
{
	if (sigsetjmp(escape, 1) == 0) {
		tick_once();
		for (;;)
			compute();
	}
	churn(30);
}

/* From the handler of a timer into that of a signal which the program raised. */
static void left_into_handler(void)
{
	signal(SIGUSR1, compute_and_allocate);
	signal(SIGALRM, leap);
	while (calls < TIMES)
		raise(SIGUSR1);
}

static void *exit_by_handler(void *unused)
{
	for (;;)
		pause();
	return NULL;
}

static void end_thread(int number)
{
	pthread_exit(NULL);
}

static void free_value(void *value)
{
	free(value);
}

static void *set_value_and_wait(void *key)
{
	pthread_setspecific(*(pthread_key_t *)key, malloc(10));
	return exit_by_handler(NULL);
}

/* pthread_exit in a handler that the program sends itself. */
static void ended_in_handler(void)
{
	pthread_key_t key;
	pthread_t thread;

	signal(SIGUSR1, end_thread);
	pthread_key_create(&key, free_value);
	for (int i = 0; i < TIMES; i++) {
		pthread_create(&thread, NULL, set_value_and_wait, &key);
		pthread_kill(thread, SIGUSR1);
		pthread_join(thread, NULL);
	}
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
        {"wrong-timer", wrong_timer},
        {"wrong-thread", wrong_thread},
        {"wrong-free", wrong_free},
        {"wrong-sent", wrong_sent},
        {"wrong-alternate-stack", wrong_alternate_stack},
        {"flag-only", flag_only},
        {"raised", raised},
        {"broken-pipe", broken_pipe},
        {"faults", faults},
        {"blocked", blocked},
        {"waiting", waiting},
        {"left-by-jump", left_by_jump},
        {"left-by-context", left_by_context},
        {"left-into-handler", left_into_handler},
        {"ended-in-handler", ended_in_handler},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(argv[1], acts[i].name) == 0) {
			acts[i].act();
			printf("%s\n", calls > 0 ? "handled" : "not handled");
			return 0;
		}
	}
	return 2;
}
