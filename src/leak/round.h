/* SPDX-License-Identifier: Apache-2.0
 *
 * What a search for leaks and a census have in common: one of either at a time (in check.c).
 *
 * Context: alloc. Private to leak.
 */
#ifndef FP_LEAK_ROUND_H
#define FP_LEAK_ROUND_H

#include <stdint.h>

#include "base/lock.h"

extern struct fp_lock fp_leak_lock;

/* Blocks all signals that are not raised by what the thread itself does; OLD is what was. */
void fp_leak_block_signals(uint64_t *old);

#endif
