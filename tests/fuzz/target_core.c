/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of core files, on one that core.sh made: FP_FUZZ_CORE names it, and a block in it.
 * It is of the Fencepost that is tested, which is why an input is only what is to be changed:
 * after two bytes about the question, each change is two bytes with the number of a read of the
 * whole file, two with the place in it, one with a length, and so many bytes. Whatever is made
 * of it is an event log, which is read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "remains/remains.h"
#include "report/report.h"
#include "target.h"

enum { READS_MAX = 1 << 15, CHANGES_MAX = 64, BYTES_MAX = 16 };

struct change {
	off_t at;
	size_t size;
	uint8_t bytes[BYTES_MAX];
};

/* What is read of the file as it is. */
static struct piece {
	off_t at;
	size_t size;
} reads[READS_MAX];
static size_t read_count;
static bool is_listing;
static struct change changes[CHANGES_MAX];
static size_t change_count;

static void apply(const struct change *change, char *buffer, size_t size, off_t at)
{
	for (size_t i = 0; i < change->size; i++)
		if (change->at + (off_t)i >= at && change->at + (off_t)i < at + (off_t)size)
			buffer[change->at + (off_t)i - at] = (char)change->bytes[i];
}

/* In place of the C library's. */
ssize_t pread(int fd, void *buffer, size_t size, off_t at)
{
	ssize_t got = syscall(SYS_pread64, fd, buffer, size, at);

	if (is_listing && got > 0 && read_count < READS_MAX)
		reads[read_count++] = (struct piece){at, (size_t)got};
	for (size_t i = 0; i < change_count && got > 0; i++)
		apply(&changes[i], buffer, (size_t)got, at);
	return got;
}

static const uint8_t *take_change(const uint8_t *at, const uint8_t *end)
{
	struct change *change = &changes[change_count];
	const struct piece *piece = &reads[(at[0] | at[1] << 8) % read_count];

	change->at = piece->at + (off_t)((size_t)(at[2] | at[3] << 8) % piece->size);
	change->size = at[4] % BYTES_MAX + 1;
	at += 5;
	if (change->size > (size_t)(end - at))
		change->size = (size_t)(end - at);
	memcpy(change->bytes, at, change->size);
	change_count++;
	return at + change->size;
}

static int ask(const char *path, const struct fp_remains_question *question)
{
	char refusal[FP_REMAINS_REFUSAL_MAX] = "";
	struct fp_report *report;
	int fd;
	int status = fp_remains_read(path, question, &fd, refusal);

	if (status != 0) {
		fuzz_must(fd == -1 && strnlen(refusal, sizeof(refusal)) < sizeof(refusal));
		return status;
	}
	off_t size = lseek(fd, 0, SEEK_END);
	char *events = malloc((size_t)size + 1);
	fuzz_must(size >= 0 && events && pread(fd, events, (size_t)size, 0) == size);
	if (fp_report_read(events, (size_t)size, &report) == 0)
		fp_report_free(report);
	free(events);
	close(fd);
	return 0;
}

static const char *start(uint64_t *address)
{
	static char path[4096];
	const char *core = getenv("FP_FUZZ_CORE");
	const struct fp_remains_question everything = {address, true, true};

	fuzz_must(core != NULL && sscanf(core, "%4095[^:]:%lx", path, address) == 2);
	is_listing = true;
	fuzz_must(fp_remains_is_core(path) && ask(path, &everything) == 0);
	is_listing = false;
	return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *path;
	static uint64_t block;
	uint64_t address;

	if (!path)
		path = start(&block);
	if (size < 2)
		return 0;
	const struct fp_remains_question question = {
	        data[0] % 2 != 0 ? &address : NULL, data[0] % 4 / 2 != 0, data[0] % 8 / 4 != 0};
	address = block + data[1];
	change_count = 0;
	for (const uint8_t *at = data + 2, *end = data + size;
	     end - at > 5 && change_count < CHANGES_MAX;)
		at = take_change(at, end);
	ask(path, &question);
	change_count = 0;
	return 0;
}
