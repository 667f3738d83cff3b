/* SPDX-License-Identifier: Apache-2.0
 *
 * A look at all live blocks of one heap. They are copied first: whoever looks may call the
 * heap, and no lock is held meanwhile.
 */
#include <errno.h>

#include "base/meta.h"
#include "heap/state.h"
#include "registry/registry.h"

struct copying {
	fp_heap_id heap;
	struct fp_block *blocks; /* NULL: only counted */
	size_t room;
	size_t count;
};

static void copy(const struct fp_block *block, void *user)
{
	struct copying *copying = user;

	if (block->heap != copying->heap)
		return;
	if (copying->count < copying->room)
		copying->blocks[copying->count] = *block;
	copying->count++;
}

static void visit_copies(const struct copying *copying, fp_heap_visitor visit, void *user)
{
	for (size_t i = 0; i < copying->count && i < copying->room; i++)
		if (!visit(&copying->blocks[i], user))
			return;
}

int fp_heap_walk(const struct fp_heap *heap, fp_heap_visitor visit, void *user)
{
	struct copying copying = {.heap = heap->id};

	fp_registry_each_live(copy, &copying);
	if (copying.count == 0)
		return 0;
	copying.room = copying.count;
	copying.count = 0;
	copying.blocks = fp_meta_alloc(copying.room * sizeof(*copying.blocks));
	if (copying.blocks == NULL)
		return -ENOMEM;
	fp_registry_each_live(copy, &copying);
	visit_copies(&copying, visit, user);
	fp_meta_free(copying.blocks, copying.room * sizeof(*copying.blocks));
	return 0;
}
