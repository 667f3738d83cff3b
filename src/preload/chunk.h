/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether memory looks as glibc's malloc leaves it around a block in use.
 *
 * Context: alloc and fault (reads the list of mappings).
 */
#ifndef FP_PRELOAD_CHUNK_H
#define FP_PRELOAD_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

/* BLOCK is what a caller of malloc has. Any pointer may be asked about. */
bool fp_chunk_is_in_use(uintptr_t block);

#endif
