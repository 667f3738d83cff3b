/* SPDX-License-Identifier: Apache-2.0
 *
 * Graphs of blocks to search in, and the search.
 */
#ifndef TESTS_LEAK_GRAPH_H
#define TESTS_LEAK_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "leak/leak.h"

enum { NODES = 1000000, NODE_BYTES = 32, SMALL = 64 };

struct node {
	uint64_t links[NODE_BYTES / 8];
};

struct request {
	struct fp_leak_config config;
	int status;
};

/* Not inlined: the test's own frames must not keep a node's address. */
#define APART __attribute__((noinline))

extern struct fp_leak_result result;
extern uint8_t classes[NODES + SMALL];

void setup(void);

/* Twice as far apart as NODE_BYTES. */
struct node *node_at(size_t index);

/* The block of INDEX, of SIZE bytes. */
APART void add(size_t index, size_t size, enum fp_family family);
APART void add_nodes(size_t count);
APART void link_nodes(size_t from, size_t slot, size_t to);

/* In metadata memory, so that it is a root only when it is given. */
APART uint64_t *make_root_to(size_t index, size_t offset);

/* Searches with the word at ROOT as one more root, unless it is NULL. */
void check(const uint64_t *root);

/* The parts of that: USER is a struct request, whose visit_block is keep_class. */
APART void scrub(void);
void search(uintptr_t stack, void *user);
void keep_class(const struct fp_leak_block *block, void *user);

void expect_classes(size_t count, enum fp_leak_class class);

#endif
