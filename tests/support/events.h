/* SPDX-License-Identifier: Apache-2.0
 *
 * An independent reader of event logs for the tests, written from the text of log/format.h
 * and sharing no code with the writer or with `fencepost report`. Any deviation from the format
 * fails the test at once.
 */
#ifndef TESTS_SUPPORT_EVENTS_H
#define TESTS_SUPPORT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test_event {
	unsigned type; /* enum fp_log_type */
	const unsigned char *payload;
	uint32_t bytes;
	uint32_t at; /* how far the payload was read */
};

struct test_events {
	const unsigned char *bytes;
	size_t size;
	size_t at;
};

/* Checks the header; EVENTS then stands before the first record. */
void test_events_open(struct test_events *events, const void *bytes, size_t size);

/* Starts at a record, without a header: the continuation of a log. */
void test_events_continue(struct test_events *events, const void *bytes, size_t size);

/* The next record; false at the end, which must be the end of a record. */
bool test_events_next(struct test_events *events, struct test_event *event);

/* Goes on to the next record of TYPE; false when there is none. */
bool test_events_find(struct test_events *events, unsigned type, struct test_event *event);

/* Records of TYPE from here on; EVENTS stays where it is. */
size_t test_events_count(const struct test_events *events, unsigned type);

uint8_t test_event_u8(struct test_event *event);
uint32_t test_event_u32(struct test_event *event);
uint64_t test_event_u64(struct test_event *event);

/* A str or bytes: its content, not terminated, and its length. */
const char *test_event_bytes(struct test_event *event, uint32_t *length);

/* Asserts that the next field is the str TEXT. */
void test_event_expect(struct test_event *event, const char *text);

/* The next str, copied and terminated; valid until eight more were asked for. */
const char *test_event_string(struct test_event *event);

/* Asserts that all of the payload was read. */
void test_event_end(const struct test_event *event);

/* What tests ask of a finding's record. */
struct test_finding {
	uint32_t index;
	uint8_t kind;
	uint8_t access;
	bool has_hresult;
	bool is_exact; /* the trace starts at an instruction, not behind a call */
	int32_t hresult;
	uint64_t address;
	uint32_t thread;
	const char *thread_name;
	uint32_t trace;
	const char *description;
	int64_t evidence_offset;
	const unsigned char *evidence;
	uint32_t evidence_bytes;
	bool has_block;
	uint64_t block_address;
	uint64_t block_size;
	int64_t offset;
	uint8_t tier;
	uint8_t family;
	uint8_t level;
	uint8_t state;
	uint32_t heap;
	uint64_t serial;
	const char *site_file;
	uint32_t site_line;
	uint32_t alloc_thread;
	uint32_t alloc_trace;
	uint32_t free_thread;
	uint32_t free_trace;
	bool is_last_content; /* evidence is what the block held when it was freed */
	uint8_t other_role;   /* 0: no other party */
	uint32_t other_thread;
	uint32_t other_trace;
	uint8_t page_state;
	uint32_t protection;
	uint32_t commit_thread;
	uint32_t commit_trace;
	uint32_t signal; /* and so on: of a crash */
	int32_t code;
	uint8_t cause;
	const char *exception;
	const char *message;
	uint32_t register_count;
	const char *register_name; /* the last one's; its meaning is skipped */
	uint64_t register_value;
	uint32_t nearest_count; /* their blocks are skipped */
	uint32_t birth_count;
	uint32_t birth_thread; /* the last one's */
	uint32_t birth_creator;
	uint32_t birth_trace;
	uint32_t holder_count;
	uint32_t holder_kind; /* the last one's */
	uint64_t holder_address;
	int64_t holder_offset;
	uint32_t holder_thread;
	const char *holder_name;
	int64_t holder_place;
	uint32_t holder_trace;
	uint64_t holder_block_serial;
	uint32_t census_result;
	uint64_t census_found;
	uint64_t census_bytes;
	uint64_t census_microseconds;
	const char *census_obstacle;
	uint64_t access_size;
	bool is_by_call;
};

void test_event_finding(struct test_event *event, struct test_finding *finding);

#endif
