/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run did not see: programs executed without our library, from the lines that its
 * processes left, and allocators that are no malloc.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/image.h"
#include "cli/pools.h"
#include "cli/run.h"
#include "log/format.h"

enum { SHOWN_MAX = 10 };

static void add(struct fp_cli_unseen *kinds, const char *line)
{
	for (size_t i = 0; i < kinds->count; i++) {
		if (strcmp(kinds->kinds[i].line, line) == 0) {
			kinds->kinds[i].count++;
			return;
		}
	}
	struct fp_cli_unseen_kind *more =
	        realloc(kinds->kinds, (kinds->count + 1) * sizeof(*kinds->kinds));
	if (!more)
		return;
	kinds->kinds = more;
	more[kinds->count] = (struct fp_cli_unseen_kind){.line = strdup(line), .count = 1};
	kinds->count += more[kinds->count].line != NULL;
}

static void read_lines(struct fp_cli_unseen *kinds, FILE *in)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		add(kinds, line);
	}
	free(line);
}

static void print_kind(const struct fp_cli_unseen_kind *kind)
{
	fprintf(stderr, "fencepost: not seen: %s", kind->line);
	if (kind->count > 1)
		fprintf(stderr, ", executed %zu times", kind->count);
	fputc('\n', stderr);
}

void fp_cli_unseen_read(struct fp_cli_unseen *unseen, const char *directory)
{
	char *path;

	if (asprintf(&path, "%s/" FP_LOG_UNSEEN, directory) < 0)
		return;
	FILE *in = fopen(path, "re");
	free(path);
	if (!in)
		return;
	read_lines(unseen, in);
	fclose(in);
}

void fp_cli_unseen_print(const struct fp_cli_unseen *unseen)
{
	for (size_t i = 0; i < unseen->count && i < SHOWN_MAX; i++)
		print_kind(&unseen->kinds[i]);
	if (unseen->count > SHOWN_MAX)
		fprintf(stderr, "fencepost: and %zu other programs were not seen\n",
		        unseen->count - SHOWN_MAX);
}

void fp_cli_unseen_free(struct fp_cli_unseen *unseen)
{
	for (size_t i = 0; i < unseen->count; i++)
		free(unseen->kinds[i].line);
	free(unseen->kinds);
	*unseen = (struct fp_cli_unseen){0};
}

/* Of a malloc the library in the program has said so; of pools there is more to say. */
static bool is_worth_saying(const char *allocator)
{
	return strcmp(allocator, FP_CLI_OWN_MALLOC) != 0 && !fp_cli_is_pool(allocator);
}

void fp_cli_print_allocator(const char *path)
{
	char *executed = fp_cli_find_executed(path);
	struct fp_cli_image *image = executed ? fp_cli_image_open(executed) : NULL;
	const char *allocator = image ? fp_cli_image_allocator(image) : NULL;

	if (allocator && is_worth_saying(allocator))
		fprintf(stderr, "fencepost: not seen: the blocks of %s, which %s has\n",
		        allocator, executed);
	fp_cli_image_close(image);
	free(executed);
}
