/* SPDX-License-Identifier: Apache-2.0
 *
 * What each record of format.h has, in the order that is written there.
 */
#include <string.h>

#include "base/text.h"
#include "log/record.h"

/* clang-format off */
#define FP_SCHEMA_OF(name) &name##_record
static const struct fp_schema_record site_record = FP_SCHEMA(FP_SITE_FIELDS, FP_VICTIM_ROW_, struct fp_log_site, 0);
static const struct fp_schema_record block_record = FP_SCHEMA(FP_BLOCK_FIELDS, FP_VICTIM_ROW_, struct fp_log_block, 0);
static const struct fp_schema_record party_record = FP_SCHEMA(FP_PARTY_FIELDS, FP_VICTIM_ROW_, struct fp_party, 0);
static const struct fp_schema_record page_record = FP_SCHEMA(FP_PAGE_FIELDS, FP_VICTIM_ROW_, struct fp_page, 0);
static const struct fp_schema_record register_record = FP_SCHEMA(FP_REGISTER_FIELDS, FP_VICTIM_ROW_, struct fp_log_register, 0);
static const struct fp_schema_record birth_record = FP_SCHEMA(FP_BIRTH_FIELDS, FP_VICTIM_ROW_, struct fp_log_birth, 0);
static const struct fp_schema_record holder_record = FP_SCHEMA(FP_HOLDER_FIELDS, FP_VICTIM_ROW_, struct fp_log_holder, 0);
static const struct fp_schema_record census_record = FP_SCHEMA(FP_CENSUS_FIELDS, FP_VICTIM_ROW_, struct fp_census, 0);
static const struct fp_schema_record finding_record = FP_SCHEMA(FP_FINDING_FIELDS, FP_VICTIM_ROW_, struct fp_finding, 0);
static const struct fp_schema_record explanation_record = FP_SCHEMA(FP_EXPLANATION_FIELDS, FP_VICTIM_ROW_, struct fp_log_explanation, 0);
static const struct fp_schema_record age_record = FP_SCHEMA(FP_AGE_FIELDS, FP_VICTIM_ROW_, struct fp_log_age, 0);
static const struct fp_schema_record news_record = FP_SCHEMA(FP_NEWS_FIELDS, FP_VICTIM_ROW_, struct fp_log_news, 0);
static const struct fp_schema_record member_record = FP_SCHEMA(FP_MEMBER_FIELDS, FP_VICTIM_ROW_, struct fp_log_member, 0);
static const struct fp_schema_record held_record = FP_SCHEMA(FP_HELD_FIELDS, FP_VICTIM_ROW_, struct fp_log_held, 0);
static const struct fp_schema_record leak_record = FP_SCHEMA(FP_LEAK_FIELDS, FP_VICTIM_ROW_, struct fp_log_leak, 0);
static const struct fp_schema_record failed_record = FP_SCHEMA(FP_FAILED_FIELDS, FP_VICTIM_ROW_, struct fp_log_failed, 0);
static const struct fp_schema_record protection_record = FP_SCHEMA(FP_PROTECTION_FIELDS, FP_VICTIM_ROW_, struct fp_log_protection, 0);
static const struct fp_schema_record context_record = FP_SCHEMA(FP_CONTEXT_FIELDS, FP_VICTIM_ROW_, struct fp_log_context, 0);
static const struct fp_schema_record heap_record = FP_SCHEMA(FP_HEAP_FIELDS, FP_VICTIM_ROW_, struct fp_log_heap, 0);
static const struct fp_schema_record group_record = FP_SCHEMA(FP_GROUP_FIELDS, FP_VICTIM_ROW_, struct fp_log_group, 0);
static const struct fp_schema_record snapshot_record = FP_SCHEMA(FP_SNAPSHOT_FIELDS, FP_VICTIM_ROW_, struct fp_log_snapshot, 0);
static const struct fp_schema_record growth_record = FP_SCHEMA(FP_GROWTH_FIELDS, FP_VICTIM_ROW_, struct fp_log_growth, 0);
static const struct fp_schema_record point_record = FP_SCHEMA(FP_POINT_FIELDS, FP_VICTIM_ROW_, struct fp_log_point, 0);
static const struct fp_schema_record growing_record = FP_SCHEMA(FP_GROWING_FIELDS, FP_VICTIM_ROW_, struct fp_log_growing, 0);
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

void fp_log_leak_check(struct fp_log *log, uint8_t flags)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_LEAK_CHECK);

	fp_log_put_u8(&record, flags);
	fp_log_finish(&record);
}

void fp_log_leak(struct fp_log *log, const struct fp_log_leak *leak)
{
	put_record(log, FP_LOG_LEAK, &leak_record, leak);
}

void fp_log_failed(struct fp_log *log, const struct fp_log_failed *failed)
{
	put_record(log, FP_LOG_FAILED_ALLOC, &failed_record, failed);
}

void fp_log_protection(struct fp_log *log, const struct fp_log_protection *protection)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_PROTECTION);

	put_fields(&record, &protection_record, protection);
	fp_log_put_u32(&record, protection->reason_count);
	for (uint32_t i = 0; i < protection->reason_count; i++) {
		fp_log_put_string(&record, protection->reasons[i].name);
		fp_log_put_u64(&record, protection->reasons[i].blocks);
	}
	fp_log_finish(&record);
}

void fp_log_heap(struct fp_log *log, const struct fp_log_heap *heap)
{
	put_record(log, FP_LOG_HEAP, &heap_record, heap);
}

void fp_log_snapshot(struct fp_log *log, const struct fp_log_snapshot *snapshot)
{
	put_record(log, FP_LOG_SNAPSHOT, &snapshot_record, snapshot);
}

void fp_log_held(struct fp_log *log, const struct fp_log_held *held)
{
	put_record(log, FP_LOG_HELD, &held_record, held);
}

void fp_log_explanation(struct fp_log *log, const struct fp_log_explanation *explanation)
{
	put_record(log, FP_LOG_EXPLANATION, &explanation_record, explanation);
}

void fp_log_note(struct fp_log *log, const char *text)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_NOTE);

	fp_log_put_string(&record, text);
	fp_log_finish(&record);
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
	struct fp_log_record record = fp_log_begin(log, FP_LOG_SUPPRESSION);

	fp_log_put_string(&record, text);
	fp_log_finish(&record);
}

void fp_log_doors(struct fp_log *log, uint8_t doors)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_DOORS);

	fp_log_put_u8(&record, doors);
	fp_log_finish(&record);
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

void fp_log_growth(struct fp_log *log, const struct fp_log_growth *growth)
{
	put_record(log, FP_LOG_GROWTH, &growth_record, growth);
}

void fp_log_growing(struct fp_log *log, const struct fp_log_growing *growing)
{
	put_record(log, FP_LOG_GROWING, &growing_record, growing);
}
