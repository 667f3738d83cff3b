/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing to files and pipes that may take no more: that is an error like any other, and no
 * signal.
 *
 * Context: alloc and fault.
 */
#ifndef FP_BASE_WRITE_H
#define FP_BASE_WRITE_H

#include <stddef.h>

/* Writes all bytes whatever write(2) makes of it; 0 or a negative errno. No point at which a
 * thread can be cancelled, and beyond a limit of the size of files, or into a pipe that nobody
 * reads, no signal. */
int fp_write_all(int fd, const void *bytes, size_t count);

#endif
