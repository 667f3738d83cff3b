/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read out of instructions: the assembler makes them, a made-up context holds them, and
 * those that this processor knows are executed on a page without access, too.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "fault/access.h"
#include "fault/fault.h"
#include "support/support.h"

enum needs { ANYTHING, AVX2, AVX512, BMI };

struct sample {
	const void *start; /* called; what comes before the instruction arranges registers */
	const void *instruction;
	const char *text;
	uint32_t size;
	uint16_t is_write;
	uint16_t needs; /* enum needs */
};

/* What the rows of instructions.def stand for, as the assembler reads it. */
#define READ "0"
#define WRITE "1"
#define NEEDS_ANYTHING "0"
#define NEEDS_AVX2 "1"
#define NEEDS_AVX512 "2"
#define NEEDS_BMI "3"

#define INSTRUCTION(size, access, needs, text) PREPARED(size, access, needs, "", text)

#define PREPARED(size, access, needs, before, text)                                            \
	".pushsection .text\n71:\n" before "\n72:\n" text "\nret\n.popsection\n"               \
	".pushsection .rodata.str1.1,\"aMS\",@progbits,1\n73: .string \"" text                 \
	"\"\n.popsection\n"                                                                    \
	".quad 71b, 72b, 73b\n.long " #size "\n.short " access ", " NEEDS_##needs "\n"

/* A table of struct sample. rsi points to accessible memory, rcx is 1, rax and r8 are 0. */
/* clang-format off */
__asm__(".pushsection .data.rel.ro.samples,\"aw\"\n.balign 8\nsamples:\n"
#include "instructions.def"
	"samples_end:\n.popsection\n");
/* clang-format on */

extern const struct sample samples[];
extern const struct sample samples_end[];

#define SAMPLES ((size_t)(samples_end - samples))

static bool can_execute(enum needs needs)
{
	switch (needs) {
	case AVX2:
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	case AVX512:
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
	case BMI:
		return __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("avx2");
	default:
		return true;
	}
}

enum {
	PAGE_FAULT = 14,
	GENERAL_PROTECTION = 13,
	ERROR_USER_WRITE = 6,
	ERROR_USER_FETCH = 0x14
};

static ucontext_t interrupted_at(const void *instruction, greg_t trap, greg_t error)
{
	ucontext_t context;

	memset(&context, 0, sizeof(context));
	context.uc_mcontext.gregs[REG_RIP] = (greg_t)instruction;
	context.uc_mcontext.gregs[REG_TRAPNO] = trap;
	context.uc_mcontext.gregs[REG_ERR] = error;
	return context;
}

START_TEST(the_size_is_in_the_instruction)
{
	ck_assert_uint_gt(SAMPLES, 100);
	for (size_t i = 0; i < SAMPLES; i++) {
		ucontext_t context =
		        interrupted_at(samples[i].instruction, PAGE_FAULT, ERROR_USER_WRITE);
		struct fp_fault_access access = fp_fault_access(&context, 0x1234);

		ck_assert_uint_eq(access.address, 0x1234);
		ck_assert_int_eq(access.access, FP_ACCESS_WRITE);
		ck_assert(!access.is_fetch);
		ck_assert_msg(access.size == samples[i].size, "%s: %zu bytes, not %u",
		              samples[i].text, access.size, samples[i].size);
	}
}
END_TEST

static struct fp_fault_access seen;
static uintptr_t seen_from;
static sigjmp_buf before_fault;
static unsigned char accessible[64];

static void look(int number, siginfo_t *info, void *context)
{
	(void)number;
	seen = fp_fault_access(context, (uintptr_t)info->si_addr);
	seen_from = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	siglongjmp(before_fault, 1);
}

static void watch_faults(void)
{
	static unsigned char stack[64 << 10];
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	ck_assert_int_eq(sigaltstack(&alternate, NULL), 0);
	ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
}

static void execute(const struct sample *sample, uintptr_t address)
{
	uintptr_t destination = address;
	const void *source = accessible;
	size_t count = 1;

	if (sigsetjmp(before_fault, 1) != 0)
		return;
	__asm__ volatile("xorl %%eax, %%eax\n\txorl %%r8d, %%r8d\n\tcall *%3"
	                 : "+D"(destination), "+S"(source), "+c"(count)
	                 : "r"(sample->start)
	                 : "rax", "r8", "r9", "memory", "cc");
	ck_abort_msg("%s: no fault", sample->text);
}

START_TEST(a_fault_tells_reads_from_writes)
{
	uintptr_t page =
	        (uintptr_t)mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) +
	        4096;
	size_t executed = 0;

	watch_faults();
	for (size_t i = 0; i < SAMPLES; i++) {
		if (!can_execute(samples[i].needs) || strstr(samples[i].text, "%fs") != NULL)
			continue;
		execute(&samples[i], page);
		executed++;
		ck_assert_msg(seen_from == (uintptr_t)samples[i].instruction, "%s: elsewhere",
		              samples[i].text);
		ck_assert_msg(seen.address >= page - 8 && seen.address <= page + 64,
		              "%s: at %#lx", samples[i].text, (unsigned long)seen.address);
		ck_assert_msg(seen.access ==
		                      (samples[i].is_write ? FP_ACCESS_WRITE : FP_ACCESS_READ),
		              "%s: %s", samples[i].text, fp_access_name(seen.access));
		ck_assert_msg(seen.size == samples[i].size, "%s: %zu bytes", samples[i].text,
		              seen.size);
	}
	ck_assert_uint_gt(executed, 100);
	printf("%zu of %zu instructions executed\n", executed, SAMPLES);
}
END_TEST

/* The instruction is where the address is: it must not be looked at. */
START_TEST(a_jump_into_nowhere_is_a_fetch)
{
	ucontext_t context = interrupted_at(NULL, PAGE_FAULT, ERROR_USER_FETCH);
	struct fp_fault_access access = fp_fault_access(&context, 0);

	ck_assert(access.is_fetch);
	ck_assert_int_eq(access.access, FP_ACCESS_READ);
	ck_assert_uint_eq(access.size, 0);
}
END_TEST

START_TEST(other_traps_say_nothing_of_an_access)
{
	ucontext_t context = interrupted_at(NULL, GENERAL_PROTECTION, 0);
	struct fp_fault_access access = fp_fault_access(&context, 9);

	ck_assert_int_eq(access.access, FP_ACCESS_UNKNOWN);
	ck_assert_uint_eq(access.address, 9);
	ck_assert_uint_eq(access.size, 0);
	ck_assert(!access.is_fetch);
}
END_TEST

START_TEST(the_trap_flag_is_set_and_cleared_alone)
{
	ucontext_t context = interrupted_at(NULL, PAGE_FAULT, 0);
	greg_t *flags = &context.uc_mcontext.gregs[REG_EFL];

	*flags = 0x246;
	ck_assert(fp_fault_can_step());
	ck_assert(!fp_fault_set_step(&context, true));
	ck_assert_int_eq(*flags, 0x346);
	ck_assert(fp_fault_set_step(&context, true));
	ck_assert(fp_fault_set_step(&context, false));
	ck_assert_int_eq(*flags, 0x246);
	ck_assert(!fp_fault_set_step(&context, false));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access");
	TCase *tests = tcase_create("access");

	tcase_add_test(tests, the_size_is_in_the_instruction);
	tcase_add_test(tests, a_fault_tells_reads_from_writes);
	tcase_add_test(tests, a_jump_into_nowhere_is_a_fetch);
	tcase_add_test(tests, other_traps_say_nothing_of_an_access);
	tcase_add_test(tests, the_trap_flag_is_set_and_cleared_alone);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
