/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: general registers, and of the vector registers those the kernel has saved. What it
 * has not, because they held nothing, is left on the stack as it was, and no register.
 */
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

#include "base/sys.h"
#include "leak/registers.h"

/* The area that XSAVE writes. */
enum {
	MAGIC_AT = 464, /* in what the legacy area leaves to the kernel */
	XMM_AT = 160,
	XMM_BYTES = 256,
	STATES_AT = 512,
	YMM_AT = 576,
	YMM_BYTES = 256
};

/* Below the stack pointer a leaf function may keep as much. */
enum { RED_ZONE_BYTES = 128 };

static const uint32_t magic = 0x46505853; /* FP_XSTATE_MAGIC1 */
static const uint64_t state_sse = 2;
static const uint64_t state_avx = 4;

uintptr_t fp_leak_stack_pointer(const void *context)
{
	const ucontext_t *user = context;

	return (uintptr_t)user->uc_mcontext.gregs[REG_RSP];
}

/* A thread that waits stands right behind the instruction, or on it when the call begins anew.
 */
static bool is_at_system_call(const struct fp_leak_memory *memory, uintptr_t at)
{
	static const uint8_t instruction[2] = {0x0f, 0x05};
	uint8_t code[2 * sizeof(instruction)];

	at -= sizeof(instruction);
	return fp_leak_memory_read(memory, at, code, sizeof(code)) == sizeof(code) &&
	       (memcmp(code, instruction, sizeof(instruction)) == 0 ||
	        memcmp(code + sizeof(instruction), instruction, sizeof(instruction)) == 0);
}

/* Functions that wait are no leaves: they ask whether they are cancelled. Below their frames
 * are those of calls before, often with the block that malloc has returned last. */
uintptr_t fp_leak_stack_in_use(const struct fp_leak_memory *memory, const void *context)
{
	const ucontext_t *user = context;
	uintptr_t stack = fp_leak_stack_pointer(context);
	uintptr_t at = (uintptr_t)user->uc_mcontext.gregs[REG_RIP];

	return is_at_system_call(memory, at) ? stack : stack - RED_ZONE_BYTES;
}

static uint64_t states_of(const char *area)
{
	uint32_t found;
	uint64_t states = state_sse;

	memcpy(&found, area + MAGIC_AT, sizeof(found));
	if (found == magic)
		memcpy(&states, area + STATES_AT, sizeof(states));
	return states;
}

static void append(struct fp_leak_range *ranges, unsigned *count, uintptr_t start, size_t bytes)
{
	ranges[*count] = (struct fp_leak_range){.start = start, .end = start + bytes};
	++*count;
}

unsigned fp_leak_registers(const void *context,
                           struct fp_leak_range ranges[FP_LEAK_REGISTER_RANGES])
{
	const ucontext_t *user = context;
	const char *area = (const char *)user->uc_mcontext.fpregs;
	unsigned count = 0;

	append(ranges, &count, (uintptr_t)&user->uc_mcontext.gregs,
	       sizeof(user->uc_mcontext.gregs));
	if (area == NULL)
		return count;
	uint64_t states = states_of(area);
	if ((states & state_sse) != 0)
		append(ranges, &count, (uintptr_t)area + XMM_AT, XMM_BYTES);
	if ((states & state_avx) != 0)
		append(ranges, &count, (uintptr_t)area + YMM_AT, YMM_BYTES);
	return count;
}

/* The stack pointer is none of them, nor is what stands behind it. */
const char *fp_leak_register_name(const void *context, uintptr_t at)
{
	static const char *const names[] = {
	        [REG_R8] = "r8",   [REG_R9] = "r9",   [REG_R10] = "r10", [REG_R11] = "r11",
	        [REG_R12] = "r12", [REG_R13] = "r13", [REG_R14] = "r14", [REG_R15] = "r15",
	        [REG_RDI] = "rdi", [REG_RSI] = "rsi", [REG_RBP] = "rbp", [REG_RBX] = "rbx",
	        [REG_RDX] = "rdx", [REG_RAX] = "rax", [REG_RCX] = "rcx"};
	static const char *const vectors[] = {
	        "xmm0", "xmm1", "xmm2",  "xmm3",  "xmm4",  "xmm5",  "xmm6",  "xmm7",
	        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"};
	const ucontext_t *user = context;
	size_t number = (at - (uintptr_t)&user->uc_mcontext.gregs) / sizeof(greg_t);
	size_t vector = (at - (uintptr_t)user->uc_mcontext.fpregs - XMM_AT) / 16;

	if (at >= (uintptr_t)&user->uc_mcontext.gregs &&
	    number < sizeof(names) / sizeof(names[0]))
		return names[number];
	return user->uc_mcontext.fpregs != NULL && vector < sizeof(vectors) / sizeof(vectors[0])
	               ? vectors[vector]
	               : NULL;
}

/* ---- glibc's descriptor of a thread -------------------------------------------------------
 */

enum { DESCRIPTOR_ALIGN = 64, VECTOR_AT = 8, SELF_AT = 16, TID_AT = 0x2d0 };

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static int32_t tid_at(const uint8_t *bytes)
{
	int32_t tid;

	memcpy(&tid, bytes, sizeof(tid));
	return tid;
}

/* Whether this C library has a thread's id where it is looked for: the calling thread's is
 * known. */
static bool is_layout_known(void)
{
	const uint8_t *self;

	__asm__("movq %%fs:%c1, %0" : "=r"(self) : "i"(SELF_AT));
	return tid_at(self + TID_AT) == (int32_t)fp_sys_gettid();
}

/* It points to itself twice; a thread that was joined has no id, and one that ended only has 0.
 */
bool fp_leak_is_joined(const uint8_t *bytes, size_t size, uintptr_t address,
                       struct fp_leak_range *kept)
{
	size_t at = -address % DESCRIPTOR_ALIGN;

	for (; at + TID_AT + sizeof(int32_t) <= size; at += DESCRIPTOR_ALIGN) {
		uintptr_t self = address + at;

		if (word_at(bytes + at) != self || word_at(bytes + at + SELF_AT) != self)
			continue;
		*kept = (struct fp_leak_range){self + VECTOR_AT, self + SELF_AT};
		return tid_at(bytes + at + TID_AT) == -1 && is_layout_known();
	}
	return false;
}
