/* SPDX-License-Identifier: Apache-2.0
 *
 * What unwinding has to know of the machine: the DWARF numbers of registers, where a call
 * leaves its return address, and where a signal's frame keeps the interrupted registers.
 *
 * Context: fault. Private to stack.
 */
#ifndef FP_STACK_CPU_H
#define FP_STACK_CPU_H

#if defined(__x86_64__)
#include "stack/cpu_x86_64.h"
#elif defined(__aarch64__)
#include "stack/cpu_aarch64.h"
#else
#include "stack/cpu_other.h"
#endif

#endif
