/* SPDX-License-Identifier: Apache-2.0
 *
 * The modules of this process: their code's address ranges, and from the ELF headers that the
 * loader mapped with them the load bias and the build-id. Which are there is held against which
 * were, so that nobody takes one for another that stood at its addresses before.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "base/align.h"
#include "base/hash.h"
#include "base/maps.h"
#include "base/messages.h"
#include "base/meta.h"
#include "base/own.h"
#include "base/proc.h"
#include "base/readable.h"
#include "base/sys.h"
#include "base/text.h"
#include "log/writer.h"

enum {
	NOTE_ALIGN = 4,
	BUILD_ID_MAX = 64, /* bytes; linkers make 8 to 20 */
	HEADER_MAX = 8192  /* headers and notes are where a file begins */
};

struct scan {
	struct fp_log *log;
	void (*visit)(struct fp_log *log, const struct fp_log_module *module);
	char path[4096]; /* of the file whose first page is mapped at header */
	uintptr_t header;
	uintptr_t header_end;
	int memory; /* /proc/thread-self/mem, or -1 */
	size_t copied;
	_Alignas(8) char copy[HEADER_MAX]; /* of what is mapped at header */
};

/* Another thread may unload it meanwhile: the kernel finds that out without a fault. */
static void copy_header(struct scan *scan)
{
	size_t mapped = scan->header_end - scan->header;
	size_t bytes = mapped < HEADER_MAX ? mapped : HEADER_MAX;
	ssize_t copied = scan->memory < 0 ? -1
	                                  : fp_sys_pread(scan->memory, scan->copy, bytes,
	                                                 (off_t)scan->header);

	/* Without /proc the kernel is asked first, and then there is but a moment left. */
	if (copied < 0 && fp_is_readable((const void *)scan->header, bytes)) {
		memcpy(scan->copy, (const void *)scan->header, bytes);
		copied = (ssize_t)bytes;
	}
	scan->copied = copied < 0 ? 0 : (size_t)copied;
}

/* Any file may be mapped as code, so nothing in it is taken on trust. */
static const ElfW(Ehdr) * elf_header(const struct scan *scan)
{
	const ElfW(Ehdr) *header = (const void *)scan->copy;
	size_t mapped = scan->copied;
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

/* Notes are read where they are mapped, which is behind the headers in practice. */
static void set_build_id(const struct scan *scan, const ElfW(Ehdr) * header,
                         struct fp_log_module *module)
{
	const ElfW(Phdr) *segments = program_headers(header);

	for (size_t i = 0; i < header->e_phnum; i++) {
		uintptr_t start = module->bias + segments[i].p_vaddr;

		if (segments[i].p_type == PT_NOTE && start % NOTE_ALIGN == 0 &&
		    start >= scan->header && start - scan->header <= scan->copied &&
		    segments[i].p_memsz <= scan->copied - (start - scan->header) &&
		    find_build_id(scan->copy + (start - scan->header), segments[i].p_memsz,
		                  module))
			return;
	}
}

static struct fp_log_known_module known_as(const struct fp_log_module *module)
{
	uint64_t hash = fp_hash_bytes(fp_hash_word(0, module->bias), module->path,
	                              strlen(module->path));

	return (struct fp_log_known_module){
	        .start = module->start,
	        .end = module->end,
	        .identity = fp_hash_bytes(hash, module->build_id, module->build_id_bytes),
	};
}

static void mark_seen(struct fp_log *log, const struct fp_log_module *module)
{
	struct fp_log_known_module wanted = known_as(module);

	for (size_t i = 0; i < log->modules; i++) {
		struct fp_log_known_module *known = &log->known[i];

		if (known->start == wanted.start && known->end == wanted.end &&
		    known->identity == wanted.identity)
			known->is_seen = true;
	}
}

static void drop_what_went(struct fp_log *log)
{
	for (size_t i = 0; i < log->modules; i++) {
		struct fp_log_known_module *known = &log->known[i];
		bool is_gone = known->is_there && !known->is_seen;

		known->is_there &= known->is_seen; /* what is back comes */
		known->is_seen = false;
		if (is_gone && log->watch != NULL)
			log->watch->went(known);
	}
}

/* The place for a module that came: that of what readers will forget for it, or a new one. */
static struct fp_log_known_module *find_place(struct fp_log *log,
                                              const struct fp_log_known_module *wanted)
{
	struct fp_log_known_module *place = NULL;

	for (size_t i = 0; i < log->modules; i++) {
		struct fp_log_known_module *known = &log->known[i];

		if (known->start >= wanted->end || known->end <= wanted->start)
			continue;
		if (place != NULL)
			*known = (struct fp_log_known_module){0}; /* no module: no addresses */
		else
			place = known;
	}
	for (size_t i = 0; place == NULL && i < log->modules; i++)
		if (log->known[i].end == 0)
			place = &log->known[i];
	if (place == NULL && log->modules < FP_LOG_MODULES_MAX) {
		place = &log->known[log->modules++];
		*place = (struct fp_log_known_module){0};
	}
	return place;
}

static bool is_same(const struct fp_log_known_module *a, const struct fp_log_known_module *b)
{
	return a->start == b->start && a->end == b->end && a->identity == b->identity;
}

static void log_if_new(struct fp_log *log, const struct fp_log_module *module)
{
	struct fp_log_known_module wanted = known_as(module);
	struct fp_log_known_module *known = find_place(log, &wanted);
	bool is_back = known != NULL && is_same(known, &wanted);

	if (is_back && known->is_there)
		return;
	wanted.is_there = true;
	if (known != NULL)
		*known = wanted;
	if (!is_back)
		fp_log_module(log, module);
}

static void visit_code(struct scan *scan, const struct fp_mapping *mapping)
{
	struct fp_log_module module = {
	        .start = mapping->start,
	        .end = mapping->end,
	        .bias = mapping->start - mapping->file_offset,
	        .path = mapping->path,
	        .build_id = (const uint8_t *)"",
	        .is_own = fp_own_find(mapping->start) != NULL,
	};

	if (strcmp(scan->path, mapping->path) == 0) {
		copy_header(scan);
		const ElfW(Ehdr) *header = elf_header(scan);

		if (header != NULL) {
			module.bias = bias_of(scan, header);
			set_build_id(scan, header, &module);
		}
	}
	scan->visit(scan->log, &module);
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
		visit_code(scan, mapping);
	return true;
}

static int scan_for(struct scan *scan, void (*visit_module)(struct fp_log *log,
                                                            const struct fp_log_module *module))
{
	scan->visit = visit_module;
	scan->path[0] = '\0';
	return fp_maps_each(visit, scan);
}

/* What went first: the records of what came make readers forget it. */
static int scan_twice(struct scan *scan)
{
	/* The first time nothing can have gone. */
	int status = scan->log->modules == 0 ? 0 : scan_for(scan, mark_seen);

	if (status != 0)
		return status;
	drop_what_went(scan->log);
	return scan_for(scan, log_if_new);
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

void fp_log_modules(struct fp_log *log)
{
	struct scan *scan = take_scan();
	int status = -ENOMEM;

	if (scan != NULL) {
		scan->log = log;
		scan->memory = fp_sys_open(FP_PROC_SELF "mem", O_RDONLY | O_CLOEXEC, 0);
		status = scan_twice(scan);
		if (scan->memory >= 0)
			fp_sys_close(scan->memory);
		give_scan(scan);
	}
	if (status != 0)
		fp_log_note(log, FP_TELL_MODULES_UNREAD);
}
