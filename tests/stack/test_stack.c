/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces hold exactly the callers' return addresses, and equal traces and sites are one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/inject.h"
#include "base/own.h"
#include "stack/depot.h"
#include "stack/stack.h"
#include "support/support.h"

enum { PAGE = 4096 };

/* The compiler may not make a tail call of what ends in this. */
#define KEEP_FRAME() __asm__ volatile("")

static void configure(unsigned depth)
{
	const struct fp_stack_config config = {.depth = depth};

	fp_stack_init(&config);
}

/* What the functions below saw of themselves, innermost first. */
static void *returns[4];

__attribute__((noinline)) static fp_trace_id inner(void)
{
	returns[0] = __builtin_return_address(0);
	fp_trace_id trace = fp_stack_capture();
	KEEP_FRAME();
	return trace;
}

__attribute__((noinline)) static fp_trace_id middle(void)
{
	returns[1] = __builtin_return_address(0);
	fp_trace_id trace = inner();
	KEEP_FRAME();
	return trace;
}

__attribute__((noinline)) static fp_trace_id outer(void)
{
	returns[2] = __builtin_return_address(0);
	fp_trace_id trace = middle();
	KEEP_FRAME();
	return trace;
}

static bool is_in(uintptr_t address, fp_trace_id (*function)(void))
{
	return address > (uintptr_t)function && address < (uintptr_t)function + 256;
}

START_TEST(who_created_a_thread_is_known_by_its_id)
{
	const struct fp_stack_birth births[] = {{1, 7, 11}, {513, 8, 12}, {1 << 22, 9, 13}};
	struct fp_stack_birth found = {.thread = 513};

	ck_assert(!fp_stack_find_birth(&found));
	for (size_t i = 0; i < 3; i++)
		fp_stack_keep_birth(&births[i]);
	ck_assert(fp_stack_find_birth(&found));
	ck_assert(found.creator == 8 && found.trace == 12);
	/* Another thread has the id. */
	fp_stack_keep_birth(&(struct fp_stack_birth){513, 1, 14});
	ck_assert(fp_stack_find_birth(&found) && found.creator == 1 && found.trace == 14);
	/* None of these began before our eyes, or ever can. */
	for (unsigned i = 0; i < 3; i++) {
		found.thread = (fp_thread_id[]){2, 1 << 22, UINT32_MAX}[i];
		ck_assert(!fp_stack_find_birth(&found));
	}
	/* Without memory the others stay. */
	fp_inject_arm(FP_INJECT_META, 1, true);
	fp_stack_keep_birth(&(struct fp_stack_birth){5000, 1, 15});
	fp_inject_arm(FP_INJECT_META, 0, false);
	found.thread = 5000;
	ck_assert(!fp_stack_find_birth(&found));
	found.thread = 1;
	ck_assert(fp_stack_find_birth(&found) && found.creator == 7);
}
END_TEST

START_TEST(the_last_that_unmapped_an_address_is_known)
{
	enum { KEPT = 64 };
	struct fp_stack_unmapped found;

	ck_assert(!fp_stack_find_unmapped(PAGE, &found));
	fp_stack_keep_unmapped(&(struct fp_stack_unmapped){PAGE, 3 * PAGE, 7, 11});
	fp_stack_keep_unmapped(&(struct fp_stack_unmapped){2 * PAGE, 4 * PAGE, 8, 12});
	ck_assert(fp_stack_find_unmapped(2 * PAGE - 1, &found));
	ck_assert(found.thread == 7 && found.trace == 11 && found.end == 3 * PAGE);
	ck_assert(fp_stack_find_unmapped(2 * PAGE, &found) && found.trace == 12);
	ck_assert(!fp_stack_find_unmapped(PAGE - 1, &found));
	ck_assert(!fp_stack_find_unmapped(4 * PAGE, &found));
	/* Older ones are forgotten. */
	for (uintptr_t i = 1; i < KEPT; i++)
		fp_stack_keep_unmapped(&(struct fp_stack_unmapped){i << 32, (i << 32) + PAGE, 9,
		                                                   100 + (uint32_t)i});
	ck_assert(!fp_stack_find_unmapped(PAGE, &found));
	ck_assert(fp_stack_find_unmapped(3 * PAGE, &found) && found.trace == 12);
	ck_assert(fp_stack_find_unmapped(63UL << 32, &found) && found.trace == 163);
}
END_TEST

START_TEST(a_trace_is_the_chain_of_return_addresses)
{
	size_t count;

	configure(32);
	const uintptr_t *frames = fp_stack_trace(outer(), &count);
	ck_assert_uint_ge(count, 4);
	ck_assert(is_in(frames[0], inner));
	ck_assert_uint_eq(frames[1], (uintptr_t)returns[0]);
	ck_assert_uint_eq(frames[2], (uintptr_t)returns[1]);
	ck_assert_uint_eq(frames[3], (uintptr_t)returns[2]);
	ck_assert(is_in(frames[1], middle));
	ck_assert(is_in(frames[2], outer));
}
END_TEST

/* Not unrolled, or there would be several places. */
static volatile int repetitions = 1000;

START_TEST(equal_traces_are_one)
{
	fp_trace_id first = FP_TRACE_NONE;

	configure(32);
	uint32_t before = fp_stack_trace_count();
	for (int i = 0; i < repetitions; i++) {
		fp_trace_id trace = outer();

		ck_assert_uint_ne(trace, FP_TRACE_NONE);
		if (i == 0)
			first = trace;
		ck_assert_uint_eq(trace, first);
	}
	ck_assert_uint_eq(fp_stack_trace_count(), before + 1);
	ck_assert_uint_ne(outer(), first);
	ck_assert_uint_eq(fp_stack_trace_count(), before + 2);
}
END_TEST

__attribute__((noinline)) static fp_trace_id descend(unsigned levels)
{
	fp_trace_id trace = levels == 0 ? fp_stack_capture() : descend(levels - 1);

	KEEP_FRAME();
	return trace;
}

START_TEST(depth_tells_traces_apart_until_the_limit)
{
	fp_trace_id traces[8];
	size_t counts[8];

	configure(64);
	for (unsigned i = 0; i < 8; i++) {
		traces[i] = descend(i);
		fp_stack_trace(traces[i], &counts[i]);
		for (unsigned j = 0; j < i; j++)
			ck_assert_uint_ne(traces[i], traces[j]);
		ck_assert_uint_eq(counts[i], counts[0] + i);
	}
	configure(4);
	ck_assert_uint_eq(descend(20), descend(20));
	for (unsigned i = 6; i < 8; i++) {
		traces[i] = descend(i);
		fp_stack_trace(traces[i], &counts[i]);
		ck_assert_uint_eq(counts[i], 4);
	}
}
END_TEST

START_TEST(no_trace_is_deeper_than_its_limit)
{
	static const unsigned limits[] = {1, 2, 31, 32, 255, 256, 257, 100000};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		unsigned kept = limits[i] < FP_TRACE_DEPTH_MAX ? limits[i] : FP_TRACE_DEPTH_MAX;
		size_t count;

		configure(limits[i]);
		const uintptr_t *frames = fp_stack_trace(descend(400), &count);
		ck_assert_uint_eq(count, kept);
		for (size_t at = 2; at < count; at++)
			ck_assert_uint_eq(frames[at], frames[1]);
	}
}
END_TEST

static void own(uintptr_t start, uintptr_t end)
{
	const struct fp_own_object object = {
	        .start = start, .end = end, .code = start, .code_end = end};

	fp_own_add(&object);
	configure(32);
}

/* As if inner and middle were Fencepost's own code. Where the linker put them is not ours to
 * say, so the range is taken from the trace. */
START_TEST(own_frames_that_lead_are_left_out)
{
	size_t count;

	configure(32);
	const uintptr_t *frames = fp_stack_trace(outer(), &count);
	size_t whole = count;
	uintptr_t third = frames[2];
	uintptr_t start = frames[0] < frames[1] ? frames[0] : frames[1];
	uintptr_t end = (frames[0] < frames[1] ? frames[1] : frames[0]) + 1;
	ck_assert(third < start || third >= end);
	own(start, end);
	frames = fp_stack_trace(outer(), &count);
	ck_assert_uint_eq(count, whole - 2);
	ck_assert_uint_eq(frames[0], third);
}
END_TEST

/* What a host's callback allocates while Fencepost calls it is the host's affair. */
START_TEST(own_frames_further_out_are_kept)
{
	size_t whole;
	size_t count;

	configure(32);
	const uintptr_t *frames = fp_stack_trace(outer(), &whole);
	uintptr_t second = frames[1];
	own(second, second + 1);
	frames = fp_stack_trace(outer(), &count);
	ck_assert_uint_eq(count, whole);
	ck_assert_uint_eq(frames[1], second);
}
END_TEST

START_TEST(an_unknown_trace_is_empty)
{
	size_t count = 77;

	configure(32);
	ck_assert_ptr_null(fp_stack_trace(FP_TRACE_NONE, &count));
	ck_assert_uint_eq(count, 0);
	count = 77;
	ck_assert_ptr_null(fp_stack_trace(fp_stack_trace_count() + 1, &count));
	ck_assert_uint_eq(count, 0);
	ck_assert_ptr_null(fp_stack_trace(UINT32_MAX, &count));
}
END_TEST

/* ---- Sites ----------------------------------------------------------------------------- */

static void expect_site(fp_site_id site, const char *wanted_file, int wanted_line)
{
	const char *file;
	int line;

	ck_assert(fp_stack_site(site, &file, &line));
	ck_assert_str_eq(file, wanted_file);
	ck_assert_int_eq(line, wanted_line);
}

START_TEST(equal_sites_are_one_and_are_copied)
{
	char file[] = "engine/parse.c";
	fp_site_id site = fp_stack_intern_site(file, 12);

	ck_assert_uint_ne(site, FP_SITE_NONE);
	ck_assert_uint_eq(fp_stack_intern_site("engine/parse.c", 12), site);
	ck_assert_uint_ne(fp_stack_intern_site("engine/parse.c", 13), site);
	ck_assert_uint_ne(fp_stack_intern_site("engine/parse.h", 12), site);
	memset(file, '!', sizeof(file) - 1);
	expect_site(site, "engine/parse.c", 12);
	expect_site(fp_stack_intern_site("", -1), "", -1);
	expect_site(fp_stack_intern_site("x", INT32_MIN), "x", INT32_MIN);
}
END_TEST

START_TEST(no_file_is_no_site)
{
	const char *file = "untouched";
	int line = 3;

	ck_assert_uint_eq(fp_stack_intern_site(NULL, 12), FP_SITE_NONE);
	ck_assert(!fp_stack_site(FP_SITE_NONE, &file, &line));
	ck_assert(!fp_stack_site(123456, &file, &line));
	ck_assert_str_eq(file, "untouched");
	ck_assert_int_eq(line, 3);
}
END_TEST

START_TEST(long_file_names_keep_their_end)
{
	enum { LONG = 5000 };
	char name[LONG + 1];
	const char *file;
	int line;

	for (size_t i = 0; i < LONG; i++)
		name[i] = (char)('a' + i % 26);
	strcpy(name + LONG - 7, "/last.c");
	ck_assert(fp_stack_site(fp_stack_intern_site(name, 9), &file, &line));
	ck_assert_uint_ge(strlen(file), 255);
	ck_assert_uint_lt(strlen(file), LONG);
	ck_assert_str_eq(file, name + LONG - strlen(file));
	ck_assert_int_eq(line, 9);
}
END_TEST

/* ---- No memory, many threads ----------------------------------------------------------- */

START_TEST(without_memory_there_is_no_trace_and_no_site)
{
	configure(32);
	fp_inject_arm(FP_INJECT_META, 1, true);
	ck_assert_uint_eq(outer(), FP_TRACE_NONE);
	ck_assert_uint_eq(fp_stack_intern_site("new.c", 1), FP_SITE_NONE);
	fp_inject_arm(FP_INJECT_META, 0, false);
	ck_assert_uint_ne(outer(), FP_TRACE_NONE);
	expect_site(fp_stack_intern_site("new.c", 1), "new.c", 1);
}
END_TEST

/* Every request of the first captures fails once: what was interned stays whole. */
START_TEST(each_refused_request_costs_one_trace_at_most)
{
	for (uint64_t nth = 1; nth <= 12; nth++) {
		unsigned missing = 0;

		fp_inject_arm(FP_INJECT_META, nth, false);
		configure(256);
		for (unsigned i = 0; i < 6; i++)
			missing += descend((unsigned)nth * 8 + i) == FP_TRACE_NONE;
		fp_inject_arm(FP_INJECT_META, 0, false);
		ck_assert_uint_le(missing, 1);
		for (unsigned i = 0; i < 6; i++) {
			size_t count;

			fp_stack_trace(descend((unsigned)nth * 8 + i), &count);
			ck_assert_uint_gt(count, nth * 8 + i);
		}
	}
}
END_TEST

enum { THREADS = 8, LEVELS = 60 };

struct agreement {
	fp_trace_id traces[THREADS][LEVELS];
	fp_site_id sites[THREADS][LEVELS];
};

static void intern_all(unsigned index, void *user)
{
	struct agreement *agreement = user;

	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < LEVELS; i++) {
			unsigned level = (i + index * 7) % LEVELS;
			char name[32] = "file-";

			name[5] = (char)('A' + level);
			agreement->traces[index][level] = descend(level);
			agreement->sites[index][level] = fp_stack_intern_site(name, (int)level);
		}
}

START_TEST(eight_threads_agree_on_ids)
{
	static struct agreement agreement;

	configure(64);
	uint32_t before = fp_stack_trace_count();
	test_run_threads(THREADS, intern_all, &agreement);
	ck_assert_uint_eq(fp_stack_trace_count(), before + LEVELS);
	for (unsigned level = 0; level < LEVELS; level++) {
		ck_assert_uint_ne(agreement.traces[0][level], FP_TRACE_NONE);
		ck_assert_uint_ne(agreement.sites[0][level], FP_SITE_NONE);
		for (unsigned i = 1; i < THREADS; i++) {
			ck_assert_uint_eq(agreement.traces[i][level],
			                  agreement.traces[0][level]);
			ck_assert_uint_eq(agreement.sites[i][level], agreement.sites[0][level]);
		}
		for (unsigned other = 0; other < level; other++)
			ck_assert_uint_ne(agreement.traces[0][other],
			                  agreement.traces[0][level]);
	}
}
END_TEST

/* More contents than a page of ids, and chains in the buckets. */
START_TEST(a_depot_keeps_200000_contents_apart)
{
	static struct fp_depot depot = {.lock = FP_LOCK_INITIALIZER(FP_RANK_DEPOT)};
	enum { CONTENTS = 200000 };

	for (uint64_t i = 0; i < CONTENTS; i++) {
		uint64_t content[2] = {i, i * 3};

		test_that(fp_depot_intern(&depot, content, sizeof(content)) == i + 1);
	}
	for (uint64_t i = 0; i < CONTENTS; i += 37) {
		uint64_t content[2] = {i, i * 3};
		const struct fp_depot_entry *entry = fp_depot_get(&depot, (uint32_t)i + 1);

		ck_assert_uint_eq(fp_depot_intern(&depot, content, sizeof(content)), i + 1);
		ck_assert_uint_eq(entry->size, sizeof(content));
		ck_assert_mem_eq(entry->content, content, sizeof(content));
	}
	ck_assert_ptr_null(fp_depot_get(&depot, FP_DEPOT_NONE));
	ck_assert_ptr_null(fp_depot_get(&depot, CONTENTS + 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stack");
	TCase *tests = tcase_create("stack");

	tcase_add_test(tests, a_trace_is_the_chain_of_return_addresses);
	tcase_add_test(tests, who_created_a_thread_is_known_by_its_id);
	tcase_add_test(tests, the_last_that_unmapped_an_address_is_known);
	tcase_add_test(tests, equal_traces_are_one);
	tcase_add_test(tests, depth_tells_traces_apart_until_the_limit);
	tcase_add_test(tests, no_trace_is_deeper_than_its_limit);
	tcase_add_test(tests, own_frames_that_lead_are_left_out);
	tcase_add_test(tests, own_frames_further_out_are_kept);
	tcase_add_test(tests, an_unknown_trace_is_empty);
	tcase_add_test(tests, equal_sites_are_one_and_are_copied);
	tcase_add_test(tests, no_file_is_no_site);
	tcase_add_test(tests, long_file_names_keep_their_end);
	tcase_add_test(tests, without_memory_there_is_no_trace_and_no_site);
	tcase_add_test(tests, each_refused_request_costs_one_trace_at_most);
	tcase_add_test(tests, eight_threads_agree_on_ids);
	tcase_add_test(tests, a_depot_keeps_200000_contents_apart);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
