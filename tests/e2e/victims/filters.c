/* SPDX-License-Identifier: Apache-2.0
 *
 * Each filter is a list of rules; the first that matches answers, everything else is allowed.
 */
#include "filters.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "name this machine's AUDIT_ARCH_ constant"
#endif

enum { RULES_MAX = 4, RULE_LENGTH = 5, PROGRAM_MAX = 4 + RULES_MAX * RULE_LENGTH };

enum test { ANY, EQUAL, ABOVE, WITH };

/* SYSCALL is answered with ACTION when TEST holds between its argument and VALUE; WITH: it has
 * one of those bits. */
struct rule {
	int syscall;
	uint32_t action;
	enum test test;
	uint32_t offset; /* of the 32 bits of struct seccomp_data that are looked at */
	uint32_t value;
};

#define REFUSED(error) (SECCOMP_RET_ERRNO | (error))
#define LOW_HALF(index)                                                                        \
	(uint32_t)(offsetof(struct seccomp_data, args) + (index) * sizeof(uint64_t))
#define HIGH_HALF(index) (LOW_HALF(index) + (uint32_t)sizeof(uint32_t))

enum { GUARD_INSTALL = 102 };

static const struct filter {
	const char *name;
	struct rule rules[RULES_MAX];
} filters[] = {
        {"no-userfaultfd", {{SYS_userfaultfd, REFUSED(EPERM), ANY, 0, 0}}},
        {"guards-unknown",
         {{SYS_userfaultfd, REFUSED(EPERM), ANY, 0, 0},
          {SYS_madvise, REFUSED(EINVAL), EQUAL, LOW_HALF(2), GUARD_INSTALL}}},
        {"guards-refused",
         {{SYS_userfaultfd, REFUSED(EPERM), ANY, 0, 0},
          {SYS_madvise, REFUSED(EPERM), EQUAL, LOW_HALF(2), GUARD_INSTALL}}},
        {"no-mprotect", {{SYS_mprotect, REFUSED(EPERM), ANY, 0, 0}}},
        {"no-madvise", {{SYS_madvise, REFUSED(EPERM), ANY, 0, 0}}},
        {"no-ioctl", {{SYS_ioctl, REFUSED(EPERM), ANY, 0, 0}}},
        {"no-inaccessible-maps", {{SYS_mmap, REFUSED(EPERM), EQUAL, LOW_HALF(2), PROT_NONE}}},
        {"no-fixed-maps", {{SYS_mmap, REFUSED(EPERM), WITH, LOW_HALF(3), MAP_FIXED}}},
        {"no-mapping-or-protecting",
         {{SYS_mmap, REFUSED(EPERM), ANY, 0, 0}, {SYS_mprotect, REFUSED(EPERM), ANY, 0, 0}}},
        {"no-mremap", {{SYS_mremap, REFUSED(EPERM), ANY, 0, 0}}},
        {"no-exit-group", {{SYS_exit_group, REFUSED(EPERM), ANY, 0, 0}}},
        {"no-exit",
         {{SYS_exit_group, REFUSED(EPERM), ANY, 0, 0}, {SYS_exit, REFUSED(EPERM), ANY, 0, 0}}},
        {"no-code",
         {{SYS_mprotect, REFUSED(EPERM), EQUAL, LOW_HALF(2), 7},
          {SYS_mmap, REFUSED(EPERM), EQUAL, LOW_HALF(2), 7}}},
        {"only-guards-refused",
         {{SYS_madvise, REFUSED(EPERM), EQUAL, LOW_HALF(2), GUARD_INSTALL}}},
        {"guards-kill",
         {{SYS_madvise, SECCOMP_RET_KILL_PROCESS, EQUAL, LOW_HALF(2), GUARD_INSTALL}}},
        {"guards-trap", {{SYS_madvise, SECCOMP_RET_TRAP, EQUAL, LOW_HALF(2), GUARD_INSTALL}}},
        {"both-kill",
         {{SYS_userfaultfd, SECCOMP_RET_KILL_PROCESS, ANY, 0, 0},
          {SYS_madvise, SECCOMP_RET_KILL_PROCESS, EQUAL, LOW_HALF(2), GUARD_INSTALL}}},
        {"nothing-left",
         {{SYS_userfaultfd, REFUSED(EPERM), ANY, 0, 0},
          {SYS_ioctl, REFUSED(EPERM), ANY, 0, 0},
          {SYS_madvise, REFUSED(EPERM), ANY, 0, 0}}},
        /* What vm.overcommit_memory=2 does to a reservation that could be written to. */
        {"no-large-reservations", {{SYS_mmap, REFUSED(ENOMEM), ABOVE, HIGH_HALF(1), 1}}},
};

static size_t add_rule(struct sock_filter *at, const struct rule *rule, int error)
{
	static const uint16_t jumps[] = {
	        [ANY] = BPF_JGE, [EQUAL] = BPF_JEQ, [ABOVE] = BPF_JGE, [WITH] = BPF_JSET};
	bool is_other = error != 0 && rule->action == REFUSED(EPERM);
	const struct sock_filter code[RULE_LENGTH] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->syscall, 0, 3),
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, rule->offset),
	        /* Every value is above or equal 0. */
	        BPF_JUMP(BPF_JMP | jumps[rule->test] | BPF_K, rule->value, 0, 1),
	        BPF_STMT(BPF_RET | BPF_K, is_other ? REFUSED((uint32_t)error) : rule->action),
	};

	memcpy(at, code, sizeof(code));
	return RULE_LENGTH;
}

static int install(const struct rule *rules, int error)
{
	struct sock_filter code[PROGRAM_MAX] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	size_t length = 3;

	for (size_t i = 0; i < RULES_MAX && rules[i].action != 0; i++)
		length += add_rule(&code[length], &rules[i], error);
	code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = {.len = (unsigned short)length, .filter = code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int filter_enter_with(const char *name, int error)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (strcmp(filters[i].name, name) == 0)
			return install(filters[i].rules, error);
	errno = ENOENT;
	return -1;
}

int filter_enter(const char *name)
{
	return filter_enter_with(name, 0);
}
