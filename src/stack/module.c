/* SPDX-License-Identifier: Apache-2.0
 *
 * A table that is only appended to, so that it is read without a lock. A module that comes back
 * to where it was has its number again. Two modules at the same addresses are told apart by
 * what the loader says of them and by their build-ids.
 */
#include "stack/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/lock.h"
#include "stack/stack.h"

enum { NOTE_ALIGN = 4, IDENTITY_BYTES = 8, HEADERS_MAX = 64 };

struct module {
	uintptr_t start;
	uintptr_t end;
	uintptr_t first;    /* all that is mapped of it, */
	uintptr_t last;     /* and its end */
	const void *loaded; /* the loader's own record of it */
	const uint8_t *index;
	const uint8_t *identity_at; /* in the module: eight bytes that others have otherwise */
	uint64_t identity;
	uint64_t mark;
	_Atomic bool is_current; /* the latest that was met at its addresses */
	_Atomic bool is_told;
};

static struct module modules[FP_MODULES_MAX + 1]; /* the first is not used */
static _Atomic unsigned count;                    /* the last one that is */
static _Atomic unsigned untold;
static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_DEPOT);
FP_HELD_ACROSS_FORK(FP_RANK_DEPOT, &lock);

static uint64_t read_identity(const uint8_t *at)
{
	uint64_t identity = 0;

	if (at != NULL)
		memcpy(&identity, at, sizeof(identity));
	return identity;
}

static const uint8_t *find_in_notes(const uint8_t *notes, size_t bytes)
{
	for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= bytes;) {
		const ElfW(Nhdr) *note = (const void *)(notes + at);
		size_t name = (note->n_namesz + NOTE_ALIGN - 1) & ~(size_t)(NOTE_ALIGN - 1);
		size_t content = (note->n_descsz + NOTE_ALIGN - 1) & ~(size_t)(NOTE_ALIGN - 1);

		at += sizeof(*note);
		if (name + content > bytes - at)
			break;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_descsz >= IDENTITY_BYTES)
			return notes + at + name;
		at += name + content;
	}
	return NULL;
}

/* Its build-id, or without one the beginning of its index: where code is. */
static const uint8_t *find_identity(const struct dl_find_object *object)
{
	const ElfW(Ehdr) *header = object->dlfo_map_start;
	const uint8_t *found = NULL;

	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_phnum > HEADERS_MAX)
		return object->dlfo_eh_frame;
	const ElfW(Phdr) *segments = (const void *)((const uint8_t *)header + header->e_phoff);
	for (size_t i = 0; found == NULL && i < header->e_phnum; i++)
		if (segments[i].p_type == PT_NOTE)
			found = find_in_notes((const uint8_t *)object->dlfo_link_map->l_addr +
			                              segments[i].p_vaddr,
			                      segments[i].p_memsz);
	return found != NULL ? found : object->dlfo_eh_frame;
}

static void widen(struct module *module, uintptr_t start, uintptr_t end)
{
	if (start < module->first)
		module->first = start;
	if (end > module->last)
		module->last = end;
}

/* Of the program, which the kernel has mapped, _dl_find_object tells the segment with code
 * alone: its .eh_frame is in another one. Where it is ours (base/old_libc.h) it tells all, and
 * no name. */
static void find_extent(const struct dl_find_object *object, struct module *module)
{
	const struct link_map *loaded = object->dlfo_link_map;
	const ElfW(Phdr) *segments = (const void *)getauxval(AT_PHDR);
	size_t segment_count = getauxval(AT_PHNUM);

	module->first = module->start;
	module->last = module->end;
	if (loaded == NULL || loaded->l_prev != NULL || loaded->l_name == NULL ||
	    loaded->l_name[0] != '\0')
		return;
	for (size_t i = 0; segments != NULL && i < segment_count; i++)
		if (segments[i].p_type == PT_LOAD)
			widen(module, loaded->l_addr + segments[i].p_vaddr,
			      loaded->l_addr + segments[i].p_vaddr + segments[i].p_memsz);
}

static bool is_at(const struct module *module, const struct dl_find_object *object)
{
	return module->start == (uintptr_t)object->dlfo_map_start &&
	       module->end == (uintptr_t)object->dlfo_map_end &&
	       module->loaded == object->dlfo_link_map &&
	       module->index == object->dlfo_eh_frame &&
	       module->identity == read_identity(module->identity_at);
}

static unsigned find(const struct dl_find_object *object)
{
	unsigned last = atomic_load_explicit(&count, memory_order_acquire);

	/* The latest are most likely the ones that are there. */
	for (unsigned number = last; number > 0; number--)
		if (is_at(&modules[number], object))
			return number;
	return FP_MODULE_NONE;
}

static bool overlap(const struct module *one, const struct module *other)
{
	return one->start < other->end && other->start < one->end;
}

/* Whether other modules than NUMBER had its addresses. */
static bool is_shared(unsigned number, unsigned last)
{
	for (unsigned i = 1; i <= last; i++)
		if (i != number && overlap(&modules[i], &modules[number]))
			return true;
	return false;
}

static void make_current_locked(unsigned number)
{
	unsigned last = atomic_load(&count);

	for (unsigned i = 1; i <= last; i++)
		if (overlap(&modules[i], &modules[number]))
			atomic_store(&modules[i].is_current, i == number);
	if (atomic_exchange(&modules[number].is_told, false))
		atomic_fetch_add(&untold, 1);
}

static unsigned append_locked(const struct module *module)
{
	unsigned number = atomic_load(&count) + 1;

	if (number > FP_MODULES_MAX)
		return FP_MODULE_UNKNOWN;
	modules[number] = *module;
	modules[number].mark = is_shared(number, number - 1) ? number : 0;
	atomic_store_explicit(&count, number, memory_order_release);
	make_current_locked(number);
	return number;
}

/* One that is met for the first time, or was away. */
static unsigned meet(const struct dl_find_object *object)
{
	struct module module = {
	        .start = (uintptr_t)object->dlfo_map_start,
	        .end = (uintptr_t)object->dlfo_map_end,
	        .loaded = object->dlfo_link_map,
	        .index = object->dlfo_eh_frame,
	        .identity_at = find_identity(object),
	        .is_told = true,
	};

	module.identity = read_identity(module.identity_at);
	find_extent(object, &module);
	fp_lock_acquire(&lock);
	/* Another thread may have met it meanwhile. */
	unsigned number = find(object);
	if (number == FP_MODULE_NONE)
		number = append_locked(&module);
	else if (!atomic_load(&modules[number].is_current))
		make_current_locked(number);
	fp_lock_release(&lock);
	return number;
}

struct fp_module fp_module_at(uintptr_t pc)
{
	struct dl_find_object object;

	if (_dl_find_object((void *)pc, &object) != 0)
		return (struct fp_module){.number = FP_MODULE_NONE};
	unsigned number = find(&object);
	if (number == FP_MODULE_NONE || !atomic_load(&modules[number].is_current))
		number = meet(&object);
	bool is_known = number <= FP_MODULES_MAX;
	return (struct fp_module){
	        .number = number,
	        .index = object.dlfo_eh_frame,
	        .start = is_known ? modules[number].first : (uintptr_t)object.dlfo_map_start,
	        .end = is_known ? modules[number].last : (uintptr_t)object.dlfo_map_end,
	};
}

bool fp_module_is_there(unsigned number, uintptr_t pc)
{
	struct dl_find_object object;
	bool is_module = _dl_find_object((void *)pc, &object) == 0;

	if (number == FP_MODULE_NONE || !is_module)
		return number == FP_MODULE_NONE && !is_module;
	return number <= FP_MODULES_MAX &&
	       atomic_load_explicit(&modules[number].is_current, memory_order_relaxed) &&
	       is_at(&modules[number], &object);
}

uint64_t fp_module_mark(unsigned number)
{
	return number == FP_MODULE_UNKNOWN ? number : modules[number].mark;
}

bool fp_module_tell(struct fp_stack_code *code)
{
	unsigned last = atomic_load_explicit(&count, memory_order_acquire);

	if (atomic_load_explicit(&untold, memory_order_relaxed) == 0)
		return false;
	for (unsigned i = 1; i <= last; i++) {
		if (atomic_exchange(&modules[i].is_told, true))
			continue;
		atomic_fetch_sub(&untold, 1);
		*code = (struct fp_stack_code){
		        .start = modules[i].start,
		        .end = modules[i].end,
		        .is_first = !is_shared(i, last),
		};
		return true;
	}
	return false;
}
