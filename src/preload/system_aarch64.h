/* SPDX-License-Identifier: Apache-2.0
 *
 * As system_x86_64.h. Private to system.c.
 */
#ifndef FP_PRELOAD_SYSTEM_AARCH64_H
#define FP_PRELOAD_SYSTEM_AARCH64_H

/* Where the sixth argument is in what is saved below. */
enum { SIXTH = 6 };

__asm__(".pushsection .text\n"
        ".globl syscall\n"
        ".type syscall, %function\n"
        "syscall:\n"
        "	.cfi_startproc\n"
        "	stp x29, x30, [sp, #-80]!\n"
        "	.cfi_def_cfa_offset 80\n"
        "	.cfi_offset x29, -80\n"
        "	.cfi_offset x30, -72\n"
        "	mov x29, sp\n"
        "	stp x0, x1, [sp, #16]\n"
        "	stp x2, x3, [sp, #32]\n"
        "	stp x4, x5, [sp, #48]\n"
        "	str x6, [sp, #64]\n"
        "	add x0, sp, #16\n"
        "	bl fp_preload_check_system_call\n"
        "	mov x16, x0\n"
        "	ldp x0, x1, [sp, #16]\n"
        "	ldp x2, x3, [sp, #32]\n"
        "	ldp x4, x5, [sp, #48]\n"
        "	ldr x6, [sp, #64]\n"
        "	ldp x29, x30, [sp], #80\n"
        "	.cfi_restore x29\n"
        "	.cfi_restore x30\n"
        "	.cfi_def_cfa_offset 0\n"
        "	br x16\n"
        "	.cfi_endproc\n"
        ".size syscall, .-syscall\n"
        ".popsection\n");

#endif
