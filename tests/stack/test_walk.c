/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks meet what libunwind meets, the first time and when a stack is recognised, whatever
 * stacks alike were there before; and they come through signals, coroutines, and code that says
 * nothing or not the truth of its frames.
 */
#include <alloca.h>
#include <stdlib.h>
#include <string.h>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "base/align.h"
#include "stack/cpu.h"
#include "stack/unwind_rule.h"
#include "stack/stack.h"
#include "stack/walk.h"
#include "support/support.h"

enum { DEPTH = 32 };

/* The compiler may not make a tail call of what ends in this. */
#define KEEP_FRAME() __asm__ volatile("")

static void configure(void)
{
	const struct fp_stack_config config = {.depth = DEPTH};

	fp_stack_init(&config);
}

#ifdef __aarch64__
enum { INSTRUCTION_BYTES = 4 }; /* libunwind leads inside the call, by a byte */
#else
enum { INSTRUCTION_BYTES = 1 };
#endif

/* From the caller on, both ways. */
static void expect_the_trace_of_libunwind(void)
{
	void *frames[DEPTH + 1];
	size_t count;
	const uintptr_t *kept = fp_stack_trace(fp_stack_capture(), &count);
	int unwound = unw_backtrace(frames, DEPTH + 1);

	/* The innermost addresses are those of the two calls above. */
	ck_assert_int_eq((int)count, unwound < DEPTH ? unwound : DEPTH);
	for (size_t i = 1; i < count; i++)
		ck_assert_uint_eq(kept[i],
		                  fp_align_up((uintptr_t)frames[i], INSTRUCTION_BYTES));
}

/* Whether the rule of a frame leads where a step of libunwind does. */
static bool agrees(const struct fp_unwind_rule *rule, const struct fp_frame *frame,
                   const struct fp_frame *caller)
{
	uintptr_t from = rule->kind == FP_UNWIND_RULE_FP ? frame->fp : frame->sp;
	uintptr_t sp = from + rule->up;
	const uintptr_t *saved = (const uintptr_t *)(sp - rule->fp_below);

	return sp == caller->sp && (rule->fp_below == 0 ? frame->fp : *saved) == caller->fp;
}

static struct fp_frame frame_at(unw_cursor_t *cursor)
{
	unw_word_t pc;
	unw_word_t sp;
	unw_word_t fp;

	ck_assert_int_eq(unw_get_reg(cursor, UNW_REG_IP, &pc), 0);
	ck_assert_int_eq(unw_get_reg(cursor, UNW_REG_SP, &sp), 0);
	ck_assert_int_eq(unw_get_reg(cursor, FP_CPU_REGISTER_FP, &fp), 0);
	return (struct fp_frame){.pc = pc, .sp = sp, .fp = fp};
}

static unsigned rules_by_kind[FP_UNWIND_RULE_OUTERMOST + 1];

static void expect_the_rules_of_libunwind(void)
{
	unw_context_t context;
	unw_cursor_t cursor;

	ck_assert_int_eq(unw_getcontext(&context), 0);
	ck_assert_int_eq(unw_init_local(&cursor, &context), 0);
	struct fp_frame frame = frame_at(&cursor);
	while (unw_step(&cursor) > 0) {
		const struct fp_unwind_rule rule =
		        fp_unwind_rule_at(frame.pc, frame.sp, FP_MODULE_UNKNOWN);
		const struct fp_frame caller = frame_at(&cursor);

		rules_by_kind[rule.kind]++;
		ck_assert_int_ne(rule.kind, FP_UNWIND_RULE_OUTERMOST);
		ck_assert(rule.kind == FP_UNWIND_RULE_NONE || agrees(&rule, &frame, &caller));
		frame = caller;
	}
	rules_by_kind[fp_unwind_rule_at(frame.pc, frame.sp, FP_MODULE_UNKNOWN).kind]++;
}

/* A tree of calls, different each time, in which the same functions stand at the same places of
 * the stack below others, because what one leaves out of its frame another takes. */
static void visit(unsigned levels, uint64_t *random, void (*look)(void));

static unsigned pick(uint64_t *random, unsigned below)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (unsigned)(*random >> 32) % below;
}

__attribute__((noinline)) static void visit_plainly(unsigned levels, uint64_t *random,
                                                    void (*look)(void))
{
	visit(levels, random, look);
	KEEP_FRAME();
}

/* Its own frame is of any size; what earlier calls left there stays. */
__attribute__((noinline)) static void visit_below_room(unsigned levels, uint64_t *random,
                                                       void (*look)(void))
{
	volatile char *room = alloca(16 * (1 + pick(random, 4)));

	room[0] = 1;
	visit(levels, random, look);
	KEEP_FRAME();
}

/* More of the stack is aligned than the system does: the caller's is found in another way. */
__attribute__((noinline)) static void visit_aligned(unsigned levels, uint64_t *random,
                                                    void (*look)(void))
{
	_Alignas(128) volatile char line[128];

	line[pick(random, sizeof(line))] = 1;
	visit(levels, random, look);
	KEEP_FRAME();
}

struct visitor {
	unsigned levels;
	uint64_t *random;
	void (*look)(void);
	bool is_done;
};

static _Thread_local struct visitor *visitor;

static int compare_and_visit(const void *left, const void *right)
{
	struct visitor *self = visitor;

	if (!self->is_done) {
		self->is_done = true;
		visit(self->levels, self->random, self->look);
	}
	return *(const int *)left - *(const int *)right;
}

/* Through code of the C library. */
__attribute__((noinline)) static void visit_through_libc(unsigned levels, uint64_t *random,
                                                         void (*look)(void))
{
	struct visitor self = {levels, random, look, false};
	struct visitor *before = visitor;
	int numbers[3] = {3, 1, 2};

	visitor = &self;
	qsort(numbers, 3, sizeof(numbers[0]), compare_and_visit);
	visitor = before;
}

__attribute__((noinline)) static void visit(unsigned levels, uint64_t *random,
                                            void (*look)(void))
{
	if (levels == 0) {
		look();
		return;
	}
	switch (pick(random, 8)) {
	case 0:
		visit_below_room(levels - 1, random, look);
		break;
	case 1:
		visit_below_room(levels - 1, random, look);
		break;
	case 2:
		visit_aligned(levels - 1, random, look);
		break;
	case 3:
		visit_through_libc(levels - 1, random, look);
		break;
	case 4:
		visit_plainly(levels - 1, random, look);
		break;
	default:
		visit(levels - 1, random, look);
		break;
	}
	KEEP_FRAME();
}

START_TEST(any_stack_has_the_trace_of_libunwind)
{
	uint64_t random = 88172645463325252u;

	configure();
	for (unsigned round = 0; round < 4000; round++)
		visit(pick(&random, 12), &random, expect_the_trace_of_libunwind);
}
END_TEST

static void look_in_thread(unsigned index, void *user)
{
	uint64_t random = 88172645463325252u + index;

	(void)user;
	for (unsigned round = 0; round < 600; round++)
		visit(pick(&random, 12), &random, expect_the_trace_of_libunwind);
}

START_TEST(threads_do_not_disturb)
{
	configure();
	test_run_threads(4, look_in_thread, NULL);
}
END_TEST

START_TEST(rules_say_what_libunwind_does)
{
	uint64_t random = 88172645463325252u;

	configure();
	for (unsigned round = 0; round < 600; round++)
		visit(pick(&random, 12), &random, expect_the_rules_of_libunwind);
#if defined(__x86_64__)
	/* Nearly all code has some: otherwise nothing above was tested. */
	ck_assert_uint_gt(rules_by_kind[FP_UNWIND_RULE_SP] + rules_by_kind[FP_UNWIND_RULE_FP],
	                  10 * rules_by_kind[FP_UNWIND_RULE_NONE]);
	ck_assert_uint_gt(rules_by_kind[FP_UNWIND_RULE_FP], 0);
	ck_assert_uint_eq(rules_by_kind[FP_UNWIND_RULE_OUTERMOST], 600);
#endif
}
END_TEST

START_TEST(what_is_no_code_has_no_rule)
{
	static const char data[64];

	ck_assert_int_eq(fp_unwind_rule_at((uintptr_t)data, 0, FP_MODULE_UNKNOWN).kind,
	                 FP_UNWIND_RULE_NONE);
	ck_assert_int_eq(fp_unwind_rule_at(1, 0, FP_MODULE_UNKNOWN).kind, FP_UNWIND_RULE_NONE);
	ck_assert_int_eq(fp_unwind_rule_at(0, 0, FP_MODULE_UNKNOWN).kind, FP_UNWIND_RULE_NONE);
	ck_assert_int_eq(fp_unwind_rule_at(UINTPTR_MAX, 0, FP_MODULE_UNKNOWN).kind,
	                 FP_UNWIND_RULE_NONE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("walk");
	TCase *tests = tcase_create("walk");

	tcase_add_test(tests, any_stack_has_the_trace_of_libunwind);
	tcase_add_test(tests, threads_do_not_disturb);
	tcase_add_test(tests, rules_say_what_libunwind_does);
	tcase_add_test(tests, what_is_no_code_has_no_rule);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
