/* SPDX-License-Identifier: Apache-2.0
 *
 * What unit tests share: touching memory that may fault, children whose end and last words are
 * looked at, threads. Knows no module.
 */
#ifndef TESTS_SUPPORT_SUPPORT_H
#define TESTS_SUPPORT_SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs SUITE as the CK_* variables say; the exit status of a test program. */
int test_run(Suite *suite);

/* ck_assert for loops: Check sends a message for each assertion that holds, this only for the
 * one that does not. */
#define test_that(condition) ((condition) ? (void)0 : ck_abort_msg("not so: %s", #condition))

/* Whether the access faults (SIGSEGV or SIGBUS); without a fault it has happened. Writes 0xa5.
 * One thread at a time. */
bool test_read_faults(uintptr_t address);
bool test_write_faults(uintptr_t address);

struct test_child {
	int status;       /* as waitpid(2) gives it */
	char text[16384]; /* what it wrote on standard error, terminated */
};

/* Runs BODY in a forked child that ends with exit status 0 when BODY returns. A child that
 * hangs is killed with its test. */
void test_run_child(void (*body)(void *user), void *user, struct test_child *child);

/* For the body of a child that takes descriptors away, Check's own among them: says what did
 * not hold on standard error and ends the child with exit status 1. */
#define test_must(condition)                                                                   \
	((condition) ? (void)0 : test_fail_child(__FILE__, __LINE__, #condition))
_Noreturn void test_fail_child(const char *file, int line, const char *condition);

/* Asserts that the child ended with exit status 0. */
#define test_expect_success(child)                                                             \
	ck_assert_msg((child).status == 0, "status %#x: %s", (unsigned)(child).status,         \
	              (child).text)

/* Runs BODY in COUNT threads (at most 16) that start together, and waits for all. */
void test_run_threads(unsigned count, void (*body)(unsigned index, void *user), void *user);

/* A name for a file of this process; `make clean` removes what a failed test leaves. Valid
 * until eight more were asked for. */
const char *test_path(const char *name);

/* All of a file, terminated; its size in *SIZE unless that is NULL. Fails the test when there
 * is no such file. The caller frees it. */
char *test_read_file(const char *path, size_t *size);

/* The calling thread's share of /proc/self/status in KiB, for example "VmRSS:". */
long test_status_kib(const char *key);

/* Lines in /proc/self/maps. */
size_t test_mapping_count(void);

#endif
