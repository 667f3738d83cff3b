/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking fields off bytes that may end too early. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_LOG_CURSOR_H
#define FP_REPORT_LOG_CURSOR_H

#include "report/report.h"

/* Once a field did not fit, IS_SHORT stays set and every further field is 0 or empty. */
struct fp_report_cursor {
	const uint8_t *at;
	size_t left;
	bool is_short;
};

uint8_t fp_report_take_u8(struct fp_report_cursor *cursor);
uint16_t fp_report_take_u16(struct fp_report_cursor *cursor);
uint32_t fp_report_take_u32(struct fp_report_cursor *cursor);
uint64_t fp_report_take_u64(struct fp_report_cursor *cursor);
struct fp_report_string fp_report_take_bytes(struct fp_report_cursor *cursor, size_t size);
struct fp_report_string
fp_report_take_string(struct fp_report_cursor *cursor); /* a u32 length, then bytes */

/* Takes what SCHEMA has, in the order of its members' `since`, into RECORD, which is zeroed;
 * arrays come from ARENA. 0; -EBADMSG when it is too short or a number is none of its enum's;
 * -ENOMEM. */
int fp_report_take_record(struct fp_report_cursor *cursor,
                          const struct fp_schema_record *schema, void *record,
                          struct fp_report_arena *arena);

#endif
