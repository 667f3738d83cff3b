/* SPDX-License-Identifier: Apache-2.0
 *
 * One record being put together in the scratch space of its log, and then appended whole.
 * Private to the module.
 *
 * Context: alloc.
 */
#ifndef FP_LOG_RECORD_H
#define FP_LOG_RECORD_H

#include "log/writer.h"

struct fp_log_record {
	struct fp_log *log;
	size_t used;
	const struct fp_log_site *site; /* of a finding's block */
};

/* From begin to finish the log is locked. What does not fit is lost, and makes the log lossy.
 */
struct fp_log_record fp_log_begin(struct fp_log *log, enum fp_log_type type);
void fp_log_finish(struct fp_log_record *record);

void fp_log_put_bytes(struct fp_log_record *record, const void *bytes, size_t count);
void fp_log_put_number(struct fp_log_record *record, uint64_t value, size_t bytes);
void fp_log_put_u8(struct fp_log_record *record, uint8_t value);
void fp_log_put_u32(struct fp_log_record *record, uint32_t value);
void fp_log_put_u64(struct fp_log_record *record, uint64_t value);

/* A length before them. */
void fp_log_put_counted(struct fp_log_record *record, const void *bytes, size_t count);
void fp_log_put_string(struct fp_log_record *record, const char *string);

/* Into memory and to the file (in writer.c). */
void fp_log_append_locked(struct fp_log *log, const uint8_t *bytes, size_t count);

#endif
