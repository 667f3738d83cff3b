/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls by name: what the arguments of one point to, held against our blocks, for who
 * makes it by number and for the C library's functions that make it.
 *
 * Context: alloc. Private to the module. errno stays.
 */
#ifndef FP_PRELOAD_ARGUMENTS_H
#define FP_PRELOAD_ARGUMENTS_H

enum fp_call {
#define FP_SYSTEM_CALL(name, number, elsewhere, ...) FP_CALL_##name,
#define FP_OLD_SYSTEM_CALL(name, number, ...) FP_CALL_##name,
#define FP_UNCHECKED(what, why)
#include "preload/system_calls.def"
#undef FP_SYSTEM_CALL
#undef FP_OLD_SYSTEM_CALL
#undef FP_UNCHECKED
	FP_CALLS
};

enum { FP_CALL_ARGUMENTS = 6 };

void fp_check_call(enum fp_call call, const long *arguments);

/* fp_check(name, up to six arguments, numbers or pointers) */
#define FP_CHECK_LONGS(name, a, b, c, d, e, f, ...)                                            \
	fp_check_call(FP_CALL_##name,                                                          \
	              (const long[FP_CALL_ARGUMENTS]){(long)(a), (long)(b), (long)(c),         \
	                                              (long)(d), (long)(e), (long)(f)})
#define fp_check(...) FP_CHECK_LONGS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

#endif
