/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers: what they claim, to whom the rest goes and in which order, whose action a
 * program sees, and the stacks they run on.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "fault/fault.h"
#include "heap/heaps.h"

enum { PAGE = 4096 };

static int user;
static int sunk;
static struct fp_finding last;

static void sink(const struct fp_finding *finding, void *given)
{
	ck_assert_ptr_eq(given, &user);
	last = *finding;
	sunk++;
}

/* One line for whoever watches the child. */
static bool is_guest(void)
{
	return false;
}

static bool is_mortal(void)
{
	return true;
}

static void dying(int signal)
{
	dprintf(STDERR_FILENO, "dying of %d after %d findings\n", signal, sunk);
}

static void note(const char *text)
{
	dprintf(STDERR_FILENO, "noted: %s\n", text);
}

static bool start(int backend, bool has_handlers)
{
	const struct fp_fault_config config = {
	        .sink = sink,
	        .sink_user = &user,
	        .dying = dying,
	        .is_mortal = is_mortal,
	        .is_guest = is_guest,
	        .note = note,
	        .has_handlers = has_handlers,
	};

	if (!start_heaps(backend, 16, FP_PLACEMENT_RIGHT))
		return false;
	ck_assert_int_eq(fp_fault_start(&config), 0);
	return true;
}

static volatile const char *freed_block(void)
{
	struct fp_heap *heap = new_heap();
	char *block = take(heap, 1000);

	give(heap, block);
	expect_no_finding();
	return block;
}

static sigjmp_buf before;
static int sunk_before_handler;
static siginfo_t info_seen;

static void escape(int number, siginfo_t *info, void *context)
{
	(void)context;
	sunk_before_handler = sunk;
	info_seen = *info;
	siglongjmp(before, number);
}

static void become_program(void)
{
	const struct sigaction action = {.sa_sigaction = escape, .sa_flags = SA_SIGINFO};

	ck_assert(fp_fault_exchange_action(SIGSEGV, &action, NULL));
}

static int signal_of_read(volatile const char *address)
{
	int number = sigsetjmp(before, 1);

	if (number == 0)
		(void)*address;
	return number;
}

START_TEST(a_bad_access_is_delivered_and_then_passed_on)
{
	if (!start(_i, true) || !fp_guard_is_protecting())
		return;
	volatile const char *block = freed_block();
	become_program();
	for (int i = 1; i <= 3; i++) {
		ck_assert_int_eq(signal_of_read(block + i), SIGSEGV);
		ck_assert_int_eq(info_seen.si_signo, SIGSEGV);
		ck_assert(info_seen.si_code == SEGV_ACCERR || info_seen.si_code == SEGV_MAPERR);
		ck_assert_int_eq(sunk, i);
		ck_assert_int_eq(sunk_before_handler, i);
		ck_assert_int_eq(last.kind, FP_FINDING_HEAP_USE_AFTER_FREE);
		ck_assert_int_eq(last.offset, i);
		ck_assert_uint_eq(last.thread, (fp_thread_id)gettid());
		ck_assert(last.is_exact && last.trace != FP_TRACE_NONE);
		ck_assert_ptr_eq(info_seen.si_addr, (const void *)(uintptr_t)(block + i));
	}
}
END_TEST

START_TEST(another_fault_is_passed_on_alone)
{
	char *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!start(_i, true))
		return;
	become_program();
	ck_assert_int_eq(signal_of_read(page), SIGSEGV);
	ck_assert_ptr_eq(info_seen.si_addr, page);
	ck_assert_int_eq(signal_of_read(NULL), SIGSEGV);
	ck_assert_int_eq(sunk, 0);
}
END_TEST

static void read_freed(void *block)
{
	(void)*(volatile char *)block;
}

/* Everything is said before the process is gone. Not for `move`, whose children are protected
 * by the fork handlers of a session only. */
START_TEST(the_default_action_comes_last)
{
	struct test_child child;

	if (!start(_i, true) || !fp_guard_is_protecting())
		return;
	test_run_child(read_freed, (void *)(uintptr_t)freed_block(), &child);
	ck_assert(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGSEGV);
	ck_assert_str_eq(child.text, "dying of 11 after 1 findings\n");
}
END_TEST

static void kill_self(void *unused)
{
	(void)unused;
	kill(getpid(), SIGBUS);
}

START_TEST(a_sent_signal_kills_and_is_a_crash)
{
	struct test_child child;

	ck_assert(start(-1, true));
	test_run_child(kill_self, NULL, &child);
	ck_assert(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGBUS);
	ck_assert_str_eq(child.text, "dying of 7 after 1 findings\n");
}
END_TEST

/* ---- Our own faults -----------------------------------------------------------------------
 */

static volatile bool is_inside;

static bool ask_inside(void)
{
	return is_inside;
}

static void read_inside(void *block)
{
	is_inside = true;
	read_freed(block);
}

static void copy_inside(void *block)
{
	void *(*volatile copy)(void *, const void *, size_t) = memcpy;
	char copied[1000];

	is_inside = true;
	copy(copied, block, sizeof(copied));
}

static void fall_outside(void *block)
{
	is_inside = false;
	read_freed(block);
}

static void read_null_inside(void *unused)
{
	(void)unused;
	is_inside = true;
	read_freed(NULL);
}

static void be_own(void)
{
	const struct fp_own_object object = fp_own_read("libtest.so", &__ehdr_start);

	fp_own_add(&object);
	fp_fault_ask_inside(ask_inside);
}

static void run_for_own(void (*body)(void *), bool is_own)
{
	struct test_child child;

	be_own();
	test_run_child(body, (void *)(uintptr_t)freed_block(), &child);
	ck_assert_msg(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGSEGV,
	              "status %#x: %s", (unsigned)child.status, child.text);
	bool is_said =
	        strstr(child.text, "fencepost: internal error: Fencepost itself crashed at "
	                           "libtest.so+0x") != NULL ||
	        strstr(child.text, ", in a function that Fencepost called at libtest.so+0x") !=
	                NULL;
	ck_assert_msg(is_said == is_own, "%s", child.text);
	ck_assert_msg((strstr(child.text, "noted: internal error: ") != NULL) == is_own, "%s",
	              child.text);
	ck_assert_msg(strstr(child.text, is_own ? "dying of 11 after 0 findings\n"
	                                        : "dying of 11 after 1 findings\n") != NULL,
	              "%s", child.text);
}

/* Loop index: back end; not `move`, as above. */
START_TEST(a_fault_of_our_own_is_no_finding)
{
	if (!start(_i, true) || !fp_guard_is_protecting())
		return;
	run_for_own(read_inside, true);
	run_for_own(copy_inside, true);
	run_for_own(read_null_inside, true);
	run_for_own(fall_outside, false);
}
END_TEST

/* What the program did to its own block is its own affair, whoever meets it. */
START_TEST(a_protected_block_is_no_fault_of_ours)
{
	ck_assert(start(-1, true));
	char *block = take(new_heap(), 100);
	be_own();
	become_program();
	ck_assert_int_eq(
	        mprotect((void *)((uintptr_t)block & ~(uintptr_t)(PAGE - 1)), PAGE, PROT_NONE),
	        0);
	is_inside = true;
	ck_assert_int_eq(signal_of_read(block), SIGSEGV);
	is_inside = false;
	ck_assert_int_eq(sunk, 0);
}
END_TEST

static void never(int number)
{
	(void)number;
}

START_TEST(the_program_sees_its_own_action)
{
	const struct sigaction first = {.sa_handler = never, .sa_flags = SA_RESTART};
	const struct sigaction second = {.sa_handler = SIG_IGN};
	struct sigaction old;

	ck_assert(!fp_fault_exchange_action(SIGSEGV, &second, &old));
	ck_assert_int_eq(sigaction(SIGSEGV, &first, NULL), 0);
	ck_assert(start(-1, true));
	ck_assert(!fp_fault_exchange_action(SIGUSR1, &first, &old));
	ck_assert(!fp_fault_exchange_action(SIGTRAP, &first, &old));
	ck_assert(fp_fault_exchange_action(SIGSEGV, NULL, &old));
	ck_assert(old.sa_handler == never && (old.sa_flags & SA_RESTART) != 0);
	ck_assert(fp_fault_exchange_action(SIGSEGV, &second, &old));
	ck_assert(old.sa_handler == never);
	/* In force is ours; a second installation keeps what the program has. */
	ck_assert_int_eq(fp_fault_install(), 0);
	ck_assert(fp_fault_exchange_action(SIGSEGV, NULL, &old));
	ck_assert(old.sa_handler == SIG_IGN);
	/* What displaced us becomes the program's. */
	ck_assert_int_eq(sigaction(SIGSEGV, &first, NULL), 0);
	ck_assert_int_eq(fp_fault_install(), 0);
	ck_assert(fp_fault_exchange_action(SIGSEGV, NULL, &old));
	ck_assert(old.sa_handler == never);
}
END_TEST

START_TEST(without_handlers_only_ranges_are_checked)
{
	struct sigaction now;
	stack_t stack;

	ck_assert(start(-1, false));
	ck_assert_int_eq(fp_fault_install(), 0);
	ck_assert_int_eq(sigaction(SIGSEGV, NULL, &now), 0);
	ck_assert(now.sa_handler == SIG_DFL);
	fp_fault_attach_thread();
	ck_assert_int_eq(sigaltstack(NULL, &stack), 0);
	ck_assert_int_ne(stack.ss_flags & SS_DISABLE, 0);
	uintptr_t block = (uintptr_t)freed_block();
	ck_assert(!fp_fault_check_range(block, 1, FP_ACCESS_WRITE));
	ck_assert_int_eq(sunk, 1);
	ck_assert_uint_ne(last.trace, FP_TRACE_NONE);
	ck_assert(!last.is_exact);
	ck_assert(fp_fault_check_range(0, SIZE_MAX, FP_ACCESS_WRITE));
	ck_assert_int_eq(sunk, 1);
}
END_TEST

/* ---- Alternate stacks -------------------------------------------------------------------- */

static void *attach(void *seen)
{
	stack_t *stack = seen;

	fp_fault_attach_thread();
	fp_fault_attach_thread();
	sigaltstack(NULL, stack);
	return NULL;
}

static stack_t stack_of_thread(void *(*body)(void *))
{
	stack_t stack;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, body, &stack), 0);
	pthread_join(thread, NULL);
	return stack;
}

START_TEST(a_thread_gets_a_stack_and_gives_it_back)
{
	ck_assert(start(-1, true));
	stack_t stack = stack_of_thread(attach);
	ck_assert_int_eq(stack.ss_flags & SS_DISABLE, 0);
	ck_assert_uint_ge(stack.ss_size, 64 << 10);
	size_t mappings = test_mapping_count();
	for (int i = 0; i < 50; i++)
		stack_of_thread(attach);
	ck_assert_uint_le(test_mapping_count(), mappings + 2);
}
END_TEST

static char own_stack[64 << 10];

static void *attach_with_own(void *seen)
{
	const stack_t own = {.ss_sp = own_stack, .ss_size = sizeof(own_stack)};

	sigaltstack(&own, NULL);
	return attach(seen);
}

START_TEST(a_stack_of_the_programs_own_is_left_alone)
{
	ck_assert(start(-1, true));
	ck_assert_ptr_eq(stack_of_thread(attach_with_own).ss_sp, own_stack);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handler");
	TCase *tests = tcase_create("handler");

	announce_untested();
	tcase_add_loop_test(tests, a_bad_access_is_delivered_and_then_passed_on, 0, BACKENDS);
	tcase_add_loop_test(tests, another_fault_is_passed_on_alone, 0, BACKENDS);
	tcase_add_loop_test(tests, the_default_action_comes_last, 1, BACKENDS);
	tcase_add_test(tests, a_sent_signal_kills_and_is_a_crash);
	tcase_add_loop_test(tests, a_fault_of_our_own_is_no_finding, 1, BACKENDS);
	tcase_add_test(tests, a_protected_block_is_no_fault_of_ours);
	tcase_add_test(tests, the_program_sees_its_own_action);
	tcase_add_test(tests, without_handlers_only_ranges_are_checked);
	tcase_add_test(tests, a_thread_gets_a_stack_and_gives_it_back);
	tcase_add_test(tests, a_stack_of_the_programs_own_is_left_alone);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
