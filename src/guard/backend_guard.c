/* SPDX-License-Identifier: Apache-2.0
 *
 * MADV_GUARD_INSTALL (Linux 6.13): the page table itself marks a page as a guard, so no VMA is
 * split however many guards there are. Installing over a used page frees it.
 *
 * A locked VMA (mlockall) refuses guards with EINVAL.
 */
#include "guard/backend.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/messages.h"
#include "base/sys.h"
#include "base/vm.h"

/* Debian 12's headers do not have them. */
enum { ADVISE_GUARD_INSTALL = 102, ADVISE_GUARD_REMOVE = 103 };

static int install(uintptr_t base, size_t bytes)
{
	return fp_vm_advise(base, bytes, ADVISE_GUARD_INSTALL);
}

static int seal_range(uintptr_t base, size_t bytes)
{
	int status = install(base, bytes);

	/* The program may have locked this block alone. */
	return status == -EINVAL && fp_sys(SYS_munlock, base, bytes) == 0 ? install(base, bytes)
	                                                                  : status;
}

static int seal_many(const struct iovec *slots, size_t count)
{
	return fp_vm_advise_many(slots, count, ADVISE_GUARD_INSTALL);
}

static int open_range(uintptr_t base, size_t bytes, int prot)
{
	/* First of all, for it parts the range from the reservation: that gets no page tables
	 * of its own with the guards then, and no core file is as long as it is. */
	fp_backend_refuse_huge_pages(base, bytes);
	/* Before there are page tables, too: ranges that differ then never become one mapping.
	 */
	fp_vm_show(base, bytes);
	/* Guards first: between the two calls nothing is ever accessible. */
	int status = install(base, bytes);

	if (status == 0)
		status = fp_vm_protect(base, bytes, prot);
	return status;
}

static int unseal_slot(uintptr_t base, size_t bytes, int prot)
{
	(void)prot;
	return fp_vm_advise(base, bytes, ADVISE_GUARD_REMOVE);
}

static int probe(void)
{
	return fp_backend_exercise(&fp_backend_guard);
}

const struct fp_backend fp_backend_guard = {
        .name = "guard",
        .needs = FP_TELL_NEEDS_GUARD,
        .is_uncommon = true,
        .probe = probe,
        .open = open_range,
        .unseal = unseal_slot,
        .seal = seal_range,
        .seal_many = seal_many,
};
