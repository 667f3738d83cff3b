/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of a recording, of which only the name is kept between two writes.
 *
 * Context: alloc. Private to the module.
 */
#ifndef FP_RECORD_FILE_H
#define FP_RECORD_FILE_H

#include <stdbool.h>
#include <stddef.h>

enum { FP_RECORD_PATH_MAX = 4096 };

struct fp_record_file {
	bool is_made;
	bool is_kept; /* what stands under the name is not overwritten */
	size_t stem;  /* bytes of the name that was asked for */
	char path[FP_RECORD_PATH_MAX];
};

/* PATH, of which nothing is made yet. 0 or -ENAMETOOLONG. */
int fp_record_file_name(struct fp_record_file *file, const char *path, bool is_kept);

/* Appends COUNT bytes; the first time, makes the file. 0 or a negative errno. No point at which
 * a thread can be cancelled, and no signal about what cannot be written. */
int fp_record_file_append(struct fp_record_file *file, const void *bytes, size_t count);

#endif
