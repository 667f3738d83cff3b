/* SPDX-License-Identifier: Apache-2.0
 *
 * The accounts of contexts are for all threads, and a thread has its shares of those that it
 * met last. Threads' places are one table: a new thread goes on where one did that has ended,
 * so as many are used as there are threads at a time, and a few more.
 *
 * budget=PERCENT: of each context the first blocks are guarded, then one in 2, 4, 8 and so on
 * the more were: contexts that allocate most give way first. The level shifts that for all of
 * them, up where time and memory for guarded blocks are used up, and down where they are not.
 */
#include "preload/picker.h"

#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/meta.h"
#include "base/sys.h"
#include "base/thread.h"
#include "heap/tier.h"
#include "preload/door.h"
#include "session/session.h"

enum {
	PLACES = 1 << 16,
	ACCOUNTS = 1 << 14,
	INDEX = 2 * ACCOUNTS,
	TRACES = 1 << 16,
	SITES = 1 << 16,
	MANY = 1 << 10, /* contexts */
	NO_ACCOUNT = 0,
	COMMON = 1, /* the account of all with sample=N, and of those that there is no room for
	             */
	FIRST = 4,  /* blocks of each context are guarded, or one where the budget is overdrawn
	             */
	SHIFT_MAX = 20,
	TIMED = 32,      /* one entry in so many: to read the thread's clock is a system call */
	TIMED_ALL = 256, /* where every block is guarded */
	JUDGED = 16,     /* timed entries */
	PART = 1 << 10,
	BUDGET_USUAL = 50,    /* more than that begins with more blocks than the first */
	ENOUGH = 80,          /* percent of the budget: no more is spent on purpose */
	LEFT_NANOSECONDS = 4, /* what a block costs that is left to libc */
	PERCENT = 100,
	SLOW = 20,
};

static const uint64_t long_enough = 2000000000; /* nanoseconds */

/* What a program may use of its budget before it has earned it. */
static const uint64_t advance_bytes = 1 << 20;

struct account {
	uint64_t key;
	_Atomic uint64_t blocks; /* up to the next decision about each share */
	_Atomic uint32_t guarded;
	_Atomic uint32_t left;     /* of blocks: to shares that had to make room */
	_Atomic fp_trace_id trace; /* of the first that was guarded */
	_Atomic bool is_suspect;   /* it had a finding: all are guarded */
};

struct fp_picker fp_picker_none = {.shares = {{0}}};

/* Of threads that find no place: some counts get lost. */
static struct fp_picker common = {.shares = {{.context = COMMON}}};

static struct fp_session_picking settings;
static struct fp_picker *_Atomic *places;
static _Atomic uint32_t used;
static _Atomic uint32_t cursor;
static struct account *accounts;
static _Atomic uint32_t account_count = COMMON + 1;
static _Atomic uint32_t *index_of_keys;    /* accounts, by the hash of their keys */
static _Atomic uint64_t *account_of_trace; /* the last one that had it, with the trace above */
/* By a forked child: what is its parent's. */
static struct fp_session_picked *inherited;
static uint32_t inherited_count;
static uint64_t inherited_plain;

static uint32_t entries_between; /* that are timed, or 0 */
static _Atomic uint64_t spent;   /* nanoseconds for guarded blocks */
static uint64_t at_both_ends;    /* more, which is spent elsewhere or later */
static _Atomic uint32_t timed;
static _Atomic int
        level; /* of each context one block in 2^level times less or more is guarded */

static uint32_t used_of(const _Atomic uint32_t *count, uint32_t room)
{
	uint32_t seen = atomic_load(count);

	return seen < room ? seen : room;
}

/* ---- Places of threads ---------------------------------------------------------------------
 */

/* Whether PLACE was that of a thread which has ended, and is the caller's now. */
static bool inherit(struct fp_picker *place)
{
	uint32_t owner = atomic_load(&place->owner);

	return owner != 0 && fp_sys(SYS_tgkill, fp_sys_getpid(), owner, 0) == -ESRCH &&
	       atomic_compare_exchange_strong(&place->owner, &owner, fp_thread_self());
}

static uint32_t shares_of_each(void)
{
	return settings.budget == 0 ? 1 : FP_PICKER_SHARES;
}

static struct fp_picker *make_place(uint32_t number)
{
	struct fp_picker *place =
	        fp_meta_alloc(sizeof(*place) + shares_of_each() * sizeof(place->shares[0]));

	if (place == NULL)
		return NULL;
	/* Bits between those that choose a share and its tag would tell nothing apart. */
	place->mask = settings.budget == 0 ? 0 : ~(uint64_t)UINT32_MAX | (FP_PICKER_SHARES - 1);
	atomic_store(&place->shares[0].context, settings.budget == 0 ? COMMON : NO_ACCOUNT);
	place->random = fp_hash_word(settings.seed, number + 1) | 1; /* of 0 comes nothing */
	atomic_store(&place->owner, fp_thread_self());
	atomic_store(&places[number], place);
	return place;
}

static struct fp_picker *find_place(void)
{
	uint32_t count = used_of(&used, PLACES);
	uint32_t first = atomic_fetch_add(&cursor, 1);

	/* One look where there is room, and as many as it takes where there is none. */
	for (uint32_t i = 0; i < count && (i == 0 || count == PLACES); i++) {
		struct fp_picker *place = atomic_load(&places[(first + i) % count]);

		if (place != NULL && inherit(place))
			return place;
	}
	if (count == PLACES)
		return NULL;
	count = atomic_fetch_add(&used, 1);
	return count < PLACES ? make_place(count) : NULL;
}

/* Threads have their own storage at the end of their stacks. */
static uintptr_t find_base(void)
{
	extern void *__libc_stack_end;

	return (pid_t)fp_thread_self() == fp_sys_getpid() ? (uintptr_t)__libc_stack_end
	                                                  : (uintptr_t)&fp_preload_thread;
}

static struct fp_picker *place_of(struct fp_picker_thread *thread)
{
	if (thread->own != &fp_picker_none)
		return thread->own;
	struct fp_picker *place = find_place();
	if (place != NULL)
		place->base = find_base();
	thread->own = place != NULL ? place : &common;
	return thread->own;
}

/* ---- Accounts and shares -------------------------------------------------------------------
 */

static uint32_t add_account(uint64_t key, _Atomic uint32_t *place)
{
	uint32_t number = atomic_fetch_add(&account_count, 1);
	uint32_t before = NO_ACCOUNT;

	if (number >= ACCOUNTS)
		return COMMON;
	accounts[number].key = key;
	/* Who lost the race leaves an account without blocks. */
	return atomic_compare_exchange_strong(place, &before, number) ? number : before;
}

static uint32_t find_account(uint64_t key)
{
	size_t at = fp_hash_place(fp_hash_word(0, key), INDEX);

	for (;; at = fp_hash_next(at, INDEX)) {
		uint32_t number = atomic_load(&index_of_keys[at]);

		if (number == NO_ACCOUNT)
			number = add_account(key, &index_of_keys[at]);
		if (number == COMMON || accounts[number].key == key)
			return number;
	}
}

static bool is_of(const struct fp_picker_share *share, uint64_t key)
{
	return atomic_load_explicit(&share->context, memory_order_relaxed) != NO_ACCOUNT &&
	       (atomic_load_explicit(&share->left, memory_order_relaxed) ^ key) >> 32 == 0;
}

static void put(struct fp_picker_share *share, uint32_t context, uint64_t left)
{
	atomic_store_explicit(&share->context, context, memory_order_relaxed);
	atomic_store_explicit(&share->left, left, memory_order_relaxed);
}

/* What SHARE has left goes to whoever is the next to have one of its context. */
static void give_back(struct fp_picker_share *share)
{
	uint32_t left = (uint32_t)atomic_load(&share->left);
	uint32_t context = atomic_load(&share->context);

	put(share, NO_ACCOUNT, 0);
	if (context != NO_ACCOUNT && left != 0)
		atomic_fetch_add(&accounts[context].left, left);
}

/* A share can be in two places, and is found at once in the first, where the newest are. */
static struct fp_picker_share *find_share(struct fp_picker *own, uint64_t key)
{
	struct fp_picker_share *first = fp_picker_share(own, key);
	struct fp_picker_share *second = fp_picker_share(own, (key ^ 1) & own->mask);

	if (is_of(first, key))
		return first;
	if (is_of(second, key))
		return second;
	give_back(second);
	put(second, atomic_load(&first->context), atomic_load(&first->left));
	uint32_t number = find_account(key);
	put(first, number,
	    (key & ~(uint64_t)UINT32_MAX) | atomic_exchange(&accounts[number].left, 0));
	return first;
}

/* ---- What it costs -------------------------------------------------------------------------
 */

/* Of what may be used for the one thing, how much is, in percent; NATIVE is without us. */
static uint64_t used_up(uint64_t own, uint64_t native, uint64_t advance)
{
	return own * PERCENT / (native / PERCENT * settings.budget + advance + 1);
}

static uint64_t bytes_used_up(void)
{
	struct rusage usage;
	uint64_t own = fp_tier_guarded_bytes();

	if (fp_sys(SYS_getrusage, RUSAGE_SELF, &usage) != 0)
		return 0;
	uint64_t all = (uint64_t)usage.ru_maxrss << 10;
	return used_up(own, all > own ? all - own : 0, advance_bytes);
}

static void suggest(void *unused)
{
	(void)unused;
	fp_session_suggest_budget();
}

/* From time to time, on the program's stack. */
static void judge(void)
{
	uint64_t all = fp_clock_processor(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t own = atomic_load(&spent);
	int step;

	if (settings.budget == 0) {
		if (all >= long_enough && own >= all / SLOW * (SLOW - 1))
			fp_room_run(suggest, NULL);
		return;
	}
	/* What is timed now and then may come to more than all. */
	uint64_t native = own < all - all / 8 ? all - own : all / 8;
	uint64_t time = used_up(own + at_both_ends, native, 0);
	uint64_t bytes = bytes_used_up();
	uint64_t most = time > bytes ? time : bytes;

	step = most > 2 * PERCENT ? 2 : most > PERCENT ? 1 : most > ENOUGH ? 0 : -1;
	int now = atomic_load(&level) + step;
	atomic_store(&level, now > SHIFT_MAX ? SHIFT_MAX : now < -SHIFT_MAX ? -SHIFT_MAX : now);
}

/* LEFT blocks are left to libc. */
static void look_at_clock(uint32_t left)
{
	static _Atomic uint64_t judged;
	uint64_t now = fp_clock_nanoseconds();

	atomic_fetch_add_explicit(&spent, left * LEFT_NANOSECONDS, memory_order_relaxed);
	if (atomic_load_explicit(&judged, memory_order_relaxed) == now)
		return;
	atomic_store_explicit(&judged, now, memory_order_relaxed);
	judge();
}

uint64_t fp_picker_begin(void)
{
	struct fp_picker_thread *thread = &fp_preload_thread.picker;

	if (entries_between == 0 || ++thread->entries % entries_between != 0)
		return 0;
	return fp_clock_processor(CLOCK_THREAD_CPUTIME_ID);
}

void fp_picker_end(uint64_t begun)
{
	uint64_t passed = fp_clock_processor(CLOCK_THREAD_CPUTIME_ID) - begun;

	/* The program pays for more than we see: pages that it touches first, caches. */
	passed += passed / 4;
	atomic_fetch_add(&spent, passed * entries_between);
	if ((atomic_fetch_add(&timed, 1) + 1) % JUDGED == 0)
		judge();
}

/* ---- The decision --------------------------------------------------------------------------
 */

static uint64_t draw(struct fp_picker *own)
{
	own->random ^= own->random << 13;
	own->random ^= own->random >> 7;
	own->random ^= own->random << 17;
	return own->random >> 11;
}

/* One block in how many is guarded of a context that has so many GUARDED ones. */
static uint64_t find_period(const struct account *account, uint32_t guarded)
{
	int now = atomic_load_explicit(&level, memory_order_relaxed);

	if (settings.budget == 0)
		return settings.sample;
	if (atomic_load_explicit(&account->is_suspect, memory_order_relaxed) ||
	    guarded < (now > 0 ? 1 : FIRST))
		return 1;
	int shift = now + (31 - __builtin_clz(guarded / FIRST + 1));
	return (uint64_t)1 << (shift < 0 ? 0 : shift > SHIFT_MAX ? SHIFT_MAX : shift);
}

/* Whether this is the first block that CALLER asks for of about SIZE, at whatever depth. */
static bool is_first_of_site(uintptr_t caller, size_t size)
{
	static _Atomic uint64_t met[SITES / 64];
	size_t site =
	        fp_hash_place(fp_hash_word(caller, (uint64_t)__builtin_clzl(size | 15)), SITES);
	uint64_t bit = (uint64_t)1 << site % 64;

	/* Nearly always: and a line that nobody writes stays in the caches of all. */
	if ((atomic_load_explicit(&met[site / 64], memory_order_relaxed) & bit) != 0)
		return false;
	return (atomic_fetch_or(&met[site / 64], bit) & bit) == 0;
}

/* A share of a long period is given out in parts, so that the period may change: whether the
 * block at the end of such a part is guarded. Interpreters call malloc from thousands of
 * contexts: the first blocks of all of them would be more than a budget that is overdrawn.
 * Beyond MANY the first of each site is certain, and of its other depths some. */
static bool is_due(struct fp_picker *own, const struct account *account, bool is_site_new)
{
	uint32_t guarded = atomic_load(&account->guarded);
	int now = atomic_load_explicit(&level, memory_order_relaxed);

	if (guarded == 0 && now > 0 && atomic_load(&account_count) > MANY && !is_site_new &&
	    !atomic_load_explicit(&account->is_suspect, memory_order_relaxed))
		return draw(own) % ((uint64_t)1 << now) == 0;
	uint64_t period = find_period(account, guarded);
	return period <= PART || guarded == 0 || draw(own) % period < PART;
}

/* How many blocks are left to libc before the next decision. Evenly around what is wanted: a
 * program that allocates in a rhythm does not hide its every Nth block. */
static uint32_t draw_gap(struct fp_picker *own, const struct account *account)
{
	uint64_t period = find_period(account, atomic_load(&account->guarded));

	return (uint32_t)(period > PART ? PART - 1 : draw(own) % (2 * period - 1));
}

bool fp_picker_decide(uintptr_t caller, uintptr_t frame, size_t size)
{
	struct fp_picker_thread *thread = &fp_preload_thread.picker;

	thread->picked = NO_ACCOUNT;
	if (!fp_preload.picks || fp_preload_thread.is_inside)
		return false;
	struct fp_picker *own = place_of(thread);
	struct fp_picker_share *share =
	        find_share(own, fp_picker_key(own, caller, frame, size));
	uint64_t left = atomic_load_explicit(&share->left, memory_order_relaxed);
	if ((uint32_t)left != 0) {
		atomic_store_explicit(&share->left, left - 1, memory_order_relaxed);
		return true;
	}
	uint32_t context = atomic_load_explicit(&share->context, memory_order_relaxed);
	struct account *account = &accounts[context];
	bool guards = is_due(own, account, is_first_of_site(caller, size));

	if (guards)
		atomic_fetch_add(&account->guarded, 1);
	uint32_t gap = draw_gap(own, account);
	atomic_fetch_add(&account->blocks, gap + 1);
	atomic_store_explicit(&share->left, left + gap, memory_order_relaxed);
	if (settings.budget != 0)
		look_at_clock(gap);
	if (guards)
		thread->picked = context;
	return !guards;
}

void fp_picker_keep_trace(fp_trace_id trace)
{
	uint32_t context = fp_preload_thread.picker.picked;
	fp_trace_id none = FP_TRACE_NONE;

	if (context == NO_ACCOUNT || trace == FP_TRACE_NONE)
		return;
	atomic_compare_exchange_strong(&accounts[context].trace, &none, trace);
	atomic_store_explicit(&account_of_trace[trace % TRACES],
	                      (uint64_t)trace << 32 | context, memory_order_relaxed);
}

/* ---- The report, findings, fork ------------------------------------------------------------
 */

/* Takes what SHARE has left out of the account it is of. */
static uint32_t left_of(const struct fp_picker_share *share, struct fp_session_picked *sums)
{
	uint32_t context = atomic_load(&share->context);
	uint32_t left = (uint32_t)atomic_load(&share->left);

	if (sums != NULL)
		sums[context].blocks -= left;
	return left;
}

/* How many blocks were left to libc; and of each account, where SUMS has room for all. */
static uint64_t sum_up(struct fp_session_picked *sums)
{
	uint64_t plain = 0;

	if (!fp_preload.picks)
		return 0;
	for (uint32_t i = COMMON; i < used_of(&account_count, ACCOUNTS); i++) {
		uint64_t blocks =
		        atomic_load(&accounts[i].blocks) - atomic_load(&accounts[i].left);
		uint32_t guarded = atomic_load(&accounts[i].guarded);

		plain += blocks - guarded;
		if (sums != NULL)
			sums[i] = (struct fp_session_picked){atomic_load(&accounts[i].trace),
			                                     blocks, guarded};
	}
	for (uint32_t i = 0; i < used_of(&used, PLACES); i++) {
		struct fp_picker *place = atomic_load(&places[i]);

		for (uint32_t j = 0; place != NULL && j < shares_of_each(); j++)
			plain -= left_of(&place->shares[j], sums);
	}
	return plain - left_of(&common.shares[0], sums);
}

static uint64_t count_plain(void)
{
	return sum_up(NULL) - inherited_plain;
}

static void list_contexts(fp_session_picked_visitor visit, void *user)
{
	uint32_t count = used_of(&account_count, ACCOUNTS);
	struct fp_session_picked *sums = fp_meta_alloc(count * sizeof(*sums));

	if (sums == NULL)
		return;
	sum_up(sums);
	for (uint32_t i = COMMON; i < count; i++) {
		if (i < inherited_count) {
			sums[i].blocks -= inherited[i].blocks;
			sums[i].guarded -= inherited[i].guarded;
		}
		if (sums[i].blocks != 0)
			visit(&sums[i], user);
	}
	fp_meta_free(sums, count * sizeof(*sums));
}

/* No share leaves blocks of CONTEXT to libc any more. A thread that is in one right now may go
 * on until that is used up. */
static void recall(uint32_t context)
{
	atomic_store(&accounts[context].is_suspect, true);
	for (uint32_t i = 0; i < used_of(&used, PLACES); i++) {
		struct fp_picker *place = atomic_load(&places[i]);

		for (uint32_t j = 0; place != NULL && j < shares_of_each(); j++) {
			struct fp_picker_share *share = &place->shares[j];
			uint64_t left = atomic_load(&share->left);

			if (atomic_load(&share->context) != context)
				continue;
			atomic_store(&share->left, left & ~(uint64_t)UINT32_MAX);
			atomic_fetch_sub(&accounts[context].blocks, (uint32_t)left);
		}
	}
	uint32_t left = atomic_exchange(&accounts[context].left, 0);
	atomic_fetch_sub(&accounts[context].blocks, left);
}

static void suspect(fp_trace_id trace)
{
	uint64_t known = atomic_load(&account_of_trace[trace % TRACES]);

	if (known >> 32 == trace)
		recall((uint32_t)known);
	for (uint32_t i = COMMON; i < used_of(&account_count, ACCOUNTS); i++)
		if (atomic_load(&accounts[i].trace) == trace)
			recall(i);
}

void fp_picker_renew_in_child(struct fp_picker *own)
{
	uint32_t count = used_of(&account_count, ACCOUNTS);

	if (!fp_preload.picks)
		return;
	if (own != &fp_picker_none && own != &common)
		atomic_store(&own->owner, fp_thread_self());
	/* So does its clock. */
	atomic_store(&spent, 0);
	fp_meta_free(inherited, inherited_count * sizeof(*inherited));
	inherited = fp_meta_alloc(count * sizeof(*inherited));
	inherited_count = inherited == NULL ? 0 : count;
	inherited_plain = sum_up(inherited);
}

bool fp_picker_start(void)
{
	static const struct fp_session_picker_door door = {
	        .count_plain = count_plain,
	        .list_contexts = list_contexts,
	        .suspect = suspect,
	};

	settings = fp_session_take_picking(&door);
	bool picks = settings.budget != 0 || settings.sample > 1;
	if (!picks || settings.budget != 0)
		entries_between = picks ? TIMED : TIMED_ALL;
	if (!picks)
		return false;
	atomic_store(&level, __builtin_clz((unsigned)settings.budget / BUDGET_USUAL + 1) - 31);
	/* The first half was the loader's. Our end takes about as long as our start, and
	 * `fencepost run` longer. */
	atomic_store(&spent, fp_clock_processor(CLOCK_PROCESS_CPUTIME_ID) / 2);
	at_both_ends = 3 * atomic_load(&spent);
	places = fp_meta_alloc(PLACES * sizeof(*places));
	accounts = fp_meta_alloc(ACCOUNTS * sizeof(*accounts));
	index_of_keys = fp_meta_alloc(INDEX * sizeof(*index_of_keys));
	account_of_trace = fp_meta_alloc(TRACES * sizeof(*account_of_trace));
	/* Without room to choose, all are guarded. */
	return places != NULL && accounts != NULL && index_of_keys != NULL &&
	       account_of_trace != NULL;
}
