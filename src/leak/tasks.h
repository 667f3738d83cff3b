/* SPDX-License-Identifier: Apache-2.0
 *
 * The threads of the process as the kernel tells of them, in /proc/self/task.
 *
 * Context: alloc. Private to leak.
 */
#ifndef FP_LEAK_TASKS_H
#define FP_LEAK_TASKS_H

#include <stdbool.h>
#include <stdint.h>

/* Calls VISIT with the id of each thread. 0 or a negative errno. */
int fp_leak_tasks_each(void (*visit)(uint32_t id, void *user), void *user);

enum fp_leak_task_state {
	FP_LEAK_TASK_READY,   /* will run SIGNAL's handler soon */
	FP_LEAK_TASK_BUSY,    /* blocks SIGNAL, but runs: it comes or goes */
	FP_LEAK_TASK_DEAF,    /* blocks SIGNAL, waits for it, or cannot be interrupted */
	FP_LEAK_TASK_UNKNOWN, /* nobody tells */
	FP_LEAK_TASK_GONE
};

enum fp_leak_task_state fp_leak_task_look(uint32_t id, int signal);

#endif
