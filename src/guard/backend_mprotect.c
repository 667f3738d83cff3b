/* SPDX-License-Identifier: Apache-2.0
 *
 * mprotect(2), on every kernel. Each live slot is a VMA of its own between PROT_NONE ones, so
 * about half of vm.max_map_count blocks can live at once.
 *
 * Sealing maps anew and does not mprotect back: a VMA that has held data carries an anon_vma
 * and never merges with its neighbours, so dead slots would count against the limit too.
 */
#include "guard/backend.h"

#include <sys/mman.h>

#include "base/vm.h"

static int open_range(uintptr_t base, size_t bytes, int prot)
{
	(void)base;
	(void)bytes;
	(void)prot;
	return 0;
}

static int seal_slot(uintptr_t base, size_t bytes)
{
	return fp_vm_remap(base, bytes, PROT_NONE);
}

static int probe(void)
{
	return fp_backend_exercise(&fp_backend_mprotect);
}

const struct fp_backend fp_backend_mprotect = {
        .name = "mprotect",
        .needs = "mprotect(2) and room under vm.max_map_count",
        .probe = probe,
        .open = open_range,
        .unseal = fp_vm_protect,
        .seal = seal_slot,
};
