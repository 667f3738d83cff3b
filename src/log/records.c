/* SPDX-License-Identifier: Apache-2.0
 *
 * What each record of format.h has, in the order that is written there.
 */
#include <string.h>

#include "base/text.h"
#include "log/record.h"

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

static void put_fields(struct fp_log_record *record, const struct fp_schema_record *schema,
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
static void put_block(struct fp_log_record *record, const struct fp_finding *finding)
{
	const struct fp_log_block all =
	        fp_log_block_of(&finding->block, finding->offset, record->site);

	if (finding->has_block)
		put_fields(record, &block_record, &all);
}

static void put_items(struct fp_log_record *record, const struct fp_schema_record *schema,
                      const char *items, uint32_t count)
{
	fp_log_put_u32(record, count);
	for (uint32_t i = 0; i < count; i++)
		put_fields(record, schema, items + (size_t)i * schema->size);
}

static void put_field(struct fp_log_record *record, const struct fp_schema_field *field,
                      const char *from)
{
	const char *at = from + field->offset;
	const char *text;

	switch (field->form) {
	case FP_SCHEMA_TEXT:
		fp_log_put_string(record, at);
		break;
	case FP_SCHEMA_PATH:
	case FP_SCHEMA_WORD:
		text = *(const char *const *)at;
		fp_log_put_string(record, text == NULL ? "" : text);
		break;
	case FP_SCHEMA_BYTES:
		fp_log_put_counted(record, at, *(const uint32_t *)(from + field->more));
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
		fp_log_put_number(record, fp_schema_load(at, field->size), field->bytes);
	}
}

static void put_fields(struct fp_log_record *record, const struct fp_schema_record *schema,
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
	struct fp_log_record record = fp_log_begin(log, type);

	put_fields(&record, schema, from);
	fp_log_finish(&record);
}

/* clang-format off */
#define FP_PUT(name, TYPE) \
	void fp_log_##name(struct fp_log *log, const struct fp_log_##name *name) { put_record(log, FP_LOG_##TYPE, &name##_record, name); }
FP_LOG_WHOLE_RECORDS(FP_PUT)
/* clang-format on */

/* A string's length, and what stands behind the arguments. */
enum { ROOM_BEHIND = sizeof(uint32_t) + sizeof(uint64_t) };

/* As many arguments as a record holds; the count is corrected at the end. */
static void put_arguments(struct fp_log_record *record, const char *arguments, size_t bytes)
{
	size_t count_at = record->used;
	uint32_t count = 0;

	fp_log_put_u32(record, 0);
	for (size_t at = 0; at < bytes; count++) {
		size_t length = strnlen(arguments + at, bytes - at);
		size_t kept = length < FP_LOG_STRING_MAX ? length : FP_LOG_STRING_MAX;

		if (kept + ROOM_BEHIND > FP_LOG_SCRATCH_BYTES - record->used)
			break;
		fp_log_put_counted(record, arguments + at, kept);
		at += length + 1;
	}
	size_t used = record->used;
	record->used = count_at;
	fp_log_put_u32(record, count);
	record->used = used;
}

void fp_log_process(struct fp_log *log, const struct fp_log_process *process)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_PROCESS);

	fp_log_put_u32(&record, process->pid);
	fp_log_put_u32(&record, process->ppid);
	fp_log_put_u32(&record, process->page_bytes);
	fp_log_put_string(&record, process->version);
	fp_log_put_string(&record, process->executable);
	put_arguments(&record, process->arguments, process->arguments_bytes);
	fp_log_put_u64(&record, process->started);
	fp_log_finish(&record);
}

void fp_log_setting(struct fp_log *log, const char *key, const char *value)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_SETTING);

	fp_log_put_string(&record, key);
	fp_log_put_string(&record, value);
	fp_log_finish(&record);
}

void fp_log_module(struct fp_log *log, const struct fp_log_module *module)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_MODULE);

	fp_log_put_u64(&record, module->start);
	fp_log_put_u64(&record, module->end);
	fp_log_put_u64(&record, module->bias);
	fp_log_put_string(&record, module->path);
	fp_log_put_counted(&record, module->build_id, module->build_id_bytes);
	fp_log_put_u8(&record, module->is_own);
	fp_log_finish(&record);
}

void fp_log_trace(struct fp_log *log, fp_trace_id trace, const uintptr_t *frames, size_t count)
{
	if (trace == FP_TRACE_NONE)
		return;
	struct fp_log_record record = fp_log_begin(log, FP_LOG_TRACE);
	fp_log_put_u32(&record, trace);
	fp_log_put_u32(&record, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		fp_log_put_u64(&record, frames[i]);
	fp_log_finish(&record);
}

void fp_log_finding(struct fp_log *log, uint32_t index, const struct fp_finding *finding,
                    const struct fp_log_site *site)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_FINDING);

	record.site = site;
	fp_log_put_u32(&record, index);
	put_fields(&record, &finding_record, finding);
	fp_log_finish(&record);
}

void fp_log_finding_count(struct fp_log *log, uint32_t index, uint64_t count)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_FINDING_COUNT_IS);

	fp_log_put_u32(&record, index);
	fp_log_put_u64(&record, count);
	fp_log_finish(&record);
}

static void put_flags(struct fp_log *log, enum fp_log_type type, uint8_t flags)
{
	struct fp_log_record record = fp_log_begin(log, type);

	fp_log_put_u8(&record, flags);
	fp_log_finish(&record);
}

void fp_log_leak_check(struct fp_log *log, uint8_t flags)
{
	put_flags(log, FP_LOG_LEAK_CHECK, flags);
}

static void put_text(struct fp_log *log, enum fp_log_type type, const char *text)
{
	struct fp_log_record record = fp_log_begin(log, type);

	fp_log_put_string(&record, text);
	fp_log_finish(&record);
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
	struct fp_log_record record = fp_log_begin(log, FP_LOG_EXIT);

	fp_log_put_u8(&record, (uint8_t)how);
	fp_log_put_u8(&record, is_own);
	fp_log_put_number(&record, 0, 2);
	fp_log_put_u32(&record, (uint32_t)value);
	fp_log_finish(&record);
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
	struct fp_log_record record = fp_log_begin(log, FP_LOG_END);
	fp_log_finish(&record);
}
