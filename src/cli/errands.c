/* SPDX-License-Identifier: Apache-2.0
 *
 * What processes that have restricted themselves have read for them in /proc: their mappings
 * and their threads, without which nobody can look for their leaks. The program can write
 * anything into the channel, and gets nothing that it could not see of itself before: files of
 * a process that has a log there.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/run.h"

/* A file is read once, at its beginning, and handed out in pieces. */
static char *content;
static size_t content_size;

static void read_threads(pid_t pid)
{
	char path[64];
	FILE *out = open_memstream(&content, &content_size);

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	DIR *directory = opendir(path);
	for (const struct dirent *entry; out && directory && (entry = readdir(directory));) {
		if (entry->d_name[0] != '.')
			fprintf(out, "%-*s\n", FP_PROC_NUMBER_BYTES - 1, entry->d_name);
	}
	if (directory)
		closedir(directory);
	if (out && fclose(out) != 0)
		content_size = 0;
}

static void read_maps(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	FILE *in = fopen(path, "re");
	content = in ? fp_cli_read_stream(in, &content_size) : NULL;
	if (in)
		fclose(in);
}

static void read_anew(struct fp_channel *channel, const struct fp_channel_errand *errand)
{
	free(content);
	content = NULL;
	content_size = 0;
	if (fp_channel_next_open(channel, errand->pid - 1) != errand->pid)
		return;
	if (errand->file == FP_PROC_FILE_THREADS)
		read_threads(errand->pid);
	else
		read_maps(errand->pid);
}

void fp_cli_run_errands(struct fp_channel *channel)
{
	struct fp_channel_errand errand;

	while (fp_channel_take_errand(channel, &errand)) {
		if (errand.offset == 0)
			read_anew(channel, &errand);
		if (content_size == 0) {
			fp_channel_answer_errand(channel, NULL, -ENOENT);
			continue;
		}
		size_t left = errand.offset < content_size ? content_size - errand.offset : 0;
		size_t size = left < errand.size ? left : errand.size;
		fp_channel_answer_errand(channel, content + (size > 0 ? errand.offset : 0),
		                         (ssize_t)size);
	}
}
