/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions and variables that a loaded module exports, by name.
 *
 * Context: alloc and fault.
 */
#ifndef FP_BASE_SYMBOLS_H
#define FP_BASE_SYMBOLS_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The dynamic symbols of one module. */
struct fp_symbols {
	uintptr_t bias;
	const ElfW(Sym) * table;
	const char *names;
	const uint32_t *hashes; /* DT_GNU_HASH */
};

/* False when MODULE has none in the form that is known here. */
bool fp_symbols_read(const struct link_map *module, struct fp_symbols *symbols);

/* Where the part is that ENTRY of the module's dynamic section tells the address of. */
uintptr_t fp_symbols_entry(const struct link_map *module, const ElfW(Dyn) * entry);

/* The function or variable NAME that the module defines, or NULL. */
const ElfW(Sym) * fp_symbols_find(const struct fp_symbols *symbols, const char *name);

/* Where it is in memory; 0 without one. */
static inline uintptr_t fp_symbols_address(const struct fp_symbols *symbols, const char *name)
{
	const ElfW(Sym) *symbol = fp_symbols_find(symbols, name);

	return symbol == NULL ? 0 : symbols->bias + symbol->st_value;
}

/* Where the program's NAME is, of the first module that defines it, and its *SIZE; 0 without
 * one. Others may load and unload modules meanwhile: for a process that goes no further. */
uintptr_t fp_symbols_lookup(const char *name, size_t *size);

#endif
