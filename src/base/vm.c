/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory system calls, each with its fault-injection point.
 */
#include "base/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "base/align.h"
#include "base/inject.h"
#include "base/sys.h"

enum { SELF = -10000 /* PIDFD_SELF, which Debian 12 does not know */ };
#if defined(__aarch64__)
enum { USER_BITS = 48 };
#else
enum { USER_BITS = 47 }; /* x86-64, riscv64 (sv48) */
#endif

size_t fp_vm_page_size(void)
{
	static _Atomic size_t cached;
	size_t bytes = atomic_load_explicit(&cached, memory_order_relaxed);

	if (bytes == 0) {
		bytes = getauxval(AT_PAGESZ);
		atomic_store_explicit(&cached, bytes, memory_order_relaxed);
	}
	return bytes;
}

uintptr_t fp_vm_user_end(void)
{
	/* The last page below a processor's hole is never mapped. */
	return ((uintptr_t)1 << USER_BITS) - fp_vm_page_size();
}

uint64_t fp_vm_mappings_max(void)
{
	char text[24] = "";
	uint64_t count = 0;
	int fd = fp_sys_open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC, 0);

	if (fd >= 0) {
		if (fp_sys_read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		fp_sys_close(fd);
	}
	for (const char *at = text; *at >= '0' && *at <= '9'; at++)
		count = count * 10 + (uint64_t)(*at - '0');
	return count != 0 ? count : 65530; /* the kernel's default */
}

/* *BASE is asked for, and on failure stays as it is. */
static int map_file(int fd, size_t bytes, int prot, int flags, uintptr_t *base)
{
	long result = fp_sys(SYS_mmap, *base, bytes, prot, flags, fd, 0);

	/* Nothing is mapped in the last page, whose addresses errors look like. */
	if (result < 0)
		return fp_vm_note("mmap", (int)result);
	*base = (uintptr_t)result;
	return 0;
}

static int map(uintptr_t *base, size_t bytes, int prot, int flags)
{
	if (fp_inject_fails(FP_INJECT_VM))
		return -ENOMEM;
	return map_file(-1, bytes, prot, MAP_ANONYMOUS | flags, base);
}

/* A reservation. Debuggers write out what nobody can access, too, terabytes of it, unless it is
 * marked; and unmarked it would never merge again with what is. */
static int reserve(uintptr_t *base, size_t bytes, int flags)
{
	int status = map(base, bytes, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE | flags);

	if (status == 0)
		fp_sys(SYS_madvise, *base, bytes, MADV_DONTDUMP);
	return status;
}

int fp_vm_reserve(size_t bytes, uintptr_t *base)
{
	*base = 0;
	return reserve(base, bytes, 0);
}

/* RLIMIT_DATA does not count what may grow downwards. Ours never does: a fence of another kind
 * stands before it. That and the one behind it are one mapping with those of their neighbours.
 */
int fp_vm_reserve_own(size_t bytes, size_t fence, uintptr_t *base)
{
	int status = fp_vm_reserve(bytes, base);

	if (status != 0)
		return status;
	status = fp_vm_remap_own(*base + fence, bytes - 2 * fence, PROT_NONE);
	if (status != 0)
		fp_sys(SYS_munmap, *base, bytes);
	return status;
}

int fp_vm_reserve_at(uintptr_t base, size_t bytes)
{
	uintptr_t at = base;
	int status = reserve(&at, bytes, MAP_FIXED_NOREPLACE);

	/* Kernels before 4.17 take the address for a hint. */
	if (status != 0 || at == base)
		return status;
	fp_sys(SYS_munmap, at, bytes);
	return -EEXIST;
}

int fp_vm_map(size_t bytes, int prot, uintptr_t *base)
{
	return fp_vm_map_near(0, bytes, prot, base);
}

int fp_vm_map_near(uintptr_t place, size_t bytes, int prot, uintptr_t *base)
{
	*base = place;
	return map(base, bytes, prot, MAP_PRIVATE | MAP_NORESERVE);
}

int fp_vm_can_promise(size_t bytes)
{
	uintptr_t base = 0;
	int status = map(&base, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (status == 0)
		fp_sys(SYS_munmap, base, bytes);
	return status;
}

uint64_t fp_vm_machine_bytes(void)
{
	struct sysinfo machine;

	if (fp_sys(SYS_sysinfo, &machine) != 0)
		return UINT64_MAX;
	return ((uint64_t)machine.totalram + machine.totalswap) * machine.mem_unit;
}

int fp_vm_remap(uintptr_t base, size_t bytes, int prot)
{
	if (prot == PROT_NONE)
		return reserve(&base, bytes, MAP_FIXED);
	return map(&base, bytes, prot, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED);
}

int fp_vm_remap_own(uintptr_t base, size_t bytes, int prot)
{
	int status = prot == PROT_NONE
	                     ? reserve(&base, bytes, MAP_FIXED | MAP_GROWSDOWN)
	                     : map(&base, bytes, prot,
	                           MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED | MAP_GROWSDOWN);

	return status == 0 || status == -ENOMEM ? status : fp_vm_remap(base, bytes, prot);
}

int fp_vm_open(uintptr_t base, size_t bytes, int prot)
{
	int status = fp_vm_protect(base, bytes, prot);

	/* Where mappings ran out, one in its place leaves none for others. */
	return status == 0 || status == -ENOMEM ? status : fp_vm_remap_own(base, bytes, prot);
}

int fp_vm_remap_shared(uintptr_t base, size_t bytes, int prot)
{
	return map(&base, bytes, prot, MAP_SHARED | MAP_NORESERVE | MAP_FIXED);
}

int fp_vm_map_file(int fd, size_t bytes, uintptr_t *base)
{
	if (fp_inject_fails(FP_INJECT_VM))
		return -ENOMEM;
	*base = 0;
	return map_file(fd, bytes, PROT_READ, MAP_PRIVATE, base);
}

int fp_vm_map_shared_file(int fd, size_t bytes, uintptr_t *base)
{
	if (fp_inject_fails(FP_INJECT_VM))
		return -ENOMEM;
	*base = 0;
	int status = map_file(fd, bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, base);
	if (status == 0)
		fp_sys(SYS_madvise, *base, bytes, MADV_DONTDUMP);
	return status;
}

int fp_vm_unmap(uintptr_t base, size_t bytes)
{
	if (fp_inject_fails(FP_INJECT_VM))
		return -ENOMEM;
	return (int)fp_sys(SYS_munmap, base, bytes);
}

int fp_vm_mark(const char *name, uintptr_t *mark)
{
	int fd = (int)fp_sys(SYS_memfd_create, name, 1 /* MFD_CLOEXEC */);

	*mark = 0;
	if (fd < 0)
		return fd;
	int status = map_file(fd, fp_vm_page_size(), PROT_NONE, MAP_PRIVATE, mark);
	fp_sys_close(fd);
	return status;
}

int fp_vm_protect(uintptr_t base, size_t bytes, int prot)
{
	if (fp_inject_fails(FP_INJECT_VM))
		return -ENOMEM;
	return fp_vm_note("mprotect", (int)fp_sys(SYS_mprotect, base, bytes, prot));
}

void fp_vm_show(uintptr_t base, size_t bytes)
{
	uintptr_t start = fp_align_down(base, fp_vm_page_size());

	fp_sys(SYS_madvise, start, base + bytes - start, MADV_DODUMP);
}

int fp_vm_advise(uintptr_t base, size_t bytes, int advice)
{
	if (fp_inject_fails(FP_INJECT_VM))
		return -ENOMEM;
	return fp_vm_note("madvise", (int)fp_sys(SYS_madvise, base, bytes, advice));
}

int fp_vm_find_resident(uintptr_t base, size_t bytes, unsigned char *is_there)
{
	return (int)fp_sys(SYS_mincore, base, bytes, is_there);
}

int fp_vm_advise_many(const struct iovec *ranges, size_t count, int advice)
{
	ssize_t wanted = 0;

	if (fp_inject_fails(FP_INJECT_VM))
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		wanted += (ssize_t)ranges[i].iov_len;
	long advised = fp_sys(SYS_process_madvise, SELF, ranges, count, advice, 0);
	if (advised < 0)
		return (int)advised;
	return advised == wanted ? 0 : -EAGAIN;
}
