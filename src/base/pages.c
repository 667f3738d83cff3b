/* SPDX-License-Identifier: Apache-2.0
 *
 * PAGEMAP_SCAN (Linux 6.7) skips what has no page tables in one call, however much it is;
 * before that, the page map has a word for each page.
 */
#include "base/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/align.h"
#include "base/proc.h"
#include "base/sys.h"
#include "base/vm.h"

enum { ENTRIES = 64 }; /* they stand on a stack that may be the program's, and small */

/* Bits of an entry of /proc/PID/pagemap. */
static const uint64_t page_present = (uint64_t)1 << 63;
static const uint64_t page_swapped = (uint64_t)1 << 62;
static const uint64_t page_of_file = (uint64_t)1 << 61;

/* As <linux/fs.h> has them, which is older on Debian 12. */
enum { IS_FILE = 1 << 2, IS_PRESENT = 1 << 3, IS_SWAPPED = 1 << 4, IS_ZERO = 1 << 5 };

struct page_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct scan {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t regions;
	uint64_t regions_count;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

/* _IOWR('f', 16, struct scan) */
static const unsigned long scan_request = 0xc0606610;

int fp_pages_open(void)
{
	return fp_sys_open(FP_PROC_SELF "pagemap", O_RDONLY | O_CLOEXEC, 0);
}

void fp_pages_close(int map)
{
	if (map >= 0)
		fp_sys_close(map);
}

/* Whether the kernel knows the call; then *IS_FOUND is whether there is a run. A page of a
 * private mapping that is still the file's was not written. */
static bool scan(int map, bool is_shared, uintptr_t *start, uintptr_t end, uintptr_t *run_end,
                 bool *is_found)
{
	struct page_region region = {.start = 0};
	uintptr_t page = fp_vm_page_size();
	uint64_t not_these = is_shared ? IS_ZERO : IS_ZERO | IS_FILE;
	struct scan request = {
	        .size = sizeof(request),
	        .start = fp_align_down(*start, page),
	        .end = fp_align_up(end, page),
	        .regions = (uintptr_t)&region,
	        .regions_count = 1,
	        .category_inverted = not_these,
	        .category_mask = not_these,
	        .category_anyof_mask = is_shared ? IS_PRESENT : IS_PRESENT | IS_SWAPPED,
	        .return_mask = IS_PRESENT,
	};

	long count = fp_sys(SYS_ioctl, map, scan_request, &request);
	if (count < 0)
		return false;
	*is_found = count > 0;
	if (count > 0) {
		*start = region.start > *start ? region.start : *start;
		*run_end = region.end < end ? region.end : end;
	}
	return true;
}

/* Entries of the pages from START on; 0 when they cannot be had. */
static size_t read_entries(int map, uintptr_t start, uintptr_t end, uint64_t entries[ENTRIES])
{
	size_t page = fp_vm_page_size();
	size_t count = (end - start + page - 1) / page;

	if (count > ENTRIES)
		count = ENTRIES;
	ssize_t got = fp_sys_pread(map, entries, count * sizeof(*entries),
	                           (off_t)(start / page * sizeof(*entries)));
	return got <= 0 ? 0 : (size_t)got / sizeof(*entries);
}

static bool may_hold_data(uint64_t entry, bool is_shared)
{
	if (is_shared)
		return (entry & page_present) != 0;
	return (entry & (page_present | page_swapped)) != 0 && (entry & page_of_file) == 0;
}

/* The same from the words. */
static bool look(int map, bool is_shared, uintptr_t *start, uintptr_t end, uintptr_t *run_end)
{
	size_t page = fp_vm_page_size();
	uint64_t entries[ENTRIES];
	uintptr_t at = *start;

	while (at < end) {
		size_t count = read_entries(map, at, end, entries);
		size_t first = 0;

		*start = at;
		*run_end = end;
		if (count == 0)
			return true;
		while (first < count && !may_hold_data(entries[first], is_shared))
			first++;
		size_t last = first;
		while (last < count && may_hold_data(entries[last], is_shared))
			last++;
		if (first > 0)
			*start = at / page * page + first * page;
		at = at / page * page + last * page;
		if (first == last)
			continue;
		*run_end = at < end ? at : end;
		return true;
	}
	return false;
}

bool fp_pages_next_run(int map, bool is_shared, uintptr_t *start, uintptr_t end,
                       uintptr_t *run_end)
{
	bool is_found;

	*run_end = end;
	if (*start >= end || map < 0)
		return *start < end;
	return scan(map, is_shared, start, end, run_end, &is_found)
	               ? is_found
	               : look(map, is_shared, start, end, run_end);
}

void fp_pages_copy(void *to, const void *from, size_t bytes)
{
	uintptr_t source = (uintptr_t)from;
	uintptr_t at = source;
	uintptr_t run_end;
	int map = fp_pages_open();

	for (; fp_pages_next_run(map, false, &at, source + bytes, &run_end); at = run_end)
		memcpy((char *)to + (at - source), (const void *)at, run_end - at);
	fp_pages_close(map);
}
