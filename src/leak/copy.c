/* SPDX-License-Identifier: Apache-2.0
 *
 * The child ends without a signal to its parent and is reaped by a wait that asks for such
 * children only, so the program neither sees it nor can take its status away.
 */
#include "leak/copy.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/meta.h"
#include "base/panic.h"
#include "base/sys.h"
#include "heap/pools.h"
#include "registry/registry.h"

enum { SPARE_PLACES = 4096 };

struct fp_leak_copy_result {
	bool is_done;
	bool is_blind;
	uint64_t roots_bytes;
	size_t count;
	struct fp_leak_block blocks[];
};

static size_t bytes_of(const struct fp_leak_copy *copy)
{
	return sizeof(*copy->result) + copy->capacity * sizeof(copy->result->blocks[0]);
}

int fp_leak_copy_make(struct fp_leak_copy *copy)
{
	copy->child = -1;
	copy->capacity = fp_registry_live_count() + fp_pools_live_count() + SPARE_PLACES;
	copy->result = fp_meta_alloc_shared(bytes_of(copy));
	return copy->result == NULL ? -ENOMEM : 0;
}

bool fp_leak_copy_fork(struct fp_leak_copy *copy)
{
	copy->child = fp_sys_fork(0);
	return copy->child == 0;
}

_Noreturn void fp_leak_copy_search(struct fp_leak_copy *copy, struct fp_leak_search *search)
{
	struct fp_leak_copy_result *result = copy->result;
	int status = fp_leak_search(search);

	if (status == 0 && search->table.count <= copy->capacity) {
		memcpy(result->blocks, search->table.blocks,
		       search->table.count * sizeof(result->blocks[0]));
		result->count = search->table.count;
		result->roots_bytes = search->roots_bytes;
		result->is_blind = search->is_blind;
		result->is_done = true;
	}
	fp_end(0);
}

int fp_leak_copy_collect(struct fp_leak_copy *copy, struct fp_leak_search *search)
{
	const struct fp_leak_copy_result *result = copy->result;
	struct fp_leak_table *table = &search->table;
	int status = -EIO;

	if (copy->child > 0)
		fp_sys_wait(copy->child, NULL, __WALL);
	*table = (struct fp_leak_table){.capacity = result->count};
	if (result->is_done) {
		table->blocks = fp_meta_alloc(result->count * sizeof(*table->blocks));
		status = table->blocks == NULL ? -ENOMEM : 0;
	}
	if (status == 0) {
		memcpy(table->blocks, result->blocks, result->count * sizeof(*table->blocks));
		table->count = result->count;
		search->roots_bytes = result->roots_bytes;
		search->is_blind = result->is_blind;
	}
	fp_meta_free(copy->result, bytes_of(copy));
	return status;
}
