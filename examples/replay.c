/* SPDX-License-Identifier: Apache-2.0
 *
 * The order is kept where it matters: whoever frees or resizes a block waits until it is there.
 * As in the published runtime there is no realloc (a resize is Alloc, a copy and Free), and how
 * bad a failure would be depends on who asks: before there are other threads it would end the
 * process, under a lock the application domain, else the task.
 */
#define COBJMACROS
#include "replay.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine.h"

enum {
	LOCKED_ONE_IN = 16, /* allocations under a lock */
	DEBUG_ONE_IN = 64,  /* allocations that say where they are from */
	GROW_ONE_IN = 512,  /* allocations that bring garbage with them */
	TRIES_AT_ONCE = 100,
	NAP_NANOSECONDS = 20000
};

struct block {
	_Atomic(char *) address; /* NULL: not yet there */
	size_t size;
};

/* Which thread it is, and what it has done. */
struct worker {
	pthread_t thread;
	uint32_t index;
	size_t requests;
	struct replay_result result;
};

static const struct recording *recorded;
static IHostMalloc *blocks_of;
static struct block *blocks; /* by number */
static size_t started_at;    /* the first event of a second thread */
static char refused;         /* stands for a block that nobody got */

static EMemoryCriticalLevel level_of(const struct worker *worker, size_t event)
{
	if (event < started_at)
		return eProcessCritical;
	return worker->requests % LOCKED_ONE_IN == 0 ? eAppDomainCritical : eTaskCritical;
}

static void *request(const struct worker *worker, size_t size, EMemoryCriticalLevel level)
{
	static char file[] = __FILE__;
	void *block = NULL;
	HRESULT result;

	if (worker->requests % DEBUG_ONE_IN == 0)
		result = IHostMalloc_DebugAlloc(blocks_of, size, level, file, __LINE__, &block);
	else
		result = IHostMalloc_Alloc(blocks_of, size, level, &block);
	return result == S_OK ? block : NULL;
}

/* Every byte is written; the first and the last are looked at again. */
static char mark_of(uint64_t number)
{
	return (char)(number * 31 + 7);
}

static bool is_marked(const char *address, size_t size, uint64_t number)
{
	return size == 0 ||
	       (address[0] == mark_of(number) && address[size - 1] == mark_of(number));
}

static char *await(uint64_t number)
{
	const struct timespec nap = {.tv_nsec = NAP_NANOSECONDS};
	char *address;

	for (unsigned tries = 0; (address = atomic_load_explicit(&blocks[number].address,
	                                                         memory_order_acquire)) == NULL;
	     tries++) {
		if (tries < TRIES_AT_ONCE)
			sched_yield();
		else
			nanosleep(&nap, NULL);
	}
	return address;
}

static void make(struct worker *worker, size_t index)
{
	const struct recording_event *event = &recorded->events[index];
	EMemoryCriticalLevel level = level_of(worker, index);
	char *address;

	if (++worker->requests % GROW_ONE_IN == 0)
		engine_grow(level);
	address = request(worker, event->size, level);
	if (address == NULL) {
		worker->result.refused++;
		address = &refused;
	} else {
		worker->result.allocations++;
	}
	if (event->origin != 0 && address != &refused) {
		const char *origin = await(event->origin);
		size_t size = blocks[event->origin].size;

		if (origin != &refused)
			memcpy(address, origin, size < event->size ? size : event->size);
	}
	if (address != &refused)
		memset(address, mark_of(event->block), event->size);
	blocks[event->block].size = event->size;
	atomic_store_explicit(&blocks[event->block].address, address, memory_order_release);
}

static void give_back(struct worker *worker, uint64_t number)
{
	/* Of a parent process, which is not replayed. */
	if (number == 0)
		return;
	char *address = await(number);
	/* Whoever reads the table now sees no pointer to a block that is gone. */
	atomic_store(&blocks[number].address, &refused);
	if (address == &refused)
		return;
	worker->result.damaged += !is_marked(address, blocks[number].size, number);
	worker->result.frees += IHostMalloc_Free(blocks_of, address) == S_OK;
}

static void *work(void *user)
{
	struct worker *worker = user;
	struct engine_thread own = {0};

	engine_enter_thread(&own, worker->index == 0 ? eProcessCritical : eTaskCritical);
	for (size_t at = recorded->threads[worker->index].first; at < recorded->event_count;
	     at = recorded->events[at].next) {
		if (recorded->events[at].kind == RECORDING_FREE)
			give_back(worker, recorded->events[at].block);
		else
			make(worker, at);
	}
	engine_leave_thread(&own);
	return NULL;
}

static void *begin(void *user)
{
	struct worker *worker = user;
	char name[16];

	snprintf(name, sizeof(name), "managed %u", worker->index);
	pthread_setname_np(pthread_self(), name);
	return work(worker);
}

static void add(struct replay_result *sum, const struct replay_result *part)
{
	sum->allocations += part->allocations;
	sum->refused += part->refused;
	sum->frees += part->frees;
	sum->damaged += part->damaged;
}

static size_t find_start(void)
{
	size_t start = recorded->event_count;

	for (size_t i = 1; i < recorded->thread_count; i++)
		if (recorded->threads[i].first < start)
			start = recorded->threads[i].first;
	return start;
}

/* The first one runs here. A thread less would leave the others waiting for ever. */
static bool run(struct worker *workers)
{
	for (uint32_t i = 1; i < recorded->thread_count; i++) {
		workers[i].index = i;
		if (pthread_create(&workers[i].thread, NULL, begin, &workers[i]) != 0)
			return false;
	}
	work(&workers[0]);
	for (uint32_t i = 1; i < recorded->thread_count; i++)
		pthread_join(workers[i].thread, NULL);
	return true;
}

bool replay(const struct recording *recording, IHostMalloc *heap, struct replay_result *result)
{
	struct worker *workers = calloc(recording->thread_count + 1, sizeof(*workers));
	bool is_done;

	*result = (struct replay_result){0};
	recorded = recording;
	blocks_of = heap;
	blocks = calloc(recording->newest + 1, sizeof(*blocks));
	started_at = find_start();
	is_done = workers != NULL && blocks != NULL && run(workers);
	for (size_t i = 0; is_done && i < recording->thread_count; i++)
		add(result, &workers[i].result);
	result->left = result->allocations - result->frees;
	if (is_done)
		free(workers);
	return is_done;
}
