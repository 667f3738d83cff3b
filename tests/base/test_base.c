/* SPDX-License-Identifier: Apache-2.0
 *
 * The ground everything stands on: locks, metadata memory, text, fault injection, threads and
 * the memory system calls. Asserts contracts of the headers only.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/align.h"
#include "base/inject.h"
#include "base/instruction_x86_64.h"
#include "base/lock.h"
#include "base/maps.h"
#include "base/meta.h"
#include "base/panic.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/vm.h"
#include "support/support.h"

/* ---- align.h ------------------------------------------------------------------------- */

START_TEST(rounding_is_exact_at_the_edges)
{
	ck_assert_uint_eq(fp_align_up(0, 16), 0);
	ck_assert_uint_eq(fp_align_up(1, 16), 16);
	ck_assert_uint_eq(fp_align_up(16, 16), 16);
	ck_assert_uint_eq(fp_align_up(17, 16), 32);
	ck_assert_uint_eq(fp_align_up(7, 1), 7);
	ck_assert_uint_eq(fp_align_down(31, 16), 16);
	ck_assert_uint_eq(fp_align_down(16, 16), 16);
	ck_assert_uint_eq(fp_align_down(SIZE_MAX, 4096), SIZE_MAX - 4095);
	ck_assert(fp_is_power_of_two(1));
	ck_assert(fp_is_power_of_two((size_t)1 << 63));
	ck_assert(!fp_is_power_of_two(0));
	ck_assert(!fp_is_power_of_two(3));
}
END_TEST

/* ---- lock.h -------------------------------------------------------------------------- */

enum { COUNTING_THREADS = 8, COUNTS = 20000 };

struct counter {
	struct fp_lock lock;
	unsigned long value; /* under the lock, and not atomic */
};

static void count_up(unsigned index, void *user)
{
	struct counter *counter = user;

	(void)index;
	for (int i = 0; i < COUNTS; i++) {
		fp_lock_acquire(&counter->lock);
		counter->value++;
		fp_lock_release(&counter->lock);
	}
}

START_TEST(a_lock_admits_one_thread_at_a_time)
{
	struct counter counter = {.lock = FP_LOCK_INITIALIZER(FP_RANK_META)};

	test_run_threads(COUNTING_THREADS, count_up, &counter);
	ck_assert_uint_eq(counter.value, (unsigned long)COUNTING_THREADS * COUNTS);
	ck_assert_uint_eq(counter.lock.word, 0);
}
END_TEST

struct handover {
	struct fp_lock lock;
	_Atomic bool is_through;
};

static void *pass_through(void *argument)
{
	struct handover *handover = argument;

	fp_lock_acquire(&handover->lock);
	atomic_store(&handover->is_through, true);
	fp_lock_release(&handover->lock);
	return NULL;
}

START_TEST(a_held_lock_makes_others_wait_until_it_is_released)
{
	struct handover handover = {.lock = FP_LOCK_INITIALIZER(FP_RANK_LOG)};
	pthread_t waiter;

	fp_lock_acquire(&handover.lock);
	ck_assert_int_eq(pthread_create(&waiter, NULL, pass_through, &handover), 0);
	usleep(50000);
	ck_assert(!atomic_load(&handover.is_through));
	fp_lock_release(&handover.lock);
	ck_assert_int_eq(pthread_join(waiter, NULL), 0);
	ck_assert(atomic_load(&handover.is_through));
}
END_TEST

static void take_two(void *user)
{
	const uint32_t *ranks = user;
	struct fp_lock first = FP_LOCK_INITIALIZER(ranks[0]);
	struct fp_lock second = FP_LOCK_INITIALIZER(ranks[1]);

	fp_lock_acquire(&first);
	fp_lock_acquire(&second);
}

/* Every pair: the loop's index holds both ranks. */
START_TEST(a_lock_of_no_greater_rank_panics)
{
	uint32_t ranks[2] = {(uint32_t)_i / FP_RANK_COUNT, (uint32_t)_i % FP_RANK_COUNT};
	struct test_child child;

	test_run_child(take_two, ranks, &child);
	if (ranks[1] > ranks[0]) {
		ck_assert(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0);
		ck_assert_str_eq(child.text, "");
		return;
	}
	ck_assert(WIFSIGNALED(child.status));
	ck_assert_int_eq(WTERMSIG(child.status), SIGABRT);
	ck_assert_str_eq(child.text,
	                 "fencepost: internal error: lock taken out of rank order\n");
}
END_TEST

static struct fp_lock confined_lock = FP_LOCK_INITIALIZER(FP_RANK_LOG);
static _Atomic bool is_held_confined;

static void *hold_confined(void *unused)
{
	const struct timespec pause = {.tv_nsec = 50000000};

	fp_sys_confine(true);
	fp_lock_acquire(&confined_lock);
	atomic_store(&is_held_confined, true);
	nanosleep(&pause, NULL); /* the other one waits */
	fp_lock_release(&confined_lock);
	return unused;
}

/* In seccomp's strict mode no thread can wake another. */
START_TEST(who_waits_for_a_confined_thread_goes_on)
{
	pthread_t holder;

	ck_assert_int_eq(pthread_create(&holder, NULL, hold_confined, NULL), 0);
	while (!atomic_load(&is_held_confined))
		sched_yield();
	fp_lock_acquire(&confined_lock);
	fp_lock_release(&confined_lock);
	ck_assert_int_eq(pthread_join(holder, NULL), 0);
}
END_TEST

/* The rank that counts is the highest held, in whatever order locks are given back. */
static void release_in_taking_order(void *unused)
{
	struct fp_lock low = FP_LOCK_INITIALIZER(FP_RANK_ARENA);
	struct fp_lock high = FP_LOCK_INITIALIZER(FP_RANK_LOG);
	struct fp_lock middle = FP_LOCK_INITIALIZER(FP_RANK_SHARD);

	(void)unused;
	fp_lock_acquire(&low);
	fp_lock_acquire(&high);
	fp_lock_release(&low);
	fp_lock_acquire(&middle);
}

START_TEST(a_release_out_of_order_keeps_the_higher_rank)
{
	struct test_child child;

	test_run_child(release_in_taking_order, NULL, &child);
	ck_assert(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGABRT);
}
END_TEST

static struct fp_lock high = FP_LOCK_INITIALIZER(FP_RANK_RECORD);
static struct fp_lock low = FP_LOCK_INITIALIZER(FP_RANK_SESSION);
static struct {
	struct fp_lock lock;
	int other;
} middle[3];
static struct fp_lock not_asked_for = FP_LOCK_INITIALIZER(FP_RANK_REGION);
FP_HELD_ACROSS_FORK(FP_RANK_RECORD, &high);
FP_HELD_ACROSS_FORK(FP_RANK_SESSION, &low);
FP_ALL_HELD_ACROSS_FORK(FP_RANK_ARENA, &middle[0].lock, sizeof(middle), sizeof(middle[0]));
FP_HELD_ACROSS_FORK(FP_RANK_REGION, &not_asked_for);

START_TEST(locks_of_a_rank_are_taken_together)
{
	const uint32_t ranks =
	        1U << FP_RANK_RECORD | 1U << FP_RANK_SESSION | 1U << FP_RANK_ARENA;
	struct fp_lock held = FP_LOCK_INITIALIZER(FP_RANK_LOG);

	fp_lock_acquire(&held);
	fp_lock_acquire_ranks(ranks);
	ck_assert(!fp_lock_is_free(&low) && !fp_lock_is_free(&high));
	for (size_t i = 0; i < 3; i++)
		ck_assert(!fp_lock_is_free(&middle[i].lock) && middle[i].other == 0);
	ck_assert(fp_lock_is_free(&not_asked_for));
	fp_lock_release_ranks(ranks);
	fp_lock_release(&held);
	fp_lock_acquire(&low);
	fp_lock_acquire(&high);
	fp_lock_release(&high);
	fp_lock_release(&low);
	for (size_t i = 0; i < 3; i++)
		ck_assert(fp_lock_is_free(&middle[i].lock));
	ck_assert(fp_lock_is_free(&low) && fp_lock_is_free(&high));
}
END_TEST

static void panic_now(void *user)
{
	fp_panic(user);
}

START_TEST(a_panic_says_its_line_and_aborts)
{
	struct test_child child;
	char message[] = "the moon is gone";

	test_run_child(panic_now, message, &child);
	ck_assert(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGABRT);
	ck_assert_str_eq(child.text, "fencepost: internal error: the moon is gone\n");
}
END_TEST

/* ---- inject.h ------------------------------------------------------------------------ */

START_TEST(injection_hits_the_nth_request_of_its_point_only)
{
	fp_inject_arm(FP_INJECT_VM, 2, false);
	ck_assert(!fp_inject_fails(FP_INJECT_META));
	ck_assert(!fp_inject_fails(FP_INJECT_VM));
	ck_assert(!fp_inject_fails(FP_INJECT_META));
	ck_assert(fp_inject_fails(FP_INJECT_VM));
	ck_assert(!fp_inject_fails(FP_INJECT_VM));
	fp_inject_arm(FP_INJECT_VM, 2, true);
	ck_assert(!fp_inject_fails(FP_INJECT_VM));
	ck_assert(fp_inject_fails(FP_INJECT_VM));
	ck_assert(fp_inject_fails(FP_INJECT_VM));
	fp_inject_arm(FP_INJECT_VM, 0, true);
	ck_assert(!fp_inject_fails(FP_INJECT_VM));
}
END_TEST

/* ---- vm.h ---------------------------------------------------------------------------- */

START_TEST(each_memory_call_can_be_made_to_fail)
{
	size_t page = fp_vm_page_size();
	uintptr_t kept;
	uintptr_t base;

	ck_assert_uint_eq(page, (size_t)sysconf(_SC_PAGESIZE));
	ck_assert_int_eq(fp_vm_map(page, PROT_READ | PROT_WRITE, &kept), 0);
	*(char *)kept = 'k';
	fp_inject_arm(FP_INJECT_VM, 1, true);
	ck_assert_int_eq(fp_vm_reserve(page, &base), -ENOMEM);
	ck_assert_int_eq(fp_vm_map(page, PROT_READ, &base), -ENOMEM);
	ck_assert_int_eq(fp_vm_remap(kept, page, PROT_NONE), -ENOMEM);
	ck_assert_int_eq(fp_vm_protect(kept, page, PROT_NONE), -ENOMEM);
	ck_assert_int_eq(fp_vm_advise(kept, page, MADV_DONTNEED), -ENOMEM);
	ck_assert_int_eq(fp_vm_unmap(kept, page), -ENOMEM);
	fp_inject_arm(FP_INJECT_VM, 0, false);
	ck_assert_int_eq(*(char *)kept, 'k');
	ck_assert_int_eq(fp_vm_advise(kept, page, 12345), -EINVAL);
	ck_assert_int_eq(fp_vm_remap(kept, page, PROT_READ), 0);
	ck_assert_int_eq(*(char *)kept, 0);
	ck_assert(test_write_faults(kept));
	ck_assert_int_eq(fp_vm_unmap(kept, page), 0);
	ck_assert(test_read_faults(kept));
	ck_assert_int_eq(fp_vm_protect(kept, page, PROT_READ), -ENOMEM);
}
END_TEST

/* ---- thread.h ------------------------------------------------------------------------ */

static void note_ordinal(unsigned index, void *user)
{
	uint32_t *ordinals = user;

	ordinals[index] = fp_thread_ordinal();
	if (fp_thread_self() != (uint32_t)syscall(SYS_gettid) ||
	    fp_thread_ordinal() != ordinals[index])
		ordinals[index] = UINT32_MAX;
}

/* As objdump has them, behind their bytes. */
START_TEST(an_instruction_has_its_length_and_its_operand)
{
	static const struct {
		uint8_t code[FP_INSTRUCTION_MAX];
		uint8_t length;
		uint8_t base; /* of its operand in memory; FP_NO_REGISTER: none */
		int32_t distance;
		int64_t immediate;
	} all[] = {
	        {{0xc3}, 1, FP_NO_REGISTER, 0, 0},                      /* ret */
	        {{0x48, 0x89, 0x5c, 0x24, 0xf8}, 5, FP_RSP, -8, 0},     /* mov %rbx,-8(%rsp) */
	        {{0x48, 0x83, 0xec, 0x80}, 4, FP_NO_REGISTER, 0, -128}, /* sub $-128,%rsp */
	        {{0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8},
	         10,
	         FP_NO_REGISTER,
	         0,
	         0x0807060504030201},
	        {{0x41, 0xf6, 0x45, 0x10, 0x20}, 5, 13, 16, 32}, /* testb $32,16(%r13) */
	        {{0xf7, 0xd8}, 2, FP_NO_REGISTER, 0, 0},         /* neg %eax */
	        {{0x66, 0xc7, 0x00, 0x34, 0x12},
	         5,
	         FP_RAX,
	         0,
	         0x1234},                                           /* movw $0x1234,(%rax) */
	        {{0xc5, 0xfe, 0x6f, 0x46, 0x20}, 5, FP_RSI, 32, 0}, /* vmovdqu 32(%rsi),%ymm0 */
	        {{0x62, 0xe1, 0xfe, 0x28, 0x6f, 0x4e, 0x01},
	         7,
	         FP_RSI,
	         1,
	         0}, /* vmovdqu64 32(%rsi),.. */
	        {{0x0f, 0x84, 0xfc, 0xff, 0xff, 0xff}, 6, FP_NO_REGISTER, 0, -4}, /* je */
	};
	struct fp_instruction read;

	ck_assert(fp_instruction_read(all[_i].code, &read));
	ck_assert_uint_eq(read.length, all[_i].length);
	ck_assert_uint_eq(read.is_memory ? read.base : FP_NO_REGISTER, all[_i].base);
	ck_assert_int_eq(read.distance, all[_i].distance);
	ck_assert_int_eq(read.immediate, all[_i].immediate);
}
END_TEST

enum { INSTRUCTIONS = 10 };

START_TEST(a_call_and_its_stub_say_where_they_lead)
{
	static const uint8_t direct[] = {0x90, 0xe8, 0x10, 0, 0, 0};
	static const uint8_t through_slot[] = {0xff, 0x15, 0xf0, 0xff, 0xff, 0xff};
	static const uint8_t through_register[] = {0x90, 0x90, 0x90, 0x90, 0xff, 0xd0};
	static const uint8_t stub[FP_STUB_BYTES] = {0xff, 0x25, 4, 0, 0, 0};
	static const uint8_t permitted[FP_STUB_BYTES] = {0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff,
	                                                 0x25, 4,    0,    0,    0};
	static const uint8_t none[FP_STUB_BYTES] = {0x55, 0x48, 0x89, 0xe5};
	bool is_through_slot;

	ck_assert_uint_eq(fp_instruction_callee(direct, 0x1000, &is_through_slot), 0x1010);
	ck_assert(!is_through_slot);
	ck_assert_uint_eq(fp_instruction_callee(through_slot, 0x1000, &is_through_slot), 0xff0);
	ck_assert(is_through_slot);
	ck_assert_uint_eq(fp_instruction_callee(through_register, 0x1000, &is_through_slot), 0);
	ck_assert(!is_through_slot);
	ck_assert_uint_eq(fp_instruction_slot_of_stub(stub, 0x2000), 0x200a);
	ck_assert_uint_eq(fp_instruction_slot_of_stub(permitted, 0x2000), 0x200f);
	ck_assert_uint_eq(fp_instruction_slot_of_stub(none, 0x2000), 0);
}
END_TEST

START_TEST(threads_have_their_own_ids_and_ordinals)
{
	uint32_t ordinals[8];
	unsigned seen = 0;
	char name[16];

	ck_assert_uint_eq(fp_thread_ordinal(), 0);
	test_run_threads(8, note_ordinal, ordinals);
	for (int i = 0; i < 8; i++)
		seen |= 1U << ordinals[i];
	ck_assert_uint_eq(seen, 0x1fe);
	ck_assert_int_eq(pthread_setname_np(pthread_self(), "a-fifteen-bytes"), 0);
	fp_thread_name(name);
	ck_assert_str_eq(name, "a-fifteen-bytes");
}
END_TEST

static void compare_id(void *unused)
{
	(void)unused;
	fp_thread_forget_id();
	_exit(fp_thread_self() == (uint32_t)getpid() ? 0 : 1);
}

START_TEST(a_forked_child_learns_its_own_id)
{
	struct test_child child;

	ck_assert_uint_eq(fp_thread_self(), (uint32_t)getpid());
	test_run_child(compare_id, NULL, &child);
	ck_assert_int_eq(child.status, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base");
	TCase *tests = tcase_create("base");

	tcase_add_test(tests, rounding_is_exact_at_the_edges);
	tcase_add_test(tests, a_lock_admits_one_thread_at_a_time);
	tcase_add_test(tests, a_held_lock_makes_others_wait_until_it_is_released);
	tcase_add_test(tests, who_waits_for_a_confined_thread_goes_on);
	tcase_add_loop_test(tests, a_lock_of_no_greater_rank_panics, 0,
	                    FP_RANK_COUNT * FP_RANK_COUNT);
	tcase_add_test(tests, a_release_out_of_order_keeps_the_higher_rank);
	tcase_add_test(tests, locks_of_a_rank_are_taken_together);
	tcase_add_test(tests, a_panic_says_its_line_and_aborts);
	tcase_add_test(tests, injection_hits_the_nth_request_of_its_point_only);
	tcase_add_test(tests, each_memory_call_can_be_made_to_fail);
	tcase_add_loop_test(tests, an_instruction_has_its_length_and_its_operand, 0,
	                    INSTRUCTIONS);
	tcase_add_test(tests, a_call_and_its_stub_say_where_they_lead);
	tcase_add_test(tests, threads_have_their_own_ids_and_ordinals);
	tcase_add_test(tests, a_forked_child_learns_its_own_id);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
