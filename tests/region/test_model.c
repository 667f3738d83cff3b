/* SPDX-License-Identifier: Apache-2.0
 *
 * Random calls in a small part of the address space, held against a model that knows each page
 * by itself: results, VirtualQuery's answers, protections and contents.
 */
#include <errno.h>
#include <string.h>

#include "regions.h"

enum { GRANULES = 8, PAGES = GRANULES * GRANULE / PAGE, OTHERS = 300 };

/* What a page is: of the region that begins at page OWNER - 1, or 0. */
struct page {
	unsigned owner;
	bool is_committed;
	uint32_t protection;
	uint8_t content; /* of its first byte */
};

static const uintptr_t far_away = (uintptr_t)1 << 44;
static struct page pages[PAGES];
static unsigned length[PAGES]; /* of the region that begins there */
static uintptr_t room;
static uint64_t state;

static unsigned any(unsigned below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % below;
}

static uintptr_t address_of(unsigned page)
{
	return room + (uintptr_t)page * PAGE;
}

/* Whether all of the pages are of one region, and committed if that is asked. */
static bool is_one(unsigned first, unsigned count, bool committed)
{
	for (unsigned i = first; i < first + count; i++)
		if (i >= PAGES || pages[i].owner == 0 || pages[i].owner != pages[first].owner ||
		    (committed && !pages[i].is_committed))
			return false;
	return true;
}

static bool is_free(unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++)
		if (pages[i].owner != 0)
			return false;
	return true;
}

static int reserve(unsigned at, unsigned count)
{
	unsigned first = at / 16 * 16;
	unsigned all = at - first + count;
	const struct fp_region_request request = {.address = address_of(at) + any(PAGE - 1),
	                                          .size = (size_t)(count - 1) * PAGE + 1,
	                                          .type = RESERVE,
	                                          .protection = READONLY};
	bool expected = first + all <= PAGES && is_free(first, all);
	uintptr_t base;

	if (first + all > PAGES)
		return 0;
	test_that((fp_region_alloc(&request, &base) == 0) == expected);
	if (!expected)
		return 0;
	test_that(base == address_of(first));
	for (unsigned i = first; i < first + all; i++)
		pages[i] = (struct page){.owner = first + 1};
	length[first] = all;
	return 1;
}

static int commit(unsigned first, unsigned count)
{
	uint32_t protection = any(2) ? READWRITE : READONLY;
	const struct fp_region_request request = {.address = address_of(first),
	                                          .size = (size_t)count * PAGE,
	                                          .type = COMMIT,
	                                          .protection = protection};
	bool expected = is_one(first, count, false);
	uintptr_t base;

	test_that((fp_region_alloc(&request, &base) == 0) == expected);
	for (unsigned i = first; expected && i < first + count; i++) {
		if (!pages[i].is_committed)
			pages[i].content = 0;
		pages[i].is_committed = true;
		pages[i].protection = protection;
		if (protection == READWRITE)
			*(uint8_t *)address_of(i) = pages[i].content = (uint8_t)(1 + any(255));
	}
	return expected;
}

static int decommit(unsigned first, unsigned count)
{
	bool expected = is_one(first, count, false);

	test_that((fp_region_free(address_of(first), (size_t)count * PAGE, DECOMMIT) == 0) ==
	          expected);
	for (unsigned i = first; expected && i < first + count; i++)
		pages[i].is_committed = false;
	return expected;
}

static int protect(unsigned first, unsigned count)
{
	uint32_t protection = any(2) ? READWRITE : READONLY;
	bool expected = is_one(first, count, true);
	uint32_t old;

	test_that((fp_region_protect(address_of(first), (size_t)count * PAGE, protection,
	                             &old) == 0) == expected);
	test_that(old == (expected ? pages[first].protection : 0));
	for (unsigned i = first; expected && i < first + count; i++)
		pages[i].protection = protection;
	return expected;
}

static int release(unsigned first)
{
	bool expected = pages[first].owner == first + 1;

	test_that((fp_region_free(address_of(first), 0, RELEASE) == 0) == expected);
	for (unsigned i = first; expected && i < first + length[first]; i++)
		pages[i].owner = 0;
	return expected;
}

static bool is_alike(const struct page *a, const struct page *b)
{
	return a->owner == b->owner && a->is_committed == b->is_committed &&
	       (!a->is_committed || a->protection == b->protection);
}

static void check_page(unsigned at)
{
	const struct page *page = &pages[at];
	unsigned alike = 1;
	struct fp_region_info info;

	while (at + alike < PAGES && is_alike(page, &pages[at + alike]))
		alike++;
	test_that(fp_region_query(address_of(at), &info) == 0);
	if (page->owner == 0) {
		test_that(info.state == FP_REGION_FREE);
		return;
	}
	test_that(info.allocation_base == address_of(page->owner - 1));
	test_that(info.bytes == (size_t)alike * PAGE);
	test_that(info.state == (uint32_t)(page->is_committed ? COMMIT : RESERVE));
	test_that(info.protection == (page->is_committed ? page->protection : 0));
	if (page->is_committed)
		test_that(*(const uint8_t *)address_of(at) == page->content);
}

static int call(unsigned what)
{
	unsigned at = any(PAGES);
	unsigned count = 1 + any(any(4) ? 4 : 40);

	switch (what) {
	case 0:
		return reserve(at, count);
	case 1:
		return release(any(4) ? at / 16 * 16 : at);
	case 2:
		return decommit(at, count);
	case 3:
		return protect(at, count);
	default:
		return commit(at, count);
	}
}

/* Loop index: seed. With many regions elsewhere each table is on pages of its own. */
START_TEST(calls_do_what_the_model_says)
{
	unsigned done[6] = {0};

	state = (uint64_t)_i * 7919 + 1;
	start_regions((size_t)1 << 40);
	for (int i = 0; i < OTHERS * (_i % 2); i++)
		alloc(0, PAGE, RESERVE, NOACCESS);
	/* The guards of neighbours outside are in nobody's way, and the kernel gives nobody an
	 * address there that does not ask for it. */
	room = alloc(far_away, (GRANULES + 2) * GRANULE, RESERVE, NOACCESS) + GRANULE;
	must_free(room - GRANULE, 0, RELEASE);
	for (int i = 0; i < 6000; i++) {
		unsigned what = any(6);

		done[what] += (unsigned)call(what);
		check_page(any(PAGES));
	}
	for (unsigned i = 0; i < PAGES; i++)
		check_page(i);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_uint_gt(done[i], 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("region: model");
	TCase *tests = tcase_create("model");

	tcase_add_loop_test(tests, calls_do_what_the_model_says, 0, 8);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
