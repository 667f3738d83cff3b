/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks that are not as compilers leave them: those of signals and coroutines, with code on
 * them that says nothing of its frames or not the truth, and with pages missing; and captures
 * beside a thread that holds the loader's lock.
 */
#include <alloca.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/own.h"
#include "stack/caller.h"
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

/* ---- Signals ------------------------------------------------------------------------------
 */

static volatile fp_trace_id seen;
static void *expected;

static bool is_in_trace(fp_trace_id trace, const void *address)
{
	size_t count;
	const uintptr_t *frames = fp_stack_trace(trace, &count);

	for (size_t i = 0; i < count; i++)
		if (frames[i] == (uintptr_t)address)
			return true;
	return false;
}

static void capture_in_handler(int signal)
{
	(void)signal;
	seen = fp_stack_capture();
}

static void capture_interrupted(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	seen = fp_stack_capture_interrupted(context);
}

__attribute__((noinline)) static void raise_below(int signal)
{
	expected = __builtin_return_address(0);
	raise(signal);
	KEEP_FRAME();
}

static void use_own_stack(void)
{
	static char room[64 << 10];
	const stack_t stack = {.ss_sp = room, .ss_size = sizeof(room)};

	ck_assert_int_eq(sigaltstack(&stack, NULL), 0);
}

static bool is_whole(fp_trace_id trace)
{
	return !is_in_trace(trace, (const void *)FP_TRACE_CALLERS_UNKNOWN);
}

static void expect_whole_trace_with(const void *address)
{
	ck_assert_uint_ne(seen, FP_TRACE_NONE);
	ck_assert(is_in_trace(seen, address));
	ck_assert(is_whole(seen));
}

START_TEST(a_trace_leads_through_the_handler_of_a_signal)
{
	struct sigaction action = {.sa_handler = capture_in_handler};

	configure();
	for (int i = 0; i < 2; i++) {
		sigaction(SIGUSR1, &action, NULL);
		raise_below(SIGUSR1);
		expect_whole_trace_with(expected);
		/* Then on a stack of its own. */
		use_own_stack();
		action.sa_flags = SA_ONSTACK;
	}
}
END_TEST

START_TEST(what_was_interrupted_has_a_trace)
{
	const struct sigaction action = {.sa_sigaction = capture_interrupted,
	                                 .sa_flags = SA_SIGINFO | SA_ONSTACK};

	configure();
	use_own_stack();
	sigaction(SIGUSR1, &action, NULL);
	raise_below(SIGUSR1);
	expect_whole_trace_with(expected);
}
END_TEST

/* ---- Stacks of other kinds ------------------------------------------------------------------
 */

enum { STACK_BYTES = 8192 };

static ucontext_t outside;
static ucontext_t inside;

__attribute__((noinline)) static void capture_here(void)
{
	expected = __builtin_return_address(0);
	seen = fp_stack_capture();
	KEEP_FRAME();
}

static void run_coroutine(void)
{
	capture_here();
	swapcontext(&inside, &outside);
}

/* On the STACK_BYTES at STACK. */
static void expect_whole_trace_of_coroutine(char *stack, ucontext_t *link)
{
	size_t count;

	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = STACK_BYTES;
	inside.uc_link = link;
	makecontext(&inside, run_coroutine, 0);
	swapcontext(&outside, &inside);
	expect_whole_trace_with(expected);
	/* Two functions and what libc returns to, and nothing else. */
	fp_stack_trace(seen, &count);
	ck_assert_uint_eq(count, 3);
}

/* Loop index: whether another context follows. */
START_TEST(a_coroutine_has_a_whole_trace)
{
	char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	configure();
	for (int i = 0; i < 2; i++)
		expect_whole_trace_of_coroutine(stack, _i != 0 ? &outside : NULL);
	munmap(stack, STACK_BYTES);
}
END_TEST

START_TEST(coroutines_whose_stacks_lie_side_by_side_have_whole_traces)
{
	enum { STACKS = 4, FENCE = 4096, STEP = FENCE + STACK_BYTES };
	char *first = mmap(NULL, STACKS * STEP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	configure();
	for (int i = 0; i < STACKS; i++)
		mprotect(first + i * STEP + FENCE, STACK_BYTES, PROT_READ | PROT_WRITE);
	/* Upwards, then downwards. */
	for (int i = 0; i < STACKS; i++)
		expect_whole_trace_of_coroutine(first + i * STEP + FENCE, &outside);
	for (int i = STACKS; i-- > 0;)
		expect_whole_trace_of_coroutine(first + i * STEP + FENCE, &outside);
	munmap(first, STACKS * STEP);
}
END_TEST

#if defined(__x86_64__)
/* Code without a word on its frames: one keeps a frame pointer, others have what the caller
 * gives them in its place, and the last does not end as compilers do. */
__asm__(".text\n"
        "with_record:\n"
        "	push %rbp\n"
        "	mov %rsp, %rbp\n"
        "	call *%rdi\n"
        "	pop %rbp\n"
        "	ret\n"
        "with_pops:\n"
        "	push %rbp\n"
        "	push %r12\n"
        "	push %rbx\n"
        "	mov %rsi, %rbp\n"
        "	sub $32, %rsp\n"
        "	call *%rdi\n"
        "	add $32, %rsp\n"
        "	pop %rbx\n"
        "	pop %r12\n"
        "	pop %rbp\n"
        "	ret\n"
        "with_fetches:\n"
        "	sub $40, %rsp\n"
        "	mov %rbp, 8(%rsp)\n"
        "	mov %r15, 16(%rsp)\n"
        "	mov %rsi, %rbp\n"
        "	call *%rdi\n"
        "	mov 8(%rsp), %rbp\n"
        "	mov 16(%rsp), %r15\n"
        "	add $40, %rsp\n"
        "	ret\n"
        "with_much_room:\n"
        "	sub $4104, %rsp\n"
        "	mov %rbp, 4000(%rsp)\n"
        "	mov %rsi, %rbp\n"
        "	call *%rdi\n"
        "	mov 4000(%rsp), %rbp\n"
        "	add $4104, %rsp\n"
        "	ret\n"
        /* What looks like the end of another function's frame is in its own. */
        "with_reset:\n"
        "	push %rbp\n"
        "	mov %rsp, %rbp\n"
        "	push %r12\n"
        "	sub $40, %rsp\n"
        "	mov 8(%rbp), %rax\n"
        "	mov %rax, 8(%rsp)\n"
        "	call *%rdi\n"
        "	mov -8(%rbp), %r12\n"
        "	mov %rbp, %rsp\n"
        "	pop %rbp\n"
        "	ret\n"
        /* .NET's: the pointer to a record comes out of the stack pointer; the frame of the
         * function before is as large. */
        "	sub $40, %rsp\n"
        "	ret\n"
        "with_pointed_record:\n"
        "	push %rbp\n"
        "	push %r15\n"
        "	push %r14\n"
        "	push %rbx\n"
        "	push %rax\n"
        "	lea 32(%rsp), %rbp\n"
        "	call *%rdi\n"
        "	lea -24(%rbp), %rsp\n"
        "	pop %rbx\n"
        "	pop %r14\n"
        "	pop %r15\n"
        "	pop %rbp\n"
        "	ret\n"
        "with_pointed_record_and_room:\n"
        "	push %rbp\n"
        "	push %rbx\n"
        "	sub $504, %rsp\n"
        "	vzeroupper\n"
        "	lea 512(%rsp), %rbp\n"
        "	call *%rdi\n"
        "	lea -8(%rbp), %rsp\n"
        "	pop %rbx\n"
        "	pop %rbp\n"
        "	ret\n"
        /* A clause of the function is called within it, as Mono does; an address behind a call
         * is left where a function that began there would have its caller's. */
        "with_clause:\n"
        "	push %rbp\n"
        "	mov %rsp, %rbp\n"
        "	sub $64, %rsp\n"
        "	sub $8, %rsp\n"
        "	call 1f\n"
        "0:	add $8, %rsp\n"
        "	jmp 2f\n"
        "1:	mov %rsp, -16(%rbp)\n"
        "	mov -16(%rbp), %rsp\n"
        "	ret\n"
        "2:	lea 0b(%rip), %rax\n"
        "	mov %rax, 8(%rsp)\n"
        "	call *%rdi\n"
        "	leave\n"
        "	ret\n"
        "with_stray_pointer:\n"
        "	push %rbp\n"
        "	mov %rsi, %rbp\n"
        "	sub $16, %rsp\n"
        "	call *%rdi\n"
        "	lea 16(%rsp), %rsp\n"
        "	pop %rbp\n"
        "	ret\n");

void with_record(void (*function)(void)) __attribute__((visibility("hidden")));
typedef void with_pointer_fn(void (*function)(void), uintptr_t fp);
with_pointer_fn with_pops __attribute__((visibility("hidden")));
with_pointer_fn with_fetches __attribute__((visibility("hidden")));
with_pointer_fn with_much_room __attribute__((visibility("hidden")));
with_pointer_fn with_reset __attribute__((visibility("hidden")));
with_pointer_fn with_pointed_record __attribute__((visibility("hidden")));
with_pointer_fn with_pointed_record_and_room __attribute__((visibility("hidden")));
with_pointer_fn with_clause __attribute__((visibility("hidden")));
with_pointer_fn with_stray_pointer __attribute__((visibility("hidden")));

__attribute__((noinline)) static void call_with_record(void)
{
	with_record(capture_here);
	KEEP_FRAME();
}

/* Nothing is left out between the code and who called it, in FUNCTION, or behind. */
static void expect_whole_trace_through(uintptr_t function)
{
	size_t count;
	const uintptr_t *frames = fp_stack_trace(seen, &count);

	expect_whole_trace_with(expected);
	ck_assert_uint_gt(count, 4);
	ck_assert_uint_gt(frames[2], function);
	/* With counters of gcov in it it is longer. */
	ck_assert_uint_lt(frames[2], function + 256);
}

START_TEST(code_with_frame_pointers_only_is_passed)
{
	configure();
	call_with_record();
	expect_whole_trace_through((uintptr_t)call_with_record);
}
END_TEST

static with_pointer_fn *const code_by_end[] = {
        with_pops,  with_fetches,        with_much_room,
        with_reset, with_pointed_record, with_pointed_record_and_room,
        with_clause};
enum { ENDS = sizeof(code_by_end) / sizeof(code_by_end[0]) };

__attribute__((noinline)) static void call_by_end(int end, uintptr_t fp)
{
	code_by_end[end](capture_here, fp);
	KEEP_FRAME();
}

/* Who needs the frame pointer gets that of before, wherever it was kept. */
__attribute__((noinline)) static void call_with_frame(int end, size_t bytes)
{
	volatile char *room = alloca(bytes);

	room[0] = 1;
	call_by_end(end, 8);
	KEEP_FRAME();
}

/* Loop index: how it ends. */
START_TEST(code_without_frame_pointers_is_passed_by_the_way_it_ends)
{
	if (code_by_end[_i] == with_pointed_record_and_room && !__builtin_cpu_supports("avx"))
		return; /* "vzeroupper" */
	configure();
	for (size_t i = 0; i < 3; i++) {
		call_with_frame(_i, 64 + 16 * i);
		expect_whole_trace_through((uintptr_t)call_by_end);
	}
}
END_TEST

START_TEST(where_nothing_leads_on_a_trace_ends_and_says_so)
{
	char *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uintptr_t strays[] = {8,
	                            16,
	                            UINTPTR_MAX & ~(uintptr_t)15,
	                            (uintptr_t)hole,
	                            (uintptr_t)&hole,
	                            (uintptr_t)&hole | 3};

	configure();
	for (size_t i = 0; i < sizeof(strays) / sizeof(strays[0]); i++) {
		with_stray_pointer(capture_here, strays[i]);
		ck_assert_uint_ne(seen, FP_TRACE_NONE);
		ck_assert(is_in_trace(seen, expected));
		ck_assert(!is_whole(seen) || strays[i] == (uintptr_t)&hole);
	}
	munmap(hole, 4096);
}
END_TEST

/* Registers that are kept across calls have values that nothing else has. */
__asm__(".text\n"
        ".type call_with_registers, @function\n"
        "call_with_registers:\n"
        "	.cfi_startproc\n"
        "	push %rbx\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset %rbx, 0\n"
        "	push %r12\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset %r12, 0\n"
        "	push %r15\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset %r15, 0\n"
        "	movabs $0x1122334455667788, %rbx\n"
        "	movabs $0x1234567812345678, %r12\n"
        "	movabs $0x0f0e0d0c0b0a0908, %r15\n"
        "	call *%rdi\n"
        "	pop %r15\n .cfi_adjust_cfa_offset -8\n"
        "	pop %r12\n .cfi_adjust_cfa_offset -8\n"
        "	pop %rbx\n .cfi_adjust_cfa_offset -8\n"
        "	ret\n"
        "	.cfi_endproc\n"
        ".size call_with_registers, . - call_with_registers\n");

void call_with_registers(void (*function)(void)) __attribute__((visibility("hidden")));

static struct fp_stack_caller caller;

/* Uses all registers itself. */
__attribute__((noinline)) static void find_caller(void)
{
	__asm__ volatile("" ::: "rbx", "r12", "r13", "r14", "r15");
	ck_assert(fp_stack_find_caller((uintptr_t)find_caller, &caller));
	KEEP_FRAME();
}

static bool has_register(uintptr_t value)
{
	for (size_t i = 0; i < FP_STACK_REGISTERS; i++)
		if (caller.registers[i] == value)
			return true;
	return false;
}

START_TEST(the_registers_of_a_caller_are_found)
{
	configure();
	call_with_registers(find_caller);
	ck_assert(has_register(0x1122334455667788));
	ck_assert(has_register(0x1234567812345678));
	ck_assert(has_register(0x0f0e0d0c0b0a0908));
	ck_assert_uint_gt(caller.stack, (uintptr_t)__builtin_frame_address(0) - 4096);
	ck_assert_uint_lt(caller.stack, (uintptr_t)__builtin_frame_address(0));
	ck_assert(!fp_stack_find_caller((uintptr_t)has_register, &caller));
}
END_TEST
#endif

/* A page that could be read is gone when it is read again: the handler of faults has the
 * capture go on without. */
static void recover(int signal, siginfo_t *info, void *context)
{
	(void)info;
	if (!fp_stack_recover(context))
		_exit(100 + signal);
}

START_TEST(a_stack_that_is_unmapped_further_out_does_no_harm)
{
	enum { PAGE = 4096, STACK = 16 * PAGE };
	const struct fp_stack_config config = {.depth = DEPTH};
	const struct fp_own_object all = {
	        .start = 1, .end = UINTPTR_MAX, .code = 1, .code_end = UINTPTR_MAX};
	const struct sigaction action = {.sa_sigaction = recover, .sa_flags = SA_SIGINFO};
	char *stack =
	        mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct fp_frame frame = {.pc = 1, .sp = (uintptr_t)stack};
	struct fp_walk walk;
	uintptr_t word;

	sigaction(SIGSEGV, &action, NULL);
	fp_stack_init(&config);
	fp_own_add(&all);
	fp_walk_begin(&walk, &frame, NULL);
	for (size_t at = 0; at < STACK; at += PAGE)
		ck_assert(fp_walk_read(&walk, (uintptr_t)stack + at, &word));
	munmap(stack + STACK / 2, STACK / 2);
	ck_assert(!fp_stack_recover(&inside));
	ck_assert_uint_ne(fp_stack_capture(), FP_TRACE_NONE);
}
END_TEST

/* As often as there is stack for, if it took any. */
START_TEST(what_cannot_be_read_is_left_out)
{
	enum { PAGE = 4096, TIMES = 100000 };
	const struct sigaction action = {.sa_sigaction = recover, .sa_flags = SA_SIGINFO};
	const struct fp_own_object all = {
	        .start = 1, .end = UINTPTR_MAX, .code = 1, .code_end = UINTPTR_MAX};
	char *pages = mmap(NULL, (size_t)2 * PAGE, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t word = 0;

	sigaction(SIGSEGV, &action, NULL);
	fp_own_add(&all);
	memset(pages, 'x', PAGE);
	munmap(pages + PAGE, PAGE);
	ck_assert(fp_stack_read(&word, (uintptr_t)pages + PAGE - sizeof(word), sizeof(word)));
	ck_assert_uint_eq(word, 0x7878787878787878);
	for (int i = 0; i < TIMES; i++)
		if (fp_stack_read(&word, (uintptr_t)pages + PAGE - 4, sizeof(word)))
			ck_abort_msg("it cannot be read");
	ck_assert(!fp_stack_recover(&inside));
}
END_TEST

/* ---- The loader's lock ----------------------------------------------------------------------
 */

enum { CAPTURES = 3000 };

static _Atomic unsigned captures;

/* Different stacks, so that they are walked and not recognised. */
__attribute__((noinline)) static void descend(unsigned levels)
{
	if (levels == 0)
		fp_stack_capture();
	else
		descend(levels - 1);
	KEEP_FRAME();
}

static int capture_in_callback(struct dl_phdr_info *info, size_t size, void *user)
{
	(void)info;
	(void)size;
	(void)user;
	/* Until the other thread has got on: it must not wait for the lock that is held here.
	 */
	unsigned before = captures;
	while (captures < before + 2 && captures < CAPTURES)
		descend(before % 20);
	return 1;
}

static void *capture_beside(void *user)
{
	(void)user;
	while (captures < CAPTURES) {
		descend(captures % 100);
		captures++;
	}
	return NULL;
}

START_TEST(who_holds_the_loaders_lock_and_captures_stops_nobody)
{
	pthread_t thread;

	configure();
	captures = 0;
	pthread_create(&thread, NULL, capture_beside, NULL);
	while (captures < CAPTURES)
		dl_iterate_phdr(capture_in_callback, NULL);
	pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("odd stacks");
	TCase *tests = tcase_create("odd stacks");

	tcase_add_test(tests, a_trace_leads_through_the_handler_of_a_signal);
	tcase_add_test(tests, what_was_interrupted_has_a_trace);
	tcase_add_loop_test(tests, a_coroutine_has_a_whole_trace, 0, 2);
	tcase_add_test(tests, coroutines_whose_stacks_lie_side_by_side_have_whole_traces);
#if defined(__x86_64__)
	tcase_add_test(tests, code_with_frame_pointers_only_is_passed);
	tcase_add_loop_test(tests, code_without_frame_pointers_is_passed_by_the_way_it_ends, 0,
	                    ENDS);
	tcase_add_test(tests, where_nothing_leads_on_a_trace_ends_and_says_so);
	tcase_add_test(tests, the_registers_of_a_caller_are_found);
#endif
	tcase_add_test(tests, a_stack_that_is_unmapped_further_out_does_no_harm);
	tcase_add_test(tests, what_cannot_be_read_is_left_out);
	tcase_add_test(tests, who_holds_the_loaders_lock_and_captures_stops_nobody);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
