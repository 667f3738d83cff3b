/* SPDX-License-Identifier: Apache-2.0
 *
 * libdwfl's own lookup walks the whole table for each address; this sorts it once. libdwfl
 * merges the dynamic, the full and the compressed "mini" symbol table.
 */
#include "symbol/table.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <gelf.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/search.h"
#include "base/instruction_x86_64.h"

/*
 * Ranges: an array sorted by start. Each entry remembers how far anything before it reaches,
 * which ends the walk backwards as soon as nothing earlier can hold the address.
 */

int fp_symbol_ranges_add(struct fp_symbol_ranges *ranges, uint64_t low, uint64_t high,
                         size_t owner)
{
	if (low == 0 || low >= high)
		return 0;
	if (ranges->count == ranges->room) {
		size_t room = ranges->room ? 2 * ranges->room : 64;
		struct fp_symbol_range *items =
		        reallocarray(ranges->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		ranges->items = items;
		ranges->room = room;
	}
	ranges->items[ranges->count++] =
	        (struct fp_symbol_range){.low = low, .high = high, .owner = owner};
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct fp_symbol_range *a = left;
	const struct fp_symbol_range *b = right;

	return (a->low > b->low) - (a->low < b->low);
}

void fp_symbol_ranges_sort(struct fp_symbol_ranges *ranges)
{
	uint64_t reach = 0;

	if (ranges->count > 0)
		qsort(ranges->items, ranges->count, sizeof(ranges->items[0]), compare);
	for (size_t i = 0; i < ranges->count; i++) {
		if (ranges->items[i].high > reach)
			reach = ranges->items[i].high;
		ranges->items[i].reach = reach;
	}
}

const struct fp_symbol_range *fp_symbol_ranges_find(const struct fp_symbol_ranges *ranges,
                                                    uint64_t address)
{
	const struct fp_symbol_range *best = NULL;

	for (size_t i = FP_SEARCH(ranges->count, at, ranges->items[at].low <= address); i > 0;
	     i--) {
		const struct fp_symbol_range *range = &ranges->items[i - 1];

		if (range->reach <= address)
			break;
		if (range->high <= address)
			continue;
		if (!best || range->high - range->low < best->high - best->low)
			best = range;
	}
	return best;
}

void fp_symbol_ranges_free(struct fp_symbol_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct fp_symbol_ranges){0};
}

/*
 * What a call is of, by its code and by the relocation of the slot that it goes through: "call
 * STUB", where the stub is "jmp *SLOT", or "call *SLOT". The loader has put the address of one
 * of many variants into the slot, the relocation has the name that the program knows.
 */

/* BYTES at ADDRESS as they are in the file, or NULL. */
static const uint8_t *code_at(Elf *elf, uint64_t address, size_t bytes)
{
	size_t size;
	const char *file = elf_rawfile(elf, &size);
	size_t count;

	if (!file || elf_getphdrnum(elf, &count) != 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
		    address < segment.p_vaddr || address - segment.p_vaddr > segment.p_filesz ||
		    segment.p_filesz - (address - segment.p_vaddr) < bytes)
			continue;
		uint64_t at = segment.p_offset + (address - segment.p_vaddr);
		return at <= size && size - at >= bytes ? (const uint8_t *)file + at : NULL;
	}
	return NULL;
}

/* Where the pointer stands that the call goes through, by itself or by its stub; 0: nowhere. */
static uint64_t slot_of_call(Elf *elf, uint64_t return_address)
{
	const uint8_t *code = code_at(elf, return_address - FP_CALL_BYTES, FP_CALL_BYTES);
	bool is_through_slot = false;
	uint64_t target =
	        code ? fp_instruction_callee(code, return_address, &is_through_slot) : 0;

	if (is_through_slot || target == 0)
		return target;
	const uint8_t *stub = code_at(elf, target, FP_STUB_BYTES);
	return stub ? fp_instruction_slot_of_stub(stub, target) : 0;
}

static const char *name_of(Elf *elf, const GElf_Shdr *relocations, uint64_t index)
{
	Elf_Scn *symbols = elf_getscn(elf, relocations->sh_link);
	GElf_Shdr header;
	GElf_Sym symbol;

	if (!symbols || !gelf_getshdr(symbols, &header) ||
	    !gelf_getsym(elf_getdata(symbols, NULL), (int)index, &symbol))
		return NULL;
	return elf_strptr(elf, header.sh_link, symbol.st_name);
}

static const char *name_of_slot(Elf *elf, uint64_t slot)
{
	for (Elf_Scn *section = elf_nextscn(elf, NULL); section;
	     section = elf_nextscn(elf, section)) {
		GElf_Shdr header;
		GElf_Rela relocation;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA)
			continue;
		Elf_Data *data = elf_getdata(section, NULL);
		for (int i = 0; data && gelf_getrela(data, i, &relocation); i++)
			if (relocation.r_offset == slot && GELF_R_SYM(relocation.r_info) != 0)
				return name_of(elf, &header, GELF_R_SYM(relocation.r_info));
	}
	return NULL;
}

const char *fp_symbol_callee_find(Dwfl_Module *module, uint64_t return_address)
{
	GElf_Addr bias;
	GElf_Ehdr header;
	Elf *elf = dwfl_module_getelf(module, &bias);

	if (!elf || !gelf_getehdr(elf, &header) || header.e_machine != EM_X86_64)
		return NULL;
	uint64_t slot = slot_of_call(elf, return_address);
	return slot != 0 ? name_of_slot(elf, slot) : NULL;
}

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
