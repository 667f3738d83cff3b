/* SPDX-License-Identifier: Apache-2.0
 *
 * A signal handler reads a freed block. Argument: "stack" when it has an alternate stack of its
 * own, "blocked" when it runs with all signals blocked.
 */
#include "victim.h"

#include <signal.h>
#include <string.h>

static volatile char *block;
static volatile char result;

static void handle(int number)
{
	(void)number;
	result = block[500]; /* plant: access */
}

int main(int argc, char **argv)
{
	static char stack[64 << 10];
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = handle};
	IHostMalloc *heap = victim_heap();
	void *memory = NULL;

	IHostMalloc_Alloc(heap, 1000, eTaskCritical, &memory); /* plant: allocation */
	block = memory;
	IHostMalloc_Free(heap, memory); /* plant: free */
	if (argc > 1 && strcmp(argv[1], "stack") == 0) {
		EXPECT(sigaltstack(&alternate, NULL) == 0);
		action.sa_flags = SA_ONSTACK;
	}
	sigfillset(&action.sa_mask);
	if (argc == 1 || strcmp(argv[1], "blocked") != 0) {
		sigdelset(&action.sa_mask, SIGSEGV);
		sigdelset(&action.sa_mask, SIGBUS);
	}
	EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
	return 1;
}
