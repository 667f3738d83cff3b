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

/* Of a site without a file that is "". At most FP_LOG_GROUPS_MAX groups are in a snapshot, and
 * FP_LOG_POINTS_MAX points in a stack that grows. */
/* clang-format off */
#define FP_LOG_STRUCT(name, FIELDS, least) struct fp_log_##name { FP_##FIELDS##_FIELDS(FP_VICTIM_, ) };
FP_LOG_RECORDS(FP_LOG_STRUCT)

/* fp_log_leak(log, leak) and the like, for those that are records of a log by themselves. */
#define FP_LOG_WHOLE_RECORDS(R) \
	R(leak, LEAK) R(failed, FAILED_ALLOC) R(protection, PROTECTION) R(heap, HEAP) R(snapshot, SNAPSHOT) \
	R(growth, GROWTH) R(growing, GROWING) R(held, HELD) R(explanation, EXPLANATION)
#define FP_LOG_FUNCTION(name, TYPE) void fp_log_##name(struct fp_log *log, const struct fp_log_##name *name);
FP_LOG_WHOLE_RECORDS(FP_LOG_FUNCTION)
/* clang-format on */

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

/* Appends COUNT bytes, a whole record, with the lock. */
void fp_log_append_locked(struct fp_log *log, const uint8_t *bytes, size_t count);

/* Appends all records of FROM, a continuation that nobody else writes to, in one piece. */
void fp_log_append_log(struct fp_log *log, const struct fp_log *from);

/* Says in REMAINS where the records of LOG are. */
struct fp_remains;
void fp_log_leave_remains(struct fp_log *log, struct fp_remains *remains);

#endif
