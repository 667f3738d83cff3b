/* SPDX-License-Identifier: Apache-2.0
 *
 * What other objects see of this library. Any context.
 */
#ifndef FP_PRELOAD_EXPORT_H
#define FP_PRELOAD_EXPORT_H

#include <stddef.h>

#define FP_EXPORT __attribute__((visibility("default")))

/* In libc without a declaration, or only in newer ones. */
void cfree(void *block);
void free_sized(void *block, size_t size);
void free_aligned_sized(void *block, size_t align, size_t size);
void (*bsd_signal(int number, void (*handler)(int)))(int);

/* LeakSanitizer's, as <fencepost/lsan.h> has them. */
int __lsan_is_turned_off(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void);
FP_EXPORT void __lsan_disable(void);
FP_EXPORT void __lsan_enable(void);
FP_EXPORT void __lsan_ignore_object(const void *p);
FP_EXPORT void __lsan_register_root_region(const void *p, size_t size);
FP_EXPORT void __lsan_unregister_root_region(const void *p, size_t size);
FP_EXPORT void __lsan_do_leak_check(void);
FP_EXPORT int __lsan_do_recoverable_leak_check(void);

/* AddressSanitizer's, as <sanitizer/asan_interface.h> has them. */
FP_EXPORT void __asan_poison_memory_region(const volatile void *address, size_t bytes);
FP_EXPORT void __asan_unpoison_memory_region(const volatile void *address, size_t bytes);
FP_EXPORT int __asan_address_is_poisoned(const volatile void *address);
FP_EXPORT void *__asan_region_is_poisoned(void *address, size_t bytes);

#endif
