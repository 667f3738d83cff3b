/* SPDX-License-Identifier: Apache-2.0
 *
 * The modules that traces lead through, numbered as they are met. The loader is asked with
 * _dl_find_object, which is made for unwinders: it takes no lock and allocates nothing, so
 * nobody here ever waits for a thread that is in the loader. What was learned of a module holds
 * as long as that module, and no other, is at its addresses: whoever uses it asks for that.
 *
 * Context: alloc, and fault. Thread-safe. Private to stack.
 */
#ifndef FP_STACK_MODULE_H
#define FP_STACK_MODULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FP_MODULE_NONE = 0, /* no module is there: generated code, or no code */
	FP_MODULES_MAX = 1022,
	FP_MODULE_UNKNOWN = 1023 /* more than can be kept in mind */
};

struct fp_module {
	unsigned number;
	const uint8_t *index; /* its .eh_frame_hdr, or NULL */
	uintptr_t start;      /* what of it is mapped */
	uintptr_t end;
};

/* The module that PC is in. */
struct fp_module fp_module_at(uintptr_t pc);

/* Whether PC is in module NUMBER now; for FP_MODULE_NONE, in none. */
bool fp_module_is_there(unsigned number, uintptr_t pc);

/* What to tell traces through module NUMBER apart by from those through others that had its
 * addresses before; 0 for the first one there. */
uint64_t fp_module_mark(unsigned number);

/* A module that was met, for the first time or after another one at its addresses, and that
 * nobody was told of yet; it is told now. False when there is none. */
struct fp_stack_code;
bool fp_module_tell(struct fp_stack_code *code);

#endif
