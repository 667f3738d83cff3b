/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of events.h. Numbers are spelled out here and not taken from the writer.
 */
#include "support/events.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "log/format.h"

enum { HEADER_BYTES = 16, RECORD_HEADER_BYTES = 8 };

static uint64_t number_at(const unsigned char *bytes, unsigned count)
{
	uint64_t value = 0;

	while (count-- > 0)
		value = value << 8 | bytes[count];
	return value;
}

void test_events_continue(struct test_events *events, const void *bytes, size_t size)
{
	*events = (struct test_events){.bytes = bytes, .size = size};
}

void test_events_open(struct test_events *events, const void *bytes, size_t size)
{
	test_events_continue(events, bytes, size);
	ck_assert_uint_ge(size, HEADER_BYTES);
	ck_assert_mem_eq(events->bytes, "FENCEPEV", 8);
	ck_assert_uint_eq(number_at(events->bytes + 8, 4), 1);
	ck_assert_uint_eq(number_at(events->bytes + 12, 4), 0);
	events->at = HEADER_BYTES;
}

bool test_events_next(struct test_events *events, struct test_event *event)
{
	const unsigned char *record = events->bytes + events->at;

	if (events->at == events->size)
		return false;
	ck_assert_uint_ge(events->size - events->at, RECORD_HEADER_BYTES);
	*event = (struct test_event){
	        .type = (unsigned)number_at(record, 2),
	        .payload = record + RECORD_HEADER_BYTES,
	        .bytes = (uint32_t)number_at(record + 4, 4),
	};
	ck_assert_uint_eq(number_at(record + 2, 2), 0);
	ck_assert_uint_le(event->bytes, events->size - events->at - RECORD_HEADER_BYTES);
	events->at += RECORD_HEADER_BYTES + event->bytes;
	return true;
}

bool test_events_find(struct test_events *events, unsigned type, struct test_event *event)
{
	while (test_events_next(events, event))
		if (event->type == type)
			return true;
	return false;
}

size_t test_events_count(const struct test_events *events, unsigned type)
{
	struct test_events rest = *events;
	struct test_event event;
	size_t count = 0;

	while (test_events_find(&rest, type, &event))
		count++;
	return count;
}

static const unsigned char *take(struct test_event *event, uint32_t bytes)
{
	const unsigned char *field = event->payload + event->at;

	ck_assert_uint_le(bytes, event->bytes - event->at);
	event->at += bytes;
	return field;
}

uint8_t test_event_u8(struct test_event *event)
{
	return (uint8_t)number_at(take(event, 1), 1);
}

uint32_t test_event_u32(struct test_event *event)
{
	return (uint32_t)number_at(take(event, 4), 4);
}

uint64_t test_event_u64(struct test_event *event)
{
	return number_at(take(event, 8), 8);
}

const char *test_event_bytes(struct test_event *event, uint32_t *length)
{
	*length = test_event_u32(event);
	return (const char *)take(event, *length);
}

void test_event_expect(struct test_event *event, const char *text)
{
	ck_assert_str_eq(test_event_string(event), text);
}

const char *test_event_string(struct test_event *event)
{
	static char copies[8][8192];
	static unsigned next;
	char *copy = copies[next++ % 8];
	uint32_t length;
	const char *bytes = test_event_bytes(event, &length);

	ck_assert_uint_lt(length, sizeof(copies[0]));
	ck_assert_ptr_null(memchr(bytes, '\0', length));
	memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

void test_event_end(const struct test_event *event)
{
	ck_assert_uint_eq(event->at, event->bytes);
}

static void read_block(struct test_event *event, struct test_finding *finding)
{
	finding->block_address = test_event_u64(event);
	finding->block_size = test_event_u64(event);
	finding->offset = (int64_t)test_event_u64(event);
	finding->tier = test_event_u8(event);
	finding->family = test_event_u8(event);
	finding->level = test_event_u8(event);
	finding->state = test_event_u8(event);
	finding->heap = test_event_u32(event);
	finding->serial = test_event_u64(event);
	finding->site_file = test_event_string(event);
	finding->site_line = test_event_u32(event);
	finding->alloc_thread = test_event_u32(event);
	finding->alloc_trace = test_event_u32(event);
	finding->free_thread = test_event_u32(event);
	finding->free_trace = test_event_u32(event);
}

static void read_crash(struct test_event *event, struct test_finding *finding)
{
	struct test_finding near;

	finding->signal = test_event_u32(event);
	finding->code = (int32_t)test_event_u32(event);
	finding->cause = test_event_u8(event);
	finding->exception = test_event_string(event);
	finding->message = test_event_string(event);
	finding->register_count = test_event_u32(event);
	for (uint32_t i = 0; i < finding->register_count; i++) {
		finding->register_name = test_event_string(event);
		finding->register_value = test_event_u64(event);
		test_event_string(event);
	}
	finding->nearest_count = test_event_u32(event);
	for (uint32_t i = 0; i < finding->nearest_count; i++)
		read_block(event, &near);
	finding->birth_count = test_event_u32(event);
	for (uint32_t i = 0; i < finding->birth_count; i++) {
		finding->birth_thread = test_event_u32(event);
		finding->birth_creator = test_event_u32(event);
		finding->birth_trace = test_event_u32(event);
	}
	finding->access_size = test_event_u64(event);
	finding->is_by_call = test_event_u8(event);
}

static void read_holders(struct test_event *event, struct test_finding *finding)
{
	struct test_finding block;

	finding->holder_count = test_event_u32(event);
	for (uint32_t i = 0; i < finding->holder_count; i++) {
		finding->holder_kind = test_event_u8(event);
		finding->holder_address = test_event_u64(event);
		finding->holder_offset = (int64_t)test_event_u64(event);
		finding->holder_thread = test_event_u32(event);
		finding->holder_name = test_event_string(event);
		finding->holder_place = (int64_t)test_event_u64(event);
		finding->holder_trace = test_event_u32(event);
		read_block(event, &block);
		finding->holder_block_serial = block.serial;
	}
	finding->census_result = test_event_u8(event);
	finding->census_found = test_event_u64(event);
	finding->census_bytes = test_event_u64(event);
	finding->census_microseconds = test_event_u64(event);
	finding->census_obstacle = test_event_string(event);
}

void test_event_finding(struct test_event *event, struct test_finding *finding)
{
	memset(finding, 0, sizeof(*finding));
	ck_assert_uint_eq(event->type, FP_LOG_FINDING);
	finding->index = test_event_u32(event);
	finding->kind = test_event_u8(event);
	finding->access = test_event_u8(event);
	finding->has_hresult = test_event_u8(event);
	finding->is_exact = test_event_u8(event);
	finding->hresult = (int32_t)test_event_u32(event);
	finding->address = test_event_u64(event);
	finding->thread = test_event_u32(event);
	finding->thread_name = test_event_string(event);
	finding->trace = test_event_u32(event);
	finding->description = test_event_string(event);
	finding->evidence_offset = (int64_t)test_event_u64(event);
	finding->evidence =
	        (const unsigned char *)test_event_bytes(event, &finding->evidence_bytes);
	finding->has_block = test_event_u8(event);
	if (finding->has_block)
		read_block(event, finding);
	finding->is_last_content = test_event_u8(event);
	finding->other_role = test_event_u8(event);
	finding->other_thread = test_event_u32(event);
	finding->other_trace = test_event_u32(event);
	finding->page_state = test_event_u8(event);
	finding->protection = test_event_u32(event);
	finding->commit_thread = test_event_u32(event);
	finding->commit_trace = test_event_u32(event);
	read_crash(event, finding);
	read_holders(event, finding);
	test_event_end(event);
}
