/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log that is made of a core file: the process' own, then what was asked, and how it
 * ended.
 */
#include "remains/remains.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "base/write.h"
#include "log/format.h"
#include "remains/file.h"
#include "remains/process.h"
#include "remains/search.h"
#include "session/state.h"

static int compare_traces(const void *a, const void *b)
{
	const struct fp_log_group *first = a;
	const struct fp_log_group *second = b;

	return (first->trace > second->trace) - (first->trace < second->trace);
}

static int compare_bytes(const void *a, const void *b)
{
	const struct fp_log_group *first = a;
	const struct fp_log_group *second = b;

	return (first->bytes < second->bytes) - (first->bytes > second->bytes);
}

static struct fp_log_group *list_groups(struct fp_log_snapshot *snapshot, size_t *count)
{
	const struct fp_remains_process *process = &fp_remains_process;
	struct fp_log_group *groups = calloc(process->live + 1, sizeof(*groups));
	size_t used = 0;

	for (size_t i = 0; groups && i < process->count; i++) {
		const struct fp_block *block = &process->blocks[i].block;

		if (block->state == FP_BLOCK_LIVE)
			groups[used++] = (struct fp_log_group){
			        .trace = block->alloc_trace, .blocks = 1, .bytes = block->size};
	}
	if (used == 0)
		return groups;
	qsort(groups, used, sizeof(*groups), compare_traces);
	*count = 1;
	for (size_t i = 1; i < used; i++) {
		if (groups[i].trace != groups[*count - 1].trace) {
			groups[(*count)++] = groups[i];
			continue;
		}
		groups[*count - 1].blocks++;
		groups[*count - 1].bytes += groups[i].bytes;
	}
	for (size_t i = 0; i < *count; i++)
		snapshot->live_bytes += groups[i].bytes;
	snapshot->live_blocks = used;
	return groups;
}

static int log_blocks(struct fp_log *log)
{
	struct fp_log_snapshot snapshot = {0};
	size_t count = 0;
	struct fp_log_group *groups = list_groups(&snapshot, &count);

	if (!groups)
		return -ENOMEM;
	qsort(groups, count, sizeof(*groups), compare_bytes);
	snapshot.groups = groups;
	snapshot.group_count =
	        (uint32_t)(count < FP_LOG_GROUPS_MAX ? count : FP_LOG_GROUPS_MAX);
	for (uint32_t i = 0; i < snapshot.group_count; i++)
		fp_session_log_trace(log, groups[i].trace);
	fp_log_snapshot(log, &snapshot);
	free(groups);
	return 0;
}

static int answer(struct fp_log *log, const struct fp_remains_question *question)
{
	int status = 0;

	fp_log_open(log, true);
	if (question->wants_leaks && fp_remains_gap() != NULL)
		return fp_remains_refuse(-EBADMSG, FP_SAY_CANNOT_TELL_LEAKS, fp_remains_gap());
	if (question->wants_leaks)
		status = fp_remains_log_leaks(log);
	if (question->wants_blocks && status == 0)
		status = log_blocks(log);
	if (question->address)
		fp_session_log_explanation(log, *question->address, 0);
	if (fp_remains_file.signal != 0)
		fp_log_exit(log, FP_LOG_EXIT_SIGNAL, fp_remains_file.signal);
	fp_log_end(log);
	return status;
}

/* The process' own events, and behind them what LOG has, as a file in memory. */
static int join(struct fp_log *log, int *fd)
{
	size_t size;
	char *events = fp_remains_take_events(&size);
	int status = 0;

	*fd = memfd_create("fencepost-events", MFD_CLOEXEC);
	if (!events || size < FP_LOG_HEADER_BYTES)
		status = fp_remains_refuse(-EBADMSG, FP_SAY_DAMAGED_ITS_EVENTS);
	else if (*fd < 0)
		status = -errno;
	if (status == 0)
		status = fp_write_all(*fd, events, size);
	if (status == 0)
		status = fp_log_copy(log, *fd);
	free(events);
	return status;
}

static int ask(const struct fp_remains_question *question, int *fd)
{
	struct fp_log *log = calloc(1, sizeof(*log));
	int status = log ? answer(log, question) : -ENOMEM;

	if (status == 0)
		status = join(log, fd);
	if (log)
		fp_log_discard(log);
	free(log);
	return status;
}

int fp_remains_read(const char *path, const struct fp_remains_question *question, int *fd,
                    char refusal[FP_REMAINS_REFUSAL_MAX])
{
	strcpy(refusal, FP_SAY_NEEDS_MORE_MEMORY);
	fp_remains_file.refusal = refusal;
	*fd = -1;
	int status = fp_remains_open(path);
	if (status == 0)
		status = fp_remains_load();
	if (status == 0)
		status = ask(question, fd);
	fp_remains_unload();
	fp_remains_close();
	if (status != 0 && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return status;
}
