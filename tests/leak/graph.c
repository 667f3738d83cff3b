/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks in metadata memory, which is no root, so that only what a test gives leads to them.
 * The only pointer to them that is kept is disguised.
 */
#include "graph.h"

#include <string.h>

#include "base/meta.h"
#include "registry/registry.h"
#include "support/support.h"

static uintptr_t disguised_arena;
static size_t arena_bytes;
static size_t arena_used;
static uint64_t serial;
struct fp_leak_result result;
uint8_t classes[NODES + SMALL];

void setup(void)
{
	fp_registry_init(1 << 20);
	arena_bytes = (size_t)(NODES + SMALL) * 2 * NODE_BYTES;
	disguised_arena = ~(uintptr_t)fp_meta_alloc(arena_bytes);
	ck_assert_uint_ne(~disguised_arena, 0);
}

struct node *node_at(size_t index)
{
	return (struct node *)(~disguised_arena + index * 2 * NODE_BYTES);
}

/* The block of INDEX, of SIZE bytes. */
APART void add(size_t index, size_t size, enum fp_family family)
{
	const struct fp_block block = {
	        .address = (uintptr_t)node_at(index),
	        .size = size,
	        .serial = ++serial,
	        .heap = 1,
	        .alloc_trace = 1,
	        .family = (uint8_t)family,
	};

	test_that(fp_registry_add((struct fp_registry_key){.slot = block.address}, &block) ==
	          0);
	arena_used = index + 1 > arena_used ? index + 1 : arena_used;
}

APART void add_nodes(size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(i, NODE_BYTES, FP_FAMILY_MALLOC);
}

APART void link_nodes(size_t from, size_t slot, size_t to)
{
	node_at(from)->links[slot] = (uintptr_t)node_at(to);
}

void keep_class(const struct fp_leak_block *block, void *user)
{
	size_t index = (block->address - ~disguised_arena) / (2 * NODE_BYTES);

	(void)user;
	classes[index] = block->class;
}

void search(uintptr_t stack, void *user)
{
	struct request *request = user;

	request->status = fp_leak_check(&request->config, stack, &result);
}

/* What earlier calls left on the stack must not look like the pointers of this one. */
APART void scrub(void)
{
	volatile char area[16 << 10];

	for (size_t i = 0; i < sizeof(area); i++)
		area[i] = 0;
}

APART static void check_scrubbed(const uint64_t *root)
{
	const struct fp_leak_range range = {(uintptr_t)root, (uintptr_t)(root + 1)};
	struct request request = {.config = {.visit_block = keep_class}};

	memset(classes, FP_LEAK_REACHABLE, sizeof(classes));
	if (root != NULL) {
		request.config.roots = &range;
		request.config.root_count = 1;
	}
	fp_leak_from_here(search, &request);
	ck_assert_int_eq(request.status, 0);
	ck_assert(!result.is_blind);
}

/* Searches with the word at ROOT as one more root, unless it is NULL. */
void check(const uint64_t *root)
{
	scrub();
	check_scrubbed(root);
}

/* In metadata memory, so that it is a root only when it is given. */
APART uint64_t *make_root_to(size_t index, size_t offset)
{
	uint64_t *root = fp_meta_alloc(sizeof(*root));

	*root = (uintptr_t)node_at(index) + offset;
	return root;
}

void expect_classes(size_t count, enum fp_leak_class class)
{
	for (size_t i = 0; i < count; i++)
		test_that(classes[i] == class);
}
