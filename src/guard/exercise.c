/* SPDX-License-Identifier: Apache-2.0
 *
 * What back ends share: advice on huge pages and a probe. Accessibility is asked of the kernel,
 * which answers EFAULT where a touch would fault, so a probe needs no signal handler.
 */
#include "guard/backend.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/vm.h"

enum { SCRATCH_PAGES = 3 };

/* The kernel reads the new mask before it looks at HOW, and no HOW is ~0: EINVAL when the bytes
 * could be read, EFAULT when they could not, and never an effect. Seccomp filters leave
 * rt_sigprocmask alone, unlike process_vm_readv(2). */
static bool is_accessible(uintptr_t address)
{
	enum { KERNEL_SIGSET_BYTES = 8 };

	return syscall(SYS_rt_sigprocmask, ~0, address, NULL, KERNEL_SIGSET_BYTES) != 0 &&
	       errno == EINVAL;
}

static bool has_only_middle(uintptr_t base, size_t page, bool is_middle_open)
{
	return !is_accessible(base) && is_accessible(base + page) == is_middle_open &&
	       !is_accessible(base + 2 * page);
}

static int exercise_at(const struct fp_backend *backend, uintptr_t base, size_t page)
{
	int status = backend->open(base, SCRATCH_PAGES * page, PROT_READ | PROT_WRITE);

	if (status != 0)
		return status;
	if (!has_only_middle(base, page, false))
		return -ENOTSUP;
	status = backend->unseal(base + page, page, PROT_READ | PROT_WRITE);
	if (status != 0)
		return status;
	memset((void *)(base + page), 0x5a, page);
	if (!has_only_middle(base, page, true))
		return -ENOTSUP;
	status = backend->seal(base + page, page);
	if (status == 0 && !has_only_middle(base, page, false))
		status = -ENOTSUP;
	return status;
}

void fp_backend_refuse_huge_pages(uintptr_t base, size_t bytes)
{
	fp_vm_advise(base, bytes, MADV_NOHUGEPAGE);
}

int fp_backend_exercise(const struct fp_backend *backend)
{
	size_t page = fp_vm_page_size();
	uintptr_t base;
	int status = fp_vm_reserve(SCRATCH_PAGES * page, &base);

	if (status != 0)
		return status;
	status = exercise_at(backend, base, page);
	fp_vm_unmap(base, SCRATCH_PAGES * page);
	return status;
}
