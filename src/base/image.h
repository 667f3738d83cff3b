/* SPDX-License-Identifier: Apache-2.0
 *
 * What speaks against loading a library of ours into an executable file, as far as the file
 * itself tells: what the loader will make of it, and what is linked into it. What cannot be
 * read is no obstacle here: executing it will say why.
 *
 * Context: alloc and fault; a few KiB of stack.
 */
#ifndef FP_BASE_IMAGE_H
#define FP_BASE_IMAGE_H

#include <stdbool.h>

enum { FP_IMAGE_LINE_MAX = 256 };

enum fp_image_obstacle {
	FP_IMAGE_NO_OBSTACLE,
	FP_IMAGE_PRIVILEGED, /* gains privileges when executed: the loader refuses us */
	FP_IMAGE_FOREIGN,    /* of another architecture than this code */
	FP_IMAGE_STATIC,     /* nothing is loaded into it */
	FP_IMAGE_MUSL,       /* linked with another C library than ours */
	FP_IMAGE_SANITIZED,  /* has a sanitizer's run time, which must come first */
	FP_IMAGE_OBSTACLES
};

/* SANITIZER gets its name when that is the obstacle, else NULL; scripts have none. */
enum fp_image_obstacle fp_image_examine(const char *path, const char **sanitizer);

/* Whether PATH is a script; LINE gets what stands behind its "#!", as much as the kernel reads.
 */
bool fp_image_read_script(const char *path, char line[FP_IMAGE_LINE_MAX]);

#endif
