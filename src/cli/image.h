/* SPDX-License-Identifier: Apache-2.0
 *
 * What an executable file tells beyond what its loading needs: allocators linked into it, and
 * where its debug information is. Private to the module.
 *
 * Context: report.
 */
#ifndef FP_CLI_IMAGE_H
#define FP_CLI_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

enum { FP_CLI_DEBUG_PATH_MAX = 256 };

struct fp_cli_image;

/* NULL for a file that is no ELF or cannot be read. */
struct fp_cli_image *fp_cli_image_open(const char *path);

/* NULL is accepted. */
void fp_cli_image_close(struct fp_cli_image *image);

bool fp_cli_image_has_section(const struct fp_cli_image *image, const char *name);

/* Whether TEXT stands among its constants, and NAME among those of symbols. */
bool fp_cli_image_has_text(const struct fp_cli_image *image, const char *text);
bool fp_cli_image_has_name(const struct fp_cli_image *image, const char *name);

/* What is said of a program that defines malloc and nothing else that is known. */
#define FP_CLI_OWN_MALLOC "a malloc of its own"

/* Which the program can be told to leave (cli/pools.h). */
#define FP_CLI_PYTHON_HEAP "Python's object allocator"
#define FP_CLI_PHP_HEAP "PHP's allocator"

/* What the program allocates with beside libc's malloc ("jemalloc", "the heap of Go"), or NULL.
 */
const char *fp_cli_image_allocator(const struct fp_cli_image *image);

/* The run times whose libraries bring a heap of their own, that of objects: a library's name
 * starts with LIBRARY. The first is that of index 0; those of one heap stand side by side.
 * False behind the last. */
struct fp_cli_runtime {
	const char *library;
	const char *heap;
};
bool fp_cli_runtime_at(size_t index, struct fp_cli_runtime *runtime);

/* Where a separate debug file would stand; "" when the file has no build-id. */
void fp_cli_image_debug_path(const struct fp_cli_image *image,
                             char path[FP_CLI_DEBUG_PATH_MAX]);

#endif
