/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer of the event log (format.h). Records are kept in metadata memory, so that no
 * descriptor has to survive what the program does to its descriptors, and are also written to
 * a file as they are made when there is one.
 *
 * Context: alloc. Thread-safe. Nothing fails: a record for which there is no memory is lost,
 * and the log ends without FP_LOG_END, which readers report.
 */
#ifndef FP_LOG_WRITER_H
#define FP_LOG_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "log/channel.h"
#include "log/format.h"
#include "model/block.h"
#include "model/finding.h"
#include "model/schema.h"

enum {
	FP_LOG_SCRATCH_BYTES = 16 << 10, /* the largest record */
	FP_LOG_STRING_MAX = 4096,
	FP_LOG_MODULES_MAX = 1024,
	FP_LOG_GROUPS_MAX = 512, /* of one snapshot */
	FP_LOG_POINTS_MAX = 64   /* of one stack that grows */
};

struct fp_log_piece;

/* A mapping that was logged already. */
struct fp_log_known_module {
	uintptr_t start;
	uintptr_t end;
	uint64_t identity; /* hash of bias, path and build-id */
	bool is_there;     /* when it was last looked for */
	bool is_seen;      /* while it is looked for */
};

/* Told of code that came or went: before the records of what came are written, so that what is
 * logged in between is about what went. */
struct fp_log_code_watch {
	void (*went)(const struct fp_log_known_module *module);
};

struct fp_log {
	struct fp_lock lock; /* rank FP_RANK_LOG */
	struct fp_log_piece *_Atomic first;
	struct fp_log_piece *last;
	bool is_lossy;
	size_t published;                      /* bytes */
	const struct fp_log_code_watch *watch; /* may be NULL */
	size_t modules;
	struct fp_log_known_module known[FP_LOG_MODULES_MAX];
	uint8_t scratch[FP_LOG_SCRATCH_BYTES];
};

/* LOG is zeroed memory or a log to be forgotten (in the child of a fork). With IS_CONTINUATION
 * no header is written: the records are to follow those of another log. */
void fp_log_open(struct fp_log *log, bool is_continuation);

/* In the child of a fork: LOG becomes a log of its own, which of the other process
 * has only the modules and traces. */
void fp_log_renew(struct fp_log *log);

/* Gives the memory of the records back. */
void fp_log_discard(struct fp_log *log);

/* Publishes what was not published before. False when the channel has no room for it. */
bool fp_log_publish(struct fp_log *log, struct fp_channel *channel, struct fp_channel_log *to);

/* Copies all records, at most SIZE bytes; how many. */
size_t fp_log_take(const struct fp_log *log, uint8_t *bytes, size_t size);

/* Writes all records to FD; 0 or a negative errno. */
int fp_log_copy(struct fp_log *log, int fd);

struct fp_log_process {
	uint32_t pid;
	uint32_t ppid;
	uint32_t page_bytes;
	const char *version;
	const char *executable;
	const char *arguments; /* each terminated by a zero, as in /proc/thread-self/cmdline */
	size_t arguments_bytes;
	uint64_t started; /* seconds since 1970; 0: not known */
};

/* What the rows of model/schema.def say; a file is "" for none. */
struct fp_log_site {
	FP_SITE_FIELDS(FP_VICTIM_, )
};

struct fp_log_block {
	FP_BLOCK_FIELDS(FP_VICTIM_, )
};

struct fp_log_register {
	FP_REGISTER_FIELDS(FP_VICTIM_, )
};

struct fp_log_holder {
	FP_HOLDER_FIELDS(FP_VICTIM_, )
};

struct fp_log_birth {
	FP_BIRTH_FIELDS(FP_VICTIM_, )
};

struct fp_log_age {
	FP_AGE_FIELDS(FP_VICTIM_, )
};

struct fp_log_news {
	FP_NEWS_FIELDS(FP_VICTIM_, )
};

struct fp_log_member {
	FP_MEMBER_FIELDS(FP_VICTIM_, )
};

struct fp_log_held {
	FP_HELD_FIELDS(FP_VICTIM_, )
};

struct fp_log_leak {
	FP_LEAK_FIELDS(FP_VICTIM_, )
};

struct fp_log_failed {
	FP_FAILED_FIELDS(FP_VICTIM_, )
};

struct fp_log_reason {
	const char *name;
	uint64_t blocks;
};

struct fp_log_protection {
	FP_PROTECTION_FIELDS(FP_VICTIM_, )
	const struct fp_log_reason *reasons;
	uint32_t reason_count;
};

struct fp_log_context {
	FP_CONTEXT_FIELDS(FP_VICTIM_, )
};

struct fp_log_heap {
	FP_HEAP_FIELDS(FP_VICTIM_, )
};

struct fp_log_group {
	FP_GROUP_FIELDS(FP_VICTIM_, )
};

/* At most FP_LOG_GROUPS_MAX groups. */
struct fp_log_snapshot {
	FP_SNAPSHOT_FIELDS(FP_VICTIM_, )
};

struct fp_log_growth {
	FP_GROWTH_FIELDS(FP_VICTIM_, )
};

struct fp_log_point {
	FP_POINT_FIELDS(FP_VICTIM_, )
};

/* At most FP_LOG_POINTS_MAX points. */
struct fp_log_growing {
	FP_GROWING_FIELDS(FP_VICTIM_, )
};

struct fp_log_explanation {
	FP_EXPLANATION_FIELDS(FP_VICTIM_, )
};

/* BLOCK as records have it; OFFSET: of what is met there, from its start. */
struct fp_log_block fp_log_block_of(const struct fp_block *block, int64_t offset,
                                    const struct fp_log_site *site);

void fp_log_process(struct fp_log *log, const struct fp_log_process *process);
void fp_log_setting(struct fp_log *log, const char *key, const char *value);
void fp_log_trace(struct fp_log *log, fp_trace_id trace, const uintptr_t *frames, size_t count);
void fp_log_finding(struct fp_log *log, uint32_t index, const struct fp_finding *finding,
                    const struct fp_log_site *site);
void fp_log_finding_count(struct fp_log *log, uint32_t index, uint64_t count);
/* FLAGS: of enum fp_log_check. */
void fp_log_leak_check(struct fp_log *log, uint8_t flags);
void fp_log_leak(struct fp_log *log, const struct fp_log_leak *leak);
void fp_log_failed(struct fp_log *log, const struct fp_log_failed *failed);
void fp_log_protection(struct fp_log *log, const struct fp_log_protection *protection);
void fp_log_heap(struct fp_log *log, const struct fp_log_heap *heap);
void fp_log_snapshot(struct fp_log *log, const struct fp_log_snapshot *snapshot);
void fp_log_growth(struct fp_log *log, const struct fp_log_growth *growth);
void fp_log_growing(struct fp_log *log, const struct fp_log_growing *growing);
void fp_log_held(struct fp_log *log, const struct fp_log_held *held);
void fp_log_explanation(struct fp_log *log, const struct fp_log_explanation *explanation);
void fp_log_note(struct fp_log *log, const char *text);

/* The same, of a text as fp_text_print() makes it, 1 KiB at most. */
void fp_log_tell(struct fp_log *log, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
void fp_log_suppression(struct fp_log *log, const char *text);
void fp_log_doors(struct fp_log *log, uint8_t doors);
void fp_log_exit(struct fp_log *log, enum fp_log_exit how, int32_t value);
void fp_log_own_exit(struct fp_log *log, enum fp_log_exit how, int32_t value); /* it says so */
void fp_log_end(struct fp_log *log);

struct fp_log_module {
	uintptr_t start;
	uintptr_t end;
	uintptr_t bias;
	const char *path;
	const uint8_t *build_id;
	uint32_t build_id_bytes;
	bool is_own;
};

void fp_log_module(struct fp_log *log, const struct fp_log_module *module);

/* Logs the modules mapped now that are not the ones logged last at their addresses, and tells
 * the log's watch what changed (in modules.c). One caller at a time. */
void fp_log_modules(struct fp_log *log);

/* Appends all records of FROM, a continuation that nobody else writes to, in one piece. */
void fp_log_append_log(struct fp_log *log, const struct fp_log *from);

/* For the fork handlers. */
void fp_log_lock_for_fork(struct fp_log *log);
void fp_log_unlock_after_fork(struct fp_log *log);

/* Says in REMAINS where the records of LOG are. */
struct fp_remains;
void fp_log_leave_remains(struct fp_log *log, struct fp_remains *remains);

#endif
