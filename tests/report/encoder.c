/* SPDX-License-Identifier: Apache-2.0
 *
 * The encoder of the tests. A log that does not fit its buffer is a mistake of the test.
 */
#include "encoder.h"

#include <stdlib.h>
#include <string.h>

#include "log/format.h"
#include "model/finding.h"

static void add(struct encoder *encoder, const void *bytes, size_t size)
{
	if (size > sizeof(encoder->bytes) - encoder->size)
		abort();
	if (size > 0)
		memcpy(encoder->bytes + encoder->size, bytes, size);
	encoder->size += size;
}

static void add_integer(struct encoder *encoder, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	add(encoder, bytes, size);
}

void encode_u8(struct encoder *encoder, uint8_t value)
{
	add_integer(encoder, value, 1);
}

void encode_u16(struct encoder *encoder, uint16_t value)
{
	add_integer(encoder, value, 2);
}

void encode_u32(struct encoder *encoder, uint32_t value)
{
	add_integer(encoder, value, 4);
}

void encode_u64(struct encoder *encoder, uint64_t value)
{
	add_integer(encoder, value, 8);
}

void encode_bytes(struct encoder *encoder, const void *bytes, size_t size)
{
	encode_u32(encoder, (uint32_t)size);
	add(encoder, bytes, size);
}

void encode_string(struct encoder *encoder, const char *string)
{
	encode_bytes(encoder, string, strlen(string));
}

void encode_header(struct encoder *encoder)
{
	encoder->size = 0;
	add(encoder, FP_LOG_MAGIC, 8);
	encode_u32(encoder, FP_LOG_VERSION);
	encode_u32(encoder, 0);
}

void encode_begin(struct encoder *encoder, uint16_t type)
{
	encoder->record = encoder->size;
	encode_u16(encoder, type);
	encode_u16(encoder, 0);
	encode_u32(encoder, 0);
}

void encode_end(struct encoder *encoder)
{
	size_t end = encoder->size;

	encoder->size = encoder->record + 4;
	encode_u32(encoder, (uint32_t)(end - encoder->record - FP_LOG_RECORD_HEADER_BYTES));
	encoder->size = end;
}

void encode_module(struct encoder *encoder, uint64_t start, uint64_t end, const char *path,
                   int is_own)
{
	encode_begin(encoder, FP_LOG_MODULE);
	encode_u64(encoder, start);
	encode_u64(encoder, end);
	encode_u64(encoder, start);
	encode_string(encoder, path);
	encode_bytes(encoder, "\xab\xcd", 2);
	encode_u8(encoder, (uint8_t)is_own);
	encode_end(encoder);
}

void encode_made(struct encoder *encoder, uint64_t start, uint64_t bytes, const char *name)
{
	encode_begin(encoder, FP_LOG_MADE);
	encode_u64(encoder, start);
	encode_u64(encoder, bytes);
	encode_string(encoder, name);
	encode_end(encoder);
}

void encode_trace(struct encoder *encoder, uint32_t id, const uint64_t *addresses, size_t count)
{
	encode_begin(encoder, FP_LOG_TRACE);
	encode_u32(encoder, id);
	encode_u32(encoder, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		encode_u64(encoder, addresses[i]);
	encode_end(encoder);
}

static void encode_leak_start(struct encoder *encoder, const struct sample_leak *leak)
{
	encode_begin(encoder, FP_LOG_LEAK);
	encode_u8(encoder, leak->class);
	encode_u8(encoder, 0);
	encode_u8(encoder, 0);
	encode_u8(encoder, 0);
	encode_u32(encoder, 1);
	encode_u64(encoder, leak->blocks);
	encode_u64(encoder, leak->bytes);
	encode_u32(encoder, leak->trace);
	encode_string(encoder, "");
	encode_u32(encoder, 0);
}

void encode_leak(struct encoder *encoder, uint8_t class, uint64_t blocks, uint64_t bytes,
                 uint32_t trace)
{
	encode_leak_start(encoder, &(struct sample_leak){.class = class,
	                                                 .blocks = blocks,
	                                                 .bytes = bytes,
	                                                 .trace = trace});
	encode_end(encoder);
}

void encode_holder(struct encoder *encoder, uint8_t kind, uint64_t place)
{
	uint8_t is_block = kind == FP_HOLDER_BLOCK || kind == FP_HOLDER_FREED_BLOCK;
	uint8_t is_freed = kind == FP_HOLDER_FREED_BLOCK;

	encode_u8(encoder, kind);
	encode_u64(encoder, is_block ? 0x7100 + place : 0x555500002000 + place); /* address */
	encode_u64(encoder, place % 16);                                         /* offset */
	encode_u32(encoder, is_block || kind == FP_HOLDER_MEMORY ? 0 : 4243);
	encode_string(encoder, kind == FP_HOLDER_REGISTER ? "rbx" : "");
	encode_u64(encoder, 0);
	encode_u32(encoder, kind == FP_HOLDER_STACK ? 1 : 0); /* trace */
	encode_u64(encoder, is_block ? 0x7100 : 0);
	encode_u64(encoder, is_block ? 48 : 0);
	encode_u64(encoder, is_block ? place : 0);
	encode_u8(encoder, FP_TIER_GUARDED);
	encode_u8(encoder, FP_FAMILY_MALLOC);
	encode_u8(encoder, FP_LEVEL_NONE);
	encode_u8(encoder, is_freed);
	encode_u32(encoder, 1);
	encode_u64(encoder, 5);
	encode_string(encoder, "");
	encode_u32(encoder, 0);
	encode_u32(encoder, 4243);
	encode_u32(encoder, is_block ? 4 : 0);
	encode_u32(encoder, is_freed ? 4244 : 0);
	encode_u32(encoder, is_freed ? 3 : 0);
}

static void encode_path(struct encoder *encoder, const struct sample_leak *leak)
{
	encode_u32(encoder, leak->steps > 0);
	if (leak->steps > 0)
		encode_holder(encoder, FP_HOLDER_BLOCK, 8);
	encode_u32(encoder, leak->steps);
	for (uint32_t i = 0; i < leak->steps; i++)
		encode_holder(encoder, i == 0 ? FP_HOLDER_MEMORY : FP_HOLDER_BLOCK,
		              (uint64_t)8 * i);
	encode_u64(encoder, leak->steps_left_out);
}

void encode_held_by(struct encoder *encoder, uint32_t trace, uint32_t steps)
{
	encode_begin(encoder, FP_LOG_HELD);
	encode_u32(encoder, trace);
	encode_path(encoder, &(struct sample_leak){.steps = steps});
	encode_end(encoder);
}

static void encode_way(struct encoder *encoder, const struct sample_leak *leak)
{
	encode_path(encoder, leak);
	encode_u32(encoder, leak->members);
	for (uint32_t i = 1; i <= leak->members; i++) {
		encode_u32(encoder, i);
		encode_u32(encoder, 2 + 2 * (i % 2)); /* trace */
		encode_u64(encoder, i);
		encode_u64(encoder, (uint64_t)100 * i);
	}
}

void encode_leak_news(struct encoder *encoder, const struct sample_leak *leak)
{
	encode_leak_start(encoder, leak);
	encode_u64(encoder, leak->indirect_blocks);
	encode_u64(encoder, leak->indirect_bytes);
	encode_u32(encoder, 0);
	encode_u64(encoder, leak->oldest);
	encode_u64(encoder, leak->newest);
	encode_u64(encoder, leak->new_blocks);
	encode_u64(encoder, leak->new_bytes);
	encode_u64(encoder, leak->new_oldest);
	encode_u64(encoder, leak->new_newest);
	encode_u64(encoder, leak->new_indirect_blocks);
	encode_u64(encoder, leak->new_indirect_bytes);
	encode_way(encoder, leak);
	encode_end(encoder);
}

void encode_leak_check(struct encoder *encoder, uint8_t flags)
{
	encode_begin(encoder, FP_LOG_LEAK_CHECK);
	encode_u8(encoder, flags);
	encode_end(encoder);
}
