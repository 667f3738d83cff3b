/* SPDX-License-Identifier: Apache-2.0
 *
 * Guard at its limits: the choice of a back end, what stays behind after many slots, refused
 * system calls and metadata, little address space, locked memory and fork.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/inject.h"
#include "base/lock.h"
#include "base/vm.h"
#include "backends.h"
#include "support/times.h"

static size_t page;

static void setup(void)
{
	page = fp_vm_page_size();
}

/* ---- Choice ---------------------------------------------------------------------------- */

static int init(const char *name)
{
	const struct fp_guard_config config = {.backend = name, .guard_pages = 1};
	const char *why = NULL;
	int status = fp_guard_init(&config, &why);

	ck_assert_ptr_nonnull(why);
	ck_assert_uint_gt(strlen(why), 0);
	return status;
}

START_TEST(a_back_end_that_does_not_exist_is_refused)
{
	ck_assert_int_eq(fp_guard_probe("gaurd"), -EINVAL);
	ck_assert_int_eq(fp_guard_probe(""), -EINVAL);
	ck_assert_int_eq(fp_guard_probe("auto"), -EINVAL);
	ck_assert_int_eq(init("gaurd"), -EINVAL);
	ck_assert_int_eq(init("mprotec"), -EINVAL);
	ck_assert_int_eq(init("mprotect"), 0);
	ck_assert_str_eq(fp_guard_backend_name(), "mprotect");
}
END_TEST

START_TEST(auto_takes_the_first_that_works)
{
	const char *best = NULL;

	for (int i = BACKENDS; i-- > 0;)
		if (fp_guard_probe(backend_names[i]) == 0)
			best = backend_names[i];
	ck_assert_int_eq(init("auto"), 0);
	ck_assert_str_eq(fp_guard_backend_name(), best);
	ck_assert_int_eq(fp_guard_probe("none"), 0);
}
END_TEST

/* A probe whose every system call fails must say so, and leave no mapping behind. */
START_TEST(a_probe_that_fails_says_so_and_leaves_nothing)
{
	const char *name = backend_names[_i];

	if (fp_guard_probe(name) != 0 || strcmp(name, "none") == 0)
		return;
	size_t before = test_mapping_count();
	fp_inject_arm(FP_INJECT_VM, 1, true);
	ck_assert_int_lt(fp_guard_probe(name), 0);
	fp_inject_arm(FP_INJECT_VM, 0, false);
	ck_assert_int_eq(fp_guard_probe(name), 0);
	ck_assert_uint_eq(test_mapping_count(), before);
}
END_TEST

static size_t descriptor_count(void)
{
	DIR *descriptors = opendir("/proc/self/fd");
	size_t count = 0;

	ck_assert_ptr_nonnull(descriptors);
	while (readdir(descriptors) != NULL)
		count++;
	closedir(descriptors);
	return count;
}

START_TEST(probes_take_no_descriptor_each)
{
	const char *name = backend_names[_i];

	if (fp_guard_probe(name) != 0)
		return;
	size_t before = descriptor_count();
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(fp_guard_probe(name), 0);
	ck_assert_uint_eq(descriptor_count(), before);
}
END_TEST

/* ---- What stays behind ----------------------------------------------------------------- */

static void run_pairs(long count)
{
	for (long i = 0; i < count; i++) {
		struct fp_slot slot = acquire(1);

		*(volatile char *)slot.base = 1;
		test_that(release(&slot) == 0);
	}
}

START_TEST(dead_chunks_are_buried)
{
	if (!start_backend(_i, 1))
		return;
	run_pairs(test_times(20000, 10000));
	size_t mappings = test_mapping_count();
	long resident = test_status_kib("VmRSS:");
	long tables = test_status_kib("VmPTE:");
	/* So many that their tables, kept, would be more than is allowed below. */
	run_pairs(test_times(200000, 60000));
	ck_assert_uint_le(test_mapping_count(), mappings + 16);
	ck_assert_int_le(test_status_kib("VmRSS:"), resident + 1024);
	ck_assert_int_le(test_status_kib("VmPTE:"), tables + 768);
}
END_TEST

START_TEST(live_slots_need_no_mappings_of_their_own)
{
	const char *name = backend_names[_i];

	if (strcmp(name, "mprotect") == 0 || !start_backend(_i, 1))
		return;
	long count = test_times(10000, 1000);
	struct fp_slot *slots = calloc((size_t)count, sizeof(*slots));
	acquire(1);
	size_t mappings = test_mapping_count();
	for (long i = 0; i < count; i++) {
		slots[i] = acquire(1);
		*(volatile char *)slots[i].base = 1;
	}
	ck_assert_uint_le(test_mapping_count(), mappings + 16);
	/* Every second one dies: no mapping of its own for a hole either. */
	for (long i = 0; i < count; i += 2)
		ck_assert_int_eq(release(&slots[i]), 0);
	ck_assert_uint_le(test_mapping_count(), mappings + 16);
	ck_assert_int_eq(*(char *)slots[count - 1].base, 1);
}
END_TEST

START_TEST(one_live_slot_keeps_its_chunk_from_being_buried)
{
	if (!start_backend(_i, 1))
		return;
	struct fp_slot kept = acquire(1);
	memset((void *)kept.base, 0x77, page);
	run_pairs(test_times(20000, 10000));
	ck_assert_int_eq(*(unsigned char *)kept.base, 0x77);
	ck_assert_int_eq(*(unsigned char *)(kept.base + page - 1), 0x77);
	expect_sealed(kept.base + page);
	ck_assert_int_eq(release(&kept), 0);
	expect_sealed(kept.base);
}
END_TEST

/* ---- Refusals -------------------------------------------------------------------------- */

struct refusal {
	int backend;
	enum fp_inject_point point;
	uint64_t nth;
	bool is_for_good;
};

/* An acquired slot is whole, whatever was refused before. */
static int use_slot(size_t pages)
{
	struct fp_slot slot;
	int status = fp_guard_acquire(pages, false, &slot);

	if (status != 0) {
		test_that(status < 0);
		return status;
	}
	memset((void *)slot.base, 0x11, pages * page);
	status = release(&slot);
	test_that(status <= 0);
	return status;
}

static void meet_refusal(void *user)
{
	const struct refusal *refusal = user;

	fp_inject_arm(refusal->point, refusal->nth, refusal->is_for_good);
	for (size_t round = 0; round < 3; round++) {
		use_slot(1);
		use_slot(7);
		use_slot(300);
	}
	fp_inject_arm(refusal->point, 0, false);
	for (size_t round = 0; round < 3; round++)
		if (use_slot(1) != 0 || use_slot(7) != 0 || use_slot(300) != 0)
			_exit(1);
}

/* Each in a process of its own, so that the first request of all is among those refused. */
START_TEST(a_refused_request_is_returned_and_forgotten)
{
	struct refusal refusal = {.backend = _i};
	struct test_child child;

	if (!start_backend(_i, 1))
		return;
	for (int point = 0; point < FP_INJECT_COUNT; point++)
		for (uint64_t nth = 1; nth <= (uint64_t)test_times(24, 8); nth++)
			for (int for_good = 0; for_good < 2; for_good++) {
				refusal.point = (enum fp_inject_point)point;
				refusal.nth = nth;
				refusal.is_for_good = for_good;
				test_run_child(meet_refusal, &refusal, &child);
				ck_assert_msg(child.status == 0,
				              "point %d, request %d, for good %d: status %#x",
				              point, (int)nth, for_good,
				              (unsigned)child.status);
			}
}
END_TEST

START_TEST(without_any_metadata_nothing_is_acquired)
{
	struct fp_slot slot;

	if (!start_backend(_i, 1))
		return;
	fp_inject_arm(FP_INJECT_META, 1, true);
	ck_assert_int_eq(fp_guard_acquire(1, false, &slot), -ENOMEM);
	ck_assert_int_eq(fp_guard_acquire(300, false, &slot), -ENOMEM);
	fp_inject_arm(FP_INJECT_META, 0, false);
	ck_assert_int_eq(fp_guard_acquire(1, false, &slot), 0);
}
END_TEST

START_TEST(more_than_the_address_space_is_refused)
{
	struct fp_slot slot;

	if (!start_backend(_i, 1))
		return;
	ck_assert_int_eq(fp_guard_acquire(((size_t)1 << 47) / page, false, &slot), -ENOMEM);
	ck_assert_int_eq(use_slot(1), 0);
}
END_TEST

/* ---- Surroundings ---------------------------------------------------------------------- */

START_TEST(little_address_space_still_gives_slots)
{
	rlim_t limit = ((rlim_t)test_status_kib("VmSize:") << 10) + ((rlim_t)512 << 20);
	const struct rlimit little = {.rlim_cur = limit, .rlim_max = limit};

	ck_assert_int_eq(setrlimit(RLIMIT_AS, &little), 0);
	if (!start_backend(_i, 1))
		return;
	for (size_t pages = 1; pages <= 64; pages++)
		for (int i = 0; i < 20; i++)
			ck_assert_int_eq(use_slot(pages), 0);
	struct fp_slot slot = acquire(((size_t)16 << 20) / page);
	expect_open(slot.base + slot.bytes - 1);
	expect_sealed(slot.base + slot.bytes);
}
END_TEST

START_TEST(a_program_that_locks_its_memory_gets_a_back_end_that_works)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
		return;
	ck_assert_int_eq(init("auto"), 0);
	ck_assert_int_eq(use_slot(1), 0);
	struct fp_slot slot = acquire(2);
	expect_open(slot.base);
	expect_open(slot.base + slot.bytes - 1);
	expect_sealed(slot.base - 1);
	expect_sealed(slot.base + slot.bytes);
	test_that(release(&slot) == 0);
	expect_sealed(slot.base);
	munlockall();
}
END_TEST

static void use_slots_of_parent(void *user)
{
	const struct fp_slot *slot = user;

	fp_lock_release_ranks(FP_RANKS_ALL);
	ck_assert_int_eq(fp_guard_renew_in_child(), 0);
	ck_assert_int_eq(*(char *)slot->base, 'p');
	*(char *)slot->base = 'c';
	expect_sealed(slot->base + slot->bytes);
	ck_assert_int_eq(release(slot), 0);
	expect_sealed(slot->base);
	for (int i = 0; i < 100; i++) {
		struct fp_slot own = acquire(1);

		memset((void *)own.base, 0x22, own.bytes);
		expect_sealed(own.base - 1);
		expect_sealed(own.base + own.bytes);
		ck_assert_int_eq(release(&own), 0);
		expect_sealed(own.base);
	}
}

START_TEST(a_forked_child_goes_on_by_itself)
{
	struct test_child child;

	if (!start_backend(_i, 1))
		return;
	struct fp_slot slot = acquire(1);
	*(char *)slot.base = 'p';
	fp_lock_acquire_ranks(FP_RANKS_ALL);
	test_run_child(use_slots_of_parent, &slot, &child);
	fp_lock_release_ranks(FP_RANKS_ALL);
	test_expect_success(child);
	ck_assert_int_eq(*(char *)slot.base, 'p');
	expect_sealed(slot.base + page);
	ck_assert_int_eq(use_slot(1), 0);
}
END_TEST

static void must_use_slot(size_t pages)
{
	struct fp_slot slot;

	test_must(fp_guard_acquire(pages, false, &slot) == 0);
	memset((void *)slot.base, 0x11, slot.bytes);
	if (fp_guard_is_protecting()) {
		test_must(test_read_faults(slot.base - 1));
		test_must(test_read_faults(slot.base + slot.bytes));
	}
	test_must(release(&slot) == 0);
	test_must(!fp_guard_is_protecting() || test_read_faults(slot.base));
}

struct survivors {
	struct fp_slot kept;
	struct fp_slot dead;
};

static void lose_descriptors(void *user)
{
	const struct survivors *slots = user;

	fp_lock_release_ranks(FP_RANKS_ALL);
	test_must(fp_guard_renew_in_child() == 0);
	for (int round = 0; round < 2; round++) {
		test_must(close_range(3, ~0U, 0) == 0);
		/* Now our descriptor's number is another file's. */
		for (int fd = 3; round == 1 && fd < 1000; fd++)
			test_must(dup2(STDERR_FILENO, fd) == fd);
		/* A slot that stood ready asks the kernel nothing; the next release notices. */
		struct fp_slot first;
		test_must(fp_guard_acquire(1, false, &first) == 0);
		test_must(release(&first) == 0);
		must_use_slot(1);
		must_use_slot(3);
		must_use_slot(100);
		test_must(*(char *)slots->kept.base == 'k');
		if (!fp_guard_is_protecting())
			continue;
		test_must(test_read_faults(slots->dead.base));
		test_must(test_read_faults(slots->kept.base - 1));
		test_must(test_read_faults(slots->kept.base + page));
	}
}

/* What a daemon does at its start, and worse. */
START_TEST(protection_survives_the_loss_of_all_descriptors)
{
	struct test_child child;
	struct survivors slots;

	if (!start_backend(_i, 1))
		return;
	slots.kept = acquire(1);
	slots.dead = acquire(1);
	*(char *)slots.kept.base = 'k';
	ck_assert_int_eq(release(&slots.dead), 0);
	fp_lock_acquire_ranks(FP_RANKS_ALL);
	test_run_child(lose_descriptors, &slots, &child);
	fp_lock_release_ranks(FP_RANKS_ALL);
	test_expect_success(child);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guard: limits");
	TCase *tests = tcase_create("limits");

	announce_untested();
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_back_end_that_does_not_exist_is_refused);
	tcase_add_test(tests, auto_takes_the_first_that_works);
	tcase_add_test(tests, a_program_that_locks_its_memory_gets_a_back_end_that_works);
#define ADD(name) tcase_add_loop_test(tests, name, 0, BACKENDS)
	ADD(a_probe_that_fails_says_so_and_leaves_nothing);
	ADD(probes_take_no_descriptor_each);
	ADD(dead_chunks_are_buried);
	ADD(live_slots_need_no_mappings_of_their_own);
	ADD(one_live_slot_keeps_its_chunk_from_being_buried);
	ADD(a_refused_request_is_returned_and_forgotten);
	ADD(without_any_metadata_nothing_is_acquired);
	ADD(more_than_the_address_space_is_refused);
	ADD(little_address_space_still_gives_slots);
	ADD(a_forked_child_goes_on_by_itself);
	ADD(protection_survives_the_loss_of_all_descriptors);
#undef ADD
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
