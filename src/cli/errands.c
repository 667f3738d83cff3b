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

#include "base/held.h"
#include "cli/cli.h"

/* A file is read once, at its beginning, and handed out in pieces; several processes may ask by
 * turns. */
enum { FILES = 16 };

static struct file {
	pid_t pid;
	enum fp_proc_file which;
	char *content;
	size_t size;
} files[FILES];

static void read_threads(struct file *file)
{
	char path[64];
	FILE *out = open_memstream(&file->content, &file->size);

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)file->pid);
	DIR *directory = opendir(path);
	for (const struct dirent *entry; out && directory && (entry = readdir(directory));) {
		if (entry->d_name[0] != '.')
			fprintf(out, "%-*s\n", FP_PROC_NUMBER_BYTES - 1, entry->d_name);
	}
	if (directory)
		closedir(directory);
	if (out && fclose(out) != 0)
		file->size = 0;
}

static void read_maps(struct file *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)file->pid);
	FILE *in = fopen(path, "re");
	file->content = in ? fp_cli_read_stream(in, &file->size) : NULL;
	if (in)
		fclose(in);
}

static void add_word(uint64_t word, void *out)
{
	fwrite(&word, sizeof(word), 1, out);
}

static void read_held(struct file *file)
{
	char directory[64];
	FILE *out = open_memstream(&file->content, &file->size);

	snprintf(directory, sizeof(directory), "/proc/%ld/", (long)file->pid);
	if (!out)
		return;
	fp_held_each(file->pid, directory, add_word, out);
	if (fclose(out) != 0)
		file->size = 0;
}

static struct file *find(const struct fp_channel_errand *errand)
{
	for (size_t i = 0; i < FILES; i++)
		if (files[i].pid == errand->pid && files[i].which == errand->file)
			return &files[i];
	return NULL;
}

static void (*const readers[])(struct file *) = {
        [FP_PROC_FILE_MAPS] = read_maps,
        [FP_PROC_FILE_THREADS] = read_threads,
        [FP_PROC_FILE_HELD] = read_held,
};

/* In the place of the one before, or of who asked longest ago. */
static void read_anew(struct fp_channel *channel, const struct fp_channel_errand *errand)
{
	static size_t next;
	struct file *file = find(errand);

	if (!file)
		file = &files[next++ % FILES];
	free(file->content);
	*file = (struct file){.pid = errand->pid, .which = errand->file};
	if (fp_channel_next_open(channel, errand->pid - 1) != errand->pid)
		return;
	if (errand->file < sizeof(readers) / sizeof(readers[0]))
		readers[errand->file](file);
}

void fp_cli_run_errands(struct fp_channel *channel)
{
	struct fp_channel_errand errand;

	while (fp_channel_take_errand(channel, &errand)) {
		if (errand.offset == 0)
			read_anew(channel, &errand);
		const struct file *file = find(&errand);
		/* The pieces of two files are none. */
		if (!file || file->size == 0) {
			fp_channel_answer_errand(channel, NULL, file ? -ENOENT : -EAGAIN);
			continue;
		}
		size_t left = errand.offset < file->size ? file->size - errand.offset : 0;
		size_t size = left < errand.size ? left : errand.size;
		fp_channel_answer_errand(
		        channel, file->content + (size > 0 ? errand.offset : 0), (ssize_t)size);
	}
}
