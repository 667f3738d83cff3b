/* SPDX-License-Identifier: Apache-2.0
 *
 * A hundred coroutines on stacks of two pages that take turns at allocating, resizing and
 * freeing, with an inaccessible page below each stack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { COROUTINES = 100, TURNS = 20, PAGE = 4096, STACK = 2 * PAGE };

static ucontext_t scheduler, contexts[COROUTINES];
static unsigned long sum;

static void live(int number)
{
	char *text = malloc(10);

	for (int turn = 1; turn <= TURNS; turn++) {
		text = realloc(text, (size_t)(10 + turn * number));
		memset(text, number, (size_t)(10 + turn * number));
		void *aligned = aligned_alloc(64, 128);
		free(strdup("a string"));
		free(calloc(3, 7));
		swapcontext(&contexts[number], &scheduler);
		sum += (unsigned char)text[turn * number];
		free(aligned);
	}
	free(text);
}

int main(void)
{
	char *stacks[COROUTINES];

	for (int i = 0; i < COROUTINES; i++) {
		stacks[i] =
		        mmap(NULL, PAGE + STACK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		mprotect(stacks[i] + PAGE, STACK, PROT_READ | PROT_WRITE);
		getcontext(&contexts[i]);
		contexts[i].uc_stack.ss_sp = stacks[i] + PAGE;
		contexts[i].uc_stack.ss_size = STACK;
		contexts[i].uc_link = &scheduler;
		makecontext(&contexts[i], (void (*)(void))live, 1, i);
	}
	for (int turn = 0; turn <= TURNS; turn++)
		for (int i = 0; i < COROUTINES; i++)
			swapcontext(&scheduler, &contexts[i]);
	printf("%lu\n", sum);
	return 0;
}
