/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions are found in the loader's own list of what is loaded, without a lock and
 * without an allocation: the first call of malloc may come from the loader itself. Nor are they
 * called by name: libc's other names of them (__libc_malloc) are tcmalloc's where that is
 * there.
 */
#include "preload/next.h"

#include <gnu/lib-names.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

#include "base/panic.h"
#include "preload/door.h"

enum { NAME_SHIFT = 5, BLOOM_WORD_BYTES = sizeof(ElfW(Addr)) };

/* The dynamic symbols of one module. */
struct symbols {
	uintptr_t bias;
	const ElfW(Sym) * table;
	const char *names;
	const uint32_t *hashes; /* DT_GNU_HASH */
};

/* Most machines' loaders have turned the file's addresses into those of memory. */
static uintptr_t address_of(const struct link_map *module, const ElfW(Dyn) * entry)
{
	return entry->d_un.d_ptr < module->l_addr ? module->l_addr + entry->d_un.d_ptr
	                                          : entry->d_un.d_ptr;
}

static bool read_symbols(const struct link_map *module, struct symbols *symbols)
{
	*symbols = (struct symbols){.bias = module->l_addr};
	for (const ElfW(Dyn) *entry = module->l_ld; entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag == DT_SYMTAB)
			symbols->table = (const ElfW(Sym) *)address_of(module, entry);
		else if (entry->d_tag == DT_STRTAB)
			symbols->names = (const char *)address_of(module, entry);
		else if (entry->d_tag == DT_GNU_HASH)
			symbols->hashes = (const uint32_t *)address_of(module, entry);
	}
	return symbols->table != NULL && symbols->names != NULL && symbols->hashes != NULL;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name != '\0'; name++)
		hash = (hash << NAME_SHIFT) + hash + (unsigned char)*name;
	return hash;
}

/* As the GNU hash table has it: buckets of chains, whose last hash is odd. */
static uintptr_t find_symbol(const struct symbols *symbols, const char *name)
{
	uint32_t buckets = symbols->hashes[0];
	uint32_t first = symbols->hashes[1];
	const uint32_t *bucket = symbols->hashes + 4 +
	                         symbols->hashes[2] * (BLOOM_WORD_BYTES / sizeof(uint32_t));
	const uint32_t *chain = bucket + buckets;
	uint32_t hash = hash_of(name);
	uint32_t at = buckets == 0 ? 0 : bucket[hash % buckets];

	for (; at >= first && at != 0; at++) {
		const ElfW(Sym) *symbol = &symbols->table[at];

		if ((chain[at - first] | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
		    ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
		    strcmp(symbols->names + symbol->st_name, name) == 0)
			return symbols->bias + symbol->st_value;
		if ((chain[at - first] & 1) != 0)
			break;
	}
	return 0;
}

static bool is_libc(const struct link_map *module)
{
	size_t length = strlen(module->l_name);
	size_t own = sizeof(LIBC_SO) - 1;

	return length >= own && strcmp(module->l_name + length - own, LIBC_SO) == 0;
}

static bool is_self(const struct link_map *module)
{
	struct symbols symbols;

	return read_symbols(module, &symbols) &&
	       find_symbol(&symbols, "malloc") == fp_preload_own_malloc();
}

/* One module has them all, or none of its is taken: what one makes another cannot free. */
static bool take_from(const struct link_map *module)
{
	static const char *const names[] = {"malloc",   "calloc", "realloc",
	                                    "memalign", "free",   "malloc_usable_size"};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	struct symbols symbols;
	uintptr_t found[NAMES];

	if (!read_symbols(module, &symbols))
		return false;
	for (size_t i = 0; i < NAMES; i++) {
		found[i] = find_symbol(&symbols, names[i]);
		if (found[i] == 0)
			return false;
	}
	fp_preload_next.is_foreign = !is_libc(module);
	fp_preload_next.calloc = (void *(*)(size_t, size_t))found[1];
	fp_preload_next.realloc = (void *(*)(void *, size_t))found[2];
	fp_preload_next.memalign = (void *(*)(size_t, size_t))found[3];
	fp_preload_next.free = (void (*)(void *))found[4];
	fp_preload_next.usable_size = (size_t(*)(void *))found[5];
	fp_preload_next.malloc = (void *(*)(size_t))found[0];
	return true;
}

/* In the order of lookup, behind us. */
void fp_preload_find_next(void)
{
	const struct link_map *module = _r_debug.r_map;

	while (module != NULL && !is_self(module))
		module = module->l_next;
	for (; module != NULL; module = module->l_next)
		if (!is_self(module) && take_from(module))
			return;
	fp_panic("no library of this program has a whole malloc");
}

static void *first_malloc(size_t size)
{
	fp_preload_find_next();
	return fp_preload_next.malloc(size);
}

static void *first_calloc(size_t count, size_t size)
{
	fp_preload_find_next();
	return fp_preload_next.calloc(count, size);
}

static void *first_realloc(void *block, size_t size)
{
	fp_preload_find_next();
	return fp_preload_next.realloc(block, size);
}

static void *first_memalign(size_t align, size_t size)
{
	fp_preload_find_next();
	return fp_preload_next.memalign(align, size);
}

static void first_free(void *block)
{
	fp_preload_find_next();
	fp_preload_next.free(block);
}

static size_t first_usable_size(void *block)
{
	fp_preload_find_next();
	return fp_preload_next.usable_size(block);
}

struct fp_preload_next fp_preload_next = {
        .malloc = first_malloc,
        .calloc = first_calloc,
        .realloc = first_realloc,
        .memalign = first_memalign,
        .free = first_free,
        .usable_size = first_usable_size,
};
