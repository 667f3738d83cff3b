/* SPDX-License-Identifier: Apache-2.0
 *
 * The places are one table. A new thread goes on counting where one did that has ended: as many
 * are used as there are threads at a time, and a few more.
 */
#include "preload/sampling.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/meta.h"
#include "base/thread.h"
#include "preload/door.h"

enum { PLACES = 1 << 16 };

struct fp_sampling fp_sampling_none;

static struct fp_sampling shared; /* by threads that find no place: some counts get lost */
static struct fp_sampling *places;
static _Atomic uint32_t used;
static _Atomic uint32_t cursor;

void fp_sampling_start(void)
{
	places = fp_meta_alloc(PLACES * sizeof(*places));
}

static uint32_t used_places(void)
{
	uint32_t count = atomic_load(&used);

	return places == NULL ? 0 : count < PLACES ? count : PLACES;
}

/* Whether PLACE was that of a thread which has ended, and is the caller's now. */
static bool inherit(struct fp_sampling *place)
{
	uint32_t owner = atomic_load(&place->owner);

	return owner != 0 && syscall(SYS_tgkill, syscall(SYS_getpid), owner, 0) != 0 &&
	       errno == ESRCH &&
	       atomic_compare_exchange_strong(&place->owner, &owner, fp_thread_self());
}

static struct fp_sampling *find_place(void)
{
	uint32_t count = used_places();
	uint32_t first = atomic_fetch_add(&cursor, 1);

	/* One look where there is room, and as many as it takes where there is none. */
	for (uint32_t i = 0; i < count && (i == 0 || count == PLACES); i++)
		if (inherit(&places[(first + i) % count]))
			return &places[(first + i) % count];
	if (count == PLACES || places == NULL)
		return &shared;
	count = atomic_fetch_add(&used, 1);
	if (count >= PLACES)
		return &shared;
	atomic_store(&places[count].owner, fp_thread_self());
	return &places[count];
}

/* Evenly from 0 to 2 * (sample - 1): a program that allocates in a rhythm does not hide its
 * every Nth block. */
static uint64_t next_gap(struct fp_sampling *own)
{
	if (own->random == 0)
		own->random = fp_thread_self() * 0x9e3779b97f4a7c15u;
	own->random ^= own->random << 13;
	own->random ^= own->random >> 7;
	own->random ^= own->random << 17;
	return (own->random >> 11) % (2 * fp_preload.sample - 1);
}

void fp_sampling_draw(struct fp_sampling **own)
{
	int saved_errno = errno;

	if (*own == &fp_sampling_none)
		*own = find_place();
	(*own)->next = atomic_load(&(*own)->count) + next_gap(*own);
	errno = saved_errno;
}

uint64_t fp_sampling_count(void)
{
	uint64_t sum = atomic_load(&shared.count);

	for (uint32_t i = 0; i < used_places(); i++)
		sum += atomic_load(&places[i].count);
	return sum;
}

void fp_sampling_renew_in_child(struct fp_sampling *own)
{
	if (own != &fp_sampling_none)
		atomic_store(&own->owner, fp_thread_self());
}
