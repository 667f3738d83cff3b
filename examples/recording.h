/* SPDX-License-Identifier: Apache-2.0
 *
 * A recording of `fencepost run --record=FILE`, read whole and checked: what
 * fencepost-record(5) says, for programs that replay one.
 */
#ifndef EXAMPLES_RECORDING_H
#define EXAMPLES_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum recording_kind { RECORDING_ALLOC = 1, RECORDING_FREE, RECORDING_REALLOC };

struct recording_event {
	uint64_t block;  /* its number; 0: made before the process was forked */
	uint64_t origin; /* of RECORDING_REALLOC: the block whose content it takes over */
	uint64_t size;   /* in bytes, but of RECORDING_FREE */
	size_t next;     /* index of the next event on the same thread, or event_count */
	uint32_t thread; /* index into threads */
	uint8_t kind;    /* enum recording_kind */
	uint8_t align;   /* logarithm of the alignment that was asked for; 0: none */
	uint8_t family;
	uint8_t level;
};

struct recording_thread {
	uint64_t number; /* in the file */
	size_t first;    /* index of its first event */
	size_t last;
};

struct recording {
	struct recording_event *events; /* in the order in which they happened */
	size_t event_count;
	struct recording_thread *threads; /* in the order of their first events */
	size_t thread_count;
	uint64_t newest; /* the highest number of a block */
	uint32_t pid;
	bool is_complete; /* the process came to its end */
};

/* NULL, or what is wrong with the file: a text that stays as it is until the next call. A
 * recording that is cut off is fine. Every block of it is made once, before it is used, and
 * freed at most once. */
const char *recording_read(struct recording *recording, const char *path);

void recording_free(struct recording *recording);

#endif
