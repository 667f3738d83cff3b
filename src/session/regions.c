/* SPDX-License-Identifier: Apache-2.0
 *
 * What a report says at the end of the address space that the runtime mapped by itself. Regions
 * are blocks to the search for leaks, and none of its business.
 */
#include "base/messages.h"
#include "base/text.h"
#include "region/region.h"
#include "session/state.h"

static void log_mappings(struct fp_log *log, const struct fp_region_announced *announced)
{
	char line[256];
	struct fp_text text;

	fp_text_begin(&text, line, sizeof(line));
	fp_text_print(&text, FP_TELL_RUNTIME_MAPPINGS, FP_TEXT_COUNT(announced->acquired),
	              FP_TEXT_COUNT(announced->acquired_bytes), announced->mapped,
	              FP_TEXT_COUNT(announced->mapped_bytes));
	if (announced->unknown > 0)
		fp_text_print(&text, FP_TELL_RUNTIME_RELEASES,
		              FP_TEXT_COUNT(announced->unknown));
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
		fp_log_tell(log, FP_TELL_RUNTIME_NEEDS, FP_TEXT_COUNT(announced.needs),
		            FP_TEXT_COUNT(announced.granted));
	fp_region_unguarded(&unguarded);
	/* Who runs past such an end meets what stands there, and no guard. */
	if (unguarded.first != 0)
		fp_log_tell(log, FP_TELL_UNGUARDED_ENDS,
		            FP_TEXT_COUNT(unguarded.between + unguarded.others),
		            unguarded.between, unguarded.others,
		            FP_TEXT_COUNT(unguarded.first_bytes), unguarded.first);
}
