/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits of the machine, the container and the shell that a guarded heap runs into sooner than
 * other programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/tool_messages.h"
#include "base/vm.h"
#include "cli/doctor.h"
#include "cli/run.h"

enum {
	MAPPINGS_WANTED = 1 << 20,
	DESCRIPTORS_WANTED = 1024,
	FREE_DESCRIPTORS_WANTED = 32,
	FREE_DESCRIPTORS_NEEDED = 6, /* pipes, the log, the back end's own */
	STATUS_BYTES = 8192
};

const struct fp_cli_limit fp_cli_limit_address_space = {RLIMIT_AS, 'v', "as", RLIM_INFINITY};
const struct fp_cli_limit fp_cli_limit_descriptors = {RLIMIT_NOFILE, 'n', "nofile",
                                                      DESCRIPTORS_WANTED};

static void check_mappings(struct fp_cli_checkup *checkup)
{
	unsigned long most = (unsigned long)fp_vm_mappings_max();

	if (strcmp(checkup->backend, "mprotect") != 0 || most >= MAPPINGS_WANTED) {
		fp_cli_checkup_add(checkup, "vm.max_map_count", FP_CLI_OK, FP_SAY_MAPPINGS,
		                   most, checkup->backend);
		return;
	}
	struct fp_cli_check *check =
	        fp_cli_checkup_add(checkup, "vm.max_map_count", FP_CLI_WARNING,
	                           FP_SAY_MAPPINGS_BACK_END, most, most / 2);
	fp_cli_check_fix(check, "%ssysctl -w vm.max_map_count=%d", fp_cli_sudo(),
	                 MAPPINGS_WANTED);
}

/* Every block takes a page and a guard of address space, once and for all; half of what there
 * is stays the program's. */
static void check_address_space(struct fp_cli_checkup *checkup)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	getrlimit(RLIMIT_AS, &limit);
	if (limit.rlim_cur == RLIM_INFINITY) {
		fp_cli_checkup_add(checkup, FP_SAY_ADDRESS_SPACE, FP_CLI_OK,
		                   FP_SAY_NOT_LIMITED);
		return;
	}
	struct fp_cli_check *check = fp_cli_checkup_add(
	        checkup, FP_SAY_ADDRESS_SPACE, FP_CLI_WARNING, FP_SAY_SPACE_LIMITED,
	        (unsigned long)limit.rlim_cur / 1024,
	        (unsigned long)(limit.rlim_cur / 2 / (2 * fp_vm_page_size())));
	fp_cli_fix_limit(check, &fp_cli_limit_address_space);
}

/* The number in a file of /proc/sys; -1 when it cannot be read. */
static long read_setting(const char *path)
{
	FILE *in = fopen(path, "re");
	long value = -1;

	if (!in)
		return -1;
	if (fscanf(in, "%ld", &value) != 1)
		value = -1;
	fclose(in);
	return value;
}

static void check_overcommit(struct fp_cli_checkup *checkup)
{
	long mode = read_setting("/proc/sys/vm/overcommit_memory");

	if (mode != 2) {
		fp_cli_checkup_add(checkup, "overcommit", FP_CLI_OK, FP_SAY_OVERCOMMIT_FREE);
		return;
	}
	struct fp_cli_check *check = fp_cli_checkup_add(checkup, "overcommit", FP_CLI_WARNING,
	                                                FP_SAY_OVERCOMMIT_STRICT);
	fp_cli_check_fix(check, "%ssysctl -w vm.overcommit_memory=0", fp_cli_sudo());
}

static int count_free_descriptors(void)
{
	int taken[FREE_DESCRIPTORS_WANTED];
	int count = 0;

	while (count < FREE_DESCRIPTORS_WANTED &&
	       (taken[count] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
		count++;
	for (int i = 0; i < count; i++)
		close(taken[i]);
	return count;
}

static void check_descriptors(struct fp_cli_checkup *checkup)
{
	struct rlimit limit = {0};
	int unused = count_free_descriptors();

	getrlimit(RLIMIT_NOFILE, &limit);
	unsigned long most = (unsigned long)limit.rlim_cur;
	if (unused == FREE_DESCRIPTORS_WANTED) {
		fp_cli_checkup_add(checkup, "descriptors", FP_CLI_OK, "%lu", most);
		return;
	}
	struct fp_cli_check *check = fp_cli_checkup_add(
	        checkup, "descriptors",
	        unused < FREE_DESCRIPTORS_NEEDED ? FP_CLI_PROBLEM : FP_CLI_WARNING,
	        FP_SAY_FEW_DESCRIPTORS, unused, most);
	fp_cli_fix_limit(check, &fp_cli_limit_descriptors);
}

/* Of /proc/thread-self/status. */
int fp_cli_seccomp_mode(void)
{
	static const char key[] = "\nSeccomp:";
	char text[STATUS_BYTES];
	int fd = open(FP_PROC_SELF "status", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[length < 0 ? 0 : length] = '\0';
	const char *found = strstr(text, key);
	return found ? atoi(found + strlen(key)) : -1;
}

static void check_seccomp(struct fp_cli_checkup *checkup)
{
	bool is_best = strcmp(checkup->backend, "move") == 0;
	int mode = fp_cli_seccomp_mode();
	struct fp_cli_check *check;

	if (mode < 0) {
		check = fp_cli_checkup_add(checkup, "seccomp", FP_CLI_PROBLEM,
		                           FP_SAY_PROC_HIDDEN);
		fp_cli_check_fix(check, FP_SAY_MOUNT_T_PROC, fp_cli_sudo());
	} else if (mode == 0) {
		fp_cli_checkup_add(checkup, "seccomp", FP_CLI_OK, FP_SAY_NO_FILTER);
	} else if (is_best) {
		fp_cli_checkup_add(checkup, "seccomp", FP_CLI_OK, FP_SAY_FILTER_ALLOWS_MOVE);
	} else {
		check = fp_cli_checkup_add(checkup, "seccomp", FP_CLI_WARNING,
		                           FP_SAY_FILTER_MAY_STOP_MOVE);
		fp_cli_check_fix(check, FP_SAY_DOCKER_RUN_SECURITY);
		fp_cli_check_advise(check, FP_SAY_PROFILE_FOR_MOVE);
	}
}

void fp_cli_check_limits(struct fp_cli_checkup *checkup)
{
	check_mappings(checkup);
	check_address_space(checkup);
	check_overcommit(checkup);
	check_descriptors(checkup);
	check_seccomp(checkup);
}

static void check_library(struct fp_cli_checkup *checkup)
{
	char *path = fp_cli_find_library();

	if (path && access(path, R_OK) == 0 && !strpbrk(path, ": ")) {
		fp_cli_checkup_add(checkup, "library", FP_CLI_OK, "%s", path);
	} else {
		struct fp_cli_check *check = fp_cli_checkup_add(
		        checkup, "library", FP_CLI_PROBLEM, FP_SAY_LIBRARY_UNUSABLE,
		        path ? path : "libfencepost-preload.so");
		fp_cli_check_fix(check, FP_SAY_CONFIGURE, fp_cli_sudo());
		fp_cli_check_advise(check, FP_SAY_ANOTHER_PREFIX_WITHOUT);
	}
	free(path);
}

static void check_temporary_directory(struct fp_cli_checkup *checkup)
{
	const char *path = fp_cli_temporary_directory();

	if (access(path, W_OK | X_OK) == 0) {
		fp_cli_checkup_add(checkup, FP_SAY_TEMPORARY_DIRECTORY, FP_CLI_OK, "%s", path);
		return;
	}
	struct fp_cli_check *check =
	        fp_cli_checkup_add(checkup, FP_SAY_TEMPORARY_DIRECTORY, FP_CLI_PROBLEM,
	                           FP_SAY_TEMPORARY_UNUSABLE, path, strerror(errno));
	fp_cli_check_fix(check, "export TMPDIR=$HOME");
}

void fp_cli_check_installation(struct fp_cli_checkup *checkup)
{
	check_library(checkup);
	check_temporary_directory(checkup);
}
