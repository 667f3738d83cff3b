/* SPDX-License-Identifier: Apache-2.0
 *
 * Who reads /proc for a process that cannot.
 */
#include "base/proc.h"

#include <errno.h>
#include <stdatomic.h>

static _Atomic(fp_proc_reader) reader_elsewhere;

void fp_proc_set_reader(fp_proc_reader reader)
{
	atomic_store(&reader_elsewhere, reader);
}

ssize_t fp_proc_read_elsewhere(enum fp_proc_file file, size_t offset, char *bytes, size_t size)
{
	fp_proc_reader reader = atomic_load(&reader_elsewhere);

	return reader == NULL ? -ENOENT : reader(file, offset, bytes, size);
}
