/* SPDX-License-Identifier: Apache-2.0
 *
 * The modules of this process: their code's address ranges, and from the ELF headers that the
 * loader mapped with them the load bias and the build-id.
 */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "base/align.h"
#include "base/maps.h"
#include "base/meta.h"
#include "base/text.h"
#include "log/writer.h"

enum {
	NOTE_ALIGN = 4,
	BUILD_ID_MAX = 64 /* bytes; linkers make 8 to 20 */
};

struct scan {
	struct fp_log *log;
	uintptr_t own_code;
	char path[4096]; /* of the file whose first page is mapped at header */
	uintptr_t header;
	uintptr_t header_end;
};

/* Any file may be mapped as code, so nothing in it is taken on trust. */
static const ElfW(Ehdr) * elf_header(const struct scan *scan)
{
	const ElfW(Ehdr) *header = (const void *)scan->header;
	size_t mapped = scan->header_end - scan->header;
	int native = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;

	if (mapped < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != native)
		return NULL;
	if (header->e_phoff > mapped || header->e_phoff % sizeof(void *) != 0 ||
	    header->e_phentsize != sizeof(ElfW(Phdr)) ||
	    header->e_phnum > (mapped - header->e_phoff) / sizeof(ElfW(Phdr)))
		return NULL;
	return header;
}

static const ElfW(Phdr) * program_headers(const ElfW(Ehdr) * header)
{
	return (const void *)((const char *)header + header->e_phoff);
}

static uintptr_t bias_of(const struct scan *scan, const ElfW(Ehdr) * header)
{
	const ElfW(Phdr) *segments = program_headers(header);

	for (size_t i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD)
			return scan->header - (segments[i].p_vaddr - segments[i].p_offset);
	return scan->header;
}

/* What stands behind NOTE's header and is in reach; SIZE_MAX when the note is longer than that.
 */
static size_t note_bytes(const ElfW(Nhdr) * note, size_t reach)
{
	if (note->n_namesz > reach || note->n_descsz > reach)
		return SIZE_MAX;
	size_t bytes = fp_align_up(note->n_namesz, NOTE_ALIGN) + note->n_descsz;
	return bytes > reach ? SIZE_MAX : fp_align_up(bytes, NOTE_ALIGN);
}

static bool find_build_id(const char *notes, size_t bytes, struct fp_log_module *module)
{
	for (size_t at = 0; at < bytes && bytes - at >= sizeof(ElfW(Nhdr));) {
		const ElfW(Nhdr) *note = (const void *)(notes + at);
		const char *name = notes + at + sizeof(*note);
		size_t length = note_bytes(note, bytes - at - sizeof(*note));

		if (length == SIZE_MAX)
			return false;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    note->n_descsz <= BUILD_ID_MAX && memcmp(name, "GNU", 4) == 0) {
			module->build_id = (const uint8_t *)name + 4;
			module->build_id_bytes = note->n_descsz;
			return true;
		}
		at += sizeof(*note) + length;
	}
	return false;
}

/* Notes are read where they are mapped, which is the header's mapping in practice. */
static void set_build_id(const struct scan *scan, const ElfW(Ehdr) * header,
                         struct fp_log_module *module)
{
	const ElfW(Phdr) *segments = program_headers(header);

	for (size_t i = 0; i < header->e_phnum; i++) {
		uintptr_t start = module->bias + segments[i].p_vaddr;

		if (segments[i].p_type == PT_NOTE && start % NOTE_ALIGN == 0 &&
		    start >= scan->header && start <= scan->header_end &&
		    segments[i].p_memsz <= scan->header_end - start &&
		    find_build_id((const char *)start, segments[i].p_memsz, module))
			return;
	}
}

static uint64_t identity_of(const struct fp_log_module *module)
{
	uint64_t hash = module->end ^ module->bias * 0x9e3779b97f4a7c15u;

	for (const char *at = module->path; *at != '\0'; at++)
		hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
	return hash;
}

/* Whether MODULE is new at its address; remembers it. */
static bool is_new(struct fp_log *log, const struct fp_log_module *module)
{
	uint64_t identity = identity_of(module);
	size_t at = 0;

	while (at < log->modules && log->known[at].start != module->start)
		at++;
	if (at < log->modules && log->known[at].identity == identity)
		return false;
	if (at == FP_LOG_MODULES_MAX)
		return true;
	if (at == log->modules)
		log->modules++;
	log->known[at].start = module->start;
	log->known[at].identity = identity;
	return true;
}

static void log_code(struct scan *scan, const struct fp_mapping *mapping)
{
	struct fp_log_module module = {
	        .start = mapping->start,
	        .end = mapping->end,
	        .bias = mapping->start - mapping->file_offset,
	        .path = mapping->path,
	        .build_id = (const uint8_t *)"",
	        .is_own = scan->own_code >= mapping->start && scan->own_code < mapping->end,
	};

	if (strcmp(scan->path, mapping->path) == 0) {
		const ElfW(Ehdr) *header = elf_header(scan);

		if (header != NULL) {
			module.bias = bias_of(scan, header);
			set_build_id(scan, header, &module);
		}
	}
	if (is_new(scan->log, &module))
		fp_log_module(scan->log, &module);
}

static bool visit(const struct fp_mapping *mapping, void *user)
{
	struct scan *scan = user;

	if (mapping->path[0] != '/')
		return true;
	if (mapping->file_offset == 0 && mapping->is_readable) {
		struct fp_text path;

		fp_text_begin(&path, scan->path, sizeof(scan->path));
		fp_text_string(&path, mapping->path);
		scan->header = mapping->start;
		scan->header_end = mapping->end;
	}
	if (mapping->is_executable)
		log_code(scan, mapping);
	return true;
}

/* For what is found when there is no memory. */
static struct scan spare;
static _Atomic bool is_spare_taken;

static struct scan *take_scan(void)
{
	struct scan *scan = fp_meta_alloc(sizeof(*scan));

	if (scan != NULL || atomic_exchange(&is_spare_taken, true))
		return scan;
	memset(&spare, 0, sizeof(spare));
	return &spare;
}

static void give_scan(struct scan *scan)
{
	if (scan == &spare)
		atomic_store(&is_spare_taken, false);
	else
		fp_meta_free(scan, sizeof(*scan));
}

void fp_log_modules(struct fp_log *log, uintptr_t own_code)
{
	struct scan *scan = take_scan();
	int status = -ENOMEM;

	if (scan != NULL) {
		scan->log = log;
		scan->own_code = own_code;
		status = fp_maps_each(visit, scan);
		give_scan(scan);
	}
	if (status != 0)
		fp_log_note(log, "the list of loaded modules could not be read from "
		                 "/proc/self/maps, so some addresses stay without names");
}
