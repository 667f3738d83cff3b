/* SPDX-License-Identifier: Apache-2.0
 *
 * The directory of /proc in which a process finds what it is made of. It is that of the calling
 * thread: in the one of the process the kernel answers for the main thread, and once that has
 * ended (pthread_exit in main) there are no maps, no memory, no descriptors and no program
 * there. Only the list of threads is in the process' own. Nothing else may name that directory
 * (tests/lint/proc.sh). Any context.
 */
#ifndef FP_BASE_PROC_H
#define FP_BASE_PROC_H

#define FP_PROC_SELF "/proc/thread-self/"
#define FP_PROC_TASKS "/proc/self/task"

#endif
