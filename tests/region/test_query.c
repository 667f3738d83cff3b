/* SPDX-License-Identifier: Apache-2.0
 *
 * What VirtualQuery and the fault handler see, also while others write or stand still.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/meta.h"
#include "base/vm.h"
#include "region/table.h"
#include "regions.h"

static void setup(void)
{
	start_regions((size_t)1 << 40);
}

static struct fp_region_info query(uintptr_t address)
{
	struct fp_region_info info;

	test_that(fp_region_query(address, &info) == 0);
	test_that(info.base == address / PAGE * PAGE && info.bytes > 0);
	return info;
}

START_TEST(pages_that_are_alike_are_told_together)
{
	uintptr_t base = alloc(0, 10 * PAGE, RESERVE, NOACCESS);

	alloc(base + 2 * PAGE, PAGE, COMMIT, READWRITE);
	alloc(base + 3 * PAGE, PAGE, COMMIT, READWRITE);
	alloc(base + 4 * PAGE, PAGE, COMMIT, READONLY);
	alloc(base + 8 * PAGE, PAGE, COMMIT, READONLY);
	must_free(base + 8 * PAGE, PAGE, DECOMMIT);
	struct fp_region_info info = query(base + 5);
	ck_assert_uint_eq(info.allocation_base, base);
	ck_assert_uint_eq(info.allocation_protection, NOACCESS);
	ck_assert_uint_eq(info.bytes, 2 * PAGE);
	ck_assert_uint_eq(info.state, RESERVE);
	ck_assert_uint_eq(info.protection, 0);
	ck_assert_uint_eq(info.type, FP_REGION_PRIVATE);
	/* Committed by two calls, but alike to Win32. */
	info = query(base + 2 * PAGE);
	ck_assert_uint_eq(info.bytes, 2 * PAGE);
	ck_assert_uint_eq(info.state, COMMIT);
	ck_assert_uint_eq(info.protection, READWRITE);
	info = query(base + 3 * PAGE + 100);
	ck_assert_uint_eq(info.bytes, PAGE);
	ck_assert_uint_eq(info.allocation_base, base);
	ck_assert_uint_eq(query(base + 4 * PAGE).protection, READONLY);
	/* Decommitted is reserved. */
	ck_assert_uint_eq(query(base + 5 * PAGE).bytes, 5 * PAGE);
	ck_assert_uint_eq(query(base + 8 * PAGE).state, RESERVE);
}
END_TEST

START_TEST(guards_and_released_regions_are_free)
{
	uintptr_t base = alloc(0, 10 * PAGE, RESERVE, NOACCESS);
	struct fp_region_info info = query(base - 1);

	ck_assert_uint_eq(info.state, FP_REGION_FREE);
	ck_assert_uint_eq(info.bytes, PAGE);
	ck_assert_uint_eq(info.allocation_base, 0);
	ck_assert_uint_eq(info.type, 0);
	must_free(base, 0, RELEASE);
	info = query(base);
	ck_assert_uint_eq(info.state, FP_REGION_FREE);
	/* And so they may be reserved. */
	ck_assert_uint_ge(info.bytes, 11 * PAGE);
	ck_assert_uint_eq(alloc(base, 10 * PAGE, RESERVE, NOACCESS), base);
}
END_TEST

static const int constant = 5;
static char global[3 * PAGE] = "data";

START_TEST(memory_of_others_is_looked_up)
{
	char *mapped = mmap(NULL, 5 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct fp_region_info info;

	ck_assert_int_eq(mprotect(mapped + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	info = query((uintptr_t)mapped + 2 * PAGE + 1);
	ck_assert_uint_eq(info.state, COMMIT);
	ck_assert_uint_eq(info.protection, READWRITE);
	ck_assert_uint_eq(info.type, FP_REGION_PRIVATE);
	ck_assert_uint_eq(info.bytes, PAGE);
	info = query((uintptr_t)&constant);
	ck_assert_uint_eq(info.protection, READONLY);
	ck_assert_uint_eq(info.type, FP_REGION_MAPPED);
	ck_assert_uint_le(info.allocation_base, (uintptr_t)&constant);
	ck_assert_uint_eq(query((uintptr_t)global).protection, READWRITE);
	ck_assert_uint_eq(query((uintptr_t)query).protection, FP_PROTECT_EXECUTE_READ);
	ck_assert_uint_eq(query((uintptr_t)&info).type, FP_REGION_PRIVATE);
	ck_assert_int_eq(munmap(mapped + 2 * PAGE, PAGE), 0);
	info = query((uintptr_t)mapped + 2 * PAGE);
	ck_assert_uint_eq(info.state, FP_REGION_FREE);
	ck_assert_uint_eq(info.bytes, PAGE);
}
END_TEST

/* From address 0 to the end, each answer begins where the one before ended. */
START_TEST(the_address_space_can_be_walked_from_end_to_end)
{
	uintptr_t at = 0;
	unsigned pieces = 0;
	size_t committed = 0;
	struct fp_region_info info;

	alloc(0, 10 * PAGE, RESERVE, NOACCESS);
	must_free(alloc(0, 10 * PAGE, RESERVE | COMMIT, NOACCESS), 0, RELEASE);
	while (fp_region_query(at, &info) == 0) {
		test_that(info.bytes > 0);
		committed += info.state == COMMIT;
		at += info.bytes;
		test_that(++pieces < 10000);
	}
	ck_assert_uint_eq(at, fp_vm_user_end());
	ck_assert_uint_gt(committed, 10);
	ck_assert_int_eq(fp_region_query(UINTPTR_MAX, &info), -EINVAL);
}
END_TEST

START_TEST(without_a_descriptor_only_regions_are_known)
{
	uintptr_t base = alloc(0, PAGE, RESERVE, NOACCESS);
	struct fp_region_info info;
	int last = -1;
	int fd;

	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	ck_assert_uint_eq(query(base).state, RESERVE);
	errno = 77;
	ck_assert_int_eq(fp_region_query((uintptr_t)&info, &info), -EMFILE);
	ck_assert_int_eq(errno, 77);
	close(last);
	ck_assert_int_eq(fp_region_query((uintptr_t)&info, &info), 0);
}
END_TEST

/* ---- While others write
 * ------------------------------------------------------------------------
 */

static _Atomic bool is_over;
static _Atomic uint64_t answers;
static uintptr_t shared;

static void write_some(int i)
{
	alloc(shared + i % 7 * PAGE, PAGE, COMMIT, READWRITE);
	must_free(shared + i % 5 * PAGE, PAGE, DECOMMIT);
	must_free(alloc(0, PAGE, RESERVE, READWRITE), 0, RELEASE);
}

static void write_or_query(unsigned index, void *user)
{
	_Atomic unsigned *bad = user;

	for (int i = 0; index == 0 && i < 3000; i++)
		write_some(i);
	if (index == 0)
		is_over = true;
	while (!is_over) {
		struct fp_region_info info;

		if (fp_region_query(shared + answers % 8 * PAGE, &info) != 0 ||
		    info.allocation_base != shared || info.bytes > 8 * PAGE ||
		    (info.state != COMMIT && info.state != RESERVE))
			++*bad;
		answers++;
	}
}

START_TEST(readers_see_whole_regions_while_one_writes)
{
	_Atomic unsigned bad = 0;

	shared = alloc(0, 8 * PAGE, RESERVE, READWRITE);
	test_run_threads(3, write_or_query, &bad);
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_gt(answers, 100);
	expect_no_finding();
}
END_TEST

static _Atomic int writer_id;
static _Atomic bool is_stopped;
static _Atomic bool may_go_on;

static void stop_here(int signal)
{
	(void)signal;
	is_stopped = true;
	while (!may_go_on)
		;
	is_stopped = false;
}

static void *write_for_ever(void *user)
{
	(void)user;
	writer_id = (int)syscall(SYS_gettid);
	for (int i = 0; !is_over; i++)
		write_some(i);
	return NULL;
}

/* A runtime suspends its threads wherever they are, also inside a call that holds the lock of
 * regions: often enough, one of these stops is there. A query that waited would never end. */
START_TEST(a_stopped_writer_stops_no_reader)
{
	struct sigaction action = {.sa_handler = stop_here};
	pthread_t writer;

	shared = alloc(0, 8 * PAGE, RESERVE, READWRITE);
	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(pthread_create(&writer, NULL, write_for_ever, NULL), 0);
	while (writer_id == 0)
		;
	for (int i = 0; i < 500; i++) {
		may_go_on = false;
		syscall(SYS_tgkill, getpid(), writer_id, SIGUSR1);
		while (!is_stopped)
			;
		test_that(query(shared).allocation_base == shared);
		query((uintptr_t)&writer);
		query(shared - 1);
		may_go_on = true;
		while (is_stopped)
			;
	}
	is_over = true;
	pthread_join(writer, NULL);
}
END_TEST

/* What a reader still looks at is not given back, and is once it is done. */
START_TEST(what_a_reader_found_stays_until_it_is_done)
{
	shared = alloc(0, 200 * PAGE, RESERVE, READWRITE);
	for (int i = 0; i < 200; i += 2)
		alloc(shared + i * PAGE, PAGE, COMMIT, READWRITE);
	const struct fp_region *region = fp_table_find(fp_table_begin_read(), shared);
	uint32_t runs = region->run_count;
	for (int i = 0; i < 200; i += 2)
		must_free(shared + i * PAGE, PAGE, DECOMMIT);
	uintptr_t read = shared;
	must_free(shared, 0, RELEASE);
	shared = alloc(0, 8 * PAGE, RESERVE, READWRITE);
	for (int i = 0; i < 100; i++)
		write_some(i);
	ck_assert_uint_eq(region->run_count, runs);
	ck_assert_uint_eq(region->block.address, read);
	ck_assert_int_eq(fp_table_run(region, read)->state, FP_PAGE_COMMITTED);
	fp_table_end_read();
	/* The next writers give it back. */
	write_some(0);
	size_t footprint = fp_meta_footprint();
	for (int i = 0; i < 2000; i++)
		write_some(i);
	ck_assert_uint_le(fp_meta_footprint(), footprint + (64 << 10));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("region: query");
	TCase *tests = tcase_create("query");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, pages_that_are_alike_are_told_together);
	tcase_add_test(tests, guards_and_released_regions_are_free);
	tcase_add_test(tests, memory_of_others_is_looked_up);
	tcase_add_test(tests, the_address_space_can_be_walked_from_end_to_end);
	tcase_add_test(tests, without_a_descriptor_only_regions_are_known);
	tcase_add_test(tests, readers_see_whole_regions_while_one_writes);
	tcase_add_test(tests, a_stopped_writer_stops_no_reader);
	tcase_add_test(tests, what_a_reader_found_stays_until_it_is_done);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
