/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables in debug information, and the members of them that an offset leads to:
 * "conns[3].buf" and not "conns+80". A location that is more than one place is passed over:
 * what the optimiser moves about has no name here.
 */
#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/dwarf.h"

enum {
	DEPTH_MAX = 16,
	NAME_MAX_BYTES = 512,
	UNITS_MAX = 4096, /* of more it would take seconds to read the variables */
	RBP = 6,          /* its DWARF number on x86-64 */
	RECORD_BYTES = 16 /* what a frame that it points to has behind it */
};

/* A name being put together. */
struct path {
	char text[NAME_MAX_BYTES];
	size_t used;
};

static void append(struct path *path, const char *text)
{
	int written =
	        snprintf(path->text + path->used, sizeof(path->text) - path->used, "%s", text);

	if (written > 0 && path->used + (size_t)written < sizeof(path->text))
		path->used += (size_t)written;
}

static bool number_of(Dwarf_Die *die, unsigned name, uint64_t *number)
{
	Dwarf_Attribute attribute;

	return dwarf_attr_integrate(die, name, &attribute) &&
	       dwarf_formudata(&attribute, number) == 0;
}

/* The type that DIE has, without typedefs and qualifiers. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attribute;

	return dwarf_attr_integrate(die, DW_AT_type, &attribute) &&
	       dwarf_formref_die(&attribute, type) && dwarf_peel_type(type, type) == 0;
}

static uint64_t size_of(Dwarf_Die *type)
{
	Dwarf_Word size;

	return dwarf_aggregate_size(type, &size) == 0 ? size : 0;
}

/* Goes from TYPE to its member that OFFSET is in. */
static bool enter_member(struct path *path, Dwarf_Die *type, uint64_t *offset)
{
	Dwarf_Die child;

	if (dwarf_child(type, &child) != 0)
		return false;
	do {
		int tag = dwarf_tag(&child);
		uint64_t at = 0;
		Dwarf_Die inner;

		if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
		    dwarf_hasattr(&child, DW_AT_declaration) || !type_of(&child, &inner))
			continue;
		number_of(&child, DW_AT_data_member_location, &at);
		if (*offset - at >= size_of(&inner))
			continue;
		if (tag == DW_TAG_member && dwarf_diename(&child)) {
			append(path, ".");
			append(path, dwarf_diename(&child));
		}
		*offset -= at;
		*type = inner;
		return true;
	} while (dwarf_siblingof(&child, &child) == 0);
	return false;
}

/* Arrays of arrays are told as one. */
static bool enter_element(struct path *path, Dwarf_Die *type, uint64_t *offset)
{
	Dwarf_Die inner;
	uint64_t size;
	char index[32];

	if (!type_of(type, &inner) || (size = size_of(&inner)) == 0)
		return false;
	snprintf(index, sizeof(index), "[%llu]", (unsigned long long)(*offset / size));
	append(path, index);
	*offset %= size;
	*type = inner;
	return true;
}

static void append_members(struct path *path, Dwarf_Die *type, uint64_t *offset)
{
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		bool goes_on = false;

		switch (dwarf_tag(type)) {
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
			goes_on = enter_member(path, type, offset);
			break;
		case DW_TAG_array_type:
			goes_on = enter_element(path, type, offset);
			break;
		default:
			break;
		}
		if (!goes_on)
			return;
	}
}

/* The one operation that the location of DIE is. */
static bool find_place(Dwarf_Die *die, unsigned name, Dwarf_Op *place)
{
	Dwarf_Attribute attribute;
	Dwarf_Op *operations;
	size_t count;

	if (!dwarf_attr_integrate(die, name, &attribute) ||
	    dwarf_getlocation(&attribute, &operations, &count) != 0 || count != 1)
		return false;
	*place = operations[0];
	return true;
}

/* ---- On the stack --------------------------------------------------------------------------
 */

/* How far the frame base of FUNCTION is from the end of its frame. */
static bool find_frame_base(Dwarf_Die *function, int64_t *base)
{
	Dwarf_Op operation;

	if (!find_place(function, DW_AT_frame_base, &operation))
		return false;
	*base = operation.atom == DW_OP_call_frame_cfa ? 0 : -RECORD_BYTES;
	return operation.atom == DW_OP_call_frame_cfa || operation.atom == DW_OP_reg0 + RBP;
}

/* What is looked for in the blocks of a function. */
struct local {
	int64_t place; /* from the frame base */
	Dwarf_Die die;
	Dwarf_Die type;
	uint64_t offset;
	bool is_found;
};

static void look_at(Dwarf_Die *die, struct local *local)
{
	Dwarf_Op operation;
	Dwarf_Die type;

	if (!find_place(die, DW_AT_location, &operation) || operation.atom != DW_OP_fbreg ||
	    !type_of(die, &type))
		return;
	uint64_t offset = (uint64_t)local->place - operation.number;
	if (offset >= size_of(&type))
		return;
	*local = (struct local){local->place, *die, type, offset, true};
}

/* Variables that share a place with others in other blocks: the last one counts. */
static void look_below(Dwarf_Die *parent, struct local *local, int depth)
{
	Dwarf_Die child;

	if (depth > DEPTH_MAX || dwarf_child(parent, &child) != 0)
		return;
	do {
		switch (dwarf_tag(&child)) {
		case DW_TAG_variable:
		case DW_TAG_formal_parameter:
			look_at(&child, local);
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_inlined_subroutine:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
			look_below(&child, local, depth + 1);
			break;
		default:
			break;
		}
	} while (dwarf_siblingof(&child, &child) == 0);
}

static int finish(struct path *path, Dwarf_Die *type, struct fp_symbol_variable *variable)
{
	char *name;

	append_members(path, type, &variable->offset);
	name = strdup(path->text);
	if (!name)
		return -ENOMEM;
	free(variable->name);
	variable->name = name;
	return 0;
}

int fp_symbol_dwarf_local(struct fp_symbol_dwarf *dwarf, uint64_t address, int64_t place,
                          struct fp_symbol_variable *variable)
{
	struct local local = {0};
	struct path path = {.used = 0};
	Dwarf_Die function;
	int64_t base;
	int result = fp_symbol_dwarf_function(dwarf, address, &function);

	if (result <= 0 || !find_frame_base(&function, &base))
		return result < 0 ? result : 0;
	local.place = place - base;
	look_below(&function, &local, 0);
	if (!local.is_found || !dwarf_diename(&local.die))
		return 0;
	append(&path, dwarf_diename(&local.die));
	variable->offset = local.offset;
	return finish(&path, &local.type, variable);
}

/* ---- At an address -------------------------------------------------------------------------
 */

static int add_variable(struct fp_symbol_dwarf *dwarf, Dwarf_Die *die)
{
	Dwarf_Op operation;
	Dwarf_Die type;
	Dwarf_Die *variables;

	if (!find_place(die, DW_AT_location, &operation) || operation.atom != DW_OP_addr ||
	    !type_of(die, &type))
		return 0;
	variables = reallocarray(dwarf->variables, dwarf->variable_count + 1, sizeof(*die));
	if (!variables)
		return -ENOMEM;
	dwarf->variables = variables;
	variables[dwarf->variable_count] = *die;
	return fp_symbol_ranges_add(&dwarf->variable_ranges, operation.number,
	                            operation.number + size_of(&type), dwarf->variable_count++);
}

static int add_variables_below(struct fp_symbol_dwarf *dwarf, Dwarf_Die *parent, int depth)
{
	Dwarf_Die child;
	int result = 0;

	if (depth > DEPTH_MAX || dwarf_child(parent, &child) != 0)
		return 0;
	do {
		switch (dwarf_tag(&child)) {
		case DW_TAG_variable:
			result = add_variable(dwarf, &child);
			break;
		case DW_TAG_namespace:
		case DW_TAG_subprogram:
		case DW_TAG_lexical_block:
			result = add_variables_below(dwarf, &child, depth + 1);
			break;
		default:
			break;
		}
	} while (result == 0 && dwarf_siblingof(&child, &child) == 0);
	return result;
}

static int read_variables(struct fp_symbol_dwarf *dwarf)
{
	int result = 0;

	dwarf->are_variables_read = true;
	for (size_t i = 0;
	     result == 0 && dwarf->unit_count < UNITS_MAX && i < dwarf->unit_count; i++)
		result = add_variables_below(dwarf, &dwarf->units[i].tree, 0);
	fp_symbol_ranges_sort(&dwarf->variable_ranges);
	return result;
}

int fp_symbol_dwarf_members(struct fp_symbol_dwarf *dwarf, uint64_t address,
                            struct fp_symbol_variable *variable)
{
	const struct fp_symbol_range *range;
	struct path path = {.used = 0};
	Dwarf_Die ignored;
	Dwarf_Die type;

	/* Whatever is asked first reads the units. */
	if (fp_symbol_dwarf_function(dwarf, 0, &ignored) < 0 ||
	    (!dwarf->are_variables_read && read_variables(dwarf) != 0))
		return -ENOMEM;
	range = fp_symbol_ranges_find(&dwarf->variable_ranges, address - dwarf->bias);
	if (!range || !type_of(&dwarf->variables[range->owner], &type) ||
	    range->low != address - dwarf->bias - variable->offset)
		return 0;
	append(&path, variable->name);
	return finish(&path, &type, variable);
}
