/* SPDX-License-Identifier: Apache-2.0
 *
 * Dynamic symbols as the loader has them in memory: looked at without a lock and without an
 * allocation, because the first call of malloc may come from the loader itself.
 */
#include "base/symbols.h"

#include <string.h>

enum { NAME_SHIFT = 5, BLOOM_WORD_BYTES = sizeof(ElfW(Addr)) };

/* Most machines' loaders have turned the file's addresses into those of memory. */
uintptr_t fp_symbols_entry(const struct link_map *module, const ElfW(Dyn) * entry)
{
	return entry->d_un.d_ptr < module->l_addr ? module->l_addr + entry->d_un.d_ptr
	                                          : entry->d_un.d_ptr;
}

bool fp_symbols_read(const struct link_map *module, struct fp_symbols *symbols)
{
	*symbols = (struct fp_symbols){.bias = module->l_addr};
	for (const ElfW(Dyn) *entry = module->l_ld; entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag == DT_SYMTAB)
			symbols->table = (const ElfW(Sym) *)fp_symbols_entry(module, entry);
		else if (entry->d_tag == DT_STRTAB)
			symbols->names = (const char *)fp_symbols_entry(module, entry);
		else if (entry->d_tag == DT_GNU_HASH)
			symbols->hashes = (const uint32_t *)fp_symbols_entry(module, entry);
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

static bool is_function_or_object(const ElfW(Sym) * symbol)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	return type == STT_FUNC || type == STT_OBJECT;
}

/* As the GNU hash table has it: buckets of chains, whose last hash is odd. */
const ElfW(Sym) * fp_symbols_find(const struct fp_symbols *symbols, const char *name)
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
		    is_function_or_object(symbol) &&
		    strcmp(symbols->names + symbol->st_name, name) == 0)
			return symbol;
		if ((chain[at - first] & 1) != 0)
			break;
	}
	return NULL;
}

uintptr_t fp_symbols_lookup(const char *name, size_t *size)
{
	for (const struct link_map *module = _r_debug.r_map; module != NULL;
	     module = module->l_next) {
		struct fp_symbols symbols;
		const ElfW(Sym) *symbol = fp_symbols_read(module, &symbols)
		                                  ? fp_symbols_find(&symbols, name)
		                                  : NULL;

		if (symbol == NULL)
			continue;
		*size = symbol->st_size;
		return symbols.bias + symbol->st_value;
	}
	return 0;
}
