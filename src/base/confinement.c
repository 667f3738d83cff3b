/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads under seccomp, for which we make no system call that would end the process, stop it,
 * or run a handler of the program's: it would not have happened without us. What is not made
 * fails with EPERM, as under a filter that only refuses. To end is what is asked for where a
 * process ends: in strict mode exit_group(2) is death by SIGKILL, as it is without us.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/meta.h"
#include "base/readable.h"
#include "base/sys.h"
#include "base/thread.h"

#if defined(__x86_64__)
enum { ARCHITECTURE = (int)AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { ARCHITECTURE = (int)AUDIT_ARCH_AARCH64 };
#else
enum { ARCHITECTURE = (int)AUDIT_ARCH_RISCV64 };
#endif

/* Its bytes are those of the program's, whose memory may go. */
struct filter {
	struct filter *next; /* installed before */
	uint32_t owner;      /* the thread that installed it, by its ordinal */
	uint32_t threads;    /* that were there: those made since may have inherited it */
	_Atomic bool is_for_all;
	_Atomic bool is_void; /* the kernel did not take it */
	size_t count;
	struct sock_filter code[];
};

_Atomic bool fp_sys_is_confined;

static struct filter *_Atomic filters;
static _Atomic pid_t process;
static _Thread_local bool is_strict;
static _Thread_local uint32_t thread;

static void remember_who(void)
{
	atomic_store(&process, fp_sys_getpid());
	thread = fp_thread_self();
}

void fp_sys_confine(bool is_confined)
{
	if (is_confined)
		remember_who();
	is_strict = is_confined;
	atomic_store(&fp_sys_is_confined, is_confined || atomic_load(&filters) != NULL);
}

/* ---- Filters -------------------------------------------------------------------------------
 */

/* Without room to keep it, all is refused that could be. */
bool fp_sys_obey(const struct sock_fprog *program, bool is_for_all)
{
	if (!fp_is_readable(program, sizeof(*program)) ||
	    !fp_is_readable(program->filter, program->len * sizeof(program->filter[0])))
		return false;
	size_t bytes = program->len * sizeof(program->filter[0]);
	struct filter *filter = fp_meta_alloc(sizeof(*filter) + bytes);

	if (filter == NULL) {
		fp_sys_confine(true);
		return false;
	}
	remember_who();
	filter->owner = fp_thread_ordinal();
	filter->threads = fp_thread_count();
	filter->is_for_all = is_for_all;
	filter->count = program->len;
	__builtin_memcpy(filter->code, program->filter, bytes);
	filter->next = atomic_load(&filters);
	while (!atomic_compare_exchange_weak(&filters, &filter->next, filter))
		;
	atomic_store(&fp_sys_is_confined, true);
	return true;
}

void fp_sys_disobey(void)
{
	for (struct filter *filter = atomic_load(&filters); filter != NULL;
	     filter = filter->next)
		if (filter->owner == fp_thread_ordinal()) {
			atomic_store(&filter->is_void, true);
			return;
		}
}

static uint32_t calculate(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b == 0 ? 0 : a / b;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return b < 32 ? a << b : 0;
	case BPF_RSH:
		return b < 32 ? a >> b : 0;
	default:
		return 0 - a; /* BPF_NEG */
	}
}

static bool holds(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default:
		return (a & b) != 0; /* BPF_JSET */
	}
}

/* What the registers of a filter hold. */
struct state {
	uint32_t a;
	uint32_t x;
	uint32_t memory[BPF_MEMWORDS];
};

static uint32_t load(const struct state *state, const struct sock_filter *at,
                     const struct seccomp_data *data)
{
	uint32_t word = sizeof(*data); /* BPF_LEN */

	switch (BPF_MODE(at->code)) {
	case BPF_IMM:
		return at->k;
	case BPF_MEM:
		return state->memory[at->k % BPF_MEMWORDS];
	case BPF_ABS:
		if (at->k <= sizeof(*data) - sizeof(word))
			__builtin_memcpy(&word, (const char *)data + at->k, sizeof(word));
		return word;
	default:
		return word;
	}
}

/* What FILTER answers. The kernel takes none that reads elsewhere, goes back or falls off its
 * end; of one that would, what follows does not matter. */
static uint32_t run(const struct filter *filter, const struct seccomp_data *data)
{
	struct state state = {0};

	for (size_t i = 0; i < filter->count; i++) {
		const struct sock_filter *at = &filter->code[i];
		uint32_t operand = BPF_SRC(at->code) == BPF_X ? state.x : at->k;

		switch (BPF_CLASS(at->code)) {
		case BPF_LD:
			state.a = load(&state, at, data);
			break;
		case BPF_LDX:
			state.x = load(&state, at, data);
			break;
		case BPF_ST:
			state.memory[at->k % BPF_MEMWORDS] = state.a;
			break;
		case BPF_STX:
			state.memory[at->k % BPF_MEMWORDS] = state.x;
			break;
		case BPF_ALU:
			state.a = calculate(at->code, state.a, operand);
			break;
		case BPF_JMP:
			if (BPF_OP(at->code) == BPF_JA)
				i += at->k;
			else
				i += holds(at->code, state.a, operand) ? at->jt : at->jf;
			break;
		case BPF_RET:
			return BPF_RVAL(at->code) == BPF_A ? state.a : at->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(at->code) == BPF_TAX)
				state.x = state.a;
			else
				state.a = state.x;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* To be killed, to come to a handler of the program's, or to wait for somebody's answer. */
static bool is_deadly(uint32_t answer)
{
	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return false;
	default:
		return true;
	}
}

static bool is_refused_by_filter(long number, const long *arguments)
{
	struct seccomp_data data = {
	        .nr = (int)number,
	        .arch = (uint32_t)ARCHITECTURE,
	        .instruction_pointer = (uintptr_t)is_refused_by_filter,
	};

	for (int i = 0; i < 6; i++)
		data.args[i] = (uint64_t)arguments[i];
	for (struct filter *filter = atomic_load(&filters); filter != NULL;
	     filter = filter->next) {
		uint32_t self = fp_thread_ordinal();
		bool is_ours = atomic_load(&filter->is_for_all) || self == filter->owner ||
		               self >= filter->threads;

		if (is_ours && !atomic_load(&filter->is_void) && is_deadly(run(filter, &data)))
			return true;
	}
	return false;
}

/* ---- Both ----------------------------------------------------------------------------------
 */

bool fp_sys_is_refused(long number, const long *arguments, long *result)
{
	if (number == SYS_exit || number == SYS_exit_group)
		return false;
	if (is_strict ? number == SYS_read || number == SYS_write
	              : !is_refused_by_filter(number, arguments))
		return false;
	*result = -EPERM;
	if (number == SYS_getpid)
		*result = atomic_load(&process);
	else if (number == SYS_gettid)
		*result = thread != 0 ? (long)thread : atomic_load(&process);
	return true;
}

long fp_sys_call_confined(long number, long a, long b, long c, long d, long e, long f)
{
	const long arguments[] = {a, b, c, d, e, f};
	long result;

	return fp_sys_is_refused(number, arguments, &result)
	               ? result
	               : fp_sys_call(number, a, b, c, d, e, f);
}
