/* SPDX-License-Identifier: Apache-2.0
 *
 * The C library's functions on memory and strings: whoever called one made the access.
 */
#include "report/within.h"

#include <string.h>

#include "report/stack.h"

/* The public part of a name like __memcpy_avx_unaligned_erms: "memcpy". */
static struct fp_report_string public_name(const char *function)
{
	function += strspn(function, "_");
	return (struct fp_report_string){function, strcspn(function, "_")};
}

static bool has_memory_prefix(struct fp_report_string name)
{
	static const char *const prefixes[] = {"mem",  "str",    "stp",   "wcs",   "wcp",
	                                       "wmem", "rawmem", "bcopy", "bzero", "bcmp"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t size = strlen(prefixes[i]);

		if (name.size >= size && memcmp(name.bytes, prefixes[i], size) == 0)
			return true;
	}
	return false;
}

bool fp_report_is_memory_function(const char *function)
{
	return has_memory_prefix(public_name(function));
}

size_t fp_report_count_memory_function(const struct fp_report_frame *frames, size_t count,
                                       char *name, size_t name_size)
{
	size_t inner = 0;

	name[0] = '\0';
	while (inner < count && fp_report_is_in_c_library(&frames[inner]) &&
	       frames[inner].symbol != NULL && frames[inner].symbol->function != NULL) {
		struct fp_report_string public = public_name(frames[inner].symbol->function);

		if (!has_memory_prefix(public) || public.size >= name_size)
			break;
		memcpy(name, public.bytes, public.size);
		name[public.size] = '\0';
		inner++;
	}
	/* Somebody must be left to blame. */
	return inner < count ? inner : 0;
}

/* The same where the program is known to have CALLED the C library, in which FRAMES begin; 0
 * when that is none of these functions. */
static size_t count_called(const struct fp_report_frame *frames, size_t count,
                           const char *called, char *name, size_t name_size)
{
	struct fp_report_string public = public_name(called);
	size_t inner = 0;

	if (!has_memory_prefix(public) || public.size >= name_size)
		return 0;
	while (inner < count && fp_report_is_in_c_library(&frames[inner]))
		inner++;
	if (inner == 0 || inner == count)
		return 0;
	memcpy(name, public.bytes, public.size);
	name[public.size] = '\0';
	return inner;
}

/* The name that the program called the C library by, in which TRACE begins; or NULL. The
 * library's own are those of variants, and one variant may have several. */
static const char *called_name(const struct fp_report *report,
                               const struct fp_report_trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		const struct fp_report_address *address = &trace->addresses[i];
		const struct fp_report_frame frame = {
		        .module =
		                address->module < 0 ? NULL : &report->modules[address->module]};

		if (frame.module && fp_report_is_in_c_library(&frame))
			continue;
		return i > 0 && frame.module && frame.module->image
		               ? fp_symbol_callee(frame.module->image,
		                                  address->address - frame.module->bias)
		               : NULL;
	}
	return NULL;
}

void fp_report_drop_memory_function(const struct fp_report *report,
                                    const struct fp_report_trace *trace,
                                    struct fp_report_stack *stack)
{
	const char *called = called_name(report, trace);
	size_t inner = called ? count_called(stack->frames, stack->count, called, stack->within,
	                                     sizeof(stack->within))
	                      : 0;

	if (inner == 0)
		inner = fp_report_count_memory_function(stack->frames, stack->count,
		                                        stack->within, sizeof(stack->within));
	if (inner == 0)
		return;
	stack->count -= inner;
	memmove(stack->frames, stack->frames + inner, stack->count * sizeof(stack->frames[0]));
}
