/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate that captures pass and fork closes. The unwinder and the loader have locks that fork
 * knows nothing of: a child born while another thread held one would wait for it for ever.
 *
 * Context: alloc. Private to stack.
 */
#ifndef FP_STACK_GATE_H
#define FP_STACK_GATE_H

#include <stdbool.h>

/* Around the use of the unwinder. Waits while another thread forks. */
void fp_gate_enter(void);
void fp_gate_leave(void);

/* Around fork: waits, but not for ever, until no other thread is between enter and leave. */
void fp_gate_close(void);
void fp_gate_open(void);

/* In a child: what is behind the gate may wait for the loader's lock for ever, and must not be
 * entered any more. Whoever would enter asks. */
void fp_gate_lose(void);
bool fp_gate_is_lost(void);

#endif
