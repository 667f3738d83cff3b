/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program is said to have crashed of: numbers in, a cause out.
 */
#include <signal.h>

#include "fault/crash.h"
#include "support/support.h"

enum { PAGE = 4096, MIB = 1 << 20 };

#define READ FP_ACCESS_READ
#define WRITE FP_ACCESS_WRITE
#define FETCH FP_ACCESS_COUNT

#define STACK ((uintptr_t)0x7f0000000000) /* 8 MiB from here on */
#define WILD ((uintptr_t)0x123456789000)

/* What is mapped at the address. */
enum map { NOTHING, NO_ACCESS, CONSTANT, CODE, DATA };

static const struct {
	uintptr_t address;
	enum fp_access access;
	enum map map;
	uintptr_t stack; /* the pointer; 0: in the midst of the stack */
	enum fp_crash_cause cause;
} accesses[] = {
        {0, READ, NOTHING, 0, FP_CRASH_NULL_POINTER},
        {0, FETCH, NOTHING, 0, FP_CRASH_NULL_POINTER},
        {0xffff, WRITE, NOTHING, 0, FP_CRASH_NULL_POINTER},
        {(uintptr_t)-8, READ, NOTHING, 0, FP_CRASH_NULL_POINTER},
        {0x10000, READ, NOTHING, 0, FP_CRASH_WILD_ADDRESS},
        {WILD, READ, NOTHING, 0, FP_CRASH_WILD_ADDRESS},
        {WILD, FETCH, NOTHING, 0, FP_CRASH_WILD_ADDRESS},
        {WILD, READ, NO_ACCESS, 0, FP_CRASH_WILD_ADDRESS},
        {WILD, WRITE, NO_ACCESS, 0, FP_CRASH_WILD_ADDRESS},
        {WILD, WRITE, CONSTANT, 0, FP_CRASH_READ_ONLY},
        {WILD, WRITE, CODE, 0, FP_CRASH_READ_ONLY},
        {WILD, FETCH, DATA, 0, FP_CRASH_NOT_EXECUTABLE},
        {WILD, FETCH, CONSTANT, 0, FP_CRASH_NOT_EXECUTABLE},
        /* The pointer is where the address is, above it, and, where a function has touched
         * the end of a large frame first, below. */
        {STACK - 8, WRITE, NO_ACCESS, STACK, FP_CRASH_STACK_OVERFLOW},
        {STACK - 8, WRITE, NOTHING, STACK - 8, FP_CRASH_STACK_OVERFLOW},
        {STACK - 8, READ, NOTHING, STACK + 1000, FP_CRASH_STACK_OVERFLOW},
        {STACK - 8, WRITE, NOTHING, STACK - PAGE, FP_CRASH_STACK_OVERFLOW},
        /* Far from its pointer, a stack is not what is full. */
        {STACK - 8, WRITE, NOTHING, STACK + 4 * MIB, FP_CRASH_WILD_ADDRESS},
        {STACK - 2 * MIB, WRITE, NOTHING, STACK - 2 * MIB, FP_CRASH_WILD_ADDRESS},
        {STACK - 8, FETCH, NOTHING, STACK, FP_CRASH_WILD_ADDRESS},
};
enum { ACCESSES = sizeof(accesses) / sizeof(accesses[0]) };

START_TEST(an_access_has_its_cause)
{
	const enum map map = accesses[_i].map;
	uintptr_t page = accesses[_i].address & ~(uintptr_t)(PAGE - 1);
	bool is_near_stack = page < STACK && STACK - page <= 4 * MIB;
	struct fp_crash_scene scene = {
	        .signal = SIGSEGV,
	        .code = SEGV_MAPERR,
	        .has_address = true,
	        .access = {.address = accesses[_i].address,
	                   .access = accesses[_i].access == FETCH ? READ : accesses[_i].access,
	                   .is_fetch = accesses[_i].access == FETCH},
	        .stack = accesses[_i].stack != 0 ? accesses[_i].stack : STACK + 4 * MIB,
	        .is_place_known = true,
	        .place = {.start = page,
	                  .end = is_near_stack ? STACK : page + PAGE,
	                  .is_mapped = map != NOTHING,
	                  .is_readable = map > NO_ACCESS,
	                  .is_writable = map == DATA,
	                  .is_executable = map == CODE},
	};

	if (is_near_stack)
		scene.behind = (struct fp_maps_place){.start = STACK,
		                                      .end = STACK + 8 * MIB,
		                                      .is_mapped = true,
		                                      .is_readable = true,
		                                      .is_writable = true};
	ck_assert_str_eq(fp_crash_name(fp_crash_judge(&scene)),
	                 fp_crash_name(accesses[_i].cause));
}
END_TEST

static const struct {
	int signal;
	bool is_sent;
	bool is_own;
	enum fp_crash_cause cause;
} signals[] = {
        {SIGABRT, true, true, FP_CRASH_ABORT},
        {SIGABRT, true, false, FP_CRASH_OTHER}, /* a watchdog's */
        {SIGFPE, false, false, FP_CRASH_ARITHMETIC},
        {SIGFPE, true, true, FP_CRASH_OTHER},
        {SIGILL, false, false, FP_CRASH_ILLEGAL_INSTRUCTION},
        {SIGSYS, false, false, FP_CRASH_SYSTEM_CALL},
        {SIGTRAP, false, false, FP_CRASH_OTHER},
        {SIGXCPU, false, false, FP_CRASH_OTHER},
        {SIGBUS, false, false, FP_CRASH_OTHER},
        {SIGSEGV, true, false, FP_CRASH_OTHER},
        /* An address that no pointer can have is not told by the kernel. */
        {SIGSEGV, false, false, FP_CRASH_WILD_ADDRESS},
};
enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

START_TEST(a_signal_has_its_cause)
{
	const struct fp_crash_scene scene = {
	        .signal = signals[_i].signal,
	        .is_sent = signals[_i].is_sent,
	        .is_own = signals[_i].is_own,
	};

	ck_assert_str_eq(fp_crash_name(fp_crash_judge(&scene)),
	                 fp_crash_name(signals[_i].cause));
}
END_TEST

/* Without /proc the kernel's word is all there is. */
START_TEST(where_no_mapping_is_known_an_address_is_wild)
{
	const struct fp_crash_scene scene = {.signal = SIGSEGV,
	                                     .has_address = true,
	                                     .access = {.address = WILD, .access = WRITE},
	                                     .stack = WILD};

	ck_assert_int_eq(fp_crash_judge(&scene), FP_CRASH_WILD_ADDRESS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crash");
	TCase *tests = tcase_create("crash");

	tcase_add_loop_test(tests, an_access_has_its_cause, 0, ACCESSES);
	tcase_add_loop_test(tests, a_signal_has_its_cause, 0, SIGNALS);
	tcase_add_test(tests, where_no_mapping_is_known_an_address_is_wild);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
