/* SPDX-License-Identifier: Apache-2.0
 *
 * What is mapped in this process, from /proc/thread-self/maps, or as somebody sees it who reads
 * that for a process that cannot (base/proc.h).
 *
 * Context: alloc and fault. One descriptor is used while the file is read.
 */
#ifndef FP_BASE_MAPS_H
#define FP_BASE_MAPS_H

#include <stdbool.h>
#include <stdint.h>

struct fp_mapping {
	uintptr_t start;
	uintptr_t end;
	uint64_t file_offset;
	bool is_readable;
	bool is_writable;
	bool is_executable;
	bool is_shared;
	const char *path; /* "" for anonymous memory; valid until the visitor returns */
};

/* Returns false to stop. */
typedef bool (*fp_maps_visitor)(const struct fp_mapping *mapping, void *user);

/* Visits the mappings in address order, with a lock held that only those of the log and of
 * metadata memory may be taken under; 0, or a negative errno when the file is out of reach.
 */
int fp_maps_each(fp_maps_visitor visit, void *user);

/* The mapping at an address, or the gap there. */
struct fp_maps_place {
	uintptr_t start;
	uintptr_t end;
	bool is_mapped;
	bool is_readable;
	bool is_writable;
	bool is_executable;
	bool is_file;
};

/* Without a lock, and with a descriptor for a moment (in maps_at.c). 0, or a negative errno
 * when the file is out of reach. */
int fp_maps_at(uintptr_t address, struct fp_maps_place *place);

/* Whether no thread is in here: for who has stopped all others. */
bool fp_maps_is_idle(void);

#endif
