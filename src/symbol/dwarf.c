/* SPDX-License-Identifier: Apache-2.0
 *
 * libdw's dwarf_getscopes walks a whole unit for each address, and its address index needs
 * .debug_aranges, which clang does not write. So units are sorted once, and the functions of a
 * unit the first time an address falls into it; below a function only the blocks that hold the
 * address are entered.
 */
#include "symbol/dwarf.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "symbol/names.h"

enum { TREE_DEPTH_MAX = 64 /* nesting of namespaces, classes and blocks that is followed */ };

static int add_die_ranges(struct fp_symbol_ranges *ranges, Dwarf_Die *die, size_t owner)
{
	Dwarf_Addr base;
	Dwarf_Addr low;
	Dwarf_Addr high;
	ptrdiff_t offset = 0;

	while ((offset = dwarf_ranges(die, offset, &base, &low, &high)) > 0) {
		if (fp_symbol_ranges_add(ranges, low, high, owner) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_unit(struct fp_symbol_dwarf *dwarf, Dwarf_Die *lines, Dwarf_Die *tree)
{
	struct fp_symbol_unit *units =
	        reallocarray(dwarf->units, dwarf->unit_count + 1, sizeof(*units));

	if (!units)
		return -ENOMEM;
	dwarf->units = units;
	units[dwarf->unit_count] = (struct fp_symbol_unit){.lines = *lines, .tree = *tree};
	return add_die_ranges(&dwarf->ranges, lines, dwarf->unit_count++);
}

static int read_units(struct fp_symbol_dwarf *dwarf)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die lines;
	Dwarf_Die split;
	uint8_t type;

	dwarf->is_read = true;
	while (dwarf_get_units(dwarf->dwarf, unit, &unit, NULL, &type, &lines, &split) == 0) {
		bool is_split = type == DW_UT_skeleton && dwarf_tag(&split) != DW_TAG_invalid;

		if (dwarf_tag(&lines) == DW_TAG_partial_unit || type == DW_UT_type)
			continue;
		if (add_unit(dwarf, &lines, is_split ? &split : &lines) != 0)
			return -ENOMEM;
	}
	fp_symbol_ranges_sort(&dwarf->ranges);
	return 0;
}

static int add_function(struct fp_symbol_unit *unit, Dwarf_Die *die)
{
	if (unit->function_count == unit->function_room) {
		size_t room = unit->function_room ? 2 * unit->function_room : 64;
		Dwarf_Die *functions = reallocarray(unit->functions, room, sizeof(*functions));

		if (!functions)
			return -ENOMEM;
		unit->functions = functions;
		unit->function_room = room;
	}
	unit->functions[unit->function_count] = *die;
	return add_die_ranges(&unit->ranges, die, unit->function_count++);
}

/* Functions stand in namespaces, in classes and, where the language nests them, in functions.
 */
static bool can_hold_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block ||
	       tag == DW_TAG_module || tag == DW_TAG_interface_type ||
	       tag == DW_TAG_enumeration_type;
}

static int add_functions_below(struct fp_symbol_unit *unit, Dwarf_Die *parent, int depth)
{
	Dwarf_Die die;

	if (depth == TREE_DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return 0;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram && add_function(unit, &die) != 0)
			return -ENOMEM;
		if (can_hold_functions(tag) && add_functions_below(unit, &die, depth + 1) != 0)
			return -ENOMEM;
	} while (dwarf_siblingof(&die, &die) == 0);
	return 0;
}

static int read_functions(struct fp_symbol_unit *unit)
{
	int result;

	unit->is_read = true;
	result = add_functions_below(unit, &unit->tree, 0);
	fp_symbol_ranges_sort(&unit->ranges);
	return result;
}

/* Replaces DIE by its block or inlined function at ADDRESS; false when there is none. */
static bool enter_block(Dwarf_Die *die, uint64_t address)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child) != 0)
		return false;
	do {
		int tag = dwarf_tag(&child);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block &&
		    tag != DW_TAG_try_block && tag != DW_TAG_catch_block)
			continue;
		if (dwarf_haspc(&child, address) > 0) {
			*die = child;
			return true;
		}
	} while (dwarf_siblingof(&child, &child) == 0);
	return false;
}

/* The function at ADDRESS and what was inlined there, outermost first. Returns how many. */
static size_t find_chain(const struct fp_symbol_unit *unit, uint64_t address, Dwarf_Die *chain)
{
	const struct fp_symbol_range *range = fp_symbol_ranges_find(&unit->ranges, address);
	size_t count = 0;
	Dwarf_Die die;

	if (!range)
		return 0;
	die = unit->functions[range->owner];
	chain[count++] = die;
	for (int depth = 0; depth < TREE_DEPTH_MAX && enter_block(&die, address); depth++) {
		if (dwarf_tag(&die) == DW_TAG_inlined_subroutine &&
		    count < FP_SYMBOL_INLINE_MAX)
			chain[count++] = die;
	}
	return count;
}

static const char *string_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

static const char *linked_name(Dwarf_Die *die)
{
	const char *name = string_of(die, DW_AT_linkage_name);

	if (!name)
		name = string_of(die, DW_AT_MIPS_linkage_name);
	return name ? name : string_of(die, DW_AT_name);
}

static uint32_t declared_line(Dwarf_Die *die)
{
	int line;

	return dwarf_decl_line(die, &line) == 0 && line > 0 ? (uint32_t)line : 0;
}

static uint32_t number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &number) != 0)
		return 0;
	return number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* Where the inlined function DIE was called. */
static void set_call_site(struct fp_symbol_frame *frame, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Word file;
	Dwarf_Files *files;
	Dwarf_Die unit;

	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &file) != 0 ||
	    !dwarf_diecu(die, &unit, NULL, NULL) || dwarf_getsrcfiles(&unit, &files, NULL) != 0)
		return;
	frame->file = dwarf_filesrc(files, file, NULL, NULL);
	frame->directory = string_of(&unit, DW_AT_comp_dir);
	if (!frame->file)
		return;
	frame->line = number_of(die, DW_AT_call_line);
	frame->column = number_of(die, DW_AT_call_column);
}

static void set_line(struct fp_symbol_frame *frame, Dwarf_Die *unit, uint64_t address)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	int number;

	frame->file = dwarf_linesrc(line, NULL, NULL);
	frame->directory = string_of(unit, DW_AT_comp_dir);
	if (!frame->file || dwarf_lineno(line, &number) != 0 || number <= 0)
		return;
	frame->line = (uint32_t)number;
	if (dwarf_linecol(line, &number) == 0 && number > 0)
		frame->column = (uint32_t)number;
}

/* Replaces DIE by its type, without the names and qualifiers of it; false: it is void. */
static bool enter_type(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Die type;

	return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), &type) &&
	       dwarf_peel_type(&type, die) == 0;
}

static bool is_size(Dwarf_Die *parameter)
{
	Dwarf_Die type = *parameter;
	Dwarf_Attribute attribute;
	Dwarf_Word encoding;

	return enter_type(&type) && dwarf_tag(&type) == DW_TAG_base_type &&
	       dwarf_formudata(dwarf_attr(&type, DW_AT_encoding, &attribute), &encoding) == 0 &&
	       encoding == DW_ATE_unsigned && dwarf_bytesize(&type) >= 4;
}

/* Of a function in one piece. */
static uint64_t size_of(Dwarf_Die *function)
{
	Dwarf_Addr low;
	Dwarf_Addr high;

	return dwarf_lowpc(function, &low) == 0 && dwarf_highpc(function, &high) == 0 &&
	                       high > low
	               ? high - low
	               : 0;
}

/* Whether DIE, or what the pointer DIE points to, is a pointer to void. */
static bool is_untyped(Dwarf_Die die)
{
	Dwarf_Attribute attribute;

	return enter_type(&die) && dwarf_tag(&die) == DW_TAG_pointer_type &&
	       !dwarf_attr(&die, DW_AT_type, &attribute);
}

/* Where a function of another result leaves one. */
static bool is_room_for_untyped(Dwarf_Die parameter)
{
	return enter_type(&parameter) && dwarf_tag(&parameter) == DW_TAG_pointer_type &&
	       is_untyped(parameter);
}

static bool is_generic(Dwarf_Die *function)
{
	bool takes_size = false;
	bool gives_untyped = is_untyped(*function);
	Dwarf_Die child;

	if (dwarf_child(function, &child) != 0)
		return false;
	do {
		if (dwarf_tag(&child) != DW_TAG_formal_parameter)
			continue;
		takes_size |= is_size(&child);
		gives_untyped |= is_room_for_untyped(child);
	} while (dwarf_siblingof(&child, &child) == 0);
	return takes_size && gives_untyped;
}

/* Names FRAMES[0], the innermost, from CHAIN's end, and so on outwards. */
static int fill_functions(struct fp_symbol_frame *frames, Dwarf_Die *chain, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Dwarf_Die *die = &chain[count - 1 - i];
		const char *name = linked_name(die);

		if (name && fp_symbol_name(&frames[i], name) != 0)
			return -ENOMEM;
		frames[i].function_line = declared_line(die);
		frames[i].inlined = i + 1 < count;
		frames[i].is_generic = is_generic(die);
		frames[i].size = size_of(die);
		if (i + 1 < count)
			set_call_site(&frames[i + 1], die);
	}
	return 0;
}

/* The unit whose code is at ADDRESS, without the bias, with its functions. 1; 0 when there is
 * none; -ENOMEM. */
static int find_unit(struct fp_symbol_dwarf *dwarf, uint64_t address,
                     struct fp_symbol_unit **unit)
{
	const struct fp_symbol_range *range;

	if (!dwarf->dwarf)
		return 0;
	if (!dwarf->is_read && read_units(dwarf) != 0)
		return -ENOMEM;
	range = fp_symbol_ranges_find(&dwarf->ranges, address);
	if (!range)
		return 0;
	*unit = &dwarf->units[range->owner];
	return (*unit)->is_read || read_functions(*unit) == 0 ? 1 : -ENOMEM;
}

int fp_symbol_dwarf_function(struct fp_symbol_dwarf *dwarf, uint64_t address,
                             Dwarf_Die *function)
{
	const struct fp_symbol_range *range;
	struct fp_symbol_unit *unit;
	int result = find_unit(dwarf, address - dwarf->bias, &unit);

	if (result <= 0)
		return result;
	range = fp_symbol_ranges_find(&unit->ranges, address - dwarf->bias);
	if (!range)
		return 0;
	*function = unit->functions[range->owner];
	return 1;
}

int fp_symbol_dwarf_find(struct fp_symbol_dwarf *dwarf, uint64_t address,
                         struct fp_symbol_frame *frames)
{
	Dwarf_Die chain[FP_SYMBOL_INLINE_MAX];
	struct fp_symbol_unit *unit;
	size_t count;
	int result;

	address -= dwarf->bias;
	result = find_unit(dwarf, address, &unit);
	if (result <= 0)
		return result;
	count = find_chain(unit, address, chain);
	for (size_t i = 0; i < FP_SYMBOL_INLINE_MAX; i++)
		frames[i] = (struct fp_symbol_frame){0};
	set_line(&frames[0], &unit->lines, address);
	if (fill_functions(frames, chain, count) != 0)
		return -ENOMEM;
	return count > 0 ? (int)count : frames[0].file != NULL;
}

void fp_symbol_dwarf_free(struct fp_symbol_dwarf *dwarf)
{
	for (size_t i = 0; i < dwarf->unit_count; i++) {
		free(dwarf->units[i].functions);
		fp_symbol_ranges_free(&dwarf->units[i].ranges);
	}
	free(dwarf->units);
	free(dwarf->variables);
	fp_symbol_ranges_free(&dwarf->variable_ranges);
	fp_symbol_ranges_free(&dwarf->ranges);
}
