/* SPDX-License-Identifier: Apache-2.0
 *
 * Cgroups of the running kernel: a child is put into real ones, and asks what memory there is
 * and where pressure is told. Making them takes root and a kernel that lets us; a test that
 * cannot says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/machine.h"
#include "support/support.h"

enum { MIB = 1 << 20 };

/* Where one version of the memory controller is, and the names of its files. */
struct place {
	const char *mount;
	const char *limit;
	const char *below; /* the file by which children get the controller, or NULL */
};

static const struct place v1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", NULL};
static const struct place v2 = {"/sys/fs/cgroup", "memory.max", "cgroup.subtree_control"};

static char outer[100];
static char inner[120];

static bool put(const char *directory, const char *file, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	int fd = open(path, O_WRONLY);
	bool is_put = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return is_put;
}

static bool has_file(const char *directory, const char *file)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return access(path, R_OK) == 0;
}

static void remove_groups(void)
{
	rmdir(inner);
	rmdir(outer);
}

/* Two groups, one in the other, below MOUNT. */
static bool make_groups(const char *mount, const char *below)
{
	snprintf(outer, sizeof(outer), "%s/fencepost-test-%d", mount, (int)getpid());
	snprintf(inner, sizeof(inner), "%s/inner", outer);
	if (below != NULL && !put(mount, below, "+memory"))
		return false;
	return mkdir(outer, 0700) == 0 && (below == NULL || put(outer, below, "+memory")) &&
	       mkdir(inner, 0700) == 0;
}

static void join(const char *directory)
{
	char pid[20];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	test_must(put(directory, "cgroup.procs", pid));
}

/* ---- How much ------------------------------------------------------------------------------
 */

static void expect_limit(uint64_t limit)
{
	struct fp_machine_memory memory;

	test_must(fp_machine_memory(&memory) == 0);
	test_must(memory.is_limited && memory.total == limit);
	test_must(memory.available <= limit);
}

/* The one that leaves least decides, as the limits of nested groups change. */
static void ask_inside(void *user)
{
	const struct place *place = user;
	struct fp_machine_memory memory;
	struct fp_machine_shortage shortage;

	join(inner);
	test_must(put(inner, place->limit, "67108864"));
	expect_limit(64 * MIB);
	test_must(put(outer, place->limit, "50331648"));
	expect_limit(48 * MIB);
	test_must(put(inner, place->limit, "33554432"));
	expect_limit(32 * MIB);
	test_must(fp_machine_memory(&memory) == 0);
	/* What this process touches is not available any more. */
	volatile char *touched = malloc(16 * MIB);
	for (size_t at = 0; at < 16 * MIB; at += 4096)
		touched[at] = 1;
	uint64_t before = memory.available;
	test_must(fp_machine_memory(&memory) == 0 && memory.available + 12 * MIB < before);
	free((void *)(uintptr_t)touched);
	test_must(fp_machine_shortage(64 * MIB, &shortage));
	test_must(strcmp(shortage.limit, "the limit of the memory cgroup") == 0);
}

static void check_limits(const struct place *place)
{
	struct test_child child = {.status = -1};

	if (make_groups(place->mount, place->below)) {
		test_run_child(ask_inside, (void *)(uintptr_t)place, &child);
		remove_groups();
		test_expect_success(child);
		return;
	}
	fprintf(stderr, "SKIPPED: no memory cgroup can be made in %s: %s\n", place->mount,
	        strerror(errno));
	remove_groups();
}

START_TEST(nested_limits_of_v1_are_those_of_the_kernel)
{
	check_limits(&v1);
}
END_TEST

START_TEST(nested_limits_of_v2_are_those_of_the_kernel)
{
	check_limits(&v2);
}
END_TEST

/* ---- When it gets scarce -------------------------------------------------------------------
 */

/* The file that the kernel was asked to wake us by. */
static void watch_inside(void *user)
{
	struct fp_machine_watch watch;
	char link[60];
	char target[300] = "";
	const char *expected = user;

	join(outer);
	fp_machine_watch_begin(&watch);
	fp_machine_watch_wait(&watch, 1);
	test_must(watch.fd >= 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", watch.fd);
	test_must(readlink(link, target, sizeof(target) - 1) > 0);
	test_must(strcmp(target, expected) == 0);
	fp_machine_watch_end(&watch);
}

/* Also where the memory controller itself is one of version 1. */
START_TEST(pressure_is_watched_in_the_own_cgroup)
{
	const char *mount = has_file("/sys/fs/cgroup/unified", "cgroup.procs")
	                            ? "/sys/fs/cgroup/unified"
	                            : "/sys/fs/cgroup";
	struct test_child child = {.status = -1};
	char expected[200];
	bool is_made = make_groups(mount, NULL) && has_file(outer, "memory.pressure");

	snprintf(expected, sizeof(expected), "%s/memory.pressure", outer);
	if (is_made)
		test_run_child(watch_inside, expected, &child);
	remove_groups();
	if (!is_made) {
		fprintf(stderr, "SKIPPED: no cgroup with memory.pressure can be made in %s\n",
		        mount);
		return;
	}
	test_expect_success(child);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("machine: cgroups");
	TCase *tests = tcase_create("cgroups");

	tcase_add_test(tests, nested_limits_of_v1_are_those_of_the_kernel);
	tcase_add_test(tests, nested_limits_of_v2_are_those_of_the_kernel);
	tcase_add_test(tests, pressure_is_watched_in_the_own_cgroup);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
