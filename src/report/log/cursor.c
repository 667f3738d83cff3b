/* SPDX-License-Identifier: Apache-2.0
 *
 * Little-endian fields, one bounds check for all of them, and records as model/schema.def has
 * them.
 */
#include "report/log/cursor.h"

#include <errno.h>

#include "report/schema.h"

struct fp_report_string fp_report_take_bytes(struct fp_report_cursor *cursor, size_t size)
{
	const struct fp_report_string bytes = {(const char *)cursor->at, size};

	if (cursor->is_short || size > cursor->left) {
		cursor->is_short = true;
		return (struct fp_report_string){"", 0};
	}
	cursor->at += size;
	cursor->left -= size;
	return bytes;
}

static uint64_t take_integer(struct fp_report_cursor *cursor, size_t size)
{
	struct fp_report_string bytes = fp_report_take_bytes(cursor, size);
	uint64_t value = 0;

	for (size_t i = bytes.size; i > 0; i--)
		value = value << 8 | (uint8_t)bytes.bytes[i - 1];
	return value;
}

uint8_t fp_report_take_u8(struct fp_report_cursor *cursor)
{
	return (uint8_t)take_integer(cursor, 1);
}

uint16_t fp_report_take_u16(struct fp_report_cursor *cursor)
{
	return (uint16_t)take_integer(cursor, 2);
}

uint32_t fp_report_take_u32(struct fp_report_cursor *cursor)
{
	return (uint32_t)take_integer(cursor, 4);
}

uint64_t fp_report_take_u64(struct fp_report_cursor *cursor)
{
	return take_integer(cursor, 8);
}

struct fp_report_string fp_report_take_string(struct fp_report_cursor *cursor)
{
	return fp_report_take_bytes(cursor, fp_report_take_u32(cursor));
}

/* What an item has at least. */
static size_t bytes_of(const struct fp_schema_record *schema)
{
	size_t bytes = 0;

	for (size_t i = 0; i < schema->count; i++)
		bytes += schema->fields[i].since > 0 ? schema->fields[i].bytes : 0;
	return bytes;
}

static int take_items(struct fp_report_cursor *cursor, const struct fp_schema_record *schema,
                      struct fp_report_arena *arena, fp_schema_pointer *items, size_t *count)
{
	size_t claimed = fp_report_take_u32(cursor);
	int result = 0;

	/* Older logs end before it. */
	if (cursor->is_short)
		return 0;
	if (claimed > cursor->left / bytes_of(schema))
		return -EBADMSG;
	*items = fp_report_arena_take(arena, claimed * schema->size);
	if (!*items)
		return -ENOMEM;
	*count = claimed;
	for (size_t i = 0; result == 0 && i < claimed; i++)
		result = fp_report_take_record(cursor, schema,
		                               (char *)*items + i * schema->size, arena);
	return result;
}

static int take_field(struct fp_report_cursor *cursor, const struct fp_schema_field *field,
                      char *record, struct fp_report_arena *arena)
{
	const struct fp_schema_words *words = field->of;
	void *at = record + field->offset;
	uint64_t number;

	switch (field->form) {
	case FP_SCHEMA_TEXT:
	case FP_SCHEMA_PATH:
	case FP_SCHEMA_WORD:
	case FP_SCHEMA_BYTES:
		*(struct fp_report_string *)at = fp_report_take_string(cursor);
		return 0;
	case FP_SCHEMA_THERE:
		*(bool *)at = !cursor->is_short && cursor->left > 0;
		return 0;
	case FP_SCHEMA_BLOCK:
		if (!fp_report_schema_has(field, record))
			return 0;
		__attribute__((fallthrough));
	case FP_SCHEMA_RECORD:
		return fp_report_take_record(cursor, field->of, at, arena);
	case FP_SCHEMA_ARRAY:
	case FP_SCHEMA_NAMED:
		return take_items(cursor, field->of, arena, at,
		                  (size_t *)(record + field->more));
	default:
		number = take_integer(cursor, field->bytes);
		if (field->form == FP_SCHEMA_ENUM && number >= words->count)
			return -EBADMSG;
		if (field->form == FP_SCHEMA_FLAG)
			number = number != 0;
		fp_report_schema_store(at, field->size, number);
		return 0;
	}
}

int fp_report_take_record(struct fp_report_cursor *cursor,
                          const struct fp_schema_record *schema, void *record,
                          struct fp_report_arena *arena)
{
	int result = 0;

	for (unsigned since = 1; result == 0 && since <= FP_SCHEMA_SINCE_MAX; since++) {
		const struct fp_schema_field *field = fp_schema_find(schema, since);

		if (field)
			result = take_field(cursor, field, record, arena);
		if (cursor->is_short && since <= schema->least)
			result = -EBADMSG;
	}
	return result;
}
