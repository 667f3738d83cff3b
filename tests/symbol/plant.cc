/* SPDX-License-Identifier: Apache-2.0
 *
 * C++ so that names are mangled. Each line number stands on the line it names.
 */
#include "plant.h"

namespace plant
{

__attribute__((noinline)) uintptr_t here()
{
	__asm__ volatile("");
	return reinterpret_cast<uintptr_t>(__builtin_return_address(0));
}

static inline __attribute__((always_inline)) void inner(struct plant_call *call)
{
	call->return_address = here(), call->inner_line = __LINE__;
}

__attribute__((noinline)) void outer(struct plant_call *call, int times)
{
	for (int i = 0; i < times; i++) {
		inner(call), call->outer_line = __LINE__;
	}
}

} // namespace plant

struct plant_call plant_call(void)
{
	struct plant_call call = {};

	plant::outer(&call, 2);
	return call;
}

/* With aliases: what the linker knows them by must not depend on their order. */
extern "C" __attribute__((noinline, nothrow)) int _plant_named(void)
{
	return 4;
}

extern "C" __attribute__((weak, nothrow, alias("_plant_named"))) int plant_named(void);
extern "C" __attribute__((nothrow, alias("_plant_named"))) int __a_plant(void);
