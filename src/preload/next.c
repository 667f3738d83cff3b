/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions are found in the loader's own list of what is loaded. They are not called
 * by name: libc's other names of them (__libc_malloc) are tcmalloc's where that is
 * there.
 */
#include "preload/next.h"

#include <gnu/lib-names.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

#include "base/messages.h"
#include "base/panic.h"
#include "base/symbols.h"
#include "preload/door.h"

bool fp_preload_is_libc(const struct link_map *module)
{
	size_t length = strlen(module->l_name);
	size_t own = sizeof(LIBC_SO) - 1;

	return length >= own && strcmp(module->l_name + length - own, LIBC_SO) == 0;
}

static bool is_self(const struct link_map *module)
{
	struct fp_symbols symbols;

	return fp_symbols_read(module, &symbols) &&
	       fp_symbols_address(&symbols, "malloc") == fp_preload_own_malloc();
}

/* One module has them all, or none of its is taken: what one makes another cannot free. */
static bool take_from(const struct link_map *module)
{
	static const char *const names[] = {"malloc",   "calloc", "realloc",
	                                    "memalign", "free",   "malloc_usable_size"};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	struct fp_symbols symbols;
	uintptr_t found[NAMES];

	if (!fp_symbols_read(module, &symbols))
		return false;
	for (size_t i = 0; i < NAMES; i++) {
		found[i] = fp_symbols_address(&symbols, names[i]);
		if (found[i] == 0)
			return false;
	}
	fp_preload_next.is_foreign = !fp_preload_is_libc(module);
	fp_preload_next.calloc = (void *(*)(size_t, size_t))found[1];
	fp_preload_next.realloc = (void *(*)(void *, size_t))found[2];
	fp_preload_next.memalign = (void *(*)(size_t, size_t))found[3];
	fp_preload_next.free = (void (*)(void *))found[4];
	fp_preload_next.usable_size = (size_t(*)(void *))found[5];
	fp_preload_next.malloc = (void *(*)(size_t))found[0];
	return true;
}

const struct link_map *fp_preload_find_self(void)
{
	const struct link_map *module = _r_debug.r_map;

	while (module != NULL && !is_self(module))
		module = module->l_next;
	return module;
}

uintptr_t fp_preload_find_behind(const char *symbol,
                                 bool (*is_wanted)(const struct link_map *module,
                                                   const struct fp_symbols *symbols),
                                 bool is_first)
{
	const struct link_map *module = fp_preload_find_self();
	struct fp_symbols symbols;

	for (module = module == NULL ? NULL : module->l_next; module != NULL;
	     module = module->l_next) {
		uintptr_t found = fp_symbols_read(module, &symbols)
		                          ? fp_symbols_address(&symbols, symbol)
		                          : 0;

		if (found != 0 && (is_wanted == NULL || is_wanted(module, &symbols)))
			return found;
		if (found != 0 && is_first)
			return 0;
	}
	return 0;
}

/* In the order of lookup, behind us. */
void fp_preload_find_next(void)
{
	const struct link_map *module = fp_preload_find_self();

	for (; module != NULL; module = module->l_next)
		if (!is_self(module) && take_from(module))
			return;
	fp_panic(FP_TELL_NO_MALLOC);
}

#define FIRST(result, name, parameters, arguments)                                             \
	static result first_##name parameters                                                  \
	{                                                                                      \
		fp_preload_find_next();                                                        \
		return fp_preload_next.name arguments;                                         \
	}
FIRST(void *, malloc, (size_t size), (size))
FIRST(void *, calloc, (size_t count, size_t size), (count, size))
FIRST(void *, realloc, (void *block, size_t size), (block, size))
FIRST(void *, memalign, (size_t align, size_t size), (align, size))
FIRST(void, free, (void *block), (block))
FIRST(size_t, usable_size, (void *block), (block))

struct fp_preload_next fp_preload_next = {
        .malloc = first_malloc,
        .calloc = first_calloc,
        .realloc = first_realloc,
        .memalign = first_memalign,
        .free = first_free,
        .usable_size = first_usable_size,
};
