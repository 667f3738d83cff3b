/* SPDX-License-Identifier: Apache-2.0
 *
 * Which limit stands in the way of more memory: asked after the kernel has refused some, when
 * nothing but limits and what is used of them can tell. It only reads.
 */
#include <sys/resource.h>

#include "base/align.h"
#include "base/messages.h"
#include "base/proc.h"
#include "base/sys.h"
#include "base/vm.h"
#include "machine/files.h"
#include "machine/machine.h"

enum {
	SLACK_BYTES = 4 << 20, /* asked for beside a block: alignment, guards, records */
	SLACK_MAPPINGS = 16
};

static bool has_room(uint64_t limit, uint64_t used, uint64_t bytes)
{
	return used <= limit && limit - used >= bytes && limit - used - bytes >= SLACK_BYTES;
}

static bool find_resource(int resource, const char *key, uint64_t bytes,
                          struct fp_machine_shortage *shortage)
{
	struct rlimit limit;
	uint64_t kilobytes;

	if (fp_sys_get_limit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
	    !fp_machine_number(FP_PROC_SELF "status", key, &kilobytes) ||
	    has_room(limit.rlim_cur, kilobytes * 1024, bytes))
		return false;
	shortage->value = limit.rlim_cur;
	shortage->used = kilobytes * 1024;
	return true;
}

static bool is_address_space(uint64_t bytes, struct fp_machine_shortage *shortage)
{
	return find_resource(RLIMIT_AS, "VmSize:", bytes, shortage);
}

static bool is_data(uint64_t bytes, struct fp_machine_shortage *shortage)
{
	return find_resource(RLIMIT_DATA, "VmData:", bytes, shortage);
}

uint64_t fp_machine_space_left(void)
{
	struct fp_machine_shortage space;

	/* Any limit is too near for as many bytes as there are. */
	if (!is_address_space(UINT64_MAX, &space))
		return UINT64_MAX;
	return space.value > space.used ? space.value - space.used : 0;
}

static bool count_line(char *line, void *user)
{
	uint64_t *lines = user;

	(void)line;
	++*lines;
	return true;
}

static bool is_mappings(uint64_t bytes, struct fp_machine_shortage *shortage)
{
	uint64_t most = fp_vm_mappings_max();
	uint64_t used = 0;

	(void)bytes;
	if (!fp_machine_each_line(FP_PROC_SELF "maps", count_line, &used) ||
	    used + SLACK_MAPPINGS < most)
		return false;
	shortage->value = most;
	shortage->used = used;
	return true;
}

/* Where nothing may be promised that is not there: vm.overcommit_memory=2. */
static bool is_commitment(uint64_t bytes, struct fp_machine_shortage *shortage)
{
	uint64_t mode;
	uint64_t limit;
	uint64_t used;

	if (!fp_machine_number("/proc/sys/vm/overcommit_memory", "", &mode) || mode != 2 ||
	    !fp_machine_number("/proc/meminfo", "CommitLimit:", &limit) ||
	    !fp_machine_number("/proc/meminfo", "Committed_AS:", &used) ||
	    has_room(limit * 1024, used * 1024, bytes))
		return false;
	shortage->value = limit * 1024;
	shortage->used = used * 1024;
	return true;
}

static bool is_machine(uint64_t bytes, struct fp_machine_shortage *shortage)
{
	struct fp_machine_memory memory;

	if (fp_machine_memory(&memory) != 0 || memory.is_limited ||
	    has_room(memory.total, memory.total - memory.available, bytes))
		return false;
	shortage->value = memory.total;
	shortage->used = memory.total - memory.available;
	return true;
}

static bool is_cgroup(uint64_t bytes, struct fp_machine_shortage *shortage)
{
	struct fp_machine_memory memory;

	if (fp_machine_memory(&memory) != 0 || !memory.is_limited ||
	    has_room(memory.total, memory.total - memory.available, bytes))
		return false;
	shortage->value = memory.total;
	shortage->used = memory.total - memory.available;
	return true;
}

static bool is_space(uint64_t bytes, struct fp_machine_shortage *shortage)
{
	uint64_t kilobytes = 0;

	fp_machine_number(FP_PROC_SELF "status", "VmSize:", &kilobytes);
	if (has_room(fp_vm_user_end(), kilobytes * 1024, bytes))
		return false;
	shortage->value = fp_vm_user_end();
	shortage->used = kilobytes * 1024;
	return true;
}

/* Those that make the kernel refuse before those that make it kill. */
static const struct {
	const char *name;
	const char *unit;
	bool (*is_it)(uint64_t bytes, struct fp_machine_shortage *shortage);
} limits[] = {
        {FP_TELL_LIMIT_SPACE, "bytes", is_space},
        {"RLIMIT_AS (ulimit -v)", "bytes", is_address_space},
        {"RLIMIT_DATA (ulimit -d)", "bytes", is_data},
        {"vm.max_map_count", "mappings", is_mappings},
        {"CommitLimit (vm.overcommit_memory=2)", "bytes", is_commitment},
        {FP_TELL_LIMIT_CGROUP, "bytes", is_cgroup},
        {FP_TELL_LIMIT_MACHINE, "bytes", is_machine},
};

bool fp_machine_shortage(uint64_t bytes, struct fp_machine_shortage *shortage)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (!limits[i].is_it(bytes, shortage))
			continue;
		shortage->limit = limits[i].name;
		shortage->unit = limits[i].unit;
		return true;
	}
	return false;
}
