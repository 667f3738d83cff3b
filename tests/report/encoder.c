/* SPDX-License-Identifier: Apache-2.0
 *
 * The encoder of the tests. A log that does not fit its buffer is a mistake of the test.
 */
#include "encoder.h"

#include <stdlib.h>
#include <string.h>

#include "log/format.h"

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
	encode_end(encoder);
}

void encode_leak_check(struct encoder *encoder, uint8_t flags)
{
	encode_begin(encoder, FP_LOG_LEAK_CHECK);
	encode_u8(encoder, flags);
	encode_end(encoder);
}
