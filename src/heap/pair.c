/* SPDX-License-Identifier: Apache-2.0
 *
 * A library may have operators of its own, because a C++ run time is linked into it: they call
 * malloc and free, and their blocks are the operators' all the same. The code that called is
 * looked at when a mismatch is about to be told, so that no allocation pays for it.
 */
#include "heap/pair.h"

#include "stack/operators.h"

/* The form of the operators that make and free blocks of FAMILY; 0: no operators do. */
static uint8_t form_of(enum fp_family family)
{
	switch (family) {
	case FP_FAMILY_NEW:
		return FP_OPERATOR_PLAIN;
	case FP_FAMILY_NEW_ARRAY:
		return FP_OPERATOR_ARRAY;
	case FP_FAMILY_ALIGNED:
		return FP_OPERATOR_ALIGNED;
	case FP_FAMILY_ALIGNED_ARRAY:
		return FP_OPERATOR_ALIGNED_ARRAY;
	default:
		return 0;
	}
}

/* Deletes end in free by a jump, which leaves no trace: whoever did not call free himself may
 * have called one, where there is one. */
static bool may_be_deleted(fp_trace_id trace, uint8_t form)
{
	uint8_t forms = fp_operator_forms(FP_OPERATOR_DELETE, trace);

	if (forms != 0)
		return (forms & form) != 0;
	return !fp_operator_is_excluded(trace) && fp_operator_are_there_others();
}

bool fp_pair_fits(const struct fp_block *block, enum fp_family family, fp_trace_id trace)
{
	if (block->family == FP_FAMILY_MALLOC && form_of(family) != 0)
		return (fp_operator_forms(FP_OPERATOR_NEW, block->alloc_trace) &
		        form_of(family)) != 0;
	return family == FP_FAMILY_MALLOC && form_of(block->family) != 0 &&
	       may_be_deleted(trace, form_of(block->family));
}
