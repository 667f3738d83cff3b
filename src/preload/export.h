/* SPDX-License-Identifier: Apache-2.0
 *
 * What other objects see of this library. Any context.
 */
#ifndef FP_PRELOAD_EXPORT_H
#define FP_PRELOAD_EXPORT_H

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define FP_EXPORT __attribute__((visibility("default")))

/* What the kernel answered, as the C library has it: -1 with errno. */
static inline long fp_preload_answer(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* libc's own function NAME. All that are named so are found when the door opens, since who
 * calls one may be a signal's handler or a child of vfork, which cannot look for it; or at the
 * first call, because another library's constructor may come before ours (in calls.c). */
struct fp_preload_libc {
	const char *name;
	void *_Atomic function;
};
void fp_preload_find_libc(void);

#define FP_LIBC(name)                                                                          \
	({                                                                                     \
		static struct fp_preload_libc libc_own                                         \
		        __attribute__((section("fp_libc"), used)) = {#name, NULL};             \
		if (libc_own.function == NULL)                                                 \
			fp_preload_find_libc();                                                \
		(__typeof__(&(name)))(uintptr_t)libc_own.function;                             \
	})

/* In libc without a declaration, or only in newer ones. */
void cfree(void *block);
void free_sized(void *block, size_t size);
void free_aligned_sized(void *block, size_t align, size_t size);
void (*bsd_signal(int number, void (*handler)(int)))(int);

/* AddressSanitizer's, as <sanitizer/asan_interface.h> has them. */
FP_EXPORT void __asan_poison_memory_region(const volatile void *address, size_t bytes);
FP_EXPORT void __asan_unpoison_memory_region(const volatile void *address, size_t bytes);
FP_EXPORT int __asan_address_is_poisoned(const volatile void *address);
FP_EXPORT void *__asan_region_is_poisoned(void *address, size_t bytes);

#endif
