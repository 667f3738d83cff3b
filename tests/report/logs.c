/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorded logs: a program with everything that can be found, one whose names are all
 * hostile, one without a fault, one that was cut off, and the sample without symbols.
 */
#include "logs.h"

#include "log/format.h"
#include "sample.h"

enum {
	OWN = 0x7f0000000000,
	PLANT = 0x555500000000,
	ENGINE = 0x7e0000000000,
	LIBC = 0x7d0000000000,
	MODULE_BYTES = 0x10000,
	UNKNOWN = 0x1234000, /* in no module */
	MADE = 0x1238000     /* by a runtime, which told its name */
};

/* Offsets that symbols.c knows. */
enum { MAIN = 0x1100, CALL = 0x1200, ALLOCATE = 0x1300, FREE = 0x1400, START = 0x1500 };

static void encode_trace_of(struct encoder *encoder, uint32_t id, uint64_t inner)
{
	const uint64_t addresses[] = {OWN + 0x10, inner, PLANT + MAIN, LIBC + START};

	encode_trace(encoder, id, addresses, 4);
}

static void encode_traces(struct encoder *encoder)
{
	const uint64_t copying[] = {LIBC + CALL, PLANT + CALL, PLANT + MAIN, LIBC + START};
	const uint64_t nowhere[] = {OWN + 0x10, UNKNOWN, MADE};

	encode_trace_of(encoder, 1, PLANT + CALL);
	encode_trace_of(encoder, 2, PLANT + ALLOCATE);
	encode_trace_of(encoder, 3, PLANT + FREE);
	encode_trace_of(encoder, 4, ENGINE + ALLOCATE);
	encode_trace(encoder, 5, copying, 4);
	encode_trace(encoder, 6, nowhere, 3);
}

static void encode_modules(struct encoder *encoder, const char *plant, const char *engine)
{
	encode_made(encoder, MADE - 0x20, 0x40, "Orders:Book (string,int)");
	encode_module(encoder, OWN, OWN + MODULE_BYTES, "/usr/lib/libfencepost.so.0", 1);
	encode_module(encoder, PLANT, PLANT + MODULE_BYTES, plant, 0);
	encode_module(encoder, ENGINE, ENGINE + MODULE_BYTES, engine, 0);
	encode_module(encoder, LIBC, LIBC + MODULE_BYTES, "/lib/libc.so.6", 0);
}

static enum fp_access access_of(enum fp_finding_kind kind)
{
	switch (kind) {
	case FP_FINDING_HEAP_BUFFER_OVERFLOW:
	case FP_FINDING_CRASH:
		return FP_ACCESS_WRITE;
	case FP_FINDING_HEAP_BUFFER_UNDERFLOW:
	case FP_FINDING_HEAP_USE_AFTER_FREE:
		return FP_ACCESS_READ;
	case FP_FINDING_DOUBLE_FREE:
	case FP_FINDING_INVALID_FREE:
	case FP_FINDING_ALLOC_DEALLOC_MISMATCH:
	case FP_FINDING_WRONG_HEAP:
		return FP_ACCESS_FREE;
	default:
		return FP_ACCESS_UNKNOWN;
	}
}

/* One finding of each kind, at its own place where that is what tells them apart. */
static void encode_every_kind(struct encoder *encoder)
{
	for (uint32_t kind = 0; kind < FP_FINDING_COUNT; kind++) {
		enum fp_access access = access_of(kind);
		int is_fault = access == FP_ACCESS_READ || access == FP_ACCESS_WRITE;
		int is_freed = kind == FP_FINDING_HEAP_USE_AFTER_FREE ||
		               kind == FP_FINDING_DOUBLE_FREE;
		const struct sample_finding finding = {
		        .index = kind,
		        .kind = kind,
		        .access = access,
		        .thread_name = "worker",
		        .description = "one plain sentence about it",
		        .trace = kind == FP_FINDING_HEAP_BUFFER_OVERFLOW ? 5 : 1,
		        .evidence = "secret",
		        .evidence_size = is_freed && is_fault ? 6 : 0,
		        .evidence_offset = kind == FP_FINDING_HEAP_BUFFER_OVERFLOW    ? 24
		                           : kind == FP_FINDING_HEAP_BUFFER_UNDERFLOW ? -8
		                                                                      : 0,
		        .has_block = (is_fault && kind != FP_FINDING_CRASH) ||
		                     access == FP_ACCESS_FREE,
		        .state = is_freed ? FP_BLOCK_FREED : FP_BLOCK_LIVE,
		        .site_line = kind == FP_FINDING_WRONG_HEAP ? 12 : 0,
		        .is_fault = is_fault,
		        .is_evidence_last = 1};

		encode_finding(encoder, &finding);
	}
}

static void encode_leaks(struct encoder *encoder)
{
	encode_leak(encoder, FP_LEAK_DEFINITE, 2, 200, 2);
	encode_leak(encoder, FP_LEAK_INDIRECT, 1, 5000, 4);
	encode_leak(encoder, FP_LEAK_POSSIBLE, 3, 48, 4);
	encode_leak(encoder, FP_LEAK_REACHABLE, 1, 7, 2);
	encode_leak(encoder, FP_LEAK_DEFINITE, 1, 64, 6);
}

/* Once when the first of a stack fails, and at the end how often. */
static void encode_failed(struct encoder *encoder, uint32_t trace, uint64_t serial,
                          uint64_t count)
{
	encode_begin(encoder, FP_LOG_FAILED_ALLOC);
	encode_u32(encoder, trace);
	encode_u64(encoder, count);
	encode_u64(encoder, trace == 0 ? 0 : 48);
	encode_u8(encoder, FP_FAMILY_HOST);
	encode_u8(encoder, trace == 0 ? FP_LEVEL_NONE : FP_LEVEL_PROCESS);
	encode_u16(encoder, 0);
	encode_u32(encoder, trace == 0 ? 0 : 1);
	encode_u64(encoder, serial);
	encode_end(encoder);
}

static void encode_found(struct encoder *encoder)
{
	/* Damage that showed only at the end, and has no stack of its own. */
	const struct sample_finding damage = {.index = FP_FINDING_COUNT,
	                                      .kind = FP_FINDING_HEAP_BUFFER_OVERFLOW,
	                                      .access = FP_ACCESS_WRITE,
	                                      .thread_name = "",
	                                      .description = "padding found changed",
	                                      .evidence = "AA\x01",
	                                      .evidence_size = 3,
	                                      .evidence_offset = 25,
	                                      .has_block = 1};

	encode_every_kind(encoder);
	encode_finding(encoder, &damage);
	encode_leaks(encoder);
}

static void encode_start(struct encoder *encoder)
{
	encode_header(encoder);
	encode_process(encoder, "/srv/plant/build/plant", "--rows=3");
	encode_setting(encoder, "backend", "move");
	encode_setting(encoder, "align", "16");
	encode_modules(encoder, "/srv/plant/build/plant", "/usr/lib/libengine.so.1");
	encode_traces(encoder);
}

static void encode_plant(struct encoder *encoder)
{
	encode_start(encoder);
	encode_failed(encoder, 2, 7, 1);
	encode_found(encoder);
	encode_snapshots(encoder);
	encode_failed(encoder, 2, 7, 3);
	encode_failed(encoder, 0, 0, 12);
	encode_growth(encoder);
	encode_totals(encoder);
	encode_note(encoder, "the history was full; raise history=SIZE");
	encode_exit(encoder, FP_LOG_EXIT_CODE, 3);
}

static void encode_quiet(struct encoder *encoder)
{
	encode_start(encoder);
	encode_totals(encoder);
	encode_exit(encoder, FP_LOG_EXIT_CODE, 0);
}

/* Somebody asked a second time, in a process that goes on. */
static void encode_asked(struct encoder *encoder)
{
	encode_start(encoder);
	encode_leak_check(encoder, FP_LOG_CHECK_REPEATED | FP_LOG_CHECK_NEWS);
	encode_leak_news(encoder, &(struct sample_leak){.class = FP_LEAK_DEFINITE,
	                                                .blocks = 5,
	                                                .bytes = 120,
	                                                .trace = 2,
	                                                .indirect_blocks = 3,
	                                                .indirect_bytes = 30,
	                                                .oldest = 93784000,
	                                                .newest = 125000,
	                                                .new_blocks = 1,
	                                                .new_bytes = 24,
	                                                .new_oldest = 125000,
	                                                .new_newest = 125000,
	                                                .new_indirect_blocks = 2,
	                                                .new_indirect_bytes = 20});
	encode_leak_news(encoder, &(struct sample_leak){.class = FP_LEAK_DEFINITE,
	                                                .blocks = 2,
	                                                .bytes = 128,
	                                                .trace = 6,
	                                                .oldest = 7260000,
	                                                .newest = 7200000});
	encode_leak_news(encoder, &(struct sample_leak){.class = FP_LEAK_POSSIBLE,
	                                                .blocks = 1,
	                                                .bytes = 7,
	                                                .trace = 4,
	                                                .oldest = 40,
	                                                .newest = 40,
	                                                .new_blocks = 1,
	                                                .new_bytes = 7,
	                                                .new_oldest = 40,
	                                                .new_newest = 40});
	encode_totals(encoder);
	encode_exit(encoder, FP_LOG_EXIT_UNKNOWN, 0);
}

static void encode_cut(struct encoder *encoder)
{
	encode_sample(encoder);
	encoder->size /= 2;
}

/* What is told beside findings and leaks, of a process that crashed. */
static void encode_grows(struct encoder *encoder)
{
	const struct sample_finding crash = {.kind = FP_FINDING_CRASH,
	                                     .access = FP_ACCESS_READ,
	                                     .thread_name = "worker",
	                                     .description = "one plain sentence about it",
	                                     .trace = 1,
	                                     .is_fault = 1};

	encode_start(encoder);
	encode_failed(encoder, 2, 7, 1);
	encode_finding(encoder, &crash);
	encode_snapshots(encoder);
	encode_failed(encoder, 2, 7, 3);
	encode_failed(encoder, 0, 0, 12);
	encode_growth(encoder);
	encode_totals(encoder);
	encode_exit(encoder, FP_LOG_EXIT_CODE, 3);
}

/* Who holds what, of a finding and of leaks, and what hangs from them. */
static void encode_held(struct encoder *encoder)
{
	const struct sample_finding finding = {.kind = FP_FINDING_DOUBLE_FREE,
	                                       .access = FP_ACCESS_FREE,
	                                       .thread_name = "worker",
	                                       .description = "it was freed before",
	                                       .trace = 1,
	                                       .has_block = 1,
	                                       .state = FP_BLOCK_FREED,
	                                       .is_held = 1};

	encode_start(encoder);
	encode_finding(encoder, &finding);
	encode_leak_check(encoder, 0);
	encode_leak_news(encoder, &(struct sample_leak){.class = FP_LEAK_DEFINITE,
	                                                .blocks = 1,
	                                                .bytes = 100,
	                                                .trace = 2,
	                                                .indirect_blocks = 20,
	                                                .indirect_bytes = 2000,
	                                                .members = 5});
	encode_leak_news(encoder, &(struct sample_leak){.class = FP_LEAK_REACHABLE,
	                                                .blocks = 2,
	                                                .bytes = 24,
	                                                .trace = 4,
	                                                .steps = 1});
	encode_leak_news(encoder, &(struct sample_leak){.class = FP_LEAK_POSSIBLE,
	                                                .blocks = 3,
	                                                .bytes = 48,
	                                                .trace = 6,
	                                                .steps = 5,
	                                                .steps_left_out = 7});
	encode_growth(encoder);
	encode_held_by(encoder, 4, 2);
	encode_totals(encoder);
	encode_exit(encoder, FP_LOG_EXIT_CODE, 0);
}

static void encode_hostile(struct encoder *encoder)
{
	const struct sample_finding finding = {
	        .kind = FP_FINDING_DOUBLE_FREE,
	        .access = FP_ACCESS_FREE,
	        .thread_name = "</pre><b>\xff",
	        .description = "<script>alert(1)</script> ]]> [text](1) {0} \"'\\ \x1b[2J",
	        .trace = 1,
	        .has_block = 1,
	        .state = FP_BLOCK_FREED};

	encode_header(encoder);
	encode_process(encoder, "/srv/<img src=x onerror=alert(1)>/plant",
	               "a&b\x01\xed\xa0\x80\xef\xbf\xbf'\"");
	encode_setting(encoder, "</script>", "<!--");
	encode_modules(encoder, "/srv/<i>/hostile", "/usr/lib/\"; x='1'\n%2e?#.so");
	encode_traces(encoder);
	encode_finding(encoder, &finding);
	encode_leak(encoder, FP_LEAK_DEFINITE, 1, 64, 4);
	encode_totals(encoder);
	encode_note(encoder, "]]></script><script>alert(2)</script>\n");
	encode_exit(encoder, FP_LOG_EXIT_SIGNAL, 64);
}

const struct recorded_log recorded_logs[RECORDED_LOGS] = {
        {"plant", encode_plant},     {"sample", encode_sample}, {"quiet", encode_quiet},
        {"hostile", encode_hostile}, {"cut", encode_cut},       {"asked", encode_asked},
        {"grows", encode_grows},     {"held", encode_held},
};
