/* SPDX-License-Identifier: Apache-2.0
 *
 * Through /proc/self/mem, which needs no system call that a sandbox may not know and copies as
 * fast as memory goes. What is mapped but was never written holds no pointer: the page map
 * tells, so that reservations of terabytes cost nothing and no hole gets filled.
 */
#include "leak/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/align.h"
#include "base/vm.h"

enum { ENTRIES = 512 };

/* Bits of an entry of /proc/PID/pagemap. */
static const uint64_t page_present = (uint64_t)1 << 63;
static const uint64_t page_swapped = (uint64_t)1 << 62;
static const uint64_t page_of_file = (uint64_t)1 << 61;

void fp_leak_memory_open(struct fp_leak_memory *memory)
{
	memory->pid = (int)getpid();
	memory->mem_fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	memory->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

void fp_leak_memory_close(struct fp_leak_memory *memory)
{
	if (memory->mem_fd >= 0)
		close(memory->mem_fd);
	if (memory->pagemap_fd >= 0)
		close(memory->pagemap_fd);
}

static ssize_t read_once(const struct fp_leak_memory *memory, uintptr_t address, void *buffer,
                         size_t size)
{
	struct iovec local = {.iov_base = buffer, .iov_len = size};
	struct iovec remote = {.iov_base = (void *)address, .iov_len = size};

	if (memory->mem_fd >= 0)
		return pread(memory->mem_fd, buffer, size, (off_t)address);
	return syscall(SYS_process_vm_readv, memory->pid, &local, 1, &remote, 1, 0);
}

size_t fp_leak_memory_read(const struct fp_leak_memory *memory, uintptr_t address, void *buffer,
                           size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got =
		        read_once(memory, address + done, (char *)buffer + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

bool fp_leak_memory_word(const struct fp_leak_memory *memory, uintptr_t address, uint64_t *word)
{
	return fp_leak_memory_read(memory, address, word, sizeof(*word)) == sizeof(*word);
}

uintptr_t fp_leak_memory_next_page(uintptr_t address)
{
	return fp_align_down(address, fp_vm_page_size()) + fp_vm_page_size();
}

/* Entries of the pages from START on; 0 when they cannot be had. */
static size_t read_entries(const struct fp_leak_memory *memory, uintptr_t start, uintptr_t end,
                           uint64_t entries[ENTRIES])
{
	size_t page = fp_vm_page_size();
	size_t count = (end - start + page - 1) / page;

	if (count > ENTRIES)
		count = ENTRIES;
	if (memory->pagemap_fd < 0)
		return 0;
	ssize_t got = pread(memory->pagemap_fd, entries, count * sizeof(*entries),
	                    (off_t)(start / page * sizeof(*entries)));
	return got <= 0 ? 0 : (size_t)got / sizeof(*entries);
}

/* A page of a private mapping that is still the file's was not written. */
static bool may_hold_data(uint64_t entry, bool is_shared)
{
	if (is_shared)
		return (entry & page_present) != 0;
	return (entry & (page_present | page_swapped)) != 0 && (entry & page_of_file) == 0;
}

bool fp_leak_memory_next_run(const struct fp_leak_memory *memory, bool is_shared,
                             uintptr_t *start, uintptr_t end, uintptr_t *run_end)
{
	size_t page = fp_vm_page_size();
	uint64_t entries[ENTRIES];
	uintptr_t at = *start;

	while (at < end) {
		size_t count = read_entries(memory, at, end, entries);
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
