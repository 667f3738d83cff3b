/* SPDX-License-Identifier: Apache-2.0
 *
 * Through /proc/thread-self/mem, which needs no system call that a sandbox may not know and
 * copies as fast as memory goes. What is mapped but was never written holds no pointer: the
 * page map tells, so that reservations of terabytes cost nothing and no hole gets filled.
 */
#include "leak/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

#include "base/align.h"
#include "base/pages.h"
#include "base/proc.h"
#include "base/readable.h"
#include "base/sys.h"
#include "base/vm.h"

enum { NOWHERE = 64 /* an address that nothing is mapped at */ };

void fp_leak_memory_open(struct fp_leak_memory *memory)
{
	memory->thread = fp_sys_gettid();
	memory->mem_fd = fp_sys_open(FP_PROC_SELF "mem", O_RDONLY | O_CLOEXEC, 0);
	memory->pagemap_fd = fp_pages_open();
}

void fp_leak_memory_close(struct fp_leak_memory *memory)
{
	if (memory->mem_fd >= 0)
		fp_sys_close(memory->mem_fd);
	fp_pages_close(memory->pagemap_fd);
}

/* A sandbox may refuse both ways to read. The rest of a page, after a look whether that would
 * fault; unless nobody can tell any more. */
static ssize_t copy(uintptr_t address, void *buffer, size_t size)
{
	size_t rest = fp_leak_memory_next_page(address) - address;
	size_t bytes = size < rest ? size : rest;

	if (fp_is_readable((const void *)NOWHERE, 1))
		return -EPERM;
	if (!fp_is_readable((const void *)address, bytes))
		return -EIO;
	memcpy(buffer, (const void *)address, bytes);
	return (ssize_t)bytes;
}

static ssize_t read_once(const struct fp_leak_memory *memory, uintptr_t address, void *buffer,
                         size_t size)
{
	struct iovec local = {.iov_base = buffer, .iov_len = size};
	struct iovec remote = {.iov_base = (void *)address, .iov_len = size};

	ssize_t got = memory->mem_fd < 0
	                      ? -EBADF
	                      : fp_sys_pread(memory->mem_fd, buffer, size, (off_t)address);

	/* What is not mapped is EIO here, and EFAULT there. */
	if (got < 0 && got != -EIO && got != -EINTR)
		got = fp_sys(SYS_process_vm_readv, memory->thread, &local, 1, &remote, 1, 0);
	if (got == -EPERM || got == -ENOSYS)
		got = copy(address, buffer, size);
	return got;
}

size_t fp_leak_memory_read(const struct fp_leak_memory *memory, uintptr_t address, void *buffer,
                           size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got =
		        read_once(memory, address + done, (char *)buffer + done, size - done);

		if (got == -EINTR)
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

bool fp_leak_memory_next_run(const struct fp_leak_memory *memory, bool is_shared,
                             uintptr_t *start, uintptr_t end, uintptr_t *run_end)
{
	return fp_pages_next_run(memory->pagemap_fd, is_shared, start, end, run_end);
}
