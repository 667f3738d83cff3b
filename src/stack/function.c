/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that are mapped as code, each searched once, when a trace first leads through it.
 * What was learned is only added to, so readers take no lock; whoever adds holds the lock of
 * the reader of mappings. A module that takes the place of an unloaded one goes by what that
 * one was.
 */
#include "stack/function.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/maps.h"
#include "base/sys.h"
#include "base/vm.h"
#include "stack/functions.h"
#include "stack/stack.h"

enum { RANGES_MAX = 4096, VERDICTS = 4096 };

struct range {
	uintptr_t start;
	uintptr_t end;
};

/* Only ever appended to. */
struct ranges {
	_Atomic size_t count;
	struct range all[RANGES_MAX];
};

static const char *watched;
static struct ranges functions;             /* where the function is */
static struct ranges modules;               /* where it has been looked for */
static _Atomic uint64_t verdicts[VERDICTS]; /* trace << 1 | verdict, at a place of the trace */

static void append(struct ranges *ranges, uintptr_t start, uintptr_t end)
{
	size_t count = atomic_load_explicit(&ranges->count, memory_order_relaxed);

	if (count == RANGES_MAX)
		return;
	ranges->all[count] = (struct range){start, end};
	atomic_store_explicit(&ranges->count, count + 1, memory_order_release);
}

static bool contains(const struct ranges *ranges, uintptr_t address)
{
	size_t count = atomic_load_explicit(&ranges->count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		if (address >= ranges->all[i].start && address < ranges->all[i].end)
			return true;
	return false;
}

static bool is_watched(const char *name)
{
	size_t length = strlen(watched);

	return strncmp(name, watched, length) == 0 &&
	       (name[length] == '\0' || name[length] == '.' || name[length] == '@');
}

static void add_watched(const struct fp_function *function, void *unused)
{
	(void)unused;
	if (is_watched(function->name))
		append(&functions, function->start, function->end);
}

static bool visit(const struct fp_mapping *mapping, void *unused)
{
	(void)unused;
	if (!mapping->is_executable || contains(&modules, mapping->start))
		return true;
	fp_functions_each(mapping, add_watched, NULL);
	append(&modules, mapping->start, mapping->end);
	return true;
}

/* Whether the function holds the return ADDRESS. The call stands before it, also when that was
 * the last instruction of the function. */
static bool is_in_function(uintptr_t address)
{
	if (!contains(&modules, address - 1))
		fp_maps_each(visit, NULL);
	return contains(&functions, address - 1);
}

static bool judge(fp_trace_id trace)
{
	size_t count;
	const uintptr_t *addresses = fp_stack_trace(trace, &count);

	for (size_t i = 0; i < count; i++)
		if (addresses[i] != FP_TRACE_CALLERS_UNKNOWN && is_in_function(addresses[i]))
			return true;
	return false;
}

void fp_function_watch(const char *name)
{
	watched = name;
	fp_maps_each(visit, NULL);
}

bool fp_function_leads_to(fp_trace_id trace)
{
	_Atomic uint64_t *place = &verdicts[trace % VERDICTS];
	uint64_t known = atomic_load_explicit(place, memory_order_relaxed);

	if (trace != FP_TRACE_NONE && known >> 1 == trace)
		return known & 1;
	bool verdict = judge(trace);
	atomic_store_explicit(place, (uint64_t)trace << 1 | verdict, memory_order_relaxed);
	return verdict;
}

bool fp_function_is_known(void)
{
	return atomic_load(&functions.count) > 0;
}
