/* SPDX-License-Identifier: Apache-2.0
 *
 * Little-endian fields, one bounds check for all of them.
 */
#include "report/log/cursor.h"

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
