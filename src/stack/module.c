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

#include "base/lock.h"
#include "stack/stack.h"

enum { NOTE_ALIGN = 4, IDENTITY_BYTES = 8, HEADERS_MAX = 64 };

struct module {
	uintptr_t start;
	uintptr_t end;
	const void *loaded; /* the loader's own record of it */
	const uint8_t *index;
	const uint8_t *identity_at; /* in the module: eight bytes that others have otherwise */
	uint64_t identity;
	uint64_t mark;
};

static struct module modules[FP_MODULES_MAX + 1]; /* the first is not used */
static _Atomic unsigned count;                    /* the last one that is */
static _Atomic unsigned told;
static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_DEPOT);

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

static uint64_t choose_mark_locked(const struct module *module, unsigned number)
{
	for (unsigned i = 1; i < number; i++)
		if (modules[i].start < module->end && module->start < modules[i].end)
			return number;
	return 0;
}

static unsigned add(const struct dl_find_object *object)
{
	struct module module = {
	        .start = (uintptr_t)object->dlfo_map_start,
	        .end = (uintptr_t)object->dlfo_map_end,
	        .loaded = object->dlfo_link_map,
	        .index = object->dlfo_eh_frame,
	        .identity_at = find_identity(object),
	};

	module.identity = read_identity(module.identity_at);
	fp_lock_acquire(&lock);
	/* Another thread may have met it, too. */
	unsigned number = find(object);
	if (number == FP_MODULE_NONE) {
		number = atomic_load(&count) + 1;
		if (number > FP_MODULES_MAX) {
			number = FP_MODULE_UNKNOWN;
		} else {
			module.mark = choose_mark_locked(&module, number);
			modules[number] = module;
			atomic_store_explicit(&count, number, memory_order_release);
		}
	}
	fp_lock_release(&lock);
	return number;
}

struct fp_module fp_module_at(uintptr_t pc)
{
	struct dl_find_object object;

	if (_dl_find_object((void *)pc, &object) != 0)
		return (struct fp_module){.number = FP_MODULE_NONE};
	unsigned number = find(&object);
	if (number == FP_MODULE_NONE)
		number = add(&object);
	return (struct fp_module){.number = number, .index = object.dlfo_eh_frame};
}

bool fp_module_is_there(unsigned number, uintptr_t pc)
{
	struct dl_find_object object;
	bool is_module = _dl_find_object((void *)pc, &object) == 0;

	if (number == FP_MODULE_NONE || !is_module)
		return number == FP_MODULE_NONE && !is_module;
	return number <= FP_MODULES_MAX && is_at(&modules[number], &object);
}

uint64_t fp_module_mark(unsigned number)
{
	return number == FP_MODULE_UNKNOWN ? number : modules[number].mark;
}

bool fp_module_tell(struct fp_stack_code *code)
{
	unsigned number = atomic_load_explicit(&told, memory_order_relaxed);

	do {
		if (number == atomic_load_explicit(&count, memory_order_acquire))
			return false;
	} while (!atomic_compare_exchange_weak(&told, &number, number + 1));
	*code = (struct fp_stack_code){
	        .start = modules[number + 1].start,
	        .end = modules[number + 1].end,
	        .is_first = modules[number + 1].mark == 0,
	};
	return true;
}

void fp_module_lock_for_fork(void)
{
	fp_lock_acquire_for_fork(&lock);
}

void fp_module_unlock_after_fork(void)
{
	fp_lock_release_after_fork(&lock);
}
