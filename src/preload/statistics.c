/* SPDX-License-Identifier: Apache-2.0
 *
 * What programs ask an allocator about itself. The figures are the heap's; there is nothing to
 * tune and nothing to trim.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>

#include "base/messages.h"
#include "base/text.h"
#include "preload/export.h"
#include "heap/heap.h"

FP_EXPORT struct mallinfo2 mallinfo2(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	return (struct mallinfo2){
	        .arena = totals.live_bytes,
	        .uordblks = totals.live_bytes,
	        .usmblks = totals.peak_bytes,
	};
}

/* The fields of the older interface are too small: they wrap, as glibc's do. */
FP_EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 info = mallinfo2();

	return (struct mallinfo){
	        .arena = (int)info.arena,
	        .uordblks = (int)info.uordblks,
	        .usmblks = (int)info.usmblks,
	};
}

FP_EXPORT int mallopt(int parameter, int value)
{
	(void)parameter;
	(void)value;
	return 1;
}

FP_EXPORT int malloc_trim(size_t pad)
{
	(void)pad;
	return 0;
}

FP_EXPORT void malloc_stats(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	fp_say(FP_TELL_MALLOC_STATS, totals.live_bytes, totals.peak_bytes, totals.live_blocks,
	       totals.peak_blocks);
}

FP_EXPORT int malloc_info(int options, FILE *out)
{
	struct fp_heap_totals totals;

	if (options != 0)
		return EINVAL;
	fp_heap_totals(&totals);
	fprintf(out,
	        "<malloc version=\"1\">\n<total type=\"rest\" count=\"%lu\" size=\"%lu\"/>\n"
	        "<system type=\"current\" size=\"%lu\"/>\n"
	        "<system type=\"max\" size=\"%lu\"/>\n</malloc>\n",
	        totals.live_blocks, totals.live_bytes, totals.live_bytes, totals.peak_bytes);
	return 0;
}
