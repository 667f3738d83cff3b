/* SPDX-License-Identifier: Apache-2.0
 *
 * What each record of format.h has, in the order that is written there.
 */
#include <string.h>

#include "base/text.h"
#include "log/writer.h"

/* One record being put together in the scratch space of its log, and then appended whole. */
struct record {
	struct fp_log *log;
	size_t used;
	const struct fp_log_site *site; /* of a finding's block */
};

/*
 * Encoding: numbers and strings into the scratch space of a log, under its lock.
 */

static void put_bytes(struct record *record, const void *bytes, size_t count)
{
	if (count > FP_LOG_SCRATCH_BYTES - record->used) {
		record->log->is_lossy = true;
		return;
	}
	memcpy(record->log->scratch + record->used, bytes, count);
	record->used += count;
}

static void put_number(struct record *record, uint64_t value, size_t bytes)
{
	uint8_t encoded[8];

	for (size_t i = 0; i < bytes; i++)
		encoded[i] = (uint8_t)(value >> (8 * i));
	put_bytes(record, encoded, bytes);
}

static void put_u8(struct record *record, uint8_t value)
{
	put_number(record, value, 1);
}

static void put_u32(struct record *record, uint32_t value)
{
	put_number(record, value, 4);
}

static void put_u64(struct record *record, uint64_t value)
{
	put_number(record, value, 8);
}

/* A length before them. */
static void put_counted(struct record *record, const void *bytes, size_t count)
{
	put_u32(record, (uint32_t)count);
	put_bytes(record, bytes, count);
}

static void put_string(struct record *record, const char *string)
{
	put_counted(record, string, strnlen(string, FP_LOG_STRING_MAX));
}

/* From begin to finish the log is locked. What does not fit is lost, and makes the log lossy.
 */
static struct record begin(struct fp_log *log, enum fp_log_type type)
{
	struct record record = {.log = log};

	fp_lock_acquire(&log->lock);
	put_number(&record, type, 2);
	put_number(&record, 0, 2);
	put_u32(&record, 0); /* the length, known at the end */
	return record;
}

static void finish(struct record *record)
{
	struct fp_log *log = record->log;
	size_t used = record->used;

	record->used = 4;
	put_u32(record, (uint32_t)(used - FP_LOG_RECORD_HEADER_BYTES));
	fp_log_append_locked(log, log->scratch, used);
	fp_lock_release(&log->lock);
}

/* clang-format off */
#define FP_SCHEMA_OF(name) &name##_record
#define FP_RECORD(name, FIELDS, TYPE) \
	static const struct fp_schema_record name##_record = FP_SCHEMA(FP_##FIELDS##_FIELDS, FP_VICTIM_ROW_, TYPE, 0);
#define FP_MODEL_RECORD(name, FIELDS, least) FP_RECORD(name, FIELDS, struct fp_##name)
#define FP_LOG_RECORD(name, FIELDS, least) FP_RECORD(name, FIELDS, struct fp_log_##name)
FP_MODEL_RECORDS(FP_MODEL_RECORD)
FP_LOG_RECORDS(FP_LOG_RECORD)
FP_RECORD(finding, FINDING, struct fp_finding)
/* clang-format on */

static void put_fields(struct record *record, const struct fp_schema_record *schema,
                       const void *from);

struct fp_log_block fp_log_block_of(const struct fp_block *block, int64_t offset,
                                    const struct fp_log_site *site)
{
	bool is_freed = block->state == FP_BLOCK_FREED;

	return (struct fp_log_block){.address = block->address,
	                             .size = block->size,
	                             .offset = offset,
	                             .tier = block->tier,
	                             .family = block->family,
	                             .level = block->level,
	                             .state = block->state,
	                             .heap = block->heap,
	                             .serial = block->serial,
	                             .site = *site,
	                             .alloc_thread = block->alloc_thread,
	                             .alloc_trace = block->alloc_trace,
	                             .free_thread = is_freed ? block->free_thread : 0,
	                             .free_trace =
	                                     is_freed ? block->free_trace : FP_TRACE_NONE};
}

/* What a finding knows of its block stands in three places. */
static void put_block(struct record *record, const struct fp_finding *finding)
{
	const struct fp_log_block all =
	        fp_log_block_of(&finding->block, finding->offset, record->site);

	if (finding->has_block)
		put_fields(record, &block_record, &all);
}

static void put_items(struct record *record, const struct fp_schema_record *schema,
                      const char *items, uint32_t count)
{
	put_u32(record, count);
	for (uint32_t i = 0; i < count; i++)
		put_fields(record, schema, items + (size_t)i * schema->size);
}

static void put_field(struct record *record, const struct fp_schema_field *field,
                      const char *from)
{
	const char *at = from + field->offset;
	const char *text;

	switch (field->form) {
	case FP_SCHEMA_TEXT:
		put_string(record, at);
		break;
	case FP_SCHEMA_PATH:
	case FP_SCHEMA_WORD:
		text = *(const char *const *)at;
		put_string(record, text == NULL ? "" : text);
		break;
	case FP_SCHEMA_BYTES:
		put_counted(record, at, *(const uint32_t *)(from + field->more));
		break;
	case FP_SCHEMA_BLOCK:
		put_block(record, (const struct fp_finding *)from);
		break;
	case FP_SCHEMA_RECORD:
		put_fields(record, field->of, at);
		break;
	case FP_SCHEMA_ARRAY:
	case FP_SCHEMA_NAMED:
	case FP_SCHEMA_MAP:
		put_items(record, field->of, *(const fp_schema_pointer *)at,
		          *(const uint32_t *)(from + field->more));
		break;
	default:
		put_number(record, fp_schema_load(at, field->size), field->bytes);
	}
}

static void put_fields(struct record *record, const struct fp_schema_record *schema,
                       const void *from)
{
	for (unsigned since = 1; since <= FP_SCHEMA_SINCE_MAX; since++) {
		const struct fp_schema_field *field = fp_schema_find(schema, since);

		if (field != NULL)
			put_field(record, field, from);
	}
}

static void put_record(struct fp_log *log, enum fp_log_type type,
                       const struct fp_schema_record *schema, const void *from)
{
	struct record record = begin(log, type);

	put_fields(&record, schema, from);
	finish(&record);
}

/* clang-format off */
#define FP_PUT(name, TYPE) \
	void fp_log_##name(struct fp_log *log, const struct fp_log_##name *name) { put_record(log, FP_LOG_##TYPE, &name##_record, name); }
FP_LOG_WHOLE_RECORDS(FP_PUT)
/* clang-format on */

/* A string's length, and what stands behind the arguments. */
enum { ROOM_BEHIND = sizeof(uint32_t) + sizeof(uint64_t) };

/* As many arguments as a record holds; the count is corrected at the end. */
static void put_arguments(struct record *record, const char *arguments, size_t bytes)
{
	size_t count_at = record->used;
	uint32_t count = 0;

	put_u32(record, 0);
	for (size_t at = 0; at < bytes; count++) {
		size_t length = strnlen(arguments + at, bytes - at);
		size_t kept = length < FP_LOG_STRING_MAX ? length : FP_LOG_STRING_MAX;

		if (kept + ROOM_BEHIND > FP_LOG_SCRATCH_BYTES - record->used)
			break;
		put_counted(record, arguments + at, kept);
		at += length + 1;
	}
	size_t used = record->used;
	record->used = count_at;
	put_u32(record, count);
	record->used = used;
}

void fp_log_process(struct fp_log *log, const struct fp_log_process *process)
{
	struct record record = begin(log, FP_LOG_PROCESS);

	put_u32(&record, process->pid);
	put_u32(&record, process->ppid);
	put_u32(&record, process->page_bytes);
	put_string(&record, process->version);
	put_string(&record, process->executable);
	put_arguments(&record, process->arguments, process->arguments_bytes);
	put_u64(&record, process->started);
	finish(&record);
}

void fp_log_setting(struct fp_log *log, const char *key, const char *value)
{
	struct record record = begin(log, FP_LOG_SETTING);

	put_string(&record, key);
	put_string(&record, value);
	finish(&record);
}

void fp_log_module(struct fp_log *log, const struct fp_log_module *module)
{
	struct record record = begin(log, FP_LOG_MODULE);

	put_u64(&record, module->start);
	put_u64(&record, module->end);
	put_u64(&record, module->bias);
	put_string(&record, module->path);
	put_counted(&record, module->build_id, module->build_id_bytes);
	put_u8(&record, module->is_own);
	finish(&record);
}

void fp_log_trace(struct fp_log *log, fp_trace_id trace, const uintptr_t *frames, size_t count)
{
	if (trace == FP_TRACE_NONE)
		return;
	struct record record = begin(log, FP_LOG_TRACE);
	put_u32(&record, trace);
	put_u32(&record, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_u64(&record, frames[i]);
	finish(&record);
}

void fp_log_finding(struct fp_log *log, uint32_t index, const struct fp_finding *finding,
                    const struct fp_log_site *site)
{
	struct record record = begin(log, FP_LOG_FINDING);

	record.site = site;
	put_u32(&record, index);
	put_fields(&record, &finding_record, finding);
	finish(&record);
}

void fp_log_finding_count(struct fp_log *log, uint32_t index, uint64_t count)
{
	struct record record = begin(log, FP_LOG_FINDING_COUNT_IS);

	put_u32(&record, index);
	put_u64(&record, count);
	finish(&record);
}

static void put_flags(struct fp_log *log, enum fp_log_type type, uint8_t flags)
{
	struct record record = begin(log, type);

	put_u8(&record, flags);
	finish(&record);
}

void fp_log_leak_check(struct fp_log *log, uint8_t flags)
{
	put_flags(log, FP_LOG_LEAK_CHECK, flags);
}

static void put_text(struct fp_log *log, enum fp_log_type type, const char *text)
{
	struct record record = begin(log, type);

	put_string(&record, text);
	finish(&record);
}

void fp_log_note(struct fp_log *log, const char *text)
{
	put_text(log, FP_LOG_NOTE, text);
}

void fp_log_tell(struct fp_log *log, const char *format, ...)
{
	char line[1024];
	struct fp_text text;
	va_list values;

	fp_text_begin(&text, line, sizeof(line));
	va_start(values, format);
	fp_text_print_list(&text, format, values);
	va_end(values);
	fp_log_note(log, line);
}

void fp_log_suppression(struct fp_log *log, const char *text)
{
	put_text(log, FP_LOG_SUPPRESSION, text);
}

void fp_log_doors(struct fp_log *log, uint8_t doors)
{
	put_flags(log, FP_LOG_DOORS, doors);
}

static void put_exit(struct fp_log *log, enum fp_log_exit how, int32_t value, bool is_own)
{
	struct record record = begin(log, FP_LOG_EXIT);

	put_u8(&record, (uint8_t)how);
	put_u8(&record, is_own);
	put_number(&record, 0, 2);
	put_u32(&record, (uint32_t)value);
	finish(&record);
}

void fp_log_exit(struct fp_log *log, enum fp_log_exit how, int32_t value)
{
	put_exit(log, how, value, false);
}

void fp_log_own_exit(struct fp_log *log, enum fp_log_exit how, int32_t value)
{
	put_exit(log, how, value, true);
}

void fp_log_end(struct fp_log *log)
{
	if (log->is_lossy)
		return;
	struct record record = begin(log, FP_LOG_END);
	finish(&record);
}
