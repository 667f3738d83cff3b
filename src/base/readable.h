/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the kernel can read memory of the program's: what a call hands to the kernel may be
 * anywhere, and where it is nowhere, the call is to fail with EFAULT and not to fault in our
 * code.
 *
 * Context: alloc and fault.
 */
#ifndef FP_BASE_READABLE_H
#define FP_BASE_READABLE_H

#include <stdbool.h>
#include <stddef.h>

bool fp_is_readable(const void *address, size_t size);

/* Up to and with the terminating zero. */
bool fp_is_text_readable(const char *text);

/* Up to and with the NULL; and every text of it, too. */
bool fp_are_texts_readable(char *const *texts);

#endif
