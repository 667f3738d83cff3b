/* SPDX-License-Identifier: Apache-2.0
 *
 * mprotect(2), on every kernel. Each live slot is a VMA of its own between PROT_NONE ones, so
 * two of vm.max_map_count go into every live block. A quarter of them is left to the program,
 * whose own mappings would fail otherwise, and to ours.
 *
 * Sealing maps anew and does not mprotect back: a VMA that has held data carries an anon_vma
 * and never merges with its neighbours, so dead slots would count against the limit too.
 */
#include "guard/backend.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/messages.h"
#include "base/vm.h"
#include "guard/span.h"

static _Atomic uint64_t live;
static uint64_t live_max;

static int open_range(uintptr_t base, size_t bytes, int prot)
{
	(void)base;
	(void)bytes;
	(void)prot;
	return 0;
}

static int unseal_slot(uintptr_t base, size_t bytes, int prot)
{
	int status = -ENOMEM;

	if (atomic_fetch_add(&live, 1) < live_max)
		status = fp_span_open(base, bytes, prot);
	if (status != 0)
		atomic_fetch_sub(&live, 1);
	else
		fp_vm_show(base, bytes);
	return status;
}

static int seal_slot(uintptr_t base, size_t bytes)
{
	atomic_fetch_sub(&live, 1);
	return fp_span_remap(base, bytes, PROT_NONE);
}

static int probe(void)
{
	live_max = fp_vm_mappings_max() / 8 * 3;
	return fp_backend_exercise(&fp_backend_mprotect);
}

const struct fp_backend fp_backend_mprotect = {
        .name = "mprotect",
        .needs = FP_TELL_NEEDS_MPROTECT,
        .probe = probe,
        .open = open_range,
        .unseal = unseal_slot,
        .seal = seal_slot,
};
