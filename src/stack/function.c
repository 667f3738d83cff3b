/* SPDX-License-Identifier: Apache-2.0
 *
 * The symbol tables of the files that are mapped as code, each read once, when a trace first
 * leads through it. What was learned is only added to, so readers take no lock; whoever adds
 * holds the lock of /proc/self/maps. A module that takes the place of an unloaded one goes by
 * what that one was.
 */
#include "stack/function.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/align.h"
#include "base/maps.h"
#include "base/vm.h"
#include "stack/stack.h"

enum { RANGES_MAX = 4096, VERDICTS = 4096 };

struct range {
	uintptr_t start;
	uintptr_t end;
};

/* Only ever appended to. */
struct ranges {
	_Atomic size_t count;
	struct range all[RANGES_MAX];
};

static const char *watched;
static struct ranges functions;             /* where the function is */
static struct ranges modules;               /* where it has been looked for */
static _Atomic uint64_t verdicts[VERDICTS]; /* trace << 1 | verdict, at a place of the trace */

static void append(struct ranges *ranges, uintptr_t start, uintptr_t end)
{
	size_t count = atomic_load_explicit(&ranges->count, memory_order_relaxed);

	if (count == RANGES_MAX)
		return;
	ranges->all[count] = (struct range){start, end};
	atomic_store_explicit(&ranges->count, count + 1, memory_order_release);
}

static bool contains(const struct ranges *ranges, uintptr_t address)
{
	size_t count = atomic_load_explicit(&ranges->count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		if (address >= ranges->all[i].start && address < ranges->all[i].end)
			return true;
	return false;
}

/* A file in memory. Nothing in it is taken on trust. */
struct file {
	const char *bytes;
	size_t size;
};

/* COUNT pieces of SIZE bytes at OFFSET, or NULL when the file does not have them there. */
static const void *part_of(const struct file *file, uint64_t offset, uint64_t count,
                           size_t size)
{
	if (offset > file->size || offset % sizeof(uint32_t) != 0 ||
	    count > (file->size - offset) / size)
		return NULL;
	return file->bytes + offset;
}

static bool is_watched(const char *name, size_t reach)
{
	size_t length = strlen(watched);

	return reach > length && memcmp(name, watched, length) == 0 &&
	       (name[length] == '\0' || name[length] == '.' || name[length] == '@');
}

static void add_functions(const struct file *file, const ElfW(Shdr) * table,
                          const ElfW(Shdr) * names, uintptr_t bias)
{
	size_t count = table->sh_size / sizeof(ElfW(Sym));
	const ElfW(Sym) *symbols = part_of(file, table->sh_offset, count, sizeof(*symbols));
	bool are_names_there = names->sh_offset <= file->size &&
	                       names->sh_size <= file->size - names->sh_offset;

	for (size_t i = 0; symbols != NULL && are_names_there && i < count; i++) {
		const ElfW(Sym) *symbol = &symbols[i];

		if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_value != 0 &&
		    symbol->st_name < names->sh_size &&
		    is_watched(file->bytes + names->sh_offset + symbol->st_name,
		               names->sh_size - symbol->st_name))
			append(&functions, bias + symbol->st_value,
			       bias + symbol->st_value + symbol->st_size);
	}
}

/* Run-time addresses minus those of the file, in the segment that MAPPING is of. */
static bool find_bias(const struct file *file, const struct fp_mapping *mapping,
                      uintptr_t *bias)
{
	const ElfW(Ehdr) *header = part_of(file, 0, 1, sizeof(*header));
	const ElfW(Phdr) *segments =
	        part_of(file, header->e_phoff, header->e_phnum, sizeof(*segments));
	size_t page = fp_vm_page_size();

	for (size_t i = 0; segments != NULL && i < header->e_phnum; i++) {
		if (segments[i].p_type != PT_LOAD || (segments[i].p_flags & PF_X) == 0 ||
		    fp_align_down(segments[i].p_offset, page) != mapping->file_offset)
			continue;
		*bias = mapping->start - fp_align_down(segments[i].p_vaddr, page);
		return true;
	}
	return false;
}

static void search_file(const struct file *file, const struct fp_mapping *mapping)
{
	const ElfW(Ehdr) *header = part_of(file, 0, 1, sizeof(*header));
	uintptr_t bias;

	if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    header->e_shentsize != sizeof(ElfW(Shdr)) || !find_bias(file, mapping, &bias))
		return;
	const ElfW(Shdr) *sections =
	        part_of(file, header->e_shoff, header->e_shnum, sizeof(*sections));
	for (size_t i = 0; sections != NULL && i < header->e_shnum; i++)
		if ((sections[i].sh_type == SHT_SYMTAB || sections[i].sh_type == SHT_DYNSYM) &&
		    sections[i].sh_link < header->e_shnum)
			add_functions(file, &sections[i], &sections[sections[i].sh_link], bias);
}

static void search_module(const struct fp_mapping *mapping)
{
	int fd = open(mapping->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	long size = syscall(SYS_lseek, fd, 0, SEEK_END);
	uintptr_t bytes;
	int status = size <= 0 ? -1 : fp_vm_map_file(fd, (size_t)size, &bytes);
	close(fd);
	if (status != 0)
		return;
	search_file(&(struct file){(const char *)bytes, (size_t)size}, mapping);
	fp_vm_unmap(bytes, (size_t)size);
}

static bool visit(const struct fp_mapping *mapping, void *unused)
{
	(void)unused;
	if (!mapping->is_executable || contains(&modules, mapping->start))
		return true;
	if (mapping->path[0] == '/')
		search_module(mapping);
	append(&modules, mapping->start, mapping->end);
	return true;
}

/* Whether the function holds the return ADDRESS. The call stands before it, also when that was
 * the last instruction of the function. */
static bool is_in_function(uintptr_t address)
{
	if (!contains(&modules, address - 1))
		fp_maps_each(visit, NULL);
	return contains(&functions, address - 1);
}

static bool judge(fp_trace_id trace)
{
	size_t count;
	const uintptr_t *addresses = fp_stack_trace(trace, &count);

	for (size_t i = 0; i < count; i++)
		if (addresses[i] != FP_TRACE_CALLERS_UNKNOWN && is_in_function(addresses[i]))
			return true;
	return false;
}

void fp_function_watch(const char *name)
{
	watched = name;
	fp_maps_each(visit, NULL);
}

bool fp_function_leads_to(fp_trace_id trace)
{
	_Atomic uint64_t *place = &verdicts[trace % VERDICTS];
	uint64_t known = atomic_load_explicit(place, memory_order_relaxed);

	if (trace != FP_TRACE_NONE && known >> 1 == trace)
		return known & 1;
	bool verdict = judge(trace);
	atomic_store_explicit(place, (uint64_t)trace << 1 | verdict, memory_order_relaxed);
	return verdict;
}

bool fp_function_is_known(void)
{
	return atomic_load(&functions.count) > 0;
}
