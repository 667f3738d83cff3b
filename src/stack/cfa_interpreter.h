/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading .eh_frame, a number at a time, and the programs in it.
 *
 * Context: fault. Private to stack.
 */
#ifndef FP_STACK_CFA_INTERPRETER_H
#define FP_STACK_CFA_INTERPRETER_H

#include <stddef.h>
#include <string.h>

#include "stack/frame_table.h"

/* Bytes still to be read. Reading beyond them gives zeros and is noted. */
struct fp_frame_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool is_broken;
};

static inline uint64_t fp_frame_read(struct fp_frame_reader *reader, size_t size)
{
	uint64_t value = 0;

	if ((size_t)(reader->end - reader->at) < size) {
		reader->is_broken = true;
		return 0;
	}
	memcpy(&value, reader->at, size);
	reader->at += size;
	return value;
}

static inline int64_t fp_frame_read_signed_4(struct fp_frame_reader *reader)
{
	return (int32_t)(uint32_t)fp_frame_read(reader, 4);
}

static inline uint64_t fp_frame_read_leb(struct fp_frame_reader *reader, unsigned *bits)
{
	uint64_t value = 0;
	uint64_t byte;

	*bits = 0;
	do {
		byte = fp_frame_read(reader, 1);
		if (*bits < 64)
			value |= (byte & 0x7f) << *bits;
		*bits += 7;
	} while ((byte & 0x80) != 0);
	return value;
}

static inline uint64_t fp_frame_read_unsigned(struct fp_frame_reader *reader)
{
	unsigned bits;

	return fp_frame_read_leb(reader, &bits);
}

static inline int64_t fp_frame_read_signed(struct fp_frame_reader *reader)
{
	unsigned bits;
	uint64_t value = fp_frame_read_leb(reader, &bits);

	if (bits < 64 && (value >> (bits - 1) & 1) != 0)
		value |= ~(uint64_t)0 << bits;
	return (int64_t)value;
}

static inline void fp_frame_skip(struct fp_frame_reader *reader, uint64_t bytes)
{
	if ((uint64_t)(reader->end - reader->at) < bytes)
		reader->is_broken = true;
	else
		reader->at += bytes;
}

/* What the entries of many functions have in common. */
struct fp_frame_common {
	uint64_t code_unit;
	int64_t data_unit;
	struct fp_frame_reader instructions;
	unsigned asked; /* the register that the row's ASKED is about */
	uint8_t encoding;
	bool is_signal;
};

/* Makes ROW that of the instruction so far INTO a function whose own instructions are OWN;
 * false when they are beyond this reader. */
bool fp_cfa_interpret(const struct fp_frame_common *common, const struct fp_frame_reader *own,
                      uintptr_t into, struct fp_frame_row *row);

#endif
