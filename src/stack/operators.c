/* SPDX-License-Identifier: Apache-2.0
 *
 * From return addresses to operators. Nothing is kept but the last answers, by trace: those of
 * code that was replaced by other code have other numbers.
 */
#include "stack/operators.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/maps.h"
#include "base/own.h"
#include "stack/callee.h"
#include "stack/functions.h"
#include "stack/stack.h"

enum { FRAMES_LOOKED_AT = 4, VERDICTS = 1024, FORM_BITS = 4 };

struct search {
	enum fp_operator which;
	uintptr_t address;
	bool is_start; /* ADDRESS is the function's first instruction */
	bool is_named; /* a function there has a name */
	uint8_t forms;
};

static _Atomic uint64_t verdicts[2][VERDICTS]; /* trace << FORM_BITS | forms */
static atomic_bool are_others_known;

/* By the names of the Itanium ABI: _Znwm, _Znam, _ZdlPv, _ZdaPv and what they begin; what the
 * compiler split off has such a name and a '.'. */
static uint8_t form_of(const char *name, enum fp_operator which)
{
	static const char *const starts[2][2] = {{"_Znw", "_Zna"}, {"_ZdlPv", "_ZdaPv"}};
	bool is_array = strncmp(name, starts[which][1], strlen(starts[which][1])) == 0;

	if (!is_array && strncmp(name, starts[which][0], strlen(starts[which][0])) != 0)
		return 0;
	if (strstr(name, "St11align_val_t") != NULL)
		return is_array ? FP_OPERATOR_ALIGNED_ARRAY : FP_OPERATOR_ALIGNED;
	return is_array ? FP_OPERATOR_ARRAY : FP_OPERATOR_PLAIN;
}

static void look_at_function(const struct fp_function *function, void *user)
{
	struct search *search = user;
	bool is_it = search->is_start ? search->address == function->start
	                              : search->address >= function->start &&
	                                        search->address < function->end;

	if (!is_it)
		return;
	search->is_named = true;
	search->forms |= form_of(function->name, search->which);
}

static bool look_at_mapping(const struct fp_mapping *mapping, void *user)
{
	struct search *search = user;

	if (search->address >= mapping->end)
		return true;
	if (search->address >= mapping->start && mapping->is_executable)
		fp_functions_each(mapping, look_at_function, search);
	return false;
}

static uint8_t forms_at(enum fp_operator which, uintptr_t address, bool is_start)
{
	struct search search = {.which = which, .address = address, .is_start = is_start};

	if (address != 0)
		fp_maps_each(look_at_mapping, &search);
	return search.forms;
}

static bool look_for_run_time(const struct fp_mapping *mapping, void *user)
{
	struct search *search = user;

	if (search->address >= mapping->end)
		return true;
	if (search->address >= mapping->start && fp_functions_hide_operators(mapping))
		search->forms = FP_OPERATOR_PLAIN | FP_OPERATOR_ARRAY | FP_OPERATOR_ALIGNED |
		                FP_OPERATOR_ALIGNED_ARRAY;
	return false;
}

/* A function without a name, in a module that was stripped and has a run time of its own, may
 * be any operator of that. */
static uint8_t forms_unnamed_at(enum fp_operator which, uintptr_t address)
{
	struct search search = {.which = which, .address = address};

	fp_maps_each(look_at_mapping, &search);
	if (!search.is_named)
		fp_maps_each(look_for_run_time, &search);
	return search.forms;
}

/* Of a function that is found by a frame inside it nobody knows whether it was called or jumped
 * to. */
static uint8_t with_jumps(uint8_t forms)
{
	if ((forms & FP_OPERATOR_PLAIN) != 0)
		forms |= FP_OPERATOR_ARRAY;
	if ((forms & FP_OPERATOR_ALIGNED) != 0)
		forms |= FP_OPERATOR_ALIGNED_ARRAY;
	return forms;
}

static uint8_t find_forms(enum fp_operator which, fp_trace_id trace)
{
	size_t count;
	const uintptr_t *frames = fp_stack_trace(trace, &count);
	uint8_t forms = 0;

	if (count == 0)
		return 0;
	if (count > FRAMES_LOOKED_AT)
		count = FRAMES_LOOKED_AT;
	/* From the outside: the function that a frame is in, then the one that it called. */
	while (count > 0 && forms == 0) {
		uintptr_t frame = frames[--count];

		forms = with_jumps(forms_at(which, frame - 1, false));
		if (forms == 0)
			forms = forms_at(which, fp_callee_of(frame), true);
	}
	return forms != 0 || which == FP_OPERATOR_DELETE
	               ? forms
	               : forms_unnamed_at(which, frames[0] - 1);
}

uint8_t fp_operator_forms(enum fp_operator which, fp_trace_id trace)
{
	_Atomic uint64_t *place = &verdicts[which][trace % VERDICTS];
	uint64_t known = atomic_load_explicit(place, memory_order_relaxed);

	if (trace == FP_TRACE_NONE)
		return 0;
	if (known >> FORM_BITS == trace)
		return known & ((1u << FORM_BITS) - 1);
	uint8_t forms = find_forms(which, trace);
	atomic_store_explicit(place, (uint64_t)trace << FORM_BITS | forms,
	                      memory_order_relaxed);
	return forms;
}

bool fp_operator_is_excluded(fp_trace_id trace)
{
	size_t count;
	const uintptr_t *frames = fp_stack_trace(trace, &count);

	return count > 0 && fp_own_is_code(fp_callee_of(frames[0]));
}

static void look_for_delete(const struct fp_function *function, void *user)
{
	bool *is_there = user;

	*is_there |= form_of(function->name, FP_OPERATOR_DELETE) != 0;
}

/* The run time's operators are reached through ours. */
static bool is_run_time(const char *path)
{
	return strstr(path, "/libstdc++.so.") != NULL ||
	       strstr(path, "/libc++abi.so.") != NULL || strstr(path, "/libc++.so.") != NULL;
}

static bool look_at_module(const struct fp_mapping *mapping, void *user)
{
	bool *is_there = user;

	if (!mapping->is_executable || is_run_time(mapping->path) ||
	    fp_own_find(mapping->start) != NULL)
		return true;
	fp_functions_each(mapping, look_for_delete, is_there);
	*is_there = *is_there || fp_functions_hide_operators(mapping);
	return !*is_there;
}

bool fp_operator_are_there_others(void)
{
	bool are_there = atomic_load(&are_others_known);

	if (!are_there)
		fp_maps_each(look_at_module, &are_there);
	atomic_store(&are_others_known, are_there);
	return are_there;
}
