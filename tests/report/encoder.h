/* SPDX-License-Identifier: Apache-2.0
 *
 * Event logs made by hand, also wrong ones: a byte buffer with the field types of log/format.h.
 * It shares nothing with the writer in src/log, so that the two check each other.
 */
#ifndef FP_TESTS_REPORT_ENCODER_H
#define FP_TESTS_REPORT_ENCODER_H

#include <stddef.h>
#include <stdint.h>

struct encoder {
	uint8_t bytes[1 << 16];
	size_t size;
	size_t record; /* where the open record starts */
};

/* Empties ENCODER and writes the header. */
void encode_header(struct encoder *encoder);

void encode_u8(struct encoder *encoder, uint8_t value);
void encode_u16(struct encoder *encoder, uint16_t value);
void encode_u32(struct encoder *encoder, uint32_t value);
void encode_u64(struct encoder *encoder, uint64_t value);
void encode_bytes(struct encoder *encoder, const void *bytes, size_t size);
void encode_string(struct encoder *encoder, const char *string);

/* Fields between these two are one record's payload. */
void encode_begin(struct encoder *encoder, uint16_t type);
void encode_end(struct encoder *encoder);

/* Whole records, with what a test does not care about left at 0. */
void encode_made(struct encoder *encoder, uint64_t start, uint64_t bytes, const char *name);
void encode_module(struct encoder *encoder, uint64_t start, uint64_t end, const char *path,
                   int is_own);
void encode_trace(struct encoder *encoder, uint32_t id, const uint64_t *addresses,
                  size_t count);
struct sample_leak {
	uint8_t class;
	uint64_t blocks;
	uint64_t bytes;
	uint32_t trace;
	uint64_t indirect_blocks;
	uint64_t indirect_bytes;
	uint64_t oldest;
	uint64_t newest;
	uint64_t new_blocks;
	uint64_t new_bytes;
	uint64_t new_oldest;
	uint64_t new_newest;
	uint64_t new_indirect_blocks;
	uint64_t new_indirect_bytes;
	/* Who holds it: the block that is at offset 8, and so many before that, the first a
	 * variable. */
	uint32_t steps;
	uint64_t steps_left_out;
	uint32_t members; /* of what hangs from it: each of depth and blocks 1, 2, ... */
};

/* A holder of KIND, and where in a block it stands, if it is one of those. */
void encode_holder(struct encoder *encoder, uint8_t kind, uint64_t place);

/* Of a growing stack. */
void encode_held_by(struct encoder *encoder, uint32_t trace, uint32_t steps);

void encode_leak_check(struct encoder *encoder, uint8_t flags);
void encode_leak_news(struct encoder *encoder, const struct sample_leak *leak);

/* As older versions wrote it. */
void encode_leak(struct encoder *encoder, uint8_t class, uint64_t blocks, uint64_t bytes,
                 uint32_t trace);

#endif
