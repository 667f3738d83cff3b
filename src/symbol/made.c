/* SPDX-License-Identifier: Apache-2.0
 *
 * Code that is in no file: a runtime made it, and said so where perf looks for it, in
 * /tmp/perf-PID.map. There each piece has a line "START SIZE NAME", with numbers in
 * hexadecimal. What was made later at the same addresses stands further down.
 *
 * Anybody can make a file of that name, and process ids come again: the file has to be this
 * user's own, and written to since the process began.
 */
#include "symbol/made.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 4096, MAP_BYTES_MAX = 512 << 20 };

static FILE *open_map(uint32_t pid, uint64_t started)
{
	struct stat status;
	char path[40];
	FILE *map = NULL;
	int fd;

	snprintf(path, sizeof(path), "/tmp/perf-%" PRIu32 ".map", pid);
	fd = fp_symbol_open_regular(path);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
	    (uint64_t)status.st_mtim.tv_sec >= started && status.st_size <= MAP_BYTES_MAX)
		map = fdopen(fd, "r");
	if (!map)
		close(fd);
	return map;
}

/* LINE, which a runtime may be writing just now, into PIECE; false when it is not whole. */
static bool parse(char *line, struct fp_symbol_piece *piece)
{
	char *end = strchr(line, '\n');
	int name = 0;

	if (!end ||
	    sscanf(line, "%" SCNx64 " %" SCNx64 " %n", &piece->start, &piece->size, &name) !=
	            2 ||
	    name == 0 || line + name >= end)
		return false;
	piece->name = line + name;
	piece->name_size = (size_t)(end - piece->name);
	return true;
}

void fp_symbol_each_made(uint32_t pid, uint64_t started,
                         void (*visit)(const struct fp_symbol_piece *piece, void *user),
                         void *user)
{
	FILE *map = open_map(pid, started);
	struct fp_symbol_piece piece;
	char line[LINE_BYTES];
	bool is_whole = true; /* LINE begins where one begins */

	while (map && fgets(line, sizeof(line), map)) {
		if (is_whole && parse(line, &piece))
			visit(&piece, user);
		is_whole = strchr(line, '\n') != NULL;
	}
	if (map)
		fclose(map);
}

/* A name may end in " FILE:LINE", which is the line of this piece of the function. One that
 * ends in two numbers, as V8's do, says where the function begins; that stays part of it. */
static void split_line(struct fp_symbol_frame *frame)
{
	char *file = strrchr(frame->function, ' ');
	char *colon = file ? strchr(file, ':') : NULL;
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	const char *before = colon;

	while (colon && isdigit((unsigned char)before[-1]))
		before--;
	if (digits == 0 || digits > 9 || colon[1 + digits] != '\0' || before[-1] == ' ' ||
	    (before[-1] == ':' && before != colon))
		return;
	*file = *colon = '\0';
	frame->file = file + 1;
	frame->line = (uint32_t)strtoul(colon + 1, NULL, 10);
}

int fp_symbol_made_find(const struct fp_symbol_piece *pieces, size_t count, uint64_t address,
                        struct fp_symbol_frame *frame)
{
	while (count > 0 && address - pieces[count - 1].start >= pieces[count - 1].size)
		count--;
	if (count == 0)
		return 0;
	frame->function = strndup(pieces[count - 1].name, pieces[count - 1].name_size);
	if (!frame->function)
		return -ENOMEM;
	frame->function_offset = address - pieces[count - 1].start;
	split_line(frame);
	return 1;
}
