/* SPDX-License-Identifier: Apache-2.0
 *
 * A short table that only grows: a door may come later, while threads read.
 */
#include "base/own.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/auxv.h>

#include "base/align.h"
#include "base/lock.h"
#include "base/messages.h"
#include "base/panic.h"
#include "base/remains.h"
#include "base/vm.h"

enum { OBJECTS_MAX = 4 };

static struct fp_own_object objects[OBJECTS_MAX];
static _Atomic size_t count;

/* Of libfencepost.a, whose code and state have sections of their own in the program. */
#define BOUND extern const char __attribute__((weak, visibility("hidden")))
BOUND __start_fencepost_code;
BOUND __stop_fencepost_code;
BOUND __start_fencepost_bss;
BOUND __stop_fencepost_bss;

static void include(uintptr_t *start, uintptr_t *end, uintptr_t address, size_t bytes)
{
	if (*end == 0 || address < *start)
		*start = address;
	if (address + bytes > *end)
		*end = address + bytes;
}

struct fp_own_object fp_own_read(const char *name, const Elf64_Ehdr *header)
{
	const Elf64_Phdr *segments = (const void *)((const char *)header + header->e_phoff);
	struct fp_own_object object = {.name = name};
	uintptr_t bias = (uintptr_t)header;

	/* Of an object that is linked to a fixed address, the header's is part of it. */
	for (size_t i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
			bias -= segments[i].p_vaddr;
	for (size_t i = 0; i < header->e_phnum; i++) {
		uintptr_t address = bias + segments[i].p_vaddr;

		if (segments[i].p_type != PT_LOAD)
			continue;
		include(&object.start, &object.end, address, segments[i].p_memsz);
		if ((segments[i].p_flags & PF_X) != 0)
			include(&object.code, &object.code_end, address, segments[i].p_memsz);
	}
	object.start &= ~(uintptr_t)(fp_vm_page_size() - 1);
	object.end = fp_align_up(object.end, fp_vm_page_size());
	uintptr_t entry = getauxval(AT_ENTRY);
	object.is_program = entry >= object.start && entry < object.end;
	if (object.is_program && &__start_fencepost_code != NULL) {
		object.code = (uintptr_t)&__start_fencepost_code;
		object.code_end = (uintptr_t)&__stop_fencepost_code;
		object.start = (uintptr_t)&__start_fencepost_bss;
		object.end = (uintptr_t)&__stop_fencepost_bss;
		object.is_program = false;
	}
	return object;
}

void fp_own_add(const struct fp_own_object *object)
{
	static struct fp_lock adding = FP_LOCK_INITIALIZER(FP_RANK_OWN);

	fp_lock_acquire(&adding);
	size_t used = atomic_load(&count);
	bool is_new = fp_own_find(object->start) == NULL;
	if (is_new && used == OBJECTS_MAX)
		fp_panic(FP_TELL_OWN_OBJECTS);
	if (is_new) {
		objects[used] = *object;
		atomic_store_explicit(&count, used + 1, memory_order_release);
	}
	fp_lock_release(&adding);
}

const struct fp_own_object *fp_own_find(uintptr_t address)
{
	size_t used = atomic_load_explicit(&count, memory_order_acquire);

	for (size_t i = 0; i < used; i++)
		if (address >= objects[i].start && address < objects[i].end)
			return &objects[i];
	return NULL;
}

bool fp_own_range(size_t index, uintptr_t *start, uintptr_t *end)
{
	if (index >= atomic_load_explicit(&count, memory_order_acquire))
		return false;
	*start = objects[index].is_program ? 0 : objects[index].start;
	*end = objects[index].is_program ? 0 : objects[index].end;
	return true;
}

bool fp_own_is_code(uintptr_t address)
{
	size_t used = atomic_load_explicit(&count, memory_order_acquire);

	for (size_t i = 0; i < used; i++)
		if (address >= objects[i].code && address < objects[i].code_end)
			return true;
	return false;
}

void fp_own_leave_remains(struct fp_remains *remains)
{
	remains->objects = (struct fp_remains_ranges){
	        .first = (uintptr_t)objects,
	        .count = (uintptr_t)&count,
	        .bytes = sizeof(objects[0]),
	        .start = offsetof(struct fp_own_object, start),
	        .end = offsetof(struct fp_own_object, end),
	};
}
