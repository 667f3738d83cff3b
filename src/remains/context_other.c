/* SPDX-License-Identifier: Apache-2.0
 *
 * Machines whose core files are not understood: none is of such a kind.
 */
#include <elf.h>

#include "remains/file.h"

const unsigned fp_remains_machine = EM_NONE;

void fp_remains_take_registers(struct fp_remains_thread *thread, const void *note, size_t size)
{
	(void)thread;
	(void)note;
	(void)size;
}

void fp_remains_take_vectors(struct fp_remains_thread *thread, unsigned type, const void *note,
                             size_t size)
{
	(void)thread;
	(void)type;
	(void)note;
	(void)size;
}
