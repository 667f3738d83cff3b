/* SPDX-License-Identifier: Apache-2.0
 *
 * The sample log. No file behind its modules exists, so nothing in it depends on a compiler.
 */
#include "sample.h"

#include "log/format.h"

static void encode_block(struct encoder *encoder, const struct sample_finding *finding)
{
	encode_u64(encoder, 0x7000); /* address */
	encode_u64(encoder, 24);     /* size */
	encode_u64(encoder, (uint64_t)finding->evidence_offset);
	encode_u8(encoder, FP_TIER_GUARDED);
	encode_u8(encoder, FP_FAMILY_HOST);
	encode_u8(encoder, FP_LEVEL_TASK);
	encode_u8(encoder, finding->state);
	encode_u32(encoder, 1);  /* heap */
	encode_u64(encoder, 17); /* serial */
	encode_string(encoder, finding->site_line ? "engine.c" : "");
	encode_u32(encoder, finding->site_line);
	encode_u32(encoder, 4243); /* alloc thread */
	encode_u32(encoder, 2);    /* alloc trace */
	encode_u32(encoder, 4244); /* free thread */
	encode_u32(encoder, 3);    /* free trace */
}

/* A write to a wild address, 16 bytes behind the block. */
static void encode_crash(struct encoder *encoder, const struct sample_finding *finding)
{
	encode_u8(encoder, FP_PARTY_NONE);
	encode_u32(encoder, 0);
	encode_u32(encoder, 0);
	encode_u8(encoder, FP_PAGE_NONE);
	for (int i = 0; i < 3; i++)
		encode_u32(encoder, 0);
	encode_u32(encoder, 11); /* SIGSEGV */
	encode_u32(encoder, 1);
	encode_u8(encoder, FP_CRASH_WILD_ADDRESS);
	encode_string(encoder, "St13runtime_error");
	encode_string(encoder, "said <b>before</b>");
	encode_u32(encoder, 2);
	encode_string(encoder, "rip");
	encode_u64(encoder, SAMPLE_PROGRAM + 16);
	encode_string(encoder, "");
	encode_string(encoder, "r8");
	encode_u64(encoder, 0x7028);
	encode_string(encoder, "nothing is mapped there");
	encode_u32(encoder, 1);
	encode_block(encoder, finding);
}

/* One of each kind, and a search that was not whole. */
static void encode_holders(struct encoder *encoder)
{
	encode_u8(encoder, FP_PARTY_NONE);
	encode_u32(encoder, 0);
	encode_u32(encoder, 0);
	encode_u8(encoder, FP_PAGE_NONE);
	for (int i = 0; i < 3; i++)
		encode_u32(encoder, 0);
	encode_u32(encoder, 0); /* signal */
	encode_u32(encoder, 0);
	encode_u8(encoder, 0);
	encode_string(encoder, "");
	encode_string(encoder, "");
	for (int i = 0; i < 3; i++)
		encode_u32(encoder, 0); /* registers, nearest, births */
	encode_u64(encoder, 0);
	encode_u8(encoder, 0);
	encode_u32(encoder, 6);
	encode_holder(encoder, FP_HOLDER_MEMORY, 32);
	encode_holder(encoder, FP_HOLDER_BLOCK, 24);
	encode_holder(encoder, FP_HOLDER_FREED_BLOCK, 16);
	encode_holder(encoder, FP_HOLDER_STACK, 0);
	encode_holder(encoder, FP_HOLDER_THREAD_LOCAL, 0);
	encode_holder(encoder, FP_HOLDER_REGISTER, 0);
	encode_u8(encoder, FP_CENSUS_PARTIAL);
	encode_u64(encoder, 1234); /* found */
	encode_u64(encoder, 1 << 20);
	encode_u64(encoder, 200000);
	encode_string(encoder, "time was up (the option holders gives more)");
}

void encode_finding(struct encoder *encoder, const struct sample_finding *finding)
{
	encode_begin(encoder, FP_LOG_FINDING);
	encode_u32(encoder, finding->index);
	encode_u8(encoder, (uint8_t)finding->kind);
	encode_u8(encoder, (uint8_t)finding->access);
	encode_u8(encoder, !finding->is_fault); /* has_hresult */
	encode_u8(encoder, finding->is_fault != 0);
	encode_u32(encoder, 0x80131022);
	encode_u64(encoder, 0x7000);
	encode_u32(encoder, 4242);
	encode_string(encoder, finding->thread_name);
	encode_u32(encoder, finding->trace);
	encode_string(encoder, finding->description);
	encode_u64(encoder, (uint64_t)finding->evidence_offset);
	encode_bytes(encoder, finding->evidence, finding->evidence_size);
	encode_u8(encoder, (uint8_t)finding->has_block);
	if (finding->has_block)
		encode_block(encoder, finding);
	encode_u8(encoder, finding->is_evidence_last != 0);
	if (finding->kind == FP_FINDING_CRASH)
		encode_crash(encoder, finding);
	else if (finding->is_held)
		encode_holders(encoder);
	encode_end(encoder);
}

void encode_process(struct encoder *encoder, const char *executable, const char *argument)
{
	encode_begin(encoder, FP_LOG_PROCESS);
	encode_u32(encoder, 4242);
	encode_u32(encoder, 1);
	encode_u32(encoder, 4096);
	encode_string(encoder, "0.1.0");
	encode_string(encoder, executable);
	encode_u32(encoder, 2);
	encode_string(encoder, "plant");
	encode_string(encoder, argument);
	encode_end(encoder);
}

void encode_setting(struct encoder *encoder, const char *key, const char *value)
{
	encode_begin(encoder, FP_LOG_SETTING);
	encode_string(encoder, key);
	encode_string(encoder, value);
	encode_end(encoder);
}

void encode_snapshots(struct encoder *encoder)
{
	encode_begin(encoder, FP_LOG_SNAPSHOT);
	encode_u64(encoder, 5); /* milliseconds */
	encode_u64(encoder, 3);
	encode_u64(encoder, 300);
	encode_u32(encoder, 0);
	encode_end(encoder);
	encode_begin(encoder, FP_LOG_SNAPSHOT);
	encode_u64(encoder, 12);
	encode_u64(encoder, 4);
	encode_u64(encoder, 5300);
	encode_u32(encoder, 2);
	encode_u32(encoder, 2); /* trace */
	encode_u64(encoder, 3);
	encode_u64(encoder, 300);
	encode_u32(encoder, 4);
	encode_u64(encoder, 1);
	encode_u64(encoder, 5000);
	encode_end(encoder);
}

static void encode_growing(struct encoder *encoder, uint32_t trace, const uint64_t *bytes,
                           uint32_t count)
{
	encode_begin(encoder, FP_LOG_GROWING);
	encode_u32(encoder, trace);
	encode_u32(encoder, count);
	for (uint32_t i = 0; i < count; i++) {
		encode_u64(encoder, 30000 * (i + 1)); /* milliseconds */
		encode_u64(encoder, bytes[i] / 10);
		encode_u64(encoder, bytes[i]);
	}
	encode_end(encoder);
}

void encode_growth(struct encoder *encoder)
{
	static const uint64_t small[] = {100, 200, 300, 300};
	static const uint64_t large[] = {0, 40000, 80000, 120000};

	/* What was known before is replaced. */
	for (int i = 0; i < 2; i++) {
		encode_begin(encoder, FP_LOG_GROWTH);
		encode_u8(encoder, i == 1);
		encode_u8(encoder, 0);
		encode_u16(encoder, 0);
		encode_u32(encoder, 9);
		encode_u64(encoder, i == 1 ? 3 : 0);
		encode_end(encoder);
		encode_growing(encoder, 2, small, 4);
	}
	encode_growing(encoder, 4, large, 4);
}

void encode_totals(struct encoder *encoder)
{
	encode_begin(encoder, FP_LOG_PROTECTION);
	encode_u64(encoder, 1234);
	encode_u64(encoder, 1200);
	encode_u64(encoder, 34);
	encode_u64(encoder, 0);
	encode_u32(encoder, 2);
	encode_string(encoder, "memory");
	encode_u64(encoder, 30);
	encode_string(encoder, "mappings");
	encode_u64(encoder, 4);
	encode_end(encoder);
	encode_begin(encoder, FP_LOG_HEAP);
	for (uint64_t i = 1; i <= 6; i++)
		encode_u64(encoder, i * 11);
	encode_end(encoder);
}

void encode_note(struct encoder *encoder, const char *text)
{
	encode_begin(encoder, FP_LOG_NOTE);
	encode_string(encoder, text);
	encode_end(encoder);
}

void encode_exit(struct encoder *encoder, uint8_t how, uint32_t value)
{
	encode_begin(encoder, FP_LOG_EXIT);
	encode_u8(encoder, how);
	encode_u8(encoder, 0);
	encode_u16(encoder, 0);
	encode_u32(encoder, value);
	encode_end(encoder);
	encode_begin(encoder, FP_LOG_END);
	encode_end(encoder);
}

static void encode_findings(struct encoder *encoder)
{
	const struct sample_finding double_free = {.index = 0,
	                                           .kind = FP_FINDING_DOUBLE_FREE,
	                                           .access = FP_ACCESS_FREE,
	                                           .thread_name = "sqlite_host",
	                                           .description = "the block was freed before",
	                                           .trace = 1,
	                                           .has_block = 1,
	                                           .state = FP_BLOCK_FREED};
	const struct sample_finding overflow = {.index = 1,
	                                        .kind = FP_FINDING_HEAP_BUFFER_OVERFLOW,
	                                        .access = FP_ACCESS_WRITE,
	                                        .thread_name = "a\nb\xff",
	                                        .description = "padding found changed",
	                                        .evidence = "AA\x01",
	                                        .evidence_size = 3,
	                                        .evidence_offset = 24,
	                                        .has_block = 1,
	                                        .site_line = 12};

	encode_finding(encoder, &double_free);
	encode_finding(encoder, &overflow);
	for (uint64_t count = 2; count <= 3; count++) {
		encode_begin(encoder, FP_LOG_FINDING_COUNT_IS);
		encode_u32(encoder, 0);
		encode_u64(encoder, count);
		encode_end(encoder);
	}
}

void encode_sample(struct encoder *encoder)
{
	encode_header(encoder);
	encode_process(encoder, "/nonexistent/plant", "caf\xe9");
	encode_setting(encoder, "stack_depth", "32");
	encode_setting(encoder, "quiet", "no");
	encode_module(encoder, SAMPLE_OWN, SAMPLE_OWN + 0x1000, "/usr/lib/libfencepost.so.0",
	              1);
	encode_module(encoder, SAMPLE_PROGRAM, SAMPLE_PROGRAM + 0x1000, "/nonexistent/plant",
	              0);
	encode_module(encoder, SAMPLE_LIBRARY, SAMPLE_LIBRARY + 0x1000, "[engine]", 0);
	for (uint32_t id = 1; id <= SAMPLE_TRACES; id++) {
		const uint64_t addresses[] = {SAMPLE_OWN + 0x10, SAMPLE_LIBRARY + id,
		                              SAMPLE_PROGRAM + 16 * id};

		encode_trace(encoder, id, addresses, 3);
	}
	encode_findings(encoder);
	encode_leak(encoder, FP_LEAK_DEFINITE, 2, 200, 2);
	encode_leak(encoder, FP_LEAK_REACHABLE, 1, 7, 3);
	encode_leak(encoder, FP_LEAK_DEFINITE, 1, 100, 2);
	encode_leak(encoder, FP_LEAK_INDIRECT, 1, 5000, 4);
	encode_snapshots(encoder);
	encode_totals(encoder);
	encode_note(encoder, "the history was full; raise history=SIZE");
	encode_exit(encoder, FP_LOG_EXIT_SIGNAL, 11);
}
