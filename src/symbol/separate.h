/* SPDX-License-Identifier: Apache-2.0
 *
 * Debug information that stands in a file of its own: found by build-id, by the name that
 * .gnu_debuglink gives, and, only where that is allowed, at debuginfod servers. Private to the
 * symbol module.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_SEPARATE_H
#define FP_SYMBOL_SEPARATE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

/* Whose debug information is looked for; the user data of its libdwfl module. */
struct fp_symbol_search {
	char *debug_dir;
	uint8_t *build_id; /* NULL when it has none */
	size_t build_id_size;
};

/* Opens the debug file of what is searched for, by build-id alone: -1 when there is none. */
int fp_symbol_separate_open(const struct fp_symbol_search *search);

/* The find_debuginfo of libdwfl. */
int fp_symbol_separate_find(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                            const char *file, const char *link, GElf_Word checksum,
                            char **found);

#endif
