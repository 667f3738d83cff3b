/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaks per test for Check: the test that leaks fails, and says where the lost blocks were
 * allocated. For each test case, before it gets other fixtures, so that what they leave behind
 * counts, too:
 *
 *     fencepost_fail_on_leaks(tcase);
 *
 * It works in both of Check's modes: with a process for each test, and with CK_FORK=no. Start
 * the program with `fencepost run`, or link it with libfencepost. Without Fencepost this says
 * so once and does nothing. With a glibc before 2.34, link with -ldl.
 */
#ifndef FENCEPOST_CHECK_H
#define FENCEPOST_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <dlfcn.h>

#include <check.h>

/* The program's, however many of its files include this. */
__attribute__((weak)) struct {
	bool is_told; /* that Fencepost is not there */
	/* Of <fencepost/fencepost.h>. */
	bool (*has_new_leaks)(char *text, size_t size);
} fencepost_check;

/* What was lost before is not this test's. */
static inline void fencepost_begin_test(void)
{
	fencepost_check.has_new_leaks(NULL, 0);
}

static inline void fencepost_end_test(void)
{
	static char text[4096]; /* Check has room for 8192 */

	if (fencepost_check.has_new_leaks(text, sizeof(text)))
		ck_abort_msg("this test leaked\n%s", text);
}

static inline void fencepost_fail_on_leaks(TCase *tcase)
{
	/* A weak symbol would not find it from a program that is not position-independent. The
	 * first argument is RTLD_DEFAULT, for which <dlfcn.h> wants _GNU_SOURCE. */
	*(void **)&fencepost_check.has_new_leaks = dlsym(NULL, "fp_has_new_leaks");
	if (fencepost_check.has_new_leaks)
		tcase_add_checked_fixture(tcase, fencepost_begin_test, fencepost_end_test);
	else if (!fencepost_check.is_told)
		fputs("fencepost: leaks are not looked for: start the tests with fencepost "
		      "run\n",
		      stderr);
	fencepost_check.is_told = true;
}

#endif /* FENCEPOST_CHECK_H */
