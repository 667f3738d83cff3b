/* SPDX-License-Identifier: Apache-2.0
 *
 * What each record of format.h has, in the order that is written there.
 */
#include <string.h>

#include "log/record.h"

/* As many arguments as a record holds; the count is corrected at the end. */
static void put_arguments(struct fp_log_record *record, const char *arguments, size_t bytes)
{
	size_t count_at = record->used;
	uint32_t count = 0;

	fp_log_put_u32(record, 0);
	for (size_t at = 0; at < bytes; count++) {
		size_t length = strnlen(arguments + at, bytes - at);
		size_t kept = length < FP_LOG_STRING_MAX ? length : FP_LOG_STRING_MAX;

		if (kept + sizeof(uint32_t) > FP_LOG_SCRATCH_BYTES - record->used)
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

static void put_block(struct fp_log_record *record, const struct fp_block *block,
                      int64_t offset, const struct fp_log_site *site)
{
	fp_log_put_u64(record, block->address);
	fp_log_put_u64(record, block->size);
	fp_log_put_u64(record, (uint64_t)offset);
	fp_log_put_u8(record, block->tier);
	fp_log_put_u8(record, block->family);
	fp_log_put_u8(record, block->level);
	fp_log_put_u8(record, block->state);
	fp_log_put_u32(record, block->heap);
	fp_log_put_u64(record, block->serial);
	fp_log_put_string(record, site->file);
	fp_log_put_u32(record, site->line);
	fp_log_put_u32(record, block->alloc_thread);
	fp_log_put_u32(record, block->alloc_trace);
	fp_log_put_u32(record, block->free_thread);
	fp_log_put_u32(record, block->free_trace);
}

void fp_log_finding(struct fp_log *log, uint32_t index, const struct fp_finding *finding,
                    const struct fp_log_site *site)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_FINDING);

	fp_log_put_u32(&record, index);
	fp_log_put_u8(&record, (uint8_t)finding->kind);
	fp_log_put_u8(&record, (uint8_t)finding->access);
	fp_log_put_u8(&record, finding->has_hresult);
	fp_log_put_u8(&record, finding->is_trace_exact);
	fp_log_put_u32(&record, (uint32_t)finding->hresult);
	fp_log_put_u64(&record, finding->address);
	fp_log_put_u32(&record, finding->thread);
	fp_log_put_string(&record, finding->thread_name);
	fp_log_put_u32(&record, finding->trace);
	fp_log_put_string(&record, finding->description);
	fp_log_put_u64(&record, (uint64_t)finding->evidence_offset);
	fp_log_put_counted(&record, finding->evidence, finding->evidence_size);
	fp_log_put_u8(&record, finding->has_block);
	if (finding->has_block)
		put_block(&record, &finding->block, finding->offset, site);
	fp_log_put_u8(&record, finding->is_evidence_last);
	fp_log_put_u8(&record, (uint8_t)finding->other.role);
	fp_log_put_u32(&record, finding->other.thread);
	fp_log_put_u32(&record, finding->other.trace);
	fp_log_put_u8(&record, finding->page.state);
	fp_log_put_u32(&record, finding->page.protection);
	fp_log_put_u32(&record, finding->page.by_thread);
	fp_log_put_u32(&record, finding->page.committer);
	fp_log_finish(&record);
}

void fp_log_crash(struct fp_log *log, uint32_t index, const struct fp_crash *crash,
                  const struct fp_log_site *sites)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_CRASH);

	fp_log_put_u32(&record, index);
	fp_log_put_u32(&record, (uint32_t)crash->cause);
	fp_log_put_u32(&record, (uint32_t)crash->signal);
	fp_log_put_u32(&record, (uint32_t)crash->code);
	fp_log_put_string(&record, crash->message);
	fp_log_put_string(&record, crash->exception);
	fp_log_put_u32(&record, crash->register_count);
	for (uint32_t i = 0; i < crash->register_count; i++) {
		fp_log_put_string(&record, crash->registers[i].name);
		fp_log_put_u64(&record, crash->registers[i].value);
		fp_log_put_string(&record, crash->registers[i].meaning);
	}
	fp_log_put_u32(&record, crash->nearest_count);
	for (uint32_t i = 0; i < crash->nearest_count; i++)
		put_block(&record, &crash->nearest[i],
		          (int64_t)(crash->address - crash->nearest[i].address), &sites[i]);
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
	struct fp_log_record record = fp_log_begin(log, FP_LOG_LEAK);

	fp_log_put_u8(&record, (uint8_t)leak->class);
	fp_log_put_u8(&record, leak->family);
	fp_log_put_u8(&record, leak->level);
	fp_log_put_u8(&record, 0);
	fp_log_put_u32(&record, leak->heap);
	fp_log_put_u64(&record, leak->all.blocks);
	fp_log_put_u64(&record, leak->all.bytes);
	fp_log_put_u32(&record, leak->trace);
	fp_log_put_string(&record, leak->site.file);
	fp_log_put_u32(&record, leak->site.line);
	fp_log_put_u64(&record, leak->indirect.blocks);
	fp_log_put_u64(&record, leak->indirect.bytes);
	fp_log_put_u32(&record, leak->hangs_from);
	fp_log_put_u64(&record, leak->all.oldest);
	fp_log_put_u64(&record, leak->all.newest);
	fp_log_put_u64(&record, leak->new.blocks);
	fp_log_put_u64(&record, leak->new.bytes);
	fp_log_put_u64(&record, leak->new.oldest);
	fp_log_put_u64(&record, leak->new.newest);
	fp_log_put_u64(&record, leak->new_indirect.blocks);
	fp_log_put_u64(&record, leak->new_indirect.bytes);
	fp_log_finish(&record);
}

void fp_log_failed_alloc(struct fp_log *log, const struct fp_block *block, uint64_t count)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_FAILED_ALLOC);

	fp_log_put_u32(&record, block->alloc_trace);
	fp_log_put_u64(&record, count);
	fp_log_put_u64(&record, block->size);
	fp_log_put_u8(&record, block->family);
	fp_log_put_u8(&record, block->level);
	fp_log_put_number(&record, 0, 2);
	fp_log_put_u32(&record, block->heap);
	fp_log_put_u64(&record, block->serial);
	fp_log_finish(&record);
}

void fp_log_protection(struct fp_log *log, const struct fp_log_protection *protection)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_PROTECTION);

	fp_log_put_u64(&record, protection->allocations);
	for (size_t tier = 0; tier < FP_TIER_COUNT; tier++)
		fp_log_put_u64(&record, protection->by_tier[tier]);
	fp_log_put_u32(&record, protection->reason_count);
	for (uint32_t i = 0; i < protection->reason_count; i++) {
		fp_log_put_string(&record, protection->reasons[i].name);
		fp_log_put_u64(&record, protection->reasons[i].blocks);
	}
	fp_log_finish(&record);
}

void fp_log_heap(struct fp_log *log, const struct fp_log_heap *heap)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_HEAP);

	fp_log_put_u64(&record, heap->allocations);
	fp_log_put_u64(&record, heap->frees);
	fp_log_put_u64(&record, heap->live_blocks);
	fp_log_put_u64(&record, heap->live_bytes);
	fp_log_put_u64(&record, heap->peak_blocks);
	fp_log_put_u64(&record, heap->peak_bytes);
	fp_log_finish(&record);
}

void fp_log_snapshot(struct fp_log *log, const struct fp_log_snapshot *snapshot)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_SNAPSHOT);

	fp_log_put_u64(&record, snapshot->milliseconds);
	fp_log_put_u64(&record, snapshot->live_blocks);
	fp_log_put_u64(&record, snapshot->live_bytes);
	fp_log_put_u32(&record, snapshot->group_count);
	for (uint32_t i = 0; i < snapshot->group_count; i++) {
		fp_log_put_u32(&record, snapshot->groups[i].trace);
		fp_log_put_u64(&record, snapshot->groups[i].blocks);
		fp_log_put_u64(&record, snapshot->groups[i].bytes);
	}
	fp_log_finish(&record);
}

void fp_log_note(struct fp_log *log, const char *text)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_NOTE);

	fp_log_put_string(&record, text);
	fp_log_finish(&record);
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

void fp_log_exit(struct fp_log *log, enum fp_log_exit how, int32_t value)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_EXIT);

	fp_log_put_u8(&record, (uint8_t)how);
	fp_log_put_number(&record, 0, 3);
	fp_log_put_u32(&record, (uint32_t)value);
	fp_log_finish(&record);
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
	struct fp_log_record record = fp_log_begin(log, FP_LOG_GROWTH);

	fp_log_put_u8(&record, growth->is_judged);
	fp_log_put_number(&record, 0, 3);
	fp_log_put_u32(&record, growth->pictures);
	fp_log_put_u64(&record, growth->left_out);
	fp_log_finish(&record);
}

void fp_log_growing(struct fp_log *log, const struct fp_log_growing *growing)
{
	struct fp_log_record record = fp_log_begin(log, FP_LOG_GROWING);

	fp_log_put_u32(&record, growing->trace);
	fp_log_put_u32(&record, growing->point_count);
	for (uint32_t i = 0; i < growing->point_count; i++) {
		fp_log_put_u64(&record, growing->points[i].milliseconds);
		fp_log_put_u64(&record, growing->points[i].blocks);
		fp_log_put_u64(&record, growing->points[i].bytes);
	}
	fp_log_finish(&record);
}
