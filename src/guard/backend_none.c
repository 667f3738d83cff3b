/* SPDX-License-Identifier: Apache-2.0
 *
 * No protection: slots and their surroundings are ordinary memory. What remains is what the
 * heap checks itself, the padding and the ownership. For machines that refuse everything else,
 * and for measuring what protection costs.
 */
#include "guard/backend.h"

#include <sys/mman.h>

#include "base/messages.h"
#include "base/vm.h"

static int open_range(uintptr_t base, size_t bytes, int prot)
{
	int status = fp_vm_protect(base, bytes, prot);

	if (status != 0)
		return status;
	fp_backend_refuse_huge_pages(base, bytes);
	fp_vm_show(base, bytes);
	return 0;
}

static int unseal_slot(uintptr_t base, size_t bytes, int prot)
{
	(void)base;
	(void)bytes;
	(void)prot;
	return 0;
}

static int seal_slot(uintptr_t base, size_t bytes)
{
	return fp_vm_advise(base, bytes, MADV_DONTNEED);
}

static int probe(void)
{
	return 0;
}

const struct fp_backend fp_backend_none = {
        .name = "none",
        .needs = FP_TELL_NEEDS_NOTHING,
        .probe = probe,
        .open = open_range,
        .unseal = unseal_slot,
        .seal = seal_slot,
};
