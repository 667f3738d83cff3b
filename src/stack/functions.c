/* SPDX-License-Identifier: Apache-2.0
 *
 * Symbol tables, read from the file: where there is one, .symtab tells of functions that
 * nothing outside of their module can see.
 */
#include "stack/functions.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/align.h"
#include "base/sys.h"
#include "base/vm.h"

/* A file in memory. Nothing in it is taken on trust. */
struct file {
	const char *bytes;
	size_t size;
};

/* Who wants to know, and run-time addresses minus those of the file. */
struct visit {
	void (*visit)(const struct fp_function *function, void *user);
	void *user;
	uintptr_t bias;
};

/* COUNT pieces of SIZE bytes at OFFSET, or NULL when the file does not have them there. */
static const void *part_of(const struct file *file, uint64_t offset, uint64_t count,
                           size_t size)
{
	if (offset > file->size || offset % sizeof(uint64_t) != 0 ||
	    count > (file->size - offset) / size)
		return NULL;
	return file->bytes + offset;
}

/* NULL for what is no ELF file of this machine's class. */
static const ElfW(Ehdr) * header_of(const struct file *file)
{
	const ElfW(Ehdr) *header = part_of(file, 0, 1, sizeof(*header));

	return header != NULL && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	                       header->e_ident[EI_CLASS] ==
	                               (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
	               ? header
	               : NULL;
}

/* Run-time addresses minus those of the file, in the segment that MAPPING is of. */
static bool find_bias(const struct file *file, const struct fp_mapping *mapping,
                      uintptr_t *bias)
{
	const ElfW(Ehdr) *header = header_of(file);
	const ElfW(Phdr) *segments = NULL;
	size_t page = fp_vm_page_size();

	if (header != NULL)
		segments = part_of(file, header->e_phoff, header->e_phnum, sizeof(*segments));

	for (size_t i = 0; segments != NULL && i < header->e_phnum; i++) {
		if (segments[i].p_type != PT_LOAD || (segments[i].p_flags & PF_X) == 0 ||
		    fp_align_down(segments[i].p_offset, page) != mapping->file_offset)
			continue;
		*bias = mapping->start - fp_align_down(segments[i].p_vaddr, page);
		return true;
	}
	return false;
}

/* The sections of FILE, or NULL with a COUNT of 0. */
static const ElfW(Shdr) * sections_of(const struct file *file, size_t *count)
{
	const ElfW(Ehdr) *header = header_of(file);
	const ElfW(Shdr) *sections = NULL;

	if (header != NULL && header->e_shentsize == sizeof(ElfW(Shdr)))
		sections = part_of(file, header->e_shoff, header->e_shnum, sizeof(*sections));
	*count = sections == NULL ? 0 : header->e_shnum;
	return sections;
}

/* Names end before the table of them does: its last byte is one. */
static bool are_terminated(const struct file *file, const ElfW(Shdr) * names)
{
	return names->sh_size > 0 && names->sh_offset <= file->size &&
	       names->sh_size <= file->size - names->sh_offset &&
	       file->bytes[names->sh_offset + names->sh_size - 1] == '\0';
}

typedef void symbol_visitor(const ElfW(Sym) * symbol, const char *name, void *user);

static void visit_table(const struct file *file, const ElfW(Shdr) * table,
                        const ElfW(Shdr) * names, symbol_visitor *visit, void *user)
{
	size_t count = table->sh_size / sizeof(ElfW(Sym));
	const ElfW(Sym) *symbols = part_of(file, table->sh_offset, count, sizeof(*symbols));

	if (symbols == NULL || !are_terminated(file, names))
		return;
	for (size_t i = 0; i < count; i++)
		if (symbols[i].st_name < names->sh_size)
			visit(&symbols[i], file->bytes + names->sh_offset + symbols[i].st_name,
			      user);
}

/* Whether there is a table of TYPE. */
static bool visit_tables(const struct file *file, unsigned type, symbol_visitor *visit,
                         void *user)
{
	size_t count;
	const ElfW(Shdr) *sections = sections_of(file, &count);
	bool is_there = false;

	for (size_t i = 0; i < count; i++) {
		if (sections[i].sh_type != type || sections[i].sh_link >= count)
			continue;
		is_there = true;
		visit_table(file, &sections[i], &sections[sections[i].sh_link], visit, user);
	}
	return is_there;
}

static void visit_function(const ElfW(Sym) * symbol, const char *name, void *user)
{
	const struct visit *visit = user;
	const struct fp_function function = {
	        .name = name,
	        .start = visit->bias + symbol->st_value,
	        .end = visit->bias + symbol->st_value + symbol->st_size,
	};

	if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_value != 0)
		visit->visit(&function, visit->user);
}

/* What the run time throws when there is no memory. Its name is data, which no tool strips, of
 * the module that has the operators. */
static bool has_bad_alloc(const struct file *file)
{
	static const char name[] = "St9bad_alloc";
	size_t count;
	const ElfW(Shdr) *sections = sections_of(file, &count);

	for (size_t i = 0; i < count; i++) {
		const ElfW(Shdr) *section = &sections[i];

		if (section->sh_type == SHT_PROGBITS && section->sh_offset <= file->size &&
		    section->sh_size <= file->size - section->sh_offset &&
		    (section->sh_flags & (SHF_ALLOC | SHF_EXECINSTR | SHF_WRITE)) ==
		            SHF_ALLOC &&
		    memmem(file->bytes + section->sh_offset, section->sh_size, name,
		           sizeof(name)) != NULL)
			return true;
	}
	return false;
}

/* Names of other modules that say: C++ (all modules import the two of it that are in C), and:
 * who allocates goes by the shared run time. */
static bool is_of_cxx(const char *name)
{
	return strncmp(name, "_Z", 2) == 0 || strncmp(name, "__gxx_", 6) == 0 ||
	       (strncmp(name, "__cxa_", 6) == 0 && strcmp(name, "__cxa_finalize") != 0 &&
	        strcmp(name, "__cxa_atexit") != 0);
}

static bool is_operator(const char *name)
{
	return strncmp(name, "_Znw", 4) == 0 || strncmp(name, "_Zna", 4) == 0 ||
	       strncmp(name, "_ZdlPv", 6) == 0 || strncmp(name, "_ZdaPv", 6) == 0;
}

struct operators {
	bool are_wanted; /* the module is C++ */
	bool are_named;
};

static void look_at_symbol(const ElfW(Sym) * symbol, const char *name, void *user)
{
	struct operators *operators = user;

	operators->are_named |= is_operator(name);
	operators->are_wanted |= symbol->st_shndx == SHN_UNDEF && is_of_cxx(name);
}

static void look_at_no_symbol(const ElfW(Sym) * symbol, const char *name, void *user)
{
	(void)symbol, (void)name, (void)user;
}

/* Whether a stripped module is C++ and neither takes the operators from others nor gives them:
 * then it has hidden ones, if it allocates at all. */
static bool hides_operators(const struct file *file)
{
	struct operators operators = {0};

	return !visit_tables(file, SHT_SYMTAB, look_at_no_symbol, NULL) &&
	       visit_tables(file, SHT_DYNSYM, look_at_symbol, &operators) &&
	       operators.are_wanted && !operators.are_named;
}

static bool open_file(const char *path, struct file *file)
{
	int fd = path[0] == '/' ? fp_sys_open(path, O_RDONLY | O_CLOEXEC, 0) : -1;
	uintptr_t bytes;

	if (fd < 0)
		return false;
	long size = fp_sys_lseek(fd, 0, SEEK_END);
	int status = size <= 0 ? -1 : fp_vm_map_file(fd, (size_t)size, &bytes);
	fp_sys_close(fd);
	if (status != 0)
		return false;
	*file = (struct file){(const char *)bytes, (size_t)size};
	return true;
}

static void close_file(const struct file *file)
{
	fp_vm_unmap((uintptr_t)file->bytes, file->size);
}

void fp_functions_each(const struct fp_mapping *mapping,
                       void (*visitor)(const struct fp_function *, void *), void *user)
{
	struct visit visit = {.visit = visitor, .user = user};
	struct file file;

	if (!open_file(mapping->path, &file))
		return;
	if (find_bias(&file, mapping, &visit.bias)) {
		visit_tables(&file, SHT_SYMTAB, visit_function, &visit);
		visit_tables(&file, SHT_DYNSYM, visit_function, &visit);
	}
	close_file(&file);
}

bool fp_functions_hide_operators(const struct fp_mapping *mapping)
{
	struct file file;

	if (!open_file(mapping->path, &file))
		return false;
	bool has = has_bad_alloc(&file) || hides_operators(&file);
	close_file(&file);
	return has;
}
