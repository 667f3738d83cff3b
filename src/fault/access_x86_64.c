/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: the trap's error code tells reads from writes, and the opcode tells how many bytes.
 * Only the forms that compilers emit for loads and stores are known; for others the size stays
 * 0.
 */
#include <ucontext.h>

#include "fault/access.h"

enum {
	TRAP_PAGE_FAULT = 14,
	ERROR_WRITE = 1 << 1,
	ERROR_FETCH = 1 << 4,
	FLAG_TRAP = 1 << 8,
	INSTRUCTION_MAX = 15
};

/* What the bytes before the opcode say. */
struct prefixes {
	bool has_66;
	bool has_f2;
	bool has_f3;
	bool has_rex_w;
	unsigned vector_bytes; /* of a VEX or EVEX instruction, else 0 */
	unsigned map;          /* 0: one-byte opcodes, 1: 0f, 2: 0f 38, 3: 0f 3a */
};

static unsigned operand_bytes(const struct prefixes *prefixes)
{
	if (prefixes->has_rex_w)
		return 8;
	return prefixes->has_66 ? 2 : 4;
}

/* 4 or 8 for the scalar forms of an SSE or AVX instruction, else the vector. */
static unsigned scalar_or_vector(const struct prefixes *prefixes)
{
	if (prefixes->has_f3)
		return 4;
	if (prefixes->has_f2)
		return 8;
	return prefixes->vector_bytes != 0 ? prefixes->vector_bytes : 16;
}

static const unsigned char *read_vex(const unsigned char *at, struct prefixes *prefixes)
{
	static const unsigned lengths[] = {16, 32, 64, 0};
	bool is_evex = at[0] == 0x62;
	bool is_short = at[0] == 0xc5;
	unsigned last = is_evex ? at[2] : at[is_short ? 1 : 2];
	unsigned pp = last & 3;

	prefixes->map = is_short ? 1 : at[1] & (is_evex ? 7 : 31);
	prefixes->has_rex_w = !is_short && (last & 0x80) != 0;
	prefixes->vector_bytes = is_evex ? lengths[at[3] >> 5 & 3] : lengths[last >> 2 & 1];
	prefixes->has_66 = pp == 1;
	prefixes->has_f3 = pp == 2;
	prefixes->has_f2 = pp == 3;
	return at + (is_evex ? 4 : is_short ? 2 : 3);
}

/* Leaves AT at the opcode. */
static const unsigned char *read_prefixes(const unsigned char *at, struct prefixes *prefixes)
{
	const unsigned char *end = at + INSTRUCTION_MAX;

	for (; at < end; at++) {
		switch (*at) {
		case 0x66:
			prefixes->has_66 = true;
			break;
		case 0xf2:
			prefixes->has_f2 = true;
			break;
		case 0xf3:
			prefixes->has_f3 = true;
			break;
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x26:
		case 0x64:
		case 0x65:
		case 0x67:
		case 0xf0:
			break;
		default:
			goto prefixes_done;
		}
	}
prefixes_done:
	if ((*at & 0xf0) == 0x40)
		prefixes->has_rex_w = (*at++ & 8) != 0;
	if (*at == 0xc4 || *at == 0xc5 || *at == 0x62)
		return read_vex(at, prefixes);
	if (*at != 0x0f)
		return at;
	at++;
	prefixes->map = *at == 0x38 ? 2 : *at == 0x3a ? 3 : 1;
	return prefixes->map == 1 ? at : at + 1;
}

/* Opcodes of one byte. */
static unsigned size_in_map_0(unsigned opcode, const struct prefixes *prefixes)
{
	/* Arithmetic, 00 to 3b: the lowest bit chooses between bytes and operands. */
	if (opcode < 0x40 && (opcode & 7) < 4)
		return (opcode & 1) != 0 ? operand_bytes(prefixes) : 1;
	switch (opcode) {
	case 0x80:
	case 0x84:
	case 0x86:
	case 0x88:
	case 0x8a:
	case 0xa4:
	case 0xa6:
	case 0xaa:
	case 0xac:
	case 0xae:
	case 0xc0:
	case 0xc6:
	case 0xd0:
	case 0xd2:
	case 0xf6:
	case 0xfe:
		return 1;
	case 0x63:
		return 4;
	case 0x69:
	case 0x6b:
	case 0x81:
	case 0x83:
	case 0x85:
	case 0x87:
	case 0x89:
	case 0x8b:
	case 0xa5:
	case 0xa7:
	case 0xab:
	case 0xad:
	case 0xaf:
	case 0xc1:
	case 0xc7:
	case 0xd1:
	case 0xd3:
	case 0xf7:
	case 0xff:
		return operand_bytes(prefixes);
	case 0xc3:
	case 0x8f:
		return 8;
	default:
		return 0;
	}
}

/* Opcodes behind 0f. */
static unsigned size_in_map_1(unsigned opcode, const struct prefixes *prefixes)
{
	switch (opcode) {
	case 0xb6:
	case 0xbe:
	case 0xb0:
	case 0xc0:
		return 1;
	case 0xb7:
	case 0xbf:
		return 2;
	case 0xaf:
	case 0xb1:
	case 0xc1:
	case 0xc3:
	case 0xa3:
	case 0xab:
	case 0xb3:
	case 0xbb:
	case 0xba:
	case 0xbc:
	case 0xbd:
	case 0xb8:
		return operand_bytes(prefixes);
	case 0x12:
	case 0x13:
	case 0x16:
	case 0x17:
	case 0xd6:
		return 8;
	case 0x6e:
		return prefixes->has_rex_w ? 8 : 4;
	case 0x7e:
		return prefixes->has_rex_w || prefixes->has_f3 ? 8 : 4;
	case 0x6f:
	case 0x7f:
		if (prefixes->vector_bytes != 0)
			return prefixes->vector_bytes;
		return prefixes->has_66 || prefixes->has_f3 ? 16 : 8;
	case 0xe7:
	case 0xf0:
	case 0x28:
	case 0x29:
	case 0x2b:
	case 0x74:
	case 0x75:
	case 0x76:
	case 0xef:
	case 0xeb:
	case 0xdb:
	case 0xd7:
	case 0xda:
	case 0xde:
		return prefixes->vector_bytes != 0 ? prefixes->vector_bytes : 16;
	default:
		break;
	}
	if (opcode == 0x10 || opcode == 0x11 || (opcode >= 0x51 && opcode <= 0x5f) ||
	    opcode == 0x2e || opcode == 0x2f)
		return scalar_or_vector(prefixes);
	if (opcode >= 0x40 && opcode <= 0x4f)
		return operand_bytes(prefixes);
	return opcode >= 0x90 && opcode <= 0x9f ? 1 : 0;
}

/* Opcodes behind 0f 38: broadcasts; the other vector forms take the whole vector. */
static unsigned size_in_map_2(unsigned opcode, const struct prefixes *prefixes)
{
	switch (opcode) {
	case 0x78:
		return 1;
	case 0x79:
		return 2;
	case 0x18:
	case 0x58:
		return 4;
	case 0x19:
	case 0x59:
		return 8;
	case 0x1a:
	case 0x5a:
		return 16;
	case 0xf0:
	case 0xf1:
		return operand_bytes(prefixes);
	default:
		return prefixes->vector_bytes;
	}
}

static unsigned access_size(const unsigned char *instruction)
{
	struct prefixes prefixes = {0};
	const unsigned char *opcode = read_prefixes(instruction, &prefixes);

	switch (prefixes.map) {
	case 0:
		return size_in_map_0(*opcode, &prefixes);
	case 1:
		return size_in_map_1(*opcode, &prefixes);
	case 2:
		return size_in_map_2(*opcode, &prefixes);
	default:
		return prefixes.vector_bytes;
	}
}

struct fp_fault_access fp_fault_access(const void *context, uintptr_t address)
{
	const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
	struct fp_fault_access access = {.address = address};

	if (registers[REG_TRAPNO] != TRAP_PAGE_FAULT)
		return access;
	access.is_fetch = (registers[REG_ERR] & ERROR_FETCH) != 0;
	access.access =
	        (registers[REG_ERR] & ERROR_WRITE) != 0 ? FP_ACCESS_WRITE : FP_ACCESS_READ;
	if (!access.is_fetch)
		access.size = access_size((const unsigned char *)registers[REG_RIP]);
	return access;
}

bool fp_fault_can_step(void)
{
	return true;
}

bool fp_fault_set_step(void *context, bool is_on)
{
	greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
	bool was_on = (*flags & FLAG_TRAP) != 0;

	*flags = is_on ? *flags | FLAG_TRAP : *flags & ~(greg_t)FLAG_TRAP;
	return was_on;
}
