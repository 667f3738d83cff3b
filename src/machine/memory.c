/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine's memory, narrowed by its cgroups.
 */
#include <errno.h>

#include "machine/files.h"
#include "machine/machine.h"

int fp_machine_memory(struct fp_machine_memory *memory)
{
	uint64_t total;
	uint64_t available;

	if (!fp_machine_number("/proc/meminfo", "MemTotal:", &total) ||
	    !fp_machine_number("/proc/meminfo", "MemAvailable:", &available) || total == 0)
		return -ENOENT;
	*memory = (struct fp_machine_memory){
	        .total = total * 1024,
	        .available = available * 1024,
	};
	fp_machine_limit(memory);
	return 0;
}
