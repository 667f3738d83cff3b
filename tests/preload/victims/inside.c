/* SPDX-License-Identifier: Apache-2.0
 *
 * A program whose code runs while Fencepost is at work, because it is asked about leaks: what
 * it frees then, and the signals that come then, are not lost.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <sanitizer/lsan_interface.h>

#pragma weak __lsan_do_recoverable_leak_check

enum { BLOCKS = 5000, SIGNALS = 12 };

static char *blocks[BLOCKS];
static volatile int handled;
static volatile int handled_inside;
static int is_asked;

static void handle(int number)
{
	(void)number;
	handled++;
	free(malloc(10));
}

int __lsan_is_turned_off(void)
{
	if (is_asked++ > 0)
		return 0;
	for (int i = 0; i < SIGNALS; i++)
		raise(SIGRTMIN + 2 + i);
	handled_inside = handled;
	for (int i = 0; i < BLOCKS; i++) {
		free(blocks[i]); /* plant: free */
		if (i > 0)
			blocks[i] = NULL;
	}
	return 0;
}

static int blocked(void)
{
	sigset_t mask;
	int count = 0;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int number = 1; number < NSIG; number++)
		count += sigismember(&mask, number) == 1;
	return count;
}

int main(void)
{
	for (int i = 0; i < SIGNALS; i++)
		signal(SIGRTMIN + 2 + i, handle);
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(20); /* plant: allocation */
	__lsan_do_recoverable_leak_check();
	printf("%d of %d handled, %d of them inside, %d blocked\n", handled, SIGNALS,
	       handled_inside, blocked());
	free(blocks[0]); /* plant: double free */
	blocks[0] = NULL;
	return 0;
}
