/* SPDX-License-Identifier: Apache-2.0
 *
 * _dl_find_object, which older C libraries lack. Modules are found among the mappings of the
 * process and kept: looking at the loader's list would take its lock. One that is kept may have
 * been unloaded since, and another be in its place: its header is compared, by the kernel,
 * before it is believed.
 */
#include "base/old_libc.h"

#include <elf.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/maps.h"
#include "base/sys.h"

enum { MODULES_MAX = 1024, RANGES_MAX = 64, MAPPINGS_MAX = 16, HEADERS_MAX = 64 };

#ifndef __GLIBC__
struct r_debug _r_debug; /* musl does not show its list: it is empty */

int __sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	return sigaction(signal, action, old);
}
#endif

struct module {
	_Atomic uintptr_t start; /* 0: not there yet, or not any more */
	uintptr_t end;
	void *index;
	struct link_map map;
	ElfW(Ehdr) header;
};

/* Mapped, with code in it, and no module. */
struct range {
	_Atomic uintptr_t start;
	_Atomic uintptr_t end;
};

static struct module modules[MODULES_MAX];
static _Atomic unsigned count;
static struct range ranges[RANGES_MAX];
static _Atomic unsigned next_range;

/* Without a fault where there is nothing. */
static bool read_memory(uintptr_t address, void *bytes, size_t size)
{
	const struct iovec here = {bytes, size};
	const struct iovec there = {(void *)address, size};

	return fp_sys(SYS_process_vm_readv, fp_sys_getpid(), &here, 1, &there, 1, 0) ==
	       (long)size;
}

static bool is_still_there(const struct module *module, uintptr_t start)
{
	ElfW(Ehdr) header;

	return read_memory(start, &header, sizeof(header)) &&
	       memcmp(&header, &module->header, sizeof(header)) == 0;
}

static const struct module *find_kept(uintptr_t pc)
{
	unsigned used = atomic_load(&count);

	for (unsigned i = used < MODULES_MAX ? used : MODULES_MAX; i-- > 0;) {
		uintptr_t start = atomic_load(&modules[i].start);

		if (start == 0 || pc < start || pc >= modules[i].end)
			continue;
		if (is_still_there(&modules[i], start))
			return &modules[i];
		atomic_store(&modules[i].start, 0);
	}
	return NULL;
}

static bool is_known_to_be_none(uintptr_t pc)
{
	for (unsigned i = 0; i < RANGES_MAX; i++)
		if (pc >= atomic_load(&ranges[i].start) && pc < atomic_load(&ranges[i].end))
			return true;
	return false;
}

static void keep_range(const struct fp_maps_place *place)
{
	struct range *range = &ranges[atomic_fetch_add(&next_range, 1) % RANGES_MAX];

	atomic_store(&range->end, 0);
	atomic_store(&range->start, place->start);
	atomic_store(&range->end, place->end);
}

/* What the header at START says of a module that PC is in. */
static bool read_module(uintptr_t start, uintptr_t pc, struct module *module)
{
	ElfW(Phdr) segments[HEADERS_MAX];
	ElfW(Ehdr) *header = &module->header;

	if (!read_memory(start, header, sizeof(*header)) ||
	    memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_phnum > HEADERS_MAX ||
	    header->e_phentsize != sizeof(segments[0]) ||
	    !read_memory(start + header->e_phoff, segments,
	                 header->e_phnum * sizeof(segments[0])))
		return false;
	uintptr_t bias = start;
	for (size_t i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
			bias = start - segments[i].p_vaddr;
	module->map.l_addr = bias;
	for (size_t i = 0; i < header->e_phnum; i++) {
		uintptr_t address = bias + segments[i].p_vaddr;

		if (segments[i].p_type == PT_LOAD)
			module->end = address + segments[i].p_memsz;
		else if (segments[i].p_type == PT_GNU_EH_FRAME)
			module->index = (void *)address;
	}
	return pc < module->end;
}

static const struct module *keep(const struct module *found, uintptr_t start)
{
	unsigned number = atomic_fetch_add(&count, 1);

	if (number >= MODULES_MAX) {
		atomic_store(&count, MODULES_MAX);
		return NULL;
	}
	modules[number].end = found->end;
	modules[number].index = found->index;
	modules[number].map = found->map;
	modules[number].header = found->header;
	atomic_store(&modules[number].start, start);
	return &modules[number];
}

/* Its header is at the beginning of one of the mappings right below. */
static const struct module *look_for(uintptr_t pc)
{
	struct fp_maps_place place;
	uintptr_t address = pc;

	for (int i = 0;
	     i < MAPPINGS_MAX && fp_maps_at(address, &place) == 0 && place.start != 0; i++) {
		struct module module = {.index = NULL};

		if (i == 0 && !place.is_executable)
			return NULL;
		if (place.is_mapped && place.is_readable &&
		    read_module(place.start, pc, &module))
			return keep(&module, place.start);
		if (i == 0 && !place.is_file) {
			keep_range(&place);
			return NULL;
		}
		address = place.start - 1;
	}
	return NULL;
}

int _dl_find_object(void *address, struct dl_find_object *result)
{
	uintptr_t pc = (uintptr_t)address;
	const struct module *module = find_kept(pc);

	if (module == NULL && !is_known_to_be_none(pc))
		module = look_for(pc);
	if (module == NULL || module->index == NULL)
		return -1;
	*result = (struct dl_find_object){
	        .dlfo_map_start = (void *)atomic_load(&module->start),
	        .dlfo_map_end = (void *)module->end,
	        .dlfo_link_map = (struct link_map *)(uintptr_t)&module->map,
	        .dlfo_eh_frame = module->index,
	};
	return 0;
}
