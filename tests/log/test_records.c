/* SPDX-License-Identifier: Apache-2.0
 *
 * Every record of the event log, read back field by field by a reader that knows only the text
 * of log/format.h.
 */
#include "written.h"

START_TEST(the_process_is_described)
{
	static const char arguments[] = "prog\0--flag\0\0last";
	const struct fp_log_process process = {
	        .pid = 4000000000U,
	        .ppid = 1,
	        .page_bytes = 4096,
	        .version = "9.8.7",
	        .executable = "/bin/prog",
	        .arguments = arguments,
	        .arguments_bytes = sizeof(arguments),
	        .started = 1800000000,
	};

	fp_log_process(&event_log, &process);
	fp_log_setting(&event_log, "align", "16");
	open_copy(&event_log);
	expect_record(1);
	ck_assert_uint_eq(test_event_u32(&event), 4000000000U);
	ck_assert_uint_eq(test_event_u32(&event), 1);
	ck_assert_uint_eq(test_event_u32(&event), 4096);
	test_event_expect(&event, "9.8.7");
	test_event_expect(&event, "/bin/prog");
	ck_assert_uint_eq(test_event_u32(&event), 4);
	test_event_expect(&event, "prog");
	test_event_expect(&event, "--flag");
	test_event_expect(&event, "");
	test_event_expect(&event, "last");
	ck_assert_uint_eq(test_event_u64(&event), 1800000000);
	test_event_end(&event);
	expect_record(2);
	test_event_expect(&event, "align");
	test_event_expect(&event, "16");
	test_event_end(&event);
	expect_nothing_more();
}
END_TEST

START_TEST(modules_and_traces_are_described)
{
	static const uint8_t build_id[] = {0xde, 0xad, 0, 0xbe, 0xef};
	static const uintptr_t frames[] = {0x7fffffffffff, 1, 0xffffffffffffffff};
	const struct fp_log_module module = {
	        .start = 0x555500000000,
	        .end = 0x555500002000,
	        .bias = 0x555400000000,
	        .path = "/lib/x.so",
	        .build_id = build_id,
	        .build_id_bytes = sizeof(build_id),
	        .is_own = true,
	};
	uint32_t length;

	fp_log_module(&event_log, &module);
	fp_log_trace(&event_log, 17, frames, 3);
	fp_log_trace(&event_log, FP_TRACE_NONE, NULL, 0);
	open_copy(&event_log);
	expect_record(3);
	ck_assert_uint_eq(test_event_u64(&event), module.start);
	ck_assert_uint_eq(test_event_u64(&event), module.end);
	ck_assert_uint_eq(test_event_u64(&event), module.bias);
	test_event_expect(&event, "/lib/x.so");
	ck_assert_mem_eq(test_event_bytes(&event, &length), build_id, sizeof(build_id));
	ck_assert_uint_eq(length, sizeof(build_id));
	ck_assert_uint_eq(test_event_u8(&event), 1);
	test_event_end(&event);
	expect_record(4);
	ck_assert_uint_eq(test_event_u32(&event), 17);
	ck_assert_uint_eq(test_event_u32(&event), 3);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(test_event_u64(&event), frames[i]);
	test_event_end(&event);
	expect_nothing_more();
}
END_TEST

static struct fp_finding sample_finding(void)
{
	struct fp_finding finding = {
	        .kind = FP_FINDING_HEAP_BUFFER_UNDERFLOW,
	        .access = FP_ACCESS_WRITE,
	        .address = 0x7f0000000ff0,
	        .hresult = (int32_t)0x80131022,
	        .has_hresult = true,
	        .thread = 12345,
	        .thread_name = "worker",
	        .trace = 8,
	        .is_exact = true,
	        .is_evidence_last = true,
	        .other = {.role = FP_PARTY_RELEASER, .thread = 333, .trace = 9},
	        .has_block = true,
	        .block = {.address = 0x7f0000001000,
	                  .size = (size_t)1 << 40,
	                  .serial = 1ULL << 50,
	                  .heap = 2,
	                  .alloc_trace = 6,
	                  .free_trace = 7,
	                  .alloc_thread = 111,
	                  .free_thread = 222,
	                  .family = FP_FAMILY_NEW_ARRAY,
	                  .tier = FP_TIER_PADDED,
	                  .state = FP_BLOCK_FREED,
	                  .level = FP_LEVEL_NONE},
	        .page = {.state = FP_PAGE_DECOMMITTED,
	                 .protection = 0x20,
	                 .commit_thread = 333,
	                 .commit_trace = 9},
	        .offset = -16,
	        .evidence_offset = -16,
	        .evidence_size = 3,
	        .evidence = {0, 1, 0xff},
	        .description = "a sentence",
	};

	return finding;
}

START_TEST(a_finding_is_described_with_its_block)
{
	const struct fp_finding finding = sample_finding();
	const struct fp_log_site site = {.file = "engine.c", .line = 4711};
	struct test_finding read;

	fp_log_finding(&event_log, 3, &finding, &site);
	open_copy(&event_log);
	expect_record(5);
	test_event_finding(&event, &read);
	ck_assert_uint_eq(read.index, 3);
	ck_assert_uint_eq(read.kind, 1);
	ck_assert_uint_eq(read.access, 2);
	ck_assert(read.has_hresult);
	ck_assert_int_eq(read.hresult, (int32_t)0x80131022);
	ck_assert_uint_eq(read.address, 0x7f0000000ff0);
	ck_assert_uint_eq(read.thread, 12345);
	ck_assert_str_eq(read.thread_name, "worker");
	ck_assert_uint_eq(read.trace, 8);
	ck_assert(read.is_exact && read.is_last_content);
	ck_assert_uint_eq(read.other_role, 3);
	ck_assert_uint_eq(read.other_thread, 333);
	ck_assert_uint_eq(read.other_trace, 9);
	ck_assert_str_eq(read.description, "a sentence");
	ck_assert_int_eq(read.evidence_offset, -16);
	ck_assert_uint_eq(read.evidence_bytes, 3);
	ck_assert_mem_eq(read.evidence, finding.evidence, 3);
	ck_assert(read.has_block);
	ck_assert_uint_eq(read.block_address, 0x7f0000001000);
	ck_assert_uint_eq(read.block_size, 1ULL << 40);
	ck_assert_int_eq(read.offset, -16);
	ck_assert_uint_eq(read.tier, 1);
	ck_assert_uint_eq(read.family, 3);
	ck_assert_uint_eq(read.level, 3);
	ck_assert_uint_eq(read.state, 1);
	ck_assert_uint_eq(read.heap, 2);
	ck_assert_uint_eq(read.serial, 1ULL << 50);
	ck_assert_str_eq(read.site_file, "engine.c");
	ck_assert_uint_eq(read.site_line, 4711);
	ck_assert_uint_eq(read.alloc_thread, 111);
	ck_assert_uint_eq(read.alloc_trace, 6);
	ck_assert_uint_eq(read.free_thread, 222);
	ck_assert_uint_eq(read.free_trace, 7);
	ck_assert_uint_eq(read.page_state, 4);
	ck_assert_uint_eq(read.protection, 0x20);
	ck_assert_uint_eq(read.commit_thread, 333);
	ck_assert_uint_eq(read.commit_trace, 9);
}
END_TEST

START_TEST(a_finding_without_a_block_has_none)
{
	const struct fp_log_site none = {.file = ""};
	struct fp_finding finding = sample_finding();
	struct test_finding read;

	finding.has_block = false;
	finding.evidence_size = 0;
	finding.has_hresult = false;
	finding.is_exact = false;
	finding.is_evidence_last = false;
	fp_log_finding(&event_log, 0, &finding, &none);
	fp_log_finding_count(&event_log, 0, 1ULL << 33);
	open_copy(&event_log);
	expect_record(5);
	test_event_finding(&event, &read);
	ck_assert(!read.has_block && !read.has_hresult);
	ck_assert(!read.is_exact && !read.is_last_content);
	ck_assert_uint_eq(read.evidence_bytes, 0);
	expect_record(6);
	ck_assert_uint_eq(test_event_u32(&event), 0);
	ck_assert_uint_eq(test_event_u64(&event), 1ULL << 33);
	test_event_end(&event);
	expect_nothing_more();
}
END_TEST

START_TEST(a_crash_has_its_registers_and_the_nearest_blocks)
{
	static const struct fp_log_register registers[] = {{"rip", 0x401136, ""},
	                                                   {"rax", 1, "nothing"}};
	static const struct fp_log_block nearest[] = {{.address = 0x7000, .site.file = "x.c"}};
	static const struct fp_log_birth births[] = {{10, 9, 3}, {9, 1, 4}};
	const struct fp_log_site none = {.file = ""};
	struct fp_finding finding = sample_finding();
	struct test_finding read;

	finding.has_block = false;
	finding.signal = 11;
	finding.code = -6;
	finding.cause = FP_CRASH_WILD_ADDRESS;
	finding.message = "said";
	finding.registers = registers;
	finding.register_count = 2;
	finding.nearest = nearest;
	finding.nearest_count = 1;
	finding.births = births;
	finding.birth_count = 2;
	fp_log_finding(&event_log, 0, &finding, &none);
	open_copy(&event_log);
	expect_record(5);
	test_event_finding(&event, &read);
	ck_assert_uint_eq(read.signal, 11);
	ck_assert_int_eq(read.code, -6);
	ck_assert_uint_eq(read.cause, FP_CRASH_WILD_ADDRESS);
	ck_assert_str_eq(read.exception, "");
	ck_assert_str_eq(read.message, "said");
	ck_assert_uint_eq(read.register_count, 2);
	ck_assert_str_eq(read.register_name, "rax");
	ck_assert_uint_eq(read.register_value, 1);
	ck_assert_uint_eq(read.nearest_count, 1);
	ck_assert(read.birth_count == 2 && read.birth_thread == 9);
	ck_assert(read.birth_creator == 1 && read.birth_trace == 4);
	expect_nothing_more();
}
END_TEST

START_TEST(a_finding_says_who_holds_its_block)
{
	static const struct fp_log_holder holders[] = {
	        {.kind = FP_HOLDER_REGISTER, .offset = 1, .thread = 8, .name = "rbx"},
	        {.kind = FP_HOLDER_STACK,
	         .address = 0x7ffe0000,
	         .offset = -3,
	         .thread = 7,
	         .place = -24,
	         .trace = 6,
	         .block = {.serial = 99, .site.file = ""}}};
	const struct fp_log_site none = {.file = ""};
	struct fp_finding finding = sample_finding();
	struct test_finding read;

	finding.holders = holders;
	finding.holder_count = 2;
	finding.census = (struct fp_census){.result = FP_CENSUS_PARTIAL,
	                                    .found = 1ULL << 40,
	                                    .bytes = 1ULL << 41,
	                                    .microseconds = 1ULL << 42,
	                                    .obstacle = "time was up"};
	fp_log_finding(&event_log, 0, &finding, &none);
	open_copy(&event_log);
	expect_record(5);
	test_event_finding(&event, &read);
	ck_assert_uint_eq(read.holder_count, 2);
	ck_assert_uint_eq(read.holder_kind, 4);
	ck_assert_uint_eq(read.holder_address, 0x7ffe0000);
	ck_assert_int_eq(read.holder_offset, -3);
	ck_assert_uint_eq(read.holder_thread, 7);
	ck_assert_str_eq(read.holder_name, "");
	ck_assert_int_eq(read.holder_place, -24);
	ck_assert_uint_eq(read.holder_trace, 6);
	ck_assert_uint_eq(read.holder_block_serial, 99);
	ck_assert_uint_eq(read.census_result, 2);
	ck_assert_uint_eq(read.census_found, 1ULL << 40);
	ck_assert_uint_eq(read.census_bytes, 1ULL << 41);
	ck_assert_uint_eq(read.census_microseconds, 1ULL << 42);
	ck_assert_str_eq(read.census_obstacle, "time was up");
	expect_nothing_more();
}
END_TEST

static void log_the_end(void)
{
	const struct fp_log_member members[] = {{1, 2, 3, 4}, {5, 1ULL << 32, 1ULL << 33, 6}};
	const struct fp_log_leak leak = {.class = FP_LEAK_POSSIBLE,
	                                 .family = FP_FAMILY_ALIGNED,
	                                 .level = FP_LEVEL_PROCESS,
	                                 .heap = 5,
	                                 .blocks = 6,
	                                 .bytes = 1ULL << 40,
	                                 .age = {5000, 4},
	                                 .new = {.blocks = 3,
	                                         .bytes = 1ULL << 39,
	                                         .age = {4000, 5},
	                                         .indirect_blocks = 2,
	                                         .indirect_bytes = 1ULL << 38},
	                                 .trace = 7,
	                                 .site = {.file = "l.c", .line = 8},
	                                 .indirect_blocks = 9,
	                                 .indirect_bytes = 1ULL << 41,
	                                 .leader_trace = 10,
	                                 .path_left_out = 1ULL << 42,
	                                 .held_until = 1ULL << 43,
	                                 .members = members,
	                                 .member_count = 2};
	const struct fp_log_reason reasons[] = {{"memory", 2}, {"sampling", 1}};
	const struct fp_log_protection protection = {.allocations = 10,
	                                             .guarded = 7,
	                                             .padded = 2,
	                                             .plain = 1,
	                                             .reasons = reasons,
	                                             .reason_count = 2};
	const struct fp_log_context contexts[] = {{.blocks = 7, .guarded = 8, .contexts = 9}};
	const struct fp_log_heap heap = {1, 2, 3, 4, 5, 6, contexts, 1, 10, 11, 12};

	fp_log_leak_check(&event_log, FP_LOG_CHECK_NEWS);
	fp_log_leak(&event_log, &leak);
	fp_log_protection(&event_log, &protection);
	fp_log_heap(&event_log, &heap);
	fp_log_note(&event_log, "something was lost");
	fp_log_exit(&event_log, FP_LOG_EXIT_SIGNAL, -11);
	fp_log_end(&event_log);
}

static void expect_numbers(unsigned type, const uint64_t *numbers, size_t count)
{
	expect_record(type);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(test_event_u64(&event), numbers[i]);
}

START_TEST(the_end_is_described)
{
	static const uint64_t protection[] = {10, 7, 2, 1};
	static const uint64_t heap[] = {1, 2, 3, 4, 5, 6};
	static const uint8_t leak[] = {2, 4, 2, 0};
	static const uint64_t news[] = {5000, 4, 3, 1ULL << 39, 4000, 5, 2, 1ULL << 38};

	log_the_end();
	open_copy(&event_log);
	expect_record(15);
	ck_assert_uint_eq(test_event_u8(&event), FP_LOG_CHECK_NEWS);
	test_event_end(&event);
	expect_record(7);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(test_event_u8(&event), leak[i]);
	ck_assert_uint_eq(test_event_u32(&event), 5);
	ck_assert_uint_eq(test_event_u64(&event), 6);
	ck_assert_uint_eq(test_event_u64(&event), 1ULL << 40);
	ck_assert_uint_eq(test_event_u32(&event), 7);
	test_event_expect(&event, "l.c");
	ck_assert_uint_eq(test_event_u32(&event), 8);
	ck_assert_uint_eq(test_event_u64(&event), 9);
	ck_assert_uint_eq(test_event_u64(&event), 1ULL << 41);
	ck_assert_uint_eq(test_event_u32(&event), 10);
	for (size_t i = 0; i < sizeof(news) / sizeof(news[0]); i++)
		ck_assert_uint_eq(test_event_u64(&event), news[i]);
	ck_assert_uint_eq(test_event_u32(&event), 0); /* holders */
	ck_assert_uint_eq(test_event_u32(&event), 0); /* path */
	ck_assert_uint_eq(test_event_u64(&event), 1ULL << 42);
	ck_assert_uint_eq(test_event_u32(&event), 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(test_event_u32(&event), i == 0 ? 1 : 5);
		ck_assert_uint_eq(test_event_u32(&event), i == 0 ? 4 : 6);
		ck_assert_uint_eq(test_event_u64(&event), i == 0 ? 2 : 1ULL << 32);
		ck_assert_uint_eq(test_event_u64(&event), i == 0 ? 3 : 1ULL << 33);
	}
	ck_assert_uint_eq(test_event_u32(&event), 0); /* last holders */
	ck_assert_uint_eq(test_event_u64(&event), 1ULL << 43);
	test_event_end(&event);
	expect_numbers(8, protection, 4);
	ck_assert_uint_eq(test_event_u32(&event), 2);
	test_event_expect(&event, "memory");
	ck_assert_uint_eq(test_event_u64(&event), 2);
	test_event_expect(&event, "sampling");
	ck_assert_uint_eq(test_event_u64(&event), 1);
	test_event_end(&event);
	expect_numbers(9, heap, 6);
	ck_assert_uint_eq(test_event_u32(&event), 1);
	for (uint64_t i = 7; i < 10; i++)
		ck_assert_uint_eq(test_event_u64(&event), i);
	ck_assert_uint_eq(test_event_u32(&event), FP_TRACE_NONE);
	for (uint64_t i = 10; i < 13; i++)
		ck_assert_uint_eq(test_event_u64(&event), i);
	test_event_end(&event);
	expect_record(10);
	test_event_expect(&event, "something was lost");
	test_event_end(&event);
	expect_record(11);
	ck_assert_uint_eq(test_event_u32(&event), 2);
	ck_assert_int_eq((int32_t)test_event_u32(&event), -11);
	test_event_end(&event);
	expect_record(12);
	test_event_end(&event);
	expect_nothing_more();
}
END_TEST

START_TEST(snapshots_are_described)
{
	static const struct fp_log_group groups[] = {
	        {.trace = 7, .blocks = 2, .bytes = 300},
	        {.trace = 8, .blocks = 1, .bytes = UINT64_MAX}};
	const struct fp_log_snapshot snapshot = {
	        .milliseconds = 12,
	        .live_blocks = 3,
	        .live_bytes = 1ULL << 50,
	        .groups = groups,
	        .group_count = 2,
	};

	fp_log_snapshot(&event_log, &snapshot);
	open_copy(&event_log);
	expect_record(13);
	ck_assert_uint_eq(test_event_u64(&event), 12);
	ck_assert_uint_eq(test_event_u64(&event), 3);
	ck_assert_uint_eq(test_event_u64(&event), 1ULL << 50);
	ck_assert_uint_eq(test_event_u32(&event), 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(test_event_u32(&event), groups[i].trace);
		ck_assert_uint_eq(test_event_u64(&event), groups[i].blocks);
		ck_assert_uint_eq(test_event_u64(&event), groups[i].bytes);
	}
	test_event_end(&event);
	expect_nothing_more();
}
END_TEST

START_TEST(growth_is_described)
{
	static const struct fp_log_point points[] = {{100, 1, 30}, {200, 2, 1ULL << 40}};

	fp_log_growth(&event_log, &(struct fp_log_growth){true, 9, 3});
	fp_log_growing(&event_log, &(struct fp_log_growing){
	                                   .trace = 7, .points = points, .point_count = 2});
	open_copy(&event_log);
	expect_record(16);
	ck_assert_uint_eq(test_event_u8(&event), 1);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(test_event_u8(&event), 0);
	ck_assert_uint_eq(test_event_u32(&event), 9);
	ck_assert_uint_eq(test_event_u64(&event), 3);
	test_event_end(&event);
	expect_record(17);
	ck_assert_uint_eq(test_event_u32(&event), 7);
	ck_assert_uint_eq(test_event_u32(&event), 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(test_event_u64(&event), points[i].milliseconds);
		ck_assert_uint_eq(test_event_u64(&event), points[i].blocks);
		ck_assert_uint_eq(test_event_u64(&event), points[i].bytes);
	}
	test_event_end(&event);
	expect_nothing_more();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log: records");
	TCase *tests = tcase_create("records");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, the_process_is_described);
	tcase_add_test(tests, modules_and_traces_are_described);
	tcase_add_test(tests, a_finding_is_described_with_its_block);
	tcase_add_test(tests, a_finding_without_a_block_has_none);
	tcase_add_test(tests, a_crash_has_its_registers_and_the_nearest_blocks);
	tcase_add_test(tests, a_finding_says_who_holds_its_block);
	tcase_add_test(tests, the_end_is_described);
	tcase_add_test(tests, snapshots_are_described);
	tcase_add_test(tests, growth_is_described);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
