/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder: events of blocks in the order in which they happened, for a program that does
 * the same again (format.h). One buffer of fixed size; its file is opened by name each time the
 * buffer is full, so that no descriptor has to survive what the program does to its
 * descriptors. What cannot be written ends the recording and nothing else.
 *
 * Context: alloc. Thread-safe.
 */
#ifndef FP_RECORD_RECORD_H
#define FP_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/block.h"

/* Written by the functions below only. */
extern bool fp_record_is_on;

struct fp_record_config {
	const char *path; /* absolute, copied */
	/* What stands there already is another process's: a number is appended to the name. */
	bool is_kept;
	uint64_t first_serial; /* blocks up to this one were made by a parent process */
};

/* 0; -ENOMEM, -ENAMETOOLONG. The file is made when there is something to write. */
int fp_record_start(const struct fp_record_config *config);

/* In the child of a fork, between whose fork handlers this is: what the parent has not written
 * yet is forgotten, and the recording goes on in a file of the child's own. */
void fp_record_start_in_child(const struct fp_record_config *config);

/* BLOCK was made, and its caller does not have it yet. ALIGN as asked for, or 0; REPLACED is
 * the serial of the block whose content it is to take over, or 0. */
void fp_record_alloc(const struct fp_block *block, size_t align, uint64_t replaced);

/* BLOCK is about to be freed by the calling thread. */
void fp_record_free(const struct fp_block *block);

/* Writes what there is, for a process that may not come to its end. */
void fp_record_flush(void);

/* The end of the recording; of one without events only when WRITES_EMPTY. */
void fp_record_end(bool writes_empty);

/* The file's name, and why the recording ended early: a negative errno, or 0. */
const char *fp_record_path(void);
int fp_record_failure(void);

#endif
