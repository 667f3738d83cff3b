/* SPDX-License-Identifier: Apache-2.0
 *
 * A machine that really does not overcommit. Every program of the machine feels the setting, so
 * this is no part of `make check`, where a filter simulates it, but of `make check-long`.
 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define OVERCOMMIT "/proc/sys/vm/overcommit_memory"

static bool set_overcommit(char mode)
{
	int fd = open(OVERCOMMIT, O_WRONLY | O_CLOEXEC);
	bool is_set = fd >= 0 && write(fd, &mode, 1) == 1;

	if (fd >= 0)
		close(fd);
	return is_set;
}

/* A figure of /proc/meminfo in KiB. */
static long memory_figure(const char *key)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[200];
	long figure = -1;

	ck_assert_ptr_nonnull(file);
	while (figure < 0 && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			figure = atol(line + strlen(key));
	fclose(file);
	return figure;
}

/* It is the whole machine's, and other programs' and tests': only when it was asked for, where
 * we may, and where nobody comes near the limit. */
static bool may_set_overcommit(char *old)
{
	int fd = open(OVERCOMMIT, O_RDWR | O_CLOEXEC);
	bool is_read = fd >= 0 && read(fd, old, 1) == 1;

	if (fd >= 0)
		close(fd);
	return is_read && memory_figure("Committed_AS:") < memory_figure("CommitLimit:") / 4;
}

/* Puts OLD back when the returned descriptor is closed, however this process ends. */
static int set_restorer(char old, pid_t *restorer)
{
	int ends[2];
	char unused;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	*restorer = fork();
	ck_assert_int_ge(*restorer, 0);
	if (*restorer == 0) {
		setsid();
		signal(SIGTERM, SIG_IGN);
		close(ends[1]);
		while (read(ends[0], &unused, 1) > 0)
			;
		_exit(set_overcommit(old) ? 0 : 1);
	}
	close(ends[0]);
	return ends[1];
}

START_TEST(a_machine_that_does_not_overcommit)
{
	static const char *const argv[] = {"tests/e2e/victims/hostile",
	                                   "start",
	                                   "before",
	                                   "fill=20000",
	                                   "map=8",
	                                   "drain",
	                                   "guarded",
	                                   "after",
	                                   NULL};
	struct e2e_run run = {0};
	pid_t restorer;
	int status;
	char old;

	if (!e2e_can_run(_i) || _i == E2E_NONE)
		return;
	if (!may_set_overcommit(&old)) {
		printf("SKIPPED: vm.overcommit_memory may not be set here\n");
		return;
	}
	int keeper = set_restorer(old, &restorer);
	bool is_set = set_overcommit('2');
	e2e_run(&run, e2e_backend_option(_i), argv);
	close(keeper);
	ck_assert_int_eq(waitpid(restorer, &status, 0), restorer);
	ck_assert_int_eq(status, 0);
	ck_assert(is_set);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	ck_assert_int_eq(e2e_get_integer(e2e_get(run.report, "protection"), "padded"), 0);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("a machine that does not overcommit");
	TCase *tcase = tcase_create("a machine that does not overcommit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, a_machine_that_does_not_overcommit, 0, E2E_BACKEND_COUNT);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
