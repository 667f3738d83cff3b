/* SPDX-License-Identifier: Apache-2.0
 *
 * syscall(3) itself, in the place of libc's: it looks at the arguments and then jumps to libc's
 * with all as it was, because some system calls return twice or on another stack. Private to
 * system.c.
 */
#ifndef FP_PRELOAD_SYSTEM_X86_64_H
#define FP_PRELOAD_SYSTEM_X86_64_H

/* The sixth argument, the seventh of syscall(3), is the caller's to store: behind what is saved
 * below, the caller's frame and the return. */
enum { SIXTH = 8 };

__asm__(".pushsection .text\n"
        ".globl syscall\n"
        ".type syscall, @function\n"
        "syscall:\n"
        "	.cfi_startproc\n"
        "	push %rbp\n"
        "	.cfi_def_cfa_offset 16\n"
        "	.cfi_offset rbp, -16\n"
        "	mov %rsp, %rbp\n"
        "	.cfi_def_cfa_register rbp\n"
        "	push %r9\n"
        "	push %r8\n"
        "	push %rcx\n"
        "	push %rdx\n"
        "	push %rsi\n"
        "	push %rdi\n"
        "	mov %rsp, %rdi\n"
        "	call fp_preload_check_system_call\n"
        "	mov %rax, %r11\n"
        "	pop %rdi\n"
        "	pop %rsi\n"
        "	pop %rdx\n"
        "	pop %rcx\n"
        "	pop %r8\n"
        "	pop %r9\n"
        "	pop %rbp\n"
        "	.cfi_def_cfa rsp, 8\n"
        "	jmp *%r11\n"
        "	.cfi_endproc\n"
        ".size syscall, .-syscall\n"
        ".popsection\n");

#endif
