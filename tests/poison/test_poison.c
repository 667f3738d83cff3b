/* SPDX-License-Identifier: Apache-2.0
 *
 * Poisoned bytes against a model that has one entry for each byte; which pages are closed, and
 * what is in them afterwards; what the kernel refuses.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/inject.h"
#include "base/vm.h"
#include "poison/poison.h"
#include "support/times.h"

enum { PAGES = 6, ACTS = 5 };

static size_t page;
static char *memory;
static uint8_t model[PAGES << 16]; /* who poisoned that byte; 0: nobody */

static void set_up(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	              -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	for (size_t i = 0; i < PAGES * page; i++)
		memory[i] = (char)(i * 7);
	memset(model, 0, sizeof(model));
}

static uintptr_t at(size_t offset)
{
	return (uintptr_t)memory + offset;
}

static int poison(size_t offset, size_t bytes, unsigned who)
{
	const struct fp_poisoner by = {.trace = who, .thread = 100 + who};

	return fp_poison_add(at(offset), bytes, &by);
}

/* Whether the kernel can read that byte. */
static bool is_open(size_t offset)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ssize_t written = write(ends[1], memory + offset, 1);
	ck_assert(written == 1 || errno == EFAULT);
	close(ends[0]);
	close(ends[1]);
	return written == 1;
}

static void check_find(size_t from, size_t bytes)
{
	struct fp_poisoned found;
	size_t first = from;

	while (first < from + bytes && model[first] == 0)
		first++;
	bool is_found = fp_poison_find(at(from), bytes, &found);
	ck_assert_int_eq(is_found, first < from + bytes);
	if (is_found)
		ck_assert_uint_eq(found.address, at(first));
}

static void check_pages(void)
{
	size_t poisoned = 0;

	for (size_t i = 0; i < PAGES; i++) {
		size_t count = 0;

		for (size_t j = 0; j < page; j++)
			count += model[i * page + j] != 0;
		poisoned += count > 0;
		ck_assert_int_eq(fp_poison_is_closed(at(i * page + 3)), count == page);
		ck_assert_int_eq(is_open(i * page), count < page);
	}
	ck_assert_uint_eq(atomic_load(&fp_poison_pages), poisoned);
}

START_TEST(test_bytes_are_as_in_a_model)
{
	for (int i = 0; i < test_times(20000, 500); i++) {
		size_t from = (size_t)rand() % (PAGES * page);
		size_t bytes = (size_t)rand() % (i % 4 == 0 ? 3 * page : 40) + 1;
		unsigned who = (unsigned)rand() % ACTS;

		if (bytes > PAGES * page - from)
			bytes = PAGES * page - from;
		if (i % 7 == 0) {
			from = from / page * page;
			bytes = page;
		}
		if (who == 0)
			fp_poison_remove(at(from), bytes);
		else
			ck_assert_int_eq(poison(from, bytes, who), 0);
		memset(model + from, (int)who, bytes);
		check_find((size_t)rand() % (PAGES * page - 50), 50);
		check_find(from, bytes);
		if (i % 50 == 0)
			check_pages();
	}
	fp_poison_remove(at(0), PAGES * page);
	memset(model, 0, sizeof(model));
	check_pages();
	for (size_t i = 0; i < PAGES * page; i++)
		ck_assert_int_eq(memory[i], (char)(i * 7));
}
END_TEST

START_TEST(test_who_poisoned_last_is_kept)
{
	struct fp_poisoned found;

	ck_assert_int_eq(poison(0, 2 * page, 1), 0);
	ck_assert_int_eq(poison(page + 16, 8, 2), 0);
	ck_assert(fp_poison_find(at(page), 1, &found) && found.by.trace == 1);
	ck_assert(fp_poison_find(at(page + 16), 1, &found) && found.by.trace == 2);
	ck_assert_uint_eq(found.by.thread, 102);
	ck_assert(fp_poison_find(at(page + 24), 1, &found) && found.by.trace == 1);
	for (unsigned who = 3; who < 3000; who++)
		ck_assert_int_eq(poison(2 * page, 8, who), 0);
	ck_assert(fp_poison_find(at(2 * page), 1, &found) && found.by.trace == 2999);
	ck_assert(fp_poison_find(at(0), 1, &found) && found.by.trace == 1);
}
END_TEST

START_TEST(test_many_pages_are_found_again)
{
	size_t count = 3000;
	char *many = mmap(NULL, count * page, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const struct fp_poisoner by = {.trace = 1, .thread = 2};
	struct fp_poisoned found;

	ck_assert_ptr_ne(many, MAP_FAILED);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(fp_poison_add((uintptr_t)many + i * page, 10, &by), 0);
	for (size_t i = 0; i < count; i += 2)
		fp_poison_remove((uintptr_t)many + i * page, page);
	ck_assert_uint_eq(atomic_load(&fp_poison_pages), count / 2);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(fp_poison_find((uintptr_t)many + i * page, page, &found),
		                 i % 2 == 1);
}
END_TEST

START_TEST(test_what_cannot_be_closed_stays_poisoned)
{
	struct fp_poisoned found;

	/* Nothing else asks the kernel any more. */
	ck_assert_int_eq(poison(0, 2 * page, 1), 0);
	fp_poison_remove(at(0), 2 * page);
	fp_inject_arm(FP_INJECT_VM, 1, false);
	ck_assert_int_eq(poison(0, 2 * page, 1), 0);
	fp_inject_arm(FP_INJECT_VM, 0, false);
	ck_assert_uint_eq(fp_poison_refusals(), 1);
	ck_assert(!fp_poison_is_closed(at(0)) && !fp_poison_is_closed(at(page)));
	ck_assert(is_open(0) && is_open(page));
	ck_assert(fp_poison_find(at(0), 1, &found));
	fp_poison_remove(at(0), 2 * page);
	ck_assert(!fp_poison_find(at(0), 2 * page, &found));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("poison");
	TCase *tcase = tcase_create("poison");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, test_bytes_are_as_in_a_model);
	tcase_add_test(tcase, test_who_poisoned_last_is_kept);
	tcase_add_test(tcase, test_many_pages_are_found_again);
	tcase_add_test(tcase, test_what_cannot_be_closed_stays_poisoned);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
