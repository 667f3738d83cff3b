/* SPDX-License-Identifier: Apache-2.0
 *
 * What a slot promises, over every back end that works here: which bytes can be touched and
 * which fault, that addresses are never used twice, and where an address lies.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vm.h"
#include "backends.h"
#include "support/times.h"

static size_t page;

static void setup(void)
{
	page = fp_vm_page_size();
}

START_TEST(an_acquired_slot_is_accessible_and_its_guards_are_not)
{
	if (!start_backend(_i, 1))
		return;
	struct fp_slot slot = acquire(1);
	ck_assert_uint_eq(slot.bytes, page);
	ck_assert_uint_eq(slot.base % page, 0);
	memset((void *)slot.base, 0x5a, slot.bytes);
	for (size_t i = 0; i < slot.bytes; i++)
		test_that(((unsigned char *)slot.base)[i] == 0x5a);
	expect_sealed(slot.base - 1);
	expect_sealed(slot.base - page);
	expect_sealed(slot.base + slot.bytes);
	expect_sealed(slot.base + slot.bytes + page - 1);
}
END_TEST

START_TEST(a_released_slot_faults_and_its_neighbours_do_not)
{
	struct fp_slot slots[3];

	if (!start_backend(_i, 1))
		return;
	for (int i = 0; i < 3; i++) {
		slots[i] = acquire(1);
		memset((void *)slots[i].base, 'a' + i, page);
	}
	ck_assert_int_eq(release(&slots[1]), 0);
	expect_sealed(slots[1].base);
	expect_sealed(slots[1].base + page - 1);
	ck_assert_int_eq(*(char *)slots[0].base, 'a');
	ck_assert_int_eq(*(char *)(slots[2].base + page - 1), 'c');
	expect_open(slots[0].base + page - 1);
	expect_open(slots[2].base);
	expect_sealed(slots[0].base + page);
	expect_sealed(slots[2].base - 1);
}
END_TEST

START_TEST(a_released_slot_stays_sealed_while_others_come_and_go)
{
	if (!start_backend(_i, 1))
		return;
	struct fp_slot dead = acquire(2);
	ck_assert_int_eq(release(&dead), 0);
	for (long i = test_times(20000, 6000); i > 0; i--) {
		struct fp_slot slot = acquire(2);

		test_that(release(&slot) == 0);
	}
	expect_sealed(dead.base);
	expect_sealed(dead.base + 2 * page - 1);
}
END_TEST

static size_t count_spans(void)
{
	uintptr_t start, end;
	size_t count = 0;

	while (fp_guard_span(count, &start, &end))
		count++;
	return count;
}

/* A fork server may have no block. */
START_TEST(a_process_that_forks_has_room_for_the_first_slot_of_its_children)
{
	if (!start_backend(_i, 1))
		return;
	size_t before = count_spans();
	fp_guard_prepare_fork();
	ck_assert_uint_eq(count_spans(), before + 1);
	struct fp_slot slot = acquire(1);
	ck_assert_uint_eq(count_spans(), before + 1);
	memset((void *)slot.base, 0x5a, slot.bytes);
	ck_assert_int_eq(release(&slot), 0);
	expect_sealed(slot.base);
	fp_guard_prepare_fork();
	ck_assert_uint_eq(count_spans(), before + 1);
}
END_TEST

START_TEST(slots_never_used_fault)
{
	struct fp_place place;

	if (!start_backend(_i, 1))
		return;
	struct fp_slot slot = acquire(1);
	for (int i = 1; i < 200; i++) {
		uintptr_t next = slot.base + (uintptr_t)i * 2 * page;

		ck_assert(fp_guard_find(next, &place));
		ck_assert_int_eq(place.state, FP_PLACE_FRESH);
		ck_assert_uint_eq(place.slot.base, next);
		/* Without protection there may be nothing behind it yet. */
		if (fp_guard_is_protecting()) {
			ck_assert(test_read_faults(next));
			ck_assert(test_write_faults(next + page - 1));
		}
	}
}
END_TEST

/* Back ends may hand memory on from slot to slot; nobody's data may come with it. */
START_TEST(an_acquired_slot_holds_the_fill_byte_or_zeros)
{
	if (!start_backend(_i, 1))
		return;
	for (size_t i = 0; i < 2000; i++) {
		struct fp_slot slot = acquire(1 + i % 20);
		const unsigned char *bytes = (const unsigned char *)slot.base;

		test_that(bytes[0] == (slot.is_filled ? FILL : 0));
		test_that(memcmp(bytes, bytes + 1, slot.bytes - 1) == 0);
		memset((void *)slot.base, 0x99, slot.bytes);
		test_that(release(&slot) == 0);
	}
}
END_TEST

START_TEST(without_protection_nothing_faults_inside_what_is_open)
{
	if (!start_backend(BACKENDS - 1, 1))
		return;
	struct fp_slot slots[2] = {acquire(1), acquire(1)};
	ck_assert(!fp_guard_is_protecting());
	expect_open(slots[0].base + page);
	expect_open(slots[1].base - 1);
	ck_assert_int_eq(release(&slots[0]), 0);
	expect_open(slots[0].base);
	expect_open(slots[0].base + page - 1);
}
END_TEST

static int compare_slots(const void *a, const void *b)
{
	const struct fp_slot *left = a;
	const struct fp_slot *right = b;

	return (left->base > right->base) - (left->base < right->base);
}

static void expect_disjoint(struct fp_slot *slots, size_t count)
{
	qsort(slots, count, sizeof(*slots), compare_slots);
	for (size_t i = 1; i < count; i++)
		test_that(slots[i - 1].base + slots[i - 1].bytes + page <= slots[i].base);
}

START_TEST(no_address_is_ever_used_twice)
{
	size_t pairs = (size_t)test_times(100000, 20000);
	struct fp_slot *slots = calloc(pairs, sizeof(*slots));

	if (!start_backend(_i, 1))
		return;
	for (size_t i = 0; i < pairs; i++) {
		slots[i] = acquire(1 + i % 3);
		*(volatile char *)slots[i].base = 1;
		test_that(release(&slots[i]) == 0);
	}
	expect_disjoint(slots, pairs);
}
END_TEST

enum { THREADS = 8, ROUNDS = 1500, HELD = 16 };

struct thread_slots {
	struct fp_slot slots[THREADS * ROUNDS];
	_Atomic int bad;
};

static void acquire_and_release(unsigned index, void *user)
{
	struct thread_slots *all = user;
	struct fp_slot *mine = &all->slots[index * ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (fp_guard_acquire(1 + i % 4, false, &mine[i]) != 0) {
			all->bad++;
			return;
		}
		*(unsigned *)mine[i].base = index * ROUNDS + i;
		if (i < HELD)
			continue;
		struct fp_slot *old = &mine[i - HELD];
		if (*(unsigned *)old->base != index * ROUNDS + i - HELD || release(old) != 0)
			all->bad++;
	}
}

START_TEST(eight_threads_get_slots_of_their_own)
{
	static struct thread_slots all;

	if (!start_backend(_i, 1))
		return;
	test_run_threads(THREADS, acquire_and_release, &all);
	ck_assert_int_eq(all.bad, 0);
	expect_disjoint(all.slots, (size_t)THREADS * ROUNDS);
}
END_TEST

static void expect_place(uintptr_t address, const struct fp_slot *slot, bool is_in_guard,
                         enum fp_place_state state)
{
	struct fp_place place;

	ck_assert(fp_guard_find(address, &place));
	ck_assert_uint_eq(place.slot.base, slot->base);
	ck_assert_uint_eq(place.slot.bytes, slot->bytes);
	ck_assert_int_eq(place.is_in_guard, is_in_guard);
	ck_assert_int_eq(place.state, state);
}

START_TEST(every_position_is_told_from_every_other)
{
	static char global;
	char local;
	struct fp_place place;

	if (!start_backend(_i, 2))
		return;
	struct fp_slot first = acquire(3);
	struct fp_slot second = acquire(3);
	struct fp_slot third = {.base = second.base + 5 * page, .bytes = 3 * page};
	expect_place(first.base, &first, false, FP_PLACE_USED);
	expect_place(first.base + 3 * page - 1, &first, false, FP_PLACE_USED);
	expect_place(first.base + 3 * page, &first, true, FP_PLACE_USED);
	expect_place(first.base + 5 * page - 1, &first, true, FP_PLACE_USED);
	expect_place(first.base - 1, &first, true, FP_PLACE_USED);
	expect_place(first.base - 2 * page, &first, true, FP_PLACE_USED);
	ck_assert_uint_eq(second.base, first.base + 5 * page);
	expect_place(second.base, &second, false, FP_PLACE_USED);
	expect_place(second.base - 1, &first, true, FP_PLACE_USED);
	expect_place(third.base, &third, false, FP_PLACE_FRESH);
	expect_place(third.base + 3 * page, &third, true, FP_PLACE_FRESH);
	ck_assert_int_eq(release(&first), 0);
	expect_place(first.base + 1, &first, false, FP_PLACE_USED);
	ck_assert(!fp_guard_find(0, &place));
	ck_assert(!fp_guard_find(UINTPTR_MAX, &place));
	ck_assert(!fp_guard_find((uintptr_t)&local, &place));
	ck_assert(!fp_guard_find((uintptr_t)&global, &place));
	ck_assert(!fp_guard_find((uintptr_t)&setup, &place));
}
END_TEST

START_TEST(guards_are_as_wide_as_asked_for)
{
	if (!start_backend(_i, 3))
		return;
	struct fp_slot slots[2] = {acquire(1), acquire(1)};
	ck_assert_uint_eq(slots[1].base - slots[0].base, 4 * page);
	for (size_t i = 0; i < 2; i++)
		for (size_t guard = 1; guard <= 3; guard++) {
			expect_sealed(slots[i].base - guard * page);
			expect_sealed(slots[i].base + guard * page);
			expect_sealed(slots[i].base + guard * page + page - 1);
		}
	expect_open(slots[0].base + page - 1);
	expect_open(slots[1].base);
}
END_TEST

START_TEST(slots_of_1_to_300_pages_are_whole)
{
	if (!start_backend(_i, 1))
		return;
	for (size_t pages = 1; pages <= 300; pages++) {
		struct fp_slot slot = acquire(pages);
		struct fp_place place;

		ck_assert_uint_eq(slot.bytes, pages * page);
		memset((void *)slot.base, 0x33, slot.bytes);
		expect_sealed(slot.base - 1);
		expect_sealed(slot.base + slot.bytes);
		ck_assert(fp_guard_find(slot.base + slot.bytes - 1, &place));
		ck_assert_uint_eq(place.slot.base, slot.base);
		test_that(release(&slot) == 0);
		expect_sealed(slot.base);
		expect_sealed(slot.base + slot.bytes / 2);
		expect_sealed(slot.base + slot.bytes - 1);
	}
}
END_TEST

START_TEST(a_slot_of_64_mebibytes_is_a_slot_like_any_other)
{
	const size_t bytes = (size_t)64 << 20;

	if (!start_backend(_i, 1))
		return;
	long before = test_status_kib("VmRSS:");
	struct fp_slot slot = acquire(bytes / page);
	ck_assert_uint_eq(slot.bytes, bytes);
	memset((void *)slot.base, 0x33, bytes);
	ck_assert_int_ge(test_status_kib("VmRSS:"), before + (64 << 10));
	expect_sealed(slot.base - 1);
	expect_sealed(slot.base + bytes);
	expect_place(slot.base + bytes / 2, &slot, false, FP_PLACE_USED);
	test_that(release(&slot) == 0);
	expect_sealed(slot.base + bytes / 2);
	ck_assert_int_le(test_status_kib("VmRSS:"), before + (4 << 10));
}
END_TEST

/* A function that returns 42. */
#if defined(__x86_64__) || defined(__i386__)
static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
#elif defined(__aarch64__)
static const unsigned char code[] = {0x40, 5, 0x80, 0x52, 0xc0, 3, 0x5f, 0xd6};
#elif defined(__riscv)
static const unsigned char code[] = {0x13, 5, 0xa0, 2, 0x67, 0x80, 0, 0};
#else
#error "a function that returns 42, for this machine"
#endif

static int run_code(uintptr_t address)
{
	memcpy((void *)address, code, sizeof(code));
	__builtin___clear_cache((char *)address, (char *)address + sizeof(code));
	return ((int (*)(void))address)();
}

static void run_code_in_data(void *user)
{
	_exit(run_code(((struct fp_slot *)user)->base));
}

START_TEST(only_executable_slots_run_code)
{
	struct fp_slot slot;
	struct test_child child;

	if (!start_backend(_i, 1))
		return;
	ck_assert_int_eq(fp_guard_acquire(1, true, &slot), 0);
	ck_assert_int_eq(run_code(slot.base), 42);
	ck_assert_int_eq(run_code(slot.base + page - sizeof(code)), 42);
	expect_sealed(slot.base + page);
	test_that(release(&slot) == 0);
	expect_sealed(slot.base);
	slot = acquire(1);
	*(volatile char *)slot.base = 0;
	test_run_child(run_code_in_data, &slot, &child);
	ck_assert(WIFSIGNALED(child.status));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guard");
	TCase *tests = tcase_create("each back end");

	announce_untested();
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, without_protection_nothing_faults_inside_what_is_open);
#define ADD(name) tcase_add_loop_test(tests, name, 0, BACKENDS)
	ADD(an_acquired_slot_is_accessible_and_its_guards_are_not);
	ADD(a_released_slot_faults_and_its_neighbours_do_not);
	ADD(a_released_slot_stays_sealed_while_others_come_and_go);
	ADD(a_process_that_forks_has_room_for_the_first_slot_of_its_children);
	ADD(slots_never_used_fault);
	ADD(an_acquired_slot_holds_the_fill_byte_or_zeros);
	ADD(no_address_is_ever_used_twice);
	ADD(eight_threads_get_slots_of_their_own);
	ADD(every_position_is_told_from_every_other);
	ADD(guards_are_as_wide_as_asked_for);
	ADD(slots_of_1_to_300_pages_are_whole);
	ADD(a_slot_of_64_mebibytes_is_a_slot_like_any_other);
	ADD(only_executable_slots_run_code);
#undef ADD
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
