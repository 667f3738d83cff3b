/* SPDX-License-Identifier: Apache-2.0
 *
 * Words that a process has given to the kernel to get them back later, and that may be all it
 * has of a block: what epoll_wait(2) returns, and what the handler of a timer gets.
 *
 * Any context; errno stays.
 */
#ifndef FP_BASE_HELD_H
#define FP_BASE_HELD_H

#include <stdint.h>
#include <sys/types.h>

typedef void (*fp_held_visitor)(uint64_t word, void *user);

/* Of process PID, whose descriptors stand below DIRECTORY, which ends with a slash. 0, or a
 * negative errno when nobody may look there. */
int fp_held_each(pid_t pid, const char *directory, fp_held_visitor visit, void *user);

/* Of this process; where it cannot look, whoever reads /proc for it does. */
void fp_held_here(fp_held_visitor visit, void *user);

#endif
