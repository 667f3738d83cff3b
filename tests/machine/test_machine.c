/* SPDX-License-Identifier: Apache-2.0
 *
 * Machines and containers made of files: what memory they have, and when it gets scarce.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vm.h"
#include "machine/machine.h"
#include "support/support.h"

#define MIB (1024.0 * 1024)
#define GIB (1024 * MIB)

static char root[300];

/* A file below the root, with the directories above it. */
static void put(const char *path, const char *text)
{
	char whole[600];

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		*slash = '\0';
		ck_assert(mkdir(whole, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	FILE *file = fopen(whole, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void put_number(const char *path, double number)
{
	char text[40];

	snprintf(text, sizeof(text), "%.0f\n", number);
	put(path, text);
}

static void put_machine(double total, double available)
{
	char text[300];

	snprintf(
	        text, sizeof(text),
	        "MemTotal:       %.0f kB\nMemFree:          1234 kB\nMemAvailable:   %.0f kB\n",
	        total / 1024, available / 1024);
	put("/proc/meminfo", text);
}

static void setup(void)
{
	snprintf(root, sizeof(root), "%s", test_path("machine"));
	ck_assert_int_eq(mkdir(root, 0700), 0);
	fp_machine_set_root(root);
	put_machine(16 * GIB, 12 * GIB);
}

static void teardown(void)
{
	char command[400];

	snprintf(command, sizeof(command), "rm -r '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

static void expect(double total, double available, bool is_limited)
{
	struct fp_machine_memory memory;

	ck_assert_int_eq(fp_machine_memory(&memory), 0);
	ck_assert_double_eq((double)memory.total, total);
	ck_assert_double_eq((double)memory.available, available);
	ck_assert(memory.is_limited == is_limited);
}

/* ---- How much ------------------------------------------------------------------------------
 */

START_TEST(the_machine_decides_without_a_cgroup)
{
	expect(16 * GIB, 12 * GIB, false);
	put("/proc/thread-self/cgroup", "0::/user.slice\n");
	put("/proc/thread-self/mountinfo", "25 1 0:2 / / rw - ext4 /dev/sda rw\n");
	expect(16 * GIB, 12 * GIB, false);
}
END_TEST

START_TEST(a_machine_that_says_nothing_is_not_known)
{
	struct fp_machine_memory memory;

	put("/proc/meminfo", "MemTotal: 5 kB\n");
	ck_assert_int_eq(fp_machine_memory(&memory), -ENOENT);
	put("/proc/meminfo", "");
	ck_assert_int_eq(fp_machine_memory(&memory), -ENOENT);
	put("/proc/meminfo", "MemTotal: none\nMemAvailable: 4 kB\n");
	ck_assert_int_eq(fp_machine_memory(&memory), -ENOENT);
}
END_TEST

static void mount_v2(const char *root_of_mount)
{
	char line[300];

	snprintf(line, sizeof(line),
	         "25 1 0:2 / / rw - ext4 /dev/sda rw\n"
	         "30 25 0:26 %s /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 "
	         "rw,nsdelegate\n",
	         root_of_mount);
	put("/proc/thread-self/mountinfo", line);
}

START_TEST(the_nearest_limit_of_v2_decides)
{
	mount_v2("/");
	put("/proc/thread-self/cgroup", "0::/a.slice/b.service\n");
	put("/sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
	put_number("/sys/fs/cgroup/a.slice/b.service/memory.current", 100 * MIB);
	expect(16 * GIB, 12 * GIB, false);
	/* That of the one above it. */
	put_number("/sys/fs/cgroup/a.slice/memory.max", 1 * GIB);
	put_number("/sys/fs/cgroup/a.slice/memory.current", 600 * MIB);
	expect(1 * GIB, 424 * MIB, true);
	/* What can be reclaimed is still available. */
	put("/sys/fs/cgroup/a.slice/memory.stat", "anon 5\ninactive_file 104857600\nslab 1\n");
	expect(1 * GIB, 524 * MIB, true);
	/* Its own, which leaves less. */
	put_number("/sys/fs/cgroup/a.slice/b.service/memory.max", 300 * MIB);
	expect(300 * MIB, 200 * MIB, true);
	/* Above memory.high everything waits. */
	put_number("/sys/fs/cgroup/a.slice/b.service/memory.high", 150 * MIB);
	expect(150 * MIB, 50 * MIB, true);
	put_number("/sys/fs/cgroup/a.slice/b.service/memory.current", 200 * MIB);
	expect(150 * MIB, 0, true);
	/* A limit beyond the machine is none. */
	put_number("/sys/fs/cgroup/a.slice/b.service/memory.high", 1000 * GIB);
	put_number("/sys/fs/cgroup/a.slice/b.service/memory.max", 1000 * GIB);
	put_number("/sys/fs/cgroup/a.slice/memory.max", 1000 * GIB);
	expect(16 * GIB, 12 * GIB, false);
}
END_TEST

/* In its own namespace a container is at the root of what it sees. */
START_TEST(a_container_of_v2_sees_its_limit_at_the_mount)
{
	mount_v2("/");
	put("/proc/thread-self/cgroup", "0::/\n");
	put_number("/sys/fs/cgroup/memory.max", 512 * MIB);
	put_number("/sys/fs/cgroup/memory.current", 128 * MIB);
	expect(512 * MIB, 384 * MIB, true);
}
END_TEST

/* The host's path in /proc/self/cgroup, and only the container's part of the tree mounted. */
START_TEST(a_container_of_v1_leaves_out_what_it_does_not_see)
{
	put("/proc/thread-self/cgroup",
	    "12:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc/inner\n0::/\n");
	put("/proc/thread-self/mountinfo",
	    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
	    "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
	    "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
	    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	put_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", 700 * MIB);
	put_number("/sys/fs/cgroup/memory/memory.usage_in_bytes", 300 * MIB);
	put("/sys/fs/cgroup/memory/memory.stat",
	    "inactive_file 1\ntotal_inactive_file 52428800\n");
	put("/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "9223372036854771712\n");
	put_number("/sys/fs/cgroup/memory/inner/memory.usage_in_bytes", 5 * MIB);
	expect(700 * MIB, 450 * MIB, true);
	put_number("/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", 6 * MIB);
	expect(6 * MIB, 1 * MIB, true);
	/* A limit above the container's, which it does not see. */
	put("/sys/fs/cgroup/memory/memory.stat",
	    "inactive_file 1\nhierarchical_memory_limit 524288000\n"
	    "total_inactive_file 52428800\n");
	put_number("/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", 600 * MIB);
	expect(500 * MIB, 250 * MIB, true);
	put("/sys/fs/cgroup/memory/memory.stat",
	    "inactive_file 1\ntotal_inactive_file 52428800\n");
	put_number("/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", 6 * MIB);
	/* Seen from elsewhere: only the mount can be looked at. */
	put("/proc/thread-self/cgroup", "4:memory:/other\n");
	expect(700 * MIB, 450 * MIB, true);
	put("/proc/thread-self/cgroup", "4:memory:/../../x\n");
	expect(700 * MIB, 450 * MIB, true);
	/* Another controller with a like name. */
	put("/proc/thread-self/cgroup", "4:memoryless:/docker/abc\n");
	expect(16 * GIB, 12 * GIB, false);
}
END_TEST

/* ---- Which limit is hit --------------------------------------------------------------------
 */

static void expect_shortage(double bytes, const char *limit, double value, double used)
{
	struct fp_machine_shortage shortage;

	ck_assert(fp_machine_shortage((uint64_t)bytes, &shortage));
	ck_assert_str_eq(shortage.limit, limit);
	ck_assert_double_eq((double)shortage.value, value);
	ck_assert_double_eq((double)shortage.used, used);
}

START_TEST(the_limit_that_is_hit_is_named)
{
	struct fp_machine_shortage shortage;

	put("/proc/thread-self/status", "VmSize:\t 1048576 kB\nVmData:\t 1024 kB\n");
	put("/proc/thread-self/maps", "1-2 r\n2-3 w\n");
	ck_assert(!fp_machine_shortage(1 << 20, &shortage));
	expect_shortage(12 * GIB, "the memory of the machine", 16 * GIB, 4 * GIB);
	put("/proc/thread-self/cgroup", "0::/x\n");
	mount_v2("/");
	put_number("/sys/fs/cgroup/x/memory.max", 300 * MIB);
	put_number("/sys/fs/cgroup/x/memory.current", 290 * MIB);
	ck_assert(!fp_machine_shortage(5 << 20, &shortage));
	expect_shortage(7 * MIB, "the limit of the memory cgroup", 300 * MIB, 290 * MIB);
	/* What refuses comes before what kills. */
	put("/proc/sys/vm/overcommit_memory", "2\n");
	put("/proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 12582912 kB\n"
	                     "CommitLimit: 8192 kB\nCommitted_AS: 4096 kB\n");
	expect_shortage(1, "CommitLimit (vm.overcommit_memory=2)", 8 * MIB, 4 * MIB);
	put("/proc/sys/vm/overcommit_memory", "0\n");
	ck_assert(!fp_machine_shortage(1, &shortage));
	expect_shortage((double)fp_vm_user_end(), "the address space of a process",
	                (double)fp_vm_user_end(), 1 * GIB);
}
END_TEST

START_TEST(long_and_broken_files_are_read_as_far_as_they_go)
{
	char *line = malloc(10001);

	memset(line, 'x', 10000);
	line[10000] = '\0';
	mount_v2("/");
	put("/proc/thread-self/cgroup", line);
	expect(16 * GIB, 12 * GIB, false);
	put("/proc/thread-self/cgroup", "0::/no-newline");
	put_number("/sys/fs/cgroup/no-newline/memory.max", 300 * MIB);
	put("/sys/fs/cgroup/no-newline/memory.current", "104857600");
	expect(300 * MIB, 200 * MIB, true);
	put("/proc/thread-self/mountinfo", "30 25 0:26 / /sys\n- cgroup2\n - cgroup2 x\n");
	expect(16 * GIB, 12 * GIB, false);
	free(line);
}
END_TEST

START_TEST(this_machine_is_known)
{
	struct fp_machine_memory memory;

	fp_machine_set_root("");
	ck_assert_int_eq(fp_machine_memory(&memory), 0);
	ck_assert_double_gt((double)memory.total, 16 * MIB);
	ck_assert_double_le((double)memory.available, (double)memory.total);
}
END_TEST

/* ---- When it gets scarce -------------------------------------------------------------------
 */

static struct fp_machine_watch watch;

static void begin(void)
{
	fp_machine_watch_begin(&watch);
	watch.stall_ms = 10;
	watch.hold_ms = 40;
	watch.calm_ms = 120;
	ck_assert_int_eq(watch.level, FP_MACHINE_NEUTRAL);
}

static enum fp_machine_level look(void)
{
	return fp_machine_watch_wait(&watch, 20);
}

/* The next other level than the present one. */
static enum fp_machine_level next_level(void)
{
	enum fp_machine_level before = watch.level;

	for (int i = 0; i < 100 && watch.level == before; i++)
		look();
	return watch.level;
}

START_TEST(without_stall_information_the_memory_left_decides)
{
	begin();
	ck_assert_int_eq(look(), FP_MACHINE_HIGH);
	put_machine(16 * GIB, 3.5 * GIB);
	ck_assert_int_eq(look(), FP_MACHINE_HIGH);
	put_machine(16 * GIB, 3 * GIB);
	ck_assert_int_eq(look(), FP_MACHINE_NEUTRAL);
	put_machine(16 * GIB, 3.5 * GIB);
	ck_assert_int_eq(look(), FP_MACHINE_NEUTRAL);
	put_machine(16 * GIB, 0.4 * GIB);
	ck_assert_int_eq(look(), FP_MACHINE_LOW);
	ck_assert_int_eq(look(), FP_MACHINE_LOW);
	put_machine(16 * GIB, 12 * GIB);
	ck_assert_int_eq(next_level(), FP_MACHINE_NEUTRAL);
	ck_assert_int_eq(next_level(), FP_MACHINE_HIGH);
	fp_machine_watch_end(&watch);
}
END_TEST

static void put_stalled(const char *path, unsigned long microseconds)
{
	char text[200];

	snprintf(text, sizeof(text),
	         "some avg10=0.00 avg60=0.00 avg300=0.00 total=%lu\n"
	         "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n",
	         microseconds);
	put(path, text);
}

START_TEST(tasks_that_wait_are_pressure_whatever_is_left)
{
	put_stalled("/proc/pressure/memory", 1000000);
	begin();
	/* What they waited before we looked is history. */
	ck_assert_int_eq(look(), FP_MACHINE_HIGH);
	/* A little waiting is none. */
	put_stalled("/proc/pressure/memory", 1000100);
	ck_assert_int_eq(look(), FP_MACHINE_HIGH);
	put_stalled("/proc/pressure/memory", 2000000);
	ck_assert_int_eq(look(), FP_MACHINE_LOW);
	ck_assert_int_eq(look(), FP_MACHINE_LOW);
	ck_assert_int_eq(next_level(), FP_MACHINE_NEUTRAL);
	put_stalled("/proc/pressure/memory", 3000000);
	ck_assert_int_eq(look(), FP_MACHINE_LOW);
	ck_assert_int_eq(next_level(), FP_MACHINE_NEUTRAL);
	ck_assert_int_eq(next_level(), FP_MACHINE_HIGH);
	fp_machine_watch_end(&watch);
}
END_TEST

/* The machine may wait while the container does not, and the other way round. */
START_TEST(pressure_is_that_of_the_own_cgroup)
{
	mount_v2("/");
	put("/proc/thread-self/cgroup", "0::/a.slice\n");
	put_stalled("/sys/fs/cgroup/a.slice/memory.pressure", 0);
	put_stalled("/proc/pressure/memory", 0);
	begin();
	ck_assert_int_eq(look(), FP_MACHINE_HIGH);
	/* A plain file keeps the trigger that was written to it. */
	put_stalled("/sys/fs/cgroup/a.slice/memory.pressure", 0);
	put_stalled("/proc/pressure/memory", 1000000);
	ck_assert_int_eq(look(), FP_MACHINE_HIGH);
	put_stalled("/sys/fs/cgroup/a.slice/memory.pressure", 1000000);
	ck_assert_int_eq(look(), FP_MACHINE_LOW);
	fp_machine_watch_end(&watch);
}
END_TEST

/* The kernel is asked to wake us; when the program took our descriptor for a file of its own,
 * that is left alone. */
START_TEST(a_descriptor_that_changed_hands_is_left_alone)
{
	struct stat stat;

	put_stalled("/proc/pressure/memory", 0);
	begin();
	look();
	ck_assert_int_ge(watch.fd, 400);
	int stranger = open("/dev/zero", O_RDONLY);
	ck_assert_int_eq(dup2(stranger, watch.fd), watch.fd);
	ck_assert_int_eq(look(), FP_MACHINE_HIGH);
	int taken = watch.fd;
	fp_machine_watch_end(&watch);
	ck_assert_int_eq(fstat(taken, &stat), 0);
	close(taken);
	/* Closed and nothing in its place. */
	begin();
	look();
	close(watch.fd);
	ck_assert_int_eq(look(), FP_MACHINE_HIGH);
	fp_machine_watch_end(&watch);
}
END_TEST

/* The words written there are what this kernel takes for a trigger. */
START_TEST(this_kernel_takes_the_trigger)
{
	fp_machine_set_root("");
	if (access("/proc/pressure/memory", R_OK | W_OK) != 0) {
		fputs("SKIPPED: this kernel has no writable /proc/pressure/memory\n", stderr);
		return;
	}
	begin();
	look();
	ck_assert_int_ge(watch.fd, 0);
	fp_machine_watch_end(&watch);
	ck_assert_int_eq(watch.fd, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("machine");
	TCase *tests = tcase_create("machine");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_machine_decides_without_a_cgroup);
	tcase_add_test(tests, a_machine_that_says_nothing_is_not_known);
	tcase_add_test(tests, the_nearest_limit_of_v2_decides);
	tcase_add_test(tests, a_container_of_v2_sees_its_limit_at_the_mount);
	tcase_add_test(tests, a_container_of_v1_leaves_out_what_it_does_not_see);
	tcase_add_test(tests, the_limit_that_is_hit_is_named);
	tcase_add_test(tests, long_and_broken_files_are_read_as_far_as_they_go);
	tcase_add_test(tests, this_machine_is_known);
	tcase_add_test(tests, without_stall_information_the_memory_left_decides);
	tcase_add_test(tests, tasks_that_wait_are_pressure_whatever_is_left);
	tcase_add_test(tests, pressure_is_that_of_the_own_cgroup);
	tcase_add_test(tests, a_descriptor_that_changed_hands_is_left_alone);
	tcase_add_test(tests, this_kernel_takes_the_trigger);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
