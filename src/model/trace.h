/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace: the return addresses of a stack, innermost first. Traces are interned; the id
 * stands for the addresses everywhere else.
 */
#ifndef FP_MODEL_TRACE_H
#define FP_MODEL_TRACE_H

#include <stdint.h>

typedef uint32_t fp_trace_id;

/* In place of a return address, the outermost one: there are callers, and nobody knows where,
 * because code on the way says nothing of its frames. */
#define FP_TRACE_CALLERS_UNKNOWN ((uintptr_t)1)

/* In place of a return address: frames between its neighbours are left out. */
#define FP_TRACE_LEFT_OUT ((uintptr_t)2)

enum {
	FP_TRACE_NONE = 0,        /* no trace was, or could be, kept */
	FP_TRACE_DEPTH_MAX = 256, /* frames one trace can hold */
	FP_TRACE_OUTER = 8        /* outermost ones of a stack that is too deep */
};

#endif
