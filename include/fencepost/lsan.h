/* SPDX-License-Identifier: Apache-2.0
 *
 * LeakSanitizer's functions, as <sanitizer/lsan_interface.h> declares them: programs that were
 * annotated for it need no change, and may include that header instead of this one. Both
 * libraries have them. Before there is a session, checks find nothing.
 *
 * A program may define the three functions at the end; they are asked when leaks are looked
 * for. Of LeakSanitizer's options, which LSAN_OPTIONS has as well, detect_leaks and
 * suppressions count. A program that is not linked with the library, but runs under fencepost
 * run, is to show them to libraries (-rdynamic).
 */
#ifndef FENCEPOST_LSAN_H
#define FENCEPOST_LSAN_H

#include <stddef.h>

#include <fencepost/com.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the calling thread allocates between the two is no leak, nor what it points to. They may
 * be nested. */
FP_API void __lsan_disable(void);
FP_API void __lsan_enable(void);

/* The live block that p points into is no leak, nor what it points to. */
FP_API void __lsan_ignore_object(const void *p);

/* Memory to look for pointers in, beyond where they are looked for anyway. Unregistering one
 * takes the same p and size. What cannot be read is left out. */
FP_API void __lsan_register_root_region(const void *p, size_t size);
FP_API void __lsan_unregister_root_region(const void *p, size_t size);

/* Look for leaks now, and neither at the end nor at later calls. If there are any and the
 * option error_exitcode is not 0, the process ends with that status. */
FP_API void __lsan_do_leak_check(void);

/* Look for leaks now and go on: not 0 when any block is lost. See fp_check_leaks(). */
FP_API int __lsan_do_recoverable_leak_check(void);

/* The program's. Not 0: leaks are not looked for. */
FP_API int __lsan_is_turned_off(void);

/* The program's. "detect_leaks=0:suppressions=FILE", and what is known in LeakSanitizer's
 * syntax, a line each: "leak:function". */
FP_API const char *__lsan_default_options(void);
FP_API const char *__lsan_default_suppressions(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FENCEPOST_LSAN_H */
