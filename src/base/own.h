/* SPDX-License-Identifier: Apache-2.0
 *
 * The shared objects that Fencepost is: the core and its doors. Their frames are left out of
 * traces, their data holds no pointers of the program, and a fault in their code is ours.
 *
 * Context: fault, except fp_own_add: alloc.
 */
#ifndef FP_BASE_OWN_H
#define FP_BASE_OWN_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the object that this is compiled into. */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

struct fp_own_object {
	const char *name;
	uintptr_t start; /* of its memory, and the end of its data */
	uintptr_t end;
	uintptr_t code; /* of what can be executed, and the end of it */
	uintptr_t code_end;
	bool is_program; /* linked into the program: what is whose cannot be told */
};

/* What the ELF header in memory says of an object. */
struct fp_own_object fp_own_read(const char *name, const Elf64_Ehdr *header);

/* One object more; once is enough. */
void fp_own_add(const struct fp_own_object *object);

/* The object that ADDRESS is in, or NULL. */
const struct fp_own_object *fp_own_find(uintptr_t address);

/* The memory of the INDEXth that no program's data is in, which may be none; false when there
 * is no such object. */
bool fp_own_range(size_t index, uintptr_t *start, uintptr_t *end);

/* Whether ADDRESS is in the code of one. */
bool fp_own_is_code(uintptr_t address);

/* Says in REMAINS where the table is. */
struct fp_remains;
void fp_own_leave_remains(struct fp_remains *remains);

#endif
