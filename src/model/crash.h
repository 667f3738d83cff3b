/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of a crash beside what every finding has: a signal that ended the process, and
 * that the program did not handle.
 */
#ifndef FP_MODEL_CRASH_H
#define FP_MODEL_CRASH_H

#include <stdint.h>

#include "model/block.h"

enum fp_crash_cause {
#define FP_CRASH(constant, name, cwe) FP_CRASH_##constant,
#include "model/crash.def"
#undef FP_CRASH
	FP_CRASH_CAUSE_COUNT
};

struct fp_crash_traits {
	const char *name; /* the word users and machines see, for example "null-pointer" */
	int cwe;          /* number in the Common Weakness Enumeration */
};

enum {
	FP_CRASH_REGISTERS_MAX = 36,
	FP_CRASH_NEAREST_MAX = 2,
	FP_CRASH_MESSAGE_MAX = 1024, /* bytes, terminating zero included; and so on */
	FP_CRASH_EXCEPTION_MAX = 256,
	FP_CRASH_NAME_MAX = 8,
	FP_CRASH_MEANING_MAX = 112
};

struct fp_crash_register {
	char name[FP_CRASH_NAME_MAX]; /* as debuggers have it, "rax" */
	uint64_t value;
	char meaning[FP_CRASH_MEANING_MAX]; /* what it points to; "": a number, or code or data
	                                       of a module */
};

struct fp_crash {
	int32_t signal;
	int32_t code; /* siginfo's */
	enum fp_crash_cause cause;
	uintptr_t address; /* what was accessed; 0: not known */
	/* What the C library said as it aborted, or the C++ exception that nobody caught: its
	 * type, mangled, and what() it says. "" where there is none. */
	char message[FP_CRASH_MESSAGE_MAX];
	char exception[FP_CRASH_EXCEPTION_MAX];
	uint32_t register_count;
	struct fp_crash_register registers[FP_CRASH_REGISTERS_MAX];
	/* Of a wild address: the live block before it and the one behind it that are not far
	 * away, the nearer one first. */
	uint32_t nearest_count;
	struct fp_block nearest[FP_CRASH_NEAREST_MAX];
};

/* Never NULL for a cause below FP_CRASH_CAUSE_COUNT. Any context. */
const struct fp_crash_traits *fp_crash_traits(enum fp_crash_cause cause);

#endif
