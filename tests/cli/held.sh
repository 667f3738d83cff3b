# SPDX-License-Identifier: Apache-2.0
#
# What only the kernel has a pointer to is no leak: the data of epoll_ctl(2), the value of a timer, an
# alternate signal stack; also when the process does not see /proc any more. Once the kernel has given it
# up, it is one.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/held.work
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work/empty" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
bad=0

cat >victim.c <<'END'
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
static timer_t timer;
static int epoll, pipes[300][2];
static __attribute__((noinline)) void hold(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	for (int i = 0; i < 300; i++) { /* more than a buffer of lines */
		struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = malloc(100)};
		pipe(pipes[i]);
		epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[i][0], &wanted);
	}
	event.sigev_value.sival_ptr = malloc(77);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
	sigaltstack(&stack, NULL);
}
static __attribute__((noinline)) void give_up(void)
{
	stack_t none = {.ss_flags = SS_DISABLE};
	epoll_ctl(epoll, EPOLL_CTL_DEL, pipes[0][0], NULL);
	timer_delete(timer);
	sigaltstack(&none, NULL);
}
static __attribute__((noinline)) void wipe(void)
{
	volatile char stack[16384];
	memset((char *)stack, 0, sizeof(stack));
}
static void *wait_for_end(void *ready)
{
	stack_t stack = {.ss_sp = malloc(1 << 15), .ss_size = 1 << 15};
	sigaltstack(&stack, NULL);
	memset(&stack, 0, sizeof(stack));
	wipe();
	*(volatile int *)ready = 1;
	for (;;)
		pause();
}
int main(int argc, char **argv)
{
	static volatile int is_ready;
	pthread_t thread;
	epoll = epoll_create1(0);
	hold();
	wipe();
	pthread_create(&thread, NULL, wait_for_end, (void *)&is_ready);
	while (!is_ready)
		usleep(1000);
	if (strcmp(argv[1], "give-up") == 0)
		give_up();
	wipe();
	return strcmp(argv[1], "chroot") == 0 && chroot(argv[2]) != 0 ? 77 : 0;
}
END
${CC:-cc} -g -w -O1 -pthread -o victim victim.c || exit 99

expect() { # expect LINE ARGUMENT...
	line=$1
	shift
	"$fencepost" run ./victim "$@" >out 2>err
	status=$?
	test $status -eq 77 && echo "$*: not allowed here" && return
	test "$status $(tail -n 1 err)" = "0 $line" || { echo "$*: exits with $status"; cat err; bad=1; }
}
expect "fencepost: no errors, no leaks; exited 0" hold
expect "fencepost: no errors, no leaks; exited 0" chroot "$work/empty"
expect "fencepost: 3 leaks (65,713 bytes), no other errors; exited 0" give-up
exit $bad
