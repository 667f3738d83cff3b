/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths put together and tidied by name alone.
 */
#include "report/path.h"

#include <stdlib.h>
#include <string.h>

#include "report/stack.h"

/* A path being made; everything that is appended fits. */
struct path {
	char *text;
	size_t size;
};

static bool ends_with_parent(const struct path *path)
{
	const char *end = path->text + path->size;

	return path->size >= 2 && end[-1] == '.' && end[-2] == '.' &&
	       (path->size == 2 || end[-3] == '/');
}

/* Takes the last part away; false when there is none that may go. */
static bool drop_part(struct path *path)
{
	if (path->size == 0 || ends_with_parent(path))
		return false;
	while (path->size > 0 && path->text[path->size - 1] != '/')
		path->size--;
	/* The slash of the root stays. */
	if (path->size > 1)
		path->size--;
	return true;
}

static void add_part(struct path *path, struct fp_report_string part)
{
	if (part.size == 0 || (part.size == 1 && part.bytes[0] == '.'))
		return;
	if (part.size == 2 && memcmp(part.bytes, "..", 2) == 0 && drop_part(path))
		return;
	if (path->size > 0 && path->text[path->size - 1] != '/')
		path->text[path->size++] = '/';
	memcpy(path->text + path->size, part.bytes, part.size);
	path->size += part.size;
}

static void add_parts(struct path *path, struct fp_report_string parts)
{
	if (path->size == 0 && parts.size > 0 && parts.bytes[0] == '/')
		path->text[path->size++] = '/';
	while (parts.size > 0) {
		const char *slash = memchr(parts.bytes, '/', parts.size);
		size_t size = slash ? (size_t)(slash - parts.bytes) : parts.size;
		size_t taken = slash ? size + 1 : size;

		add_part(path, (struct fp_report_string){parts.bytes, size});
		parts.bytes += taken;
		parts.size -= taken;
	}
}

char *fp_report_make_path(const char *directory, struct fp_report_string file)
{
	bool is_absolute = file.size > 0 && file.bytes[0] == '/';
	size_t before = directory && !is_absolute ? strlen(directory) : 0;
	struct path path = {.text = malloc(before + file.size + 3)};

	if (!path.text)
		return NULL;
	if (before > 0)
		add_parts(&path, fp_report_text(directory));
	add_parts(&path, file);
	path.text[path.size] = '\0';
	return path.text;
}

const char *fp_report_path_below(const char *path, const char *root)
{
	size_t size = strlen(root);

	while (size > 0 && root[size - 1] == '/')
		size--;
	if (strncmp(path, root, size) != 0 || path[size] != '/' || path[size + 1] == '\0')
		return NULL;
	return path + size + 1;
}
