/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoding: numbers and strings into the scratch space of a log, under its lock.
 */
#include "log/record.h"

#include <string.h>

void fp_log_put_bytes(struct fp_log_record *record, const void *bytes, size_t count)
{
	if (count > FP_LOG_SCRATCH_BYTES - record->used) {
		record->log->is_lossy = true;
		return;
	}
	memcpy(record->log->scratch + record->used, bytes, count);
	record->used += count;
}

void fp_log_put_number(struct fp_log_record *record, uint64_t value, size_t bytes)
{
	uint8_t encoded[8];

	for (size_t i = 0; i < bytes; i++)
		encoded[i] = (uint8_t)(value >> (8 * i));
	fp_log_put_bytes(record, encoded, bytes);
}

void fp_log_put_u8(struct fp_log_record *record, uint8_t value)
{
	fp_log_put_number(record, value, 1);
}

void fp_log_put_u32(struct fp_log_record *record, uint32_t value)
{
	fp_log_put_number(record, value, 4);
}

void fp_log_put_u64(struct fp_log_record *record, uint64_t value)
{
	fp_log_put_number(record, value, 8);
}

void fp_log_put_counted(struct fp_log_record *record, const void *bytes, size_t count)
{
	fp_log_put_u32(record, (uint32_t)count);
	fp_log_put_bytes(record, bytes, count);
}

void fp_log_put_string(struct fp_log_record *record, const char *string)
{
	fp_log_put_counted(record, string, strnlen(string, FP_LOG_STRING_MAX));
}

struct fp_log_record fp_log_begin(struct fp_log *log, enum fp_log_type type)
{
	struct fp_log_record record = {.log = log};

	fp_lock_acquire(&log->lock);
	fp_log_put_number(&record, type, 2);
	fp_log_put_number(&record, 0, 2);
	fp_log_put_u32(&record, 0); /* the length, known at the end */
	return record;
}

void fp_log_finish(struct fp_log_record *record)
{
	struct fp_log *log = record->log;
	size_t used = record->used;

	record->used = 4;
	fp_log_put_u32(record, (uint32_t)(used - FP_LOG_RECORD_HEADER_BYTES));
	fp_log_append_locked(log, log->scratch, used);
	fp_lock_release(&log->lock);
}
