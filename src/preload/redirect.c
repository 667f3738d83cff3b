/* SPDX-License-Identifier: Apache-2.0
 *
 * A module that is loaded with RTLD_DEEPBIND, and whoever asks dlsym(3) about libc, finds
 * libc's malloc before ours; what one of the two makes, the other cannot free. The flag is not
 * taken away, because such a module needs its own names first, and nobody stands between it and
 * the loader, which looks at who calls. Instead, libc's symbol table in memory names ours.
 *
 * What libc itself calls goes by ours anyway. What we need of libc's own was found before.
 *
 * A namespace of its own (dlmopen) has a libc of its own. When it has been loaded, the same is
 * done to that, and what its modules were bound to is bound to ours. What they allocated
 * before, in their constructors, is of a heap that is nobody's any more: it is never given
 * back.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/maps.h"
#include "base/messages.h"
#include "base/symbols.h"
#include "base/vm.h"
#include "preload/door.h"
#include "preload/export.h"
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

/* Whether PAGES can be written to until they have the protection PROT again. */
static bool open_pages(const struct pages *pages, int *prot)
{
	struct fp_maps_place place;

	if (pages->end == 0 || fp_maps_at(pages->start, &place) != 0 || !place.is_mapped ||
	    place.end < pages->end)
		return false;
	*prot = PROT_READ | (place.is_writable ? PROT_WRITE : 0) |
	        (place.is_executable ? PROT_EXEC : 0);
	return place.is_writable ||
	       fp_vm_protect(pages->start, pages->end - pages->start, *prot | PROT_WRITE) == 0;
}

static void close_pages(const struct pages *pages, int prot)
{
	if ((prot & PROT_WRITE) == 0)
		fp_vm_protect(pages->start, pages->end - pages->start, prot);
}

static bool redirect(const struct link_map *libc, const struct fp_symbols *own)
{
	struct fp_symbols symbols;
	int prot;

	if (!fp_symbols_read(libc, &symbols))
		return false;
	const struct pages pages = find_pages(&symbols);
	if (!open_pages(&pages, &prot))
		return false;
	name_ours(&symbols, own);
	close_pages(&pages, prot);
	return true;
}

void fp_preload_redirect_libc(void)
{
	const struct link_map *libc = find_libc();
	const struct link_map *self = fp_preload_find_self();
	struct fp_symbols own;

	/* The other allocator may look for libc's by name, and would meet itself. */
	if (fp_preload_next.is_foreign)
		return;
	if (libc == NULL || self == NULL || !fp_symbols_read(self, &own) ||
	    !redirect(libc, &own))
		fp_session_note(FP_TELL_DEEPBIND);
}

/* ---- Namespaces -----------------------------------------------------------------------------
 */

#if defined(__x86_64__)
enum { OF_CALL = R_X86_64_JUMP_SLOT, OF_SLOT = R_X86_64_GLOB_DAT, OF_DATA = R_X86_64_64 };
#elif defined(__aarch64__)
enum { OF_CALL = R_AARCH64_JUMP_SLOT, OF_SLOT = R_AARCH64_GLOB_DAT, OF_DATA = R_AARCH64_ABS64 };
#else
enum { OF_CALL = -1, OF_SLOT = -1, OF_DATA = -1 };
#endif

static _Atomic bool have_namespaces; /* that were redirected */

bool fp_preload_has_namespaces(void)
{
	return atomic_load_explicit(&have_namespaces, memory_order_relaxed);
}

/* Ours of that name, or 0. */
static uintptr_t find_own(const struct fp_symbols *own, const char *name)
{
	for (size_t i = 0; i < NAMES; i++)
		if (strcmp(names[i], name) == 0)
			return fp_symbols_address(own, name);
	return 0;
}

static void bind_slot(uintptr_t slot, uintptr_t function)
{
	const uintptr_t page = fp_align_down(slot, fp_vm_page_size());
	const struct pages pages = {page, page + fp_vm_page_size()};
	int prot;

	if (!open_pages(&pages, &prot))
		return;
	__atomic_store_n((uintptr_t *)slot, function, __ATOMIC_RELAXED);
	close_pages(&pages, prot);
}

static void bind_all(const struct fp_symbols *symbols, const ElfW(Rela) * table, size_t bytes,
                     const struct fp_symbols *own)
{
	for (size_t i = 0; table != NULL && i < bytes / sizeof(*table); i++) {
		int type = (int)ELF64_R_TYPE(table[i].r_info);
		const ElfW(Sym) *symbol = &symbols->table[ELF64_R_SYM(table[i].r_info)];
		uintptr_t function = 0;

		if (type == OF_CALL || type == OF_SLOT || type == OF_DATA)
			function = find_own(own, symbols->names + symbol->st_name);
		if (function != 0)
			bind_slot(symbols->bias + table[i].r_offset,
			          function + (uintptr_t)table[i].r_addend);
	}
}

static void bind_module(const struct link_map *module, const struct fp_symbols *own)
{
	const ElfW(Rela) * tables[2] = {NULL, NULL};
	size_t bytes[2] = {0, 0};
	struct fp_symbols symbols;

	if (!fp_symbols_read(module, &symbols))
		return;
	for (const ElfW(Dyn) *entry = module->l_ld; entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag == DT_RELASZ || entry->d_tag == DT_PLTRELSZ)
			bytes[entry->d_tag == DT_PLTRELSZ] = entry->d_un.d_val;
		else if (entry->d_tag == DT_RELA || entry->d_tag == DT_JMPREL)
			tables[entry->d_tag == DT_JMPREL] =
			        (const void *)fp_symbols_entry(module, entry);
	}
	for (int i = 0; i < 2; i++)
		bind_all(&symbols, tables[i], bytes[i], own);
}

/* Of the modules of HANDLE's namespace, and what is loaded into it from now on. */
static void redirect_namespace(void *handle)
{
	const struct link_map *self = fp_preload_find_self();
	const struct link_map *first;
	struct fp_symbols own;

	if (fp_preload_next.is_foreign || self == NULL || !fp_symbols_read(self, &own) ||
	    dlinfo(handle, RTLD_DI_LINKMAP, &first) != 0)
		return;
	while (first->l_prev != NULL)
		first = first->l_prev;
	/* (The loader is in all of them.) */
	if (first == _r_debug.r_map)
		return;
	for (const struct link_map *module = first; module != NULL; module = module->l_next) {
		if (fp_preload_is_libc(module) && !redirect(module, &own))
			return;
		bind_module(module, &own);
	}
	if (!atomic_exchange(&have_namespaces, true))
		fp_session_note(FP_TELL_NAMESPACE);
}

/* Where the loader has to know who calls, it is called by a jump, and nobody comes back to
 * look: for a name that begins with $ORIGIN, and for one that is found on the caller's own path
 * only. */
FP_EXPORT void *dlmopen(Lmid_t space, const char *file, int mode)
{
	__typeof__(&dlmopen) next = FP_LIBC(dlmopen);

	if (space == LM_ID_BASE || file == NULL || strchr(file, '$') != NULL)
		return next(space, file, mode);
	void *handle = next(space, file, mode);
	if (handle == NULL && strchr(file, '/') == NULL)
		return next(space, file, mode);
	if (handle != NULL)
		redirect_namespace(handle);
	return handle;
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
	if (!fp_preload_has_namespaces() && _r_debug.r_version >= 2 && first->next != NULL &&
	    first->next->of_one.r_map != NULL)
		fp_session_note(FP_TELL_NAMESPACE_MALLOC);
}
