/* SPDX-License-Identifier: Apache-2.0
 *
 * What a report says of regions at the end. It must not look for more: whether a region is
 * still pointed to says nothing of whether its host means to keep it.
 */
#include "base/text.h"
#include "region/region.h"
#include "session/state.h"
#include "stack/stack.h"

static void log_region(const struct fp_block *region, void *user)
{
	const struct fp_log_leak leak = {
	        .class = FP_LEAK_DEFINITE,
	        .family = region->family,
	        .level = region->level,
	        .all = {.blocks = 1, .bytes = region->size},
	        .trace = region->alloc_trace,
	        .site.file = "",
	};
	size_t count;
	const uintptr_t *frames = fp_stack_trace(region->alloc_trace, &count);

	fp_log_trace(user, region->alloc_trace, frames, count);
	fp_log_leak(user, &leak);
}

static void append_count(struct fp_text *text, uint64_t count, const char *noun)
{
	fp_text_decimal(text, count);
	fp_text_string(text, " ");
	fp_text_string(text, noun);
	if (count != 1)
		fp_text_string(text, "s");
}

static void log_mappings(struct fp_log *log, const struct fp_region_announced *announced)
{
	char line[256];
	struct fp_text text;

	fp_text_begin(&text, line, sizeof(line));
	fp_text_string(&text, "the host was told of ");
	append_count(&text, announced->acquired, "mapping");
	fp_text_string(&text, " that the runtime made itself (");
	append_count(&text, announced->acquired_bytes, "byte");
	fp_text_string(&text, "), of which ");
	fp_text_decimal(&text, announced->mapped);
	fp_text_string(&text, " (");
	append_count(&text, announced->mapped_bytes, "byte");
	fp_text_string(&text, ") were not given back");
	if (announced->unknown > 0) {
		fp_text_string(&text, ", and of ");
		append_count(&text, announced->unknown, "release");
		fp_text_string(&text, " of what had not been announced");
	}
	fp_log_note(log, line);
}

static void log_needs(struct fp_log *log, const struct fp_region_announced *announced)
{
	char line[256];
	struct fp_text text;

	fp_text_begin(&text, line, sizeof(line));
	fp_text_string(&text, "the runtime lacked address space ");
	append_count(&text, announced->needs, "time");
	fp_text_string(&text, "; that of released regions was given to it ");
	append_count(&text, announced->granted, "time");
	fp_log_note(log, line);
}

static void see_region(const struct fp_block *region, void *user)
{
	bool *is_any = user;

	(void)region;
	*is_any = true;
}

bool fp_session_has_regions(void)
{
	bool is_any = false;

	fp_region_each_live(fp_session.first_region, see_region, &is_any);
	return is_any;
}

void fp_session_log_regions(struct fp_log *log, bool with_leaks)
{
	struct fp_region_announced announced;

	if (with_leaks && fp_session.options.leak_check != FP_OPTIONS_LEAK_CHECK_NO)
		fp_region_each_live(fp_session.first_region, log_region, log);
	fp_region_announced(&announced);
	if (announced.acquired > 0 || announced.unknown > 0)
		log_mappings(log, &announced);
	if (announced.needs > 0)
		log_needs(log, &announced);
}
