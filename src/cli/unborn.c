/* SPDX-License-Identifier: Apache-2.0
 *
 * Children that were forked and have not come to their first instruction when the program has
 * ended, as daemon(3) leaves them on a busy machine: nobody has counted them, but they have the
 * channel mapped. They are looked for only where a fork is known to be open.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "cli/run.h"

/* What is mapped: of which device, which inode. */
struct file {
	char device[32];
	uint64_t inode;
};

/* What this process has mapped at ADDRESS. */
static bool find_file(uintptr_t address, struct file *file)
{
	char line[512];
	bool is_found = false;
	FILE *in = fopen(FP_PROC_SELF "maps", "re");

	while (in && !is_found && fgets(line, sizeof(line), in)) {
		uintptr_t start;
		uintptr_t end;

		is_found = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %31s %" SCNu64,
		                  &start, &end, file->device, &file->inode) == 4 &&
		           address >= start && address < end;
	}
	if (in)
		fclose(in);
	return is_found;
}

static bool maps(pid_t pid, const struct file *file)
{
	char path[64];
	char line[512];
	bool is_mapped = false;

	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	FILE *in = fopen(path, "re");
	while (in && !is_mapped && fgets(line, sizeof(line), in)) {
		char device[32];
		uint64_t inode;

		is_mapped = sscanf(line, "%*s %*s %*s %31s %" SCNu64, device, &inode) == 2 &&
		            inode == file->inode && strcmp(device, file->device) == 0;
	}
	if (in)
		fclose(in);
	return is_mapped;
}

/* A command that reads the channel, as this one does. */
static bool is_ours(pid_t pid)
{
	char path[64];
	char own[FP_CLI_STAT_BYTES];
	char other[FP_CLI_STAT_BYTES];

	snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	ssize_t own_length = readlink(FP_PROC_SELF "exe", own, sizeof(own));
	ssize_t length = readlink(path, other, sizeof(other));
	return own_length > 0 && own_length == length &&
	       memcmp(own, other, (size_t)length) == 0;
}

size_t fp_cli_count_unborn(struct fp_channel *channel)
{
	size_t most = fp_channel_unborn(channel);
	size_t count = 0;
	struct file file;
	DIR *directory = most > 0 ? opendir("/proc") : NULL;

	if (!directory || !find_file((uintptr_t)channel, &file)) {
		if (directory)
			closedir(directory);
		return most;
	}
	for (const struct dirent *entry; count < most && (entry = readdir(directory));) {
		pid_t pid = (pid_t)atol(entry->d_name);

		count += pid > 0 && !fp_channel_is_counted(channel, pid) && !is_ours(pid) &&
		         maps(pid, &file);
	}
	closedir(directory);
	return count;
}
