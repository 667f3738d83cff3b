/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the symbol module share: this very program as an image, files derived from
 * it, and what has to stand at the planted call.
 */
#ifndef FP_TESTS_SYMBOL_IMAGES_H
#define FP_TESTS_SYMBOL_IMAGES_H

#include "symbol/symbol.h"

struct program {
	uint8_t build_id[64];
	size_t build_id_size;
	uint64_t bias;
};

extern struct program program;
extern char directory[64]; /* of the test, removed behind it */
extern struct fp_symbol_image *image;

/* For tcase_add_checked_fixture. */
void setup(void);
void teardown(void);

/* Runs a command of the shell, which has to succeed. */
void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes FILE in the test's directory with COMMAND, for which $self is this program and $made
 * the file; its path. */
char *derive(const char *command, const char *file);

/* Where a file of this program's build-id stands in a debug directory: ".build-id/xx/y.debug".
 */
const char *build_id_link(void);

/* Opens PATH as the image, as a file with the build-id of this program. */
void open_file(const char *path, const char *debug_dir);

/* What stands at a run-time ADDRESS of this program. */
const struct fp_symbol_place *look_up(uintptr_t address, bool exact);

/* The planted call has all its frames, with names and lines. */
void expect_whole_place(void);

#endif
