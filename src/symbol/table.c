/* SPDX-License-Identifier: Apache-2.0
 *
 * libdwfl's own lookup walks the whole table for each address; this sorts it once. libdwfl
 * merges the dynamic, the full and the compressed "mini" symbol table.
 */
#include "symbol/table.h"

#include <limits.h>
#include <string.h>

static bool is_of_kind(const GElf_Sym *symbol, enum fp_symbol_table_kind kind)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	if (symbol->st_shndx == SHN_UNDEF)
		return false;
	switch (kind) {
	case FP_SYMBOL_OBJECTS:
		return type == STT_OBJECT || type == STT_COMMON;
	case FP_SYMBOL_THREAD_LOCALS:
		return type == STT_TLS;
	default:
		return type == STT_FUNC || type == STT_GNU_IFUNC;
	}
}

/* Hand-written assembly often has no size: such a function reaches to the next one. */
static void close_gaps(struct fp_symbol_ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++) {
		struct fp_symbol_range *range = &ranges->items[i];
		bool is_open = range->high == UINT64_MAX;

		if (is_open && i + 1 < ranges->count && ranges->items[i + 1].low > range->low)
			range->high = ranges->items[i + 1].low;
		else if (is_open)
			range->high = range->low + 1;
	}
}

static void read_table(struct fp_symbol_table *table, Dwfl_Module *module)
{
	int count = dwfl_module_getsymtab(module);

	for (int i = 0; i < count; i++) {
		GElf_Sym symbol;
		GElf_Addr at;
		const char *name =
		        dwfl_module_getsym_info(module, i, &symbol, &at, NULL, NULL, NULL);

		if (!name || *name == '\0' || !is_of_kind(&symbol, table->kind))
			continue;
		if (table->kind == FP_SYMBOL_THREAD_LOCALS)
			at = symbol.st_value + FP_SYMBOL_STORAGE_START;
		/* Without memory for all of them, some will do. */
		if (fp_symbol_ranges_add(&table->ranges, at,
		                         symbol.st_size ? at + symbol.st_size : UINT64_MAX,
		                         (size_t)i) != 0)
			break;
	}
	fp_symbol_ranges_sort(&table->ranges);
	close_gaps(&table->ranges);
	fp_symbol_ranges_sort(&table->ranges);
	table->is_read = true;
}

/* One of the names of one function. */
struct alias {
	const char *name;
	int rank; /* the greater, the more it is what its callers wrote */
};

/* "puts" rather than "_IO_puts"; but "_Z4putsv" has its underscore from the compiler. */
static int rank_of(const char *name, int binding)
{
	bool is_plain = name[0] != '_' || name[1] == 'Z' || name[1] == 'R';

	return (is_plain ? 400 : 0) + (binding == STB_GLOBAL ? 200 : 0) +
	       (binding == STB_WEAK ? 100 : 0) - (int)strspn(name, "_");
}

static struct alias alias_of(Dwfl_Module *module, size_t index)
{
	GElf_Sym symbol;
	GElf_Addr at;
	const char *name =
	        dwfl_module_getsym_info(module, (int)index, &symbol, &at, NULL, NULL, NULL);

	if (!name)
		return (struct alias){NULL, INT_MIN};
	return (struct alias){name, rank_of(name, GELF_ST_BIND(symbol.st_info))};
}

/* Of the names of the function that RANGE spans, the same one in whatever order they stand. */
static const char *best_name(const struct fp_symbol_table *table, Dwfl_Module *module,
                             const struct fp_symbol_range *range)
{
	const struct fp_symbol_range *items = table->ranges.items;
	struct alias best = {NULL, INT_MIN};
	size_t i = (size_t)(range - items);

	while (i > 0 && items[i - 1].low == range->low)
		i--;
	for (; i < table->ranges.count && items[i].low == range->low; i++) {
		struct alias alias = alias_of(module, items[i].owner);

		if (items[i].high != range->high || !alias.name)
			continue;
		if (!best.name || alias.rank > best.rank ||
		    (alias.rank == best.rank && strcmp(alias.name, best.name) < 0))
			best = alias;
	}
	return best.name;
}

const char *fp_symbol_table_find(struct fp_symbol_table *table, Dwfl_Module *module,
                                 uint64_t address, uint64_t *offset)
{
	const struct fp_symbol_range *range;

	if (!table->is_read)
		read_table(table, module);
	range = fp_symbol_ranges_find(&table->ranges, address);
	if (!range)
		return NULL;
	*offset = address - range->low;
	return best_name(table, module, range);
}
