/* SPDX-License-Identifier: Apache-2.0
 *
 * A module that is loaded with RTLD_DEEPBIND, and whoever asks dlsym(3) about libc, finds
 * libc's malloc before ours; what one of the two makes, the other cannot free. The flag is not
 * taken away, because such a module needs its own names first, and nobody stands between it and
 * the loader, which looks at who calls. Instead, libc's symbol table in memory names ours.
 *
 * What libc itself calls goes by ours anyway. What we need of libc's own was found before.
 */
#include <elf.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/maps.h"
#include "base/symbols.h"
#include "base/vm.h"
#include "preload/door.h"
#include "preload/next.h"
#include "session/session.h"

static const char *const names[] = {
        "malloc",
        "calloc",
        "realloc",
        "reallocarray",
        "free",
        "memalign",
        "malloc_usable_size",
        "aligned_alloc",
        "cfree",
        "malloc_info",
        "posix_memalign",
        "malloc_stats",
        "mallinfo",
        "malloc_trim",
        "mallinfo2",
        "mallopt",
        "valloc",
        "pvalloc",
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* Pages of a symbol table. */
struct pages {
	uintptr_t start;
	uintptr_t end;
};

static const struct link_map *find_libc(void)
{
	const struct link_map *module = _r_debug.r_map;

	while (module != NULL && !fp_preload_is_libc(module))
		module = module->l_next;
	return module;
}

/* Those that the symbols are on. */
static struct pages find_pages(const struct fp_symbols *symbols)
{
	struct pages pages = {.start = UINTPTR_MAX};

	for (size_t i = 0; i < NAMES; i++) {
		const ElfW(Sym) *symbol = fp_symbols_find(symbols, names[i]);

		if (symbol == NULL)
			continue;
		if ((uintptr_t)symbol < pages.start)
			pages.start = (uintptr_t)symbol;
		if ((uintptr_t)(symbol + 1) > pages.end)
			pages.end = (uintptr_t)(symbol + 1);
	}
	pages.start = fp_align_down(pages.start, fp_vm_page_size());
	pages.end = fp_align_up(pages.end, fp_vm_page_size());
	return pages;
}

/* The loader adds what the table says to the module's address, and that may go round. */
static void name_ours(const struct fp_symbols *symbols, const struct fp_symbols *own)
{
	for (size_t i = 0; i < NAMES; i++) {
		const ElfW(Sym) *symbol = fp_symbols_find(symbols, names[i]);
		uintptr_t function = fp_symbols_address(own, names[i]);

		if (symbol != NULL && function != 0)
			__atomic_store_n((ElfW(Addr) *)(uintptr_t)&symbol->st_value,
			                 function - symbols->bias, __ATOMIC_RELAXED);
	}
}

static int redirect(const struct fp_symbols *symbols, const struct fp_symbols *own)
{
	const struct pages pages = find_pages(symbols);
	size_t bytes = pages.end - pages.start;
	struct fp_maps_place place;

	if (pages.end == 0 || fp_maps_at(pages.start, &place) != 0 || place.end < pages.end)
		return -1;
	int prot = PROT_READ | (place.is_executable ? PROT_EXEC : 0);
	int status = fp_vm_protect(pages.start, bytes, prot | PROT_WRITE);
	if (status != 0)
		return status;
	name_ours(symbols, own);
	fp_vm_protect(pages.start, bytes, prot);
	return 0;
}

void fp_preload_redirect_libc(void)
{
	const struct link_map *libc = find_libc();
	const struct link_map *self = fp_preload_find_self();
	struct fp_symbols symbols;
	struct fp_symbols own;

	/* The other allocator may look for libc's by name, and would meet itself. */
	if (fp_preload_next.is_foreign)
		return;
	if (libc == NULL || self == NULL || !fp_symbols_read(libc, &symbols) ||
	    !fp_symbols_read(self, &own) || redirect(&symbols, &own) != 0)
		fp_session_note("modules that are loaded with RTLD_DEEPBIND use the C "
		                "library's malloc, because its symbol table cannot be written "
		                "to; their blocks are not tracked");
}

/* Of glibc 2.35 on, which says by version 2 that it keeps this. */
struct namespace_list {
	struct r_debug of_one;
	struct namespace_list *next;
};

void fp_preload_note_namespaces(void)
{
	const struct namespace_list *first = (const void *)&_r_debug;

	/* The declaration is of the older form, which the compiler believes. */
	__asm__("" : "+r"(first));
	if (_r_debug.r_version >= 2 && first->next != NULL)
		fp_session_note("modules were loaded into a namespace of their own (dlmopen) "
		                "and use the malloc of a C library of their own; its blocks "
		                "are not tracked");
}
