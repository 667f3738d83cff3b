/* SPDX-License-Identifier: Apache-2.0
 *
 * What back ends share: advice on huge pages and a probe. Accessibility is asked of the kernel,
 * which answers EFAULT where a touch would fault, so a probe needs no signal handler.
 */
#include "base/sys.h"
#include "guard/backend.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/vm.h"

enum { SCRATCH_PAGES = 5 };

/* The kernel reads the new mask before it looks at HOW, and no HOW is ~0: EINVAL when the bytes
 * could be read, EFAULT when they could not, and never an effect. Seccomp filters leave
 * rt_sigprocmask alone, unlike process_vm_readv(2). */
static bool is_accessible(uintptr_t address)
{
	return fp_sys_sigmask(~0, (const void *)address, NULL) == -EINVAL;
}

/* Whether of the scratch pages exactly the one at INDEX is accessible; -1: none. */
static bool has_only(uintptr_t base, int index)
{
	for (int i = 0; i < SCRATCH_PAGES; i++)
		if (is_accessible(base + (size_t)i * fp_vm_page_size()) != (i == index))
			return false;
	return true;
}

static int expect_only(uintptr_t base, int index, int status)
{
	if (status == 0 && !has_only(base, index))
		status = -ENOTSUP;
	return status;
}

/* Page 1 is used, moves on to page 3 where the back end can do that, and dies. */
static int exercise_at(const struct fp_backend *backend, uintptr_t base)
{
	const int prot = PROT_READ | PROT_WRITE;
	size_t page = fp_vm_page_size();
	int used = 1;
	int status = backend->open(base, SCRATCH_PAGES * page, prot);

	status = expect_only(base, -1, status);
	if (status == 0)
		status = backend->unseal(base + page, page, prot);
	status = expect_only(base, used, status);
	if (status != 0)
		return status;
	memset((void *)(base + page), 0x5a, page);
	if (backend->recycle != NULL) {
		used = 3;
		status = backend->recycle(base + page, base + 3 * page, page);
		status = expect_only(base, used, status);
	}
	if (status == 0)
		status = backend->seal(base + (size_t)used * page, page);
	return expect_only(base, -1, status);
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
	status = exercise_at(backend, base);
	fp_vm_unmap(base, SCRATCH_PAGES * page);
	return status;
}
