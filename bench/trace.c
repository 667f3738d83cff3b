/* SPDX-License-Identifier: Apache-2.0
 *
 * What does the trace of a stack of 20 frames cost, once the unwinder knows the code and the
 * depot knows the trace? This is the call that every alloc and every free makes, alone.
 */
#include <stdio.h>
#include <stdlib.h>

#include "measure.h"
#include "stack/stack.h"

enum { FRAMES = 20, CAPTURES_PER_LOOK_AT_THE_CLOCK = 64, WARM_UP_SHARE = 8 };

static double time_per_capture(uint64_t duration)
{
	size_t captures = 0;
	uint64_t end = measure_now() + duration;
	uint64_t start = measure_used();

	do {
		for (int i = 0; i < CAPTURES_PER_LOOK_AT_THE_CLOCK; i++)
			fp_stack_capture();
		captures += CAPTURES_PER_LOOK_AT_THE_CLOCK;
	} while (measure_now() < end);
	return (double)(measure_used() - start) / (double)captures;
}

static size_t frames_here(void)
{
	size_t count;

	fp_stack_trace(fp_stack_capture(), &count);
	return count;
}

/* Calls itself until the stack is deep enough. */
__attribute__((noinline)) static void descend(void)
{
	size_t frames = frames_here() - 1; /* less the one of frames_here */

	if (frames < FRAMES) {
		descend();
	} else {
		time_per_capture(measure_duration() / WARM_UP_SHARE);
		measure_print("frames", (double)frames);
		measure_print("ns_per_capture", time_per_capture(measure_duration()));
	}
	__asm__ volatile(""); /* no tail call: the frames are the point */
}

static void work(char **arguments)
{
	const struct fp_stack_config config = {.depth = 32};

	(void)arguments;
	fp_stack_init(&config);
	descend();
}

int main(int argc, char **argv)
{
	(void)argc;
	return measure_in_child(work, argv + 1);
}
