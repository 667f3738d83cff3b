/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel calls in place of the program's handlers and of deadly defaults, for the
 * table of those. Context: fault. Private to the module.
 */
#ifndef FP_PRELOAD_DELIVERY_H
#define FP_PRELOAD_DELIVERY_H

#include <signal.h>

typedef void fp_preload_handler_function(int signal, siginfo_t *info, void *context);

fp_preload_handler_function fp_preload_call_handler;
fp_preload_handler_function fp_preload_report_death;

/* The program's handler of SIGNAL, and what the kernel has for it (in handlers.c). */
fp_preload_handler_function *fp_preload_handler_of(int signal, struct sigaction *placed);

#endif
