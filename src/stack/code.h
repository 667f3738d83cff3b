/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses that belonged to one module and now belong to another. The same return addresses
 * mean other functions then, so a trace through such code is told apart by who is there.
 *
 * Context: alloc; fp_code_mark also fault. Changes come from one thread at a time.
 */
#ifndef FP_STACK_CODE_H
#define FP_STACK_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FP_CODE_PLACES_MAX = 256 };

/* The code of module IDENTITY from START to END is not there any more. Beyond so many places
 * nothing is remembered. */
void fp_code_went(uintptr_t start, uintptr_t end, uint64_t identity);

/* The code of module IDENTITY is there now. */
void fp_code_came(uintptr_t start, uintptr_t end, uint64_t identity);

/* LOOK is called where a trace leads through code that went and is not known yet to be of
 * another module: it finds out with fp_code_came. */
void fp_code_on_doubt(void (*look)(void));

/* Nobody tells of code that goes: the loader is asked how often modules were loaded and
 * unloaded. */
void fp_code_watch_loads(void);
bool fp_code_are_loads_watched(void);

/* In the child of a fork, where the loader's lock may be held by a thread that is not there. */
void fp_code_trust_loads(void);

/* Takes the loader's lock. */
uint64_t fp_code_loads(void);

/* LOOK is called when LOADS are not those of the last time. */
void fp_code_see_loads(uint64_t loads);

/* What to tell a trace of FRAMES apart by; 0 where each address has had one meaning only. */
uint64_t fp_code_mark(const uintptr_t *frames, size_t count);

/* The same, after looking at what is there where it is not known. */
uint64_t fp_code_mark_now(const uintptr_t *frames, size_t count);

#endif
