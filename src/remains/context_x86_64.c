/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: a thread's notes as the context that a signal's handler would have had.
 */
#include <elf.h>
#include <string.h>
#include <sys/user.h>
#include <ucontext.h>

#include "remains/file.h"

const unsigned fp_remains_machine = EM_X86_64;

/* The area of XSAVE: the kernel marks that of a signal so (FP_XSTATE_MAGIC1). */
enum { AREA_BYTES = 1024, MARK_AT = 464, LEGACY_BYTES = 512 };
static const uint32_t mark = 0x46505853;

struct context {
	ucontext_t user;
	_Alignas(64) uint8_t area[AREA_BYTES];
};

_Static_assert(sizeof(struct context) <= FP_REMAINS_CONTEXT_BYTES, "it has room");

void fp_remains_take_registers(struct fp_remains_thread *thread, const void *note, size_t size)
{
	struct context *context = thread->context;
	greg_t *to = context->user.uc_mcontext.gregs;
	struct user_regs_struct from;

	if (size < sizeof(from))
		return;
	memcpy(&from, note, sizeof(from));
	to[REG_R8] = (greg_t)from.r8;
	to[REG_R9] = (greg_t)from.r9;
	to[REG_R10] = (greg_t)from.r10;
	to[REG_R11] = (greg_t)from.r11;
	to[REG_R12] = (greg_t)from.r12;
	to[REG_R13] = (greg_t)from.r13;
	to[REG_R14] = (greg_t)from.r14;
	to[REG_R15] = (greg_t)from.r15;
	to[REG_RDI] = (greg_t)from.rdi;
	to[REG_RSI] = (greg_t)from.rsi;
	to[REG_RBP] = (greg_t)from.rbp;
	to[REG_RBX] = (greg_t)from.rbx;
	to[REG_RDX] = (greg_t)from.rdx;
	to[REG_RAX] = (greg_t)from.rax;
	to[REG_RCX] = (greg_t)from.rcx;
	to[REG_RSP] = (greg_t)from.rsp;
	to[REG_RIP] = (greg_t)from.rip;
	thread->stack = from.rsp;
	thread->storage = from.fs_base;
}

void fp_remains_take_vectors(struct fp_remains_thread *thread, unsigned type, const void *note,
                             size_t size)
{
	struct context *context = thread->context;
	bool is_whole = type == NT_X86_XSTATE;

	if ((!is_whole && type != NT_FPREGSET) || size < LEGACY_BYTES)
		return;
	memcpy(context->area, note, size < AREA_BYTES ? size : AREA_BYTES);
	memset(context->area + MARK_AT, 0, sizeof(mark));
	if (is_whole)
		memcpy(context->area + MARK_AT, &mark, sizeof(mark));
	context->user.uc_mcontext.fpregs = (void *)context->area;
}
