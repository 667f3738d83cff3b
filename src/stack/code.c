/* SPDX-License-Identifier: Apache-2.0
 *
 * The places that had more than one module, in a table that is only appended to, so that
 * captures read it without a lock. A program that never unloads code pays for one comparison.
 */
#include "stack/code.h"

#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "stack/memo.h"

enum {
	FIRST = 0, /* the module is there that was first */
	GONE = 1,  /* it went, and who came is not known */
	OTHER = 2  /* code of no module; from here on: what identifies one */
};

struct place {
	uintptr_t start;
	uintptr_t end;
	uint64_t first;
	_Atomic uint64_t now;
};

static struct place places[FP_CODE_PLACES_MAX];
static _Atomic size_t place_count;
static _Atomic uintptr_t lowest = UINTPTR_MAX; /* of all places */
static _Atomic uintptr_t highest;
static void (*_Atomic look)(void);
static atomic_bool are_loads_watched;
static _Atomic uint64_t seen_loads;

static bool overlaps(const struct place *place, uintptr_t start, uintptr_t end)
{
	return place->start < end && start < place->end;
}

void fp_code_went(uintptr_t start, uintptr_t end, uint64_t identity)
{
	size_t count = atomic_load(&place_count);
	bool is_known = false;

	fp_memo_forget_all();
	for (size_t i = 0; i < count; i++) {
		if (!overlaps(&places[i], start, end))
			continue;
		atomic_store(&places[i].now, GONE);
		is_known |= places[i].start == start && places[i].end == end;
	}
	if (is_known || count == FP_CODE_PLACES_MAX)
		return;
	places[count].start = start;
	places[count].end = end;
	places[count].first = identity;
	atomic_store(&places[count].now, GONE);
	atomic_store(&place_count, count + 1);
	if (start < atomic_load(&lowest))
		atomic_store(&lowest, start);
	if (end > atomic_load(&highest))
		atomic_store(&highest, end);
}

void fp_code_came(uintptr_t start, uintptr_t end, uint64_t identity)
{
	size_t count = atomic_load(&place_count);

	for (size_t i = 0; i < count; i++) {
		struct place *place = &places[i];

		if (overlaps(place, start, end))
			atomic_store(&place->now,
			             identity == place->first ? FIRST : identity | OTHER);
	}
}

void fp_code_on_doubt(void (*who)(void))
{
	atomic_store(&look, who);
}

static int take_loads(struct dl_phdr_info *info, size_t size, void *loads)
{
	(void)size;
	*(uint64_t *)loads = info->dlpi_adds + info->dlpi_subs;
	return 1;
}

uint64_t fp_code_loads(void)
{
	uint64_t loads = 0;

	dl_iterate_phdr(take_loads, &loads);
	return loads;
}

void fp_code_see_loads(uint64_t loads)
{
	void (*who)(void) = atomic_load(&look);

	if (loads == atomic_load(&seen_loads))
		return;
	fp_memo_forget_all();
	if (who != NULL)
		who();
	atomic_store(&seen_loads, loads);
}

void fp_code_trust_loads(void)
{
	atomic_store(&are_loads_watched, false);
}

bool fp_code_are_loads_watched(void)
{
	return atomic_load_explicit(&are_loads_watched, memory_order_relaxed);
}

void fp_code_watch_loads(void)
{
	atomic_store(&are_loads_watched, true);
}

/* The place that ADDRESS is in, or NULL. A return address may stand behind the last instruction
 * of its module. */
static struct place *find_place(uintptr_t address, size_t count)
{
	if (address <= atomic_load(&lowest) || address > atomic_load(&highest))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (address > places[i].start && address <= places[i].end)
			return &places[i];
	return NULL;
}

uint64_t fp_code_mark(const uintptr_t *frames, size_t count)
{
	size_t known = atomic_load(&place_count);
	uint64_t mark = 0;

	for (size_t i = 0; known > 0 && i < count; i++) {
		const struct place *place = find_place(frames[i], known);
		uint64_t now = place == NULL ? FIRST : atomic_load(&place->now);

		if (now != FIRST)
			mark = (mark ^ now) * 0x9e3779b97f4a7c15u;
	}
	return mark;
}

/* Whether there is doubt about FRAMES; to SETTLE it is to say that no module is there. */
static bool is_in_doubt(const uintptr_t *frames, size_t count, bool settle)
{
	size_t known = atomic_load(&place_count);
	bool is_doubtful = false;

	for (size_t i = 0; known > 0 && i < count; i++) {
		struct place *place = find_place(frames[i], known);
		uint64_t gone = GONE;

		if (place == NULL || atomic_load(&place->now) != GONE)
			continue;
		is_doubtful = true;
		if (settle)
			atomic_compare_exchange_strong(&place->now, &gone, OTHER);
	}
	return is_doubtful;
}

uint64_t fp_code_mark_now(const uintptr_t *frames, size_t count)
{
	void (*who)(void) = atomic_load(&look);

	if (who != NULL && is_in_doubt(frames, count, false)) {
		who();
		is_in_doubt(frames, count, true);
	}
	return fp_code_mark(frames, count);
}
