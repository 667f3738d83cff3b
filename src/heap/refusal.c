/* SPDX-License-Identifier: Apache-2.0
 *
 * The choice and the list. Serials are those of reports, so that what was seen once can be made
 * to fail the next time. A place of the list is taken by one thread and then only counted in.
 */
#include "heap/refusal.h"

#include <stdatomic.h>
#include <stddef.h>

#include "stack/function.h"

enum { PLACES = 1024 };

enum place_state { FREE, TAKEN, FILLED };

struct place {
	_Atomic int state;
	_Atomic uint64_t count;
	struct fp_block block;
};

enum fp_refusal_rule fp_refusal_rule;

static struct fp_refusal_config configuration;
static struct place list[PLACES];
static _Atomic uint64_t beyond; /* of stacks that found no place */

void fp_refusal_init(const struct fp_refusal_config *config)
{
	configuration = *config;
	fp_refusal_rule = config->rule;
}

/* The same block for the same seed, however many threads there are. */
static bool is_drawn(uint64_t serial)
{
	uint64_t number = configuration.seed * 0x9e3779b97f4a7c15u + serial;

	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
	number = (number ^ number >> 27) * 0x94d049bb133111ebu;
	number ^= number >> 31;
	return number < configuration.number || configuration.number == UINT64_MAX;
}

static bool is_chosen(const struct fp_block *block)
{
	switch (configuration.rule) {
	case FP_REFUSE_NONE:
		return false;
	case FP_REFUSE_AT:
		return block->serial == configuration.number;
	case FP_REFUSE_EVERY:
		return block->serial % configuration.number == 0;
	case FP_REFUSE_PROBABILITY:
		return is_drawn(block->serial);
	case FP_REFUSE_LEVEL:
		return block->family == FP_FAMILY_HOST && block->level == configuration.number;
	case FP_REFUSE_STACK:
		return fp_function_leads_to(block->alloc_trace);
	}
	return false;
}

/* A place that another thread is about to fill is passed over: two groups of one stack become
 * one in the report. */
static bool is_for(struct place *place, const struct fp_block *block)
{
	int state = FREE;

	if (atomic_compare_exchange_strong(&place->state, &state, TAKEN)) {
		place->block = *block;
		atomic_store(&place->state, FILLED);
		if (configuration.enlisted != NULL)
			configuration.enlisted(block);
		return true;
	}
	return state == FILLED && place->block.alloc_trace == block->alloc_trace;
}

static void enlist(const struct fp_block *block)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (is_for(&list[i], block)) {
			atomic_fetch_add(&list[i].count, 1);
			return;
		}
	}
	atomic_fetch_add(&beyond, 1);
}

bool fp_refusal_takes(const struct fp_block *block)
{
	if (!is_chosen(block))
		return false;
	enlist(block);
	return true;
}

void fp_refusal_each(fp_refusal_visitor visit, void *user)
{
	static const struct fp_block no_block = {.level = FP_LEVEL_NONE};

	for (size_t i = 0; i < PLACES && atomic_load(&list[i].state) == FILLED; i++)
		visit(&list[i].block, atomic_load(&list[i].count), user);
	if (atomic_load(&beyond) > 0)
		visit(&no_block, atomic_load(&beyond), user);
}

void fp_refusal_forget(void)
{
	for (size_t i = 0; i < PLACES && atomic_load(&list[i].state) != FREE; i++) {
		atomic_store(&list[i].count, 0);
		atomic_store(&list[i].state, FREE);
	}
	if (atomic_load(&beyond) != 0)
		atomic_store(&beyond, 0);
}
