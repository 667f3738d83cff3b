/* SPDX-License-Identifier: Apache-2.0
 *
 * The door through which a workload gets its memory. Each workload is linked with one of
 * door_host.c (an IHostMalloc of libfencepost) and door_malloc.c (malloc, whoever stands behind
 * it); nothing else may differ between the programs that are compared.
 */
#ifndef BENCH_DOOR_H
#define BENCH_DOOR_H

#include <stddef.h>

/* Once, before the others. Ends the process with one line on standard error when there is no
 * heap. */
void door_open(void);

/* NULL when there is no memory. Both may be called on any thread. */
void *door_alloc(size_t size);
void door_free(void *block);

/* How many of COUNT live blocks in a hundred stand between guards; negative when the door
 * cannot tell. */
double door_guarded_percent(void *const *blocks, size_t count);

#endif
