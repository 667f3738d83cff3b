/* SPDX-License-Identifier: Apache-2.0
 *
 * What a report says at the end of the address space that the runtime mapped by itself. Regions
 * are blocks to the search for leaks, and none of its business.
 */
#include "base/text.h"
#include "region/region.h"
#include "session/state.h"

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

/* Who runs past such an end meets what stands there, and no guard. */
static void log_unguarded(struct fp_log *log, const struct fp_region_unguarded *unguarded)
{
	char line[320];
	struct fp_text text;

	fp_text_begin(&text, line, sizeof(line));
	append_count(&text, unguarded->between + unguarded->others, "end");
	fp_text_string(&text, " of regions reserved by address had no room for a guard: ");
	fp_text_decimal(&text, unguarded->between);
	fp_text_string(&text, " beside another region, ");
	fp_text_decimal(&text, unguarded->others);
	fp_text_string(&text, " beside memory of others; the first was at the region of ");
	append_count(&text, unguarded->first_bytes, "byte");
	fp_text_string(&text, " at ");
	fp_text_hex(&text, unguarded->first);
	fp_text_string(&text, "; reserve without an address, or leave 64 KiB between");
	fp_log_note(log, line);
}

void fp_session_log_mappings(struct fp_log *log)
{
	struct fp_region_announced announced;
	struct fp_region_unguarded unguarded;

	fp_region_announced(&announced);
	if (announced.acquired > 0 || announced.unknown > 0)
		log_mappings(log, &announced);
	if (announced.needs > 0)
		log_needs(log, &announced);
	fp_region_unguarded(&unguarded);
	if (unguarded.first != 0)
		log_unguarded(log, &unguarded);
}
