/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read out of instructions and the syndrome on aarch64: each is executed on a page
 * without access. The processor must be a real one, or qemu-system's: qemu-user leaves no
 * syndrome.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "fault/access.h"
#include "fault/fault.h"
#include "support/support.h"

static struct fp_fault_access seen;
static sigjmp_buf before_fault;
static char *forbidden;

static void look(int number, siginfo_t *info, void *context)
{
	(void)number;
	seen = fp_fault_access(context, (uintptr_t)info->si_addr);
	siglongjmp(before_fault, 1);
}

static void watch_faults(void)
{
	const struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO};

	ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
	forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(forbidden, MAP_FAILED);
}

/* Each in a function of its own: they are called with the address in x0. */
#define INSTRUCTIONS                                                                           \
	INSTRUCTION(READ, 1, "ldrb w1, [x0]")                                                  \
	INSTRUCTION(READ, 1, "ldrsb x1, [x0]")                                                 \
	INSTRUCTION(READ, 2, "ldrh w1, [x0]")                                                  \
	INSTRUCTION(READ, 4, "ldr w1, [x0]")                                                   \
	INSTRUCTION(READ, 4, "ldrsw x1, [x0]")                                                 \
	INSTRUCTION(READ, 8, "ldr x1, [x0]")                                                   \
	INSTRUCTION(READ, 8, "ldur x1, [x0, #1]")                                              \
	INSTRUCTION(READ, 8, "ldr x1, [x0], #16")                                              \
	INSTRUCTION(READ, 8, "ldr x1, [x0, xzr]")                                              \
	INSTRUCTION(READ, 8, "ldxr x1, [x0]")                                                  \
	INSTRUCTION(READ, 4, "ldar w1, [x0]")                                                  \
	INSTRUCTION(READ, 8, "ldp w1, w2, [x0]")                                               \
	INSTRUCTION(READ, 16, "ldp x1, x2, [x0]")                                              \
	INSTRUCTION(READ, 1, "ldr b1, [x0]")                                                   \
	INSTRUCTION(READ, 8, "ldr d1, [x0]")                                                   \
	INSTRUCTION(READ, 16, "ldr q1, [x0]")                                                  \
	INSTRUCTION(READ, 32, "ldp q1, q2, [x0]")                                              \
	INSTRUCTION(WRITE, 1, "strb w1, [x0]")                                                 \
	INSTRUCTION(WRITE, 2, "strh w1, [x0]")                                                 \
	INSTRUCTION(WRITE, 4, "str w1, [x0]")                                                  \
	INSTRUCTION(WRITE, 8, "str x1, [x0]")                                                  \
	INSTRUCTION(WRITE, 8, "stlr x1, [x0]")                                                 \
	INSTRUCTION(WRITE, 16, "stp x1, x2, [x0]")                                             \
	INSTRUCTION(WRITE, 16, "stp d1, d2, [x0]")                                             \
	INSTRUCTION(WRITE, 16, "str q1, [x0]")                                                 \
	INSTRUCTION(WRITE, 32, "stp q1, q2, [x0]")                                             \
	INSTRUCTION(READ, 0, "ld1 {v1.16b}, [x0]")

#define INSTRUCTION(access, size, text) {FP_ACCESS_##access, size, text},
static const struct {
	enum fp_access access;
	size_t size;
	const char *text;
} samples[] = {INSTRUCTIONS};
#undef INSTRUCTION

static void execute(size_t index)
{
	size_t at = 0;

#define INSTRUCTION(access, size, text)                                                        \
	if (at++ == index) {                                                                   \
		register char *address __asm__("x0") = forbidden;                              \
		__asm__ volatile(text : "+r"(address) : : "x1", "x2", "v1", "v2", "memory");   \
	}
	INSTRUCTIONS
#undef INSTRUCTION
}

START_TEST(a_fault_tells_what_was_accessed)
{
	watch_faults();
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		seen = (struct fp_fault_access){0};
		if (sigsetjmp(before_fault, 1) == 0) {
			execute(i);
			ck_abort_msg("%s: no fault", samples[i].text);
		}
		ck_assert_msg(seen.access == samples[i].access, "%s: %s", samples[i].text,
		              fp_access_name(seen.access));
		ck_assert_msg(seen.size == samples[i].size, "%s: %zu bytes", samples[i].text,
		              seen.size);
		ck_assert(!seen.is_fetch);
	}
}
END_TEST

START_TEST(a_jump_into_nowhere_is_a_fetch)
{
	watch_faults();
	if (sigsetjmp(before_fault, 1) == 0)
		((void (*)(void))(uintptr_t)forbidden)();
	ck_assert(seen.is_fetch);
	ck_assert_int_eq(seen.access, FP_ACCESS_READ);
	ck_assert_uint_eq(seen.size, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access, aarch64");
	TCase *tests = tcase_create("access");

	tcase_add_test(tests, a_fault_tells_what_was_accessed);
	tcase_add_test(tests, a_jump_into_nowhere_is_a_fetch);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
