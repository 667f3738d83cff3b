/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of pages with poisoned bytes. A page that one call poisoned whole needs no more than
 * its entry; others have a bit for each byte, and for each eight bytes who poisoned them last.
 */
#include "poison/poison.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/vm.h"

/* A program may poison what it has reserved and never uses: there is an end to what is kept. */
enum { GRANULE = 8, FIRST_PLACES = 256, PLACES_MAX = 1 << 22 };

/* Who poisoned, once each: for the number in a granule. */
struct act {
	struct fp_poisoner by;
	uint32_t next; /* of the same hash; 0: none */
};

enum { ACT_HEADS = 1024 };

struct page {
	uintptr_t base;  /* 0: a free place */
	size_t poisoned; /* bytes */
	uint32_t act;    /* of all of them, without granules */
	bool is_closed;
	/* For each granule the act, then for each the bits of its bytes; or NULL: all are
	 * poisoned. */
	uint32_t *granules;
};

static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_POISON);
FP_HELD_ACROSS_FORK(FP_RANK_POISON, &lock);
static struct page *pages; /* open addressing */
static size_t places;      /* a power of two, or 0 */
static struct act *acts;   /* from 1 on */
static size_t act_room;
static uint32_t act_count;
static uint32_t heads[ACT_HEADS];
static _Atomic uint64_t refusals;

static bool (*may_close)(uintptr_t start, size_t bytes);

_Atomic size_t fp_poison_pages;
_Atomic uintptr_t fp_poison_low = UINTPTR_MAX;
_Atomic uintptr_t fp_poison_high;

void fp_poison_init(bool (*new_may_close)(uintptr_t start, size_t bytes))
{
	may_close = new_may_close;
}

/* ---- Who
 * -------------------------------------------------------------------------------------- */

static bool grow_acts(void)
{
	size_t room = act_room == 0 ? FIRST_PLACES : 2 * act_room;
	struct act *bigger = fp_meta_alloc(room * sizeof(*bigger));

	if (bigger == NULL)
		return false;
	if (acts != NULL)
		memcpy(bigger, acts, act_room * sizeof(*acts));
	fp_meta_free(acts, act_room * sizeof(*acts));
	acts = bigger;
	act_room = room;
	return true;
}

/* 0: there is no memory. */
static uint32_t act_of(const struct fp_poisoner *by)
{
	uint64_t hash = fp_hash_word(0, (uint64_t)by->thread << 32 | by->trace);
	uint32_t *head = &heads[fp_hash_place(hash, sizeof(heads) / sizeof(heads[0]))];

	for (uint32_t act = *head; act != 0; act = acts[act].next)
		if (acts[act].by.trace == by->trace && acts[act].by.thread == by->thread)
			return act;
	if (act_count + 1 >= act_room && !grow_acts())
		return 0;
	acts[++act_count] = (struct act){.by = *by, .next = *head};
	*head = act_count;
	return act_count;
}

/* ---- Pages
 * ------------------------------------------------------------------------------------ */

static size_t place_of(uintptr_t base, size_t count)
{
	return fp_hash_place(fp_hash_word(0, base / fp_vm_page_size()), count);
}

/* The place of that page: its own, or the free one where it belongs. */
static struct page *find_in(struct page *table, size_t count, uintptr_t base)
{
	size_t at = place_of(base, count);

	while (table[at].base != 0 && table[at].base != base)
		at = fp_hash_next(at, count);
	return &table[at];
}

/* NULL: it has no poisoned bytes. */
static struct page *find(uintptr_t base)
{
	struct page *page = places == 0 ? NULL : find_in(pages, places, base);

	return page != NULL && page->base != 0 ? page : NULL;
}

static bool grow(void)
{
	size_t count = places == 0 ? FIRST_PLACES : 2 * places;
	struct page *bigger = fp_meta_alloc(count * sizeof(*bigger));

	if (bigger == NULL)
		return false;
	for (size_t i = 0; i < places; i++)
		if (pages[i].base != 0)
			*find_in(bigger, count, pages[i].base) = pages[i];
	fp_meta_free(pages, places * sizeof(*pages));
	pages = bigger;
	places = count;
	return true;
}

static size_t granule_count(void)
{
	return fp_vm_page_size() / GRANULE;
}

static size_t granule_bytes(void)
{
	return granule_count() * (sizeof(uint32_t) + 1);
}

static uint8_t *bits_of(const struct page *page)
{
	return (uint8_t *)(page->granules + granule_count());
}

/* Those of pages that need none any more, for the next: memory of this size is the kernel's to
 * give, which takes longer than all the rest. */
static void *spare;

static uint32_t *take_granules(void)
{
	void *granules = spare;

	if (granules == NULL)
		return fp_meta_alloc(granule_bytes());
	memcpy(&spare, granules, sizeof(spare));
	memset(granules, 0, granule_bytes());
	return granules;
}

static void give_granules(struct page *page)
{
	if (page->granules == NULL)
		return;
	memcpy(page->granules, &spare, sizeof(spare));
	spare = page->granules;
	page->granules = NULL;
}

/* A page without poisoned bytes yet. */
static struct page *add_page(uintptr_t base)
{
	if (places == PLACES_MAX && 2 * (atomic_load(&fp_poison_pages) + 1) > places)
		return NULL;
	if (2 * (atomic_load(&fp_poison_pages) + 1) > places && !grow())
		return NULL;
	uint32_t *granules = take_granules();
	if (granules == NULL)
		return NULL;
	struct page *page = find_in(pages, places, base);
	*page = (struct page){.base = base, .granules = granules};
	atomic_fetch_add(&fp_poison_pages, 1);
	return page;
}

/* Those behind it move up, so that each is found from where it belongs. */
static void drop_page(struct page *page)
{
	size_t hole = (size_t)(page - pages);

	give_granules(page);
	for (size_t at = fp_hash_next(hole, places); pages[at].base != 0;
	     at = fp_hash_next(at, places)) {
		size_t wanted = place_of(pages[at].base, places);

		if (((at - wanted) & (places - 1)) < ((at - hole) & (places - 1)))
			continue;
		pages[hole] = pages[at];
		hole = at;
	}
	pages[hole] = (struct page){.base = 0};
	atomic_fetch_sub(&fp_poison_pages, 1);
}

/* All its bytes are ACT's from now on. */
static void take_whole(struct page *page, uint32_t act)
{
	give_granules(page);
	page->poisoned = fp_vm_page_size();
	page->act = act;
}

/* Whether its bytes can be told apart. */
static bool split(struct page *page)
{
	if (page->granules != NULL)
		return true;
	page->granules = take_granules();
	if (page->granules == NULL)
		return false;
	for (size_t i = 0; i < granule_count(); i++)
		page->granules[i] = page->act;
	memset(bits_of(page), 0xff, granule_count());
	return true;
}

/* The bits of the bytes from FROM to TO, offsets in a page, in granule AT. */
static uint8_t mask_of(size_t at, size_t from, size_t to)
{
	size_t start = at * GRANULE;
	size_t first = from > start ? from - start : 0;
	size_t last = to < start + GRANULE ? to - start : GRANULE;

	return (uint8_t)((0xffu >> (GRANULE - (last - first))) << first);
}

/* The compiler's own way is a call of another library. */
static size_t count_bits(uint8_t bits)
{
	size_t count = 0;

	for (; bits != 0; bits &= (uint8_t)(bits - 1))
		count++;
	return count;
}

/* ACT 0: no longer poisoned. */
static void mark(struct page *page, size_t from, size_t to, uint32_t act)
{
	uint8_t *bits = bits_of(page);

	for (size_t i = from / GRANULE; i * GRANULE < to; i++) {
		uint8_t mask = mask_of(i, from, to);
		uint8_t before = bits[i];

		bits[i] = act != 0 ? before | mask : before & (uint8_t)~mask;
		if (act != 0)
			page->granules[i] = act;
		page->poisoned += count_bits(bits[i]);
		page->poisoned -= count_bits(before);
	}
}

/* ---- Protection
 * -------------------------------------------------------------------------------
 */

/* Neighbours that are to become accessible, or inaccessible, by one system call. */
struct run {
	uintptr_t start;
	uintptr_t end;
	bool closes;
};

static int protect(const struct run *run)
{
	return fp_vm_protect(run->start, run->end - run->start,
	                     run->closes ? PROT_NONE : PROT_READ | PROT_WRITE);
}

static bool close_run(const struct run *run)
{
	if (may_close != NULL && !may_close(run->start, run->end - run->start))
		return false;
	bool is_closed = protect(run) == 0;
	if (!is_closed)
		atomic_fetch_add(&refusals, 1);
	return is_closed;
}

/* What cannot be closed stays poisoned, and accessible. */
static void flush(struct run *run)
{
	if (run->end > run->start && !run->closes)
		protect(run);
	else if (run->end > run->start && !close_run(run))
		for (uintptr_t at = run->start; at < run->end; at += fp_vm_page_size())
			find(at)->is_closed = false;
	run->start = run->end = 0;
}

static void join(struct run *run, uintptr_t base)
{
	if (run->end != base) {
		flush(run);
		run->start = base;
	}
	run->end = base + fp_vm_page_size();
}

/* ---- Poison
 * -----------------------------------------------------------------------------------
 */

static bool poison_part(uintptr_t base, size_t from, size_t to, uint32_t act, struct run *run)
{
	struct page *page = find(base);

	if (page == NULL)
		page = add_page(base);
	if (page == NULL)
		return false;
	if (to - from == fp_vm_page_size())
		take_whole(page, act);
	else if (!split(page))
		return false;
	else
		mark(page, from, to, act);
	if (page->poisoned == fp_vm_page_size() && !page->is_closed) {
		page->is_closed = true;
		join(run, base);
	}
	return true;
}

/* Without memory to tell bytes apart the whole page goes: too little is found, not too much. */
static void heal_part(uintptr_t base, size_t from, size_t to, struct run *run)
{
	struct page *page = find(base);

	if (page == NULL)
		return;
	if (page->is_closed) {
		page->is_closed = false;
		join(run, base);
	}
	if (to - from < fp_vm_page_size() && split(page))
		mark(page, from, to, 0);
	else
		page->poisoned = 0;
	if (page->poisoned == 0)
		drop_page(page);
}

int fp_poison_add(uintptr_t start, size_t bytes, const struct fp_poisoner *by)
{
	struct run run = {.closes = true};
	size_t page = fp_vm_page_size();
	uintptr_t end = start + bytes;

	fp_lock_acquire(&lock);
	if (start < atomic_load(&fp_poison_low))
		atomic_store(&fp_poison_low, start);
	if (end > atomic_load(&fp_poison_high))
		atomic_store(&fp_poison_high, end);
	uint32_t act = act_of(by);
	bool is_done = act != 0;
	for (uintptr_t base = fp_align_down(start, page); is_done && base < end; base += page)
		is_done = poison_part(base, start > base ? start - base : 0,
		                      end - base < page ? end - base : page, act, &run);
	flush(&run);
	fp_lock_release(&lock);
	return is_done ? 0 : -ENOMEM;
}

void fp_poison_remove(uintptr_t start, size_t bytes)
{
	struct run run = {.closes = false};
	size_t page = fp_vm_page_size();
	uintptr_t end = start + bytes;

	if (!fp_poison_is_used())
		return;
	fp_lock_acquire(&lock);
	for (uintptr_t base = fp_align_down(start, page); base < end; base += page)
		heal_part(base, start > base ? start - base : 0,
		          end - base < page ? end - base : page, &run);
	flush(&run);
	fp_lock_release(&lock);
}

/* ---- Questions
 * --------------------------------------------------------------------------------
 */

static bool find_in_page(const struct page *page, size_t from, size_t to,
                         struct fp_poisoned *found)
{
	found->address = page->base + from;
	if (page->granules == NULL) {
		found->by = acts[page->act].by;
		return true;
	}
	for (size_t i = from / GRANULE; i * GRANULE < to; i++) {
		unsigned bits = bits_of(page)[i] & mask_of(i, from, to);

		if (bits == 0)
			continue;
		found->address = page->base + i * GRANULE + (size_t)__builtin_ctz(bits);
		found->by = acts[page->granules[i]].by;
		return true;
	}
	return false;
}

bool fp_poison_find(uintptr_t start, size_t bytes, struct fp_poisoned *found)
{
	size_t page = fp_vm_page_size();
	uintptr_t end = start + bytes;
	bool is_found = false;

	if (!fp_poison_is_used())
		return false;
	fp_lock_acquire(&lock);
	for (uintptr_t base = fp_align_down(start, page); !is_found && base < end;
	     base += page) {
		const struct page *here = find(base);

		is_found = here != NULL &&
		           find_in_page(here, start > base ? start - base : 0,
		                        end - base < page ? end - base : page, found);
	}
	fp_lock_release(&lock);
	return is_found;
}

bool fp_poison_is_closed(uintptr_t address)
{
	if (!fp_poison_is_used())
		return false;
	fp_lock_acquire(&lock);
	const struct page *page = find(fp_align_down(address, fp_vm_page_size()));
	bool is_closed = page != NULL && page->is_closed;
	fp_lock_release(&lock);
	return is_closed;
}

int fp_poison_expose(uintptr_t page)
{
	return fp_vm_protect(page, fp_vm_page_size(), PROT_READ | PROT_WRITE);
}

void fp_poison_conceal(uintptr_t page)
{
	if (fp_poison_is_closed(page))
		fp_vm_protect(page, fp_vm_page_size(), PROT_NONE);
}

uint64_t fp_poison_refusals(void)
{
	return atomic_load(&refusals);
}
