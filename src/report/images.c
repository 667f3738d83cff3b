/* SPDX-License-Identifier: Apache-2.0
 *
 * Images by path and build-id. A search from the front is quick enough: reports that are read
 * together are mostly of the same few files.
 */
#include "report/images.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/stack.h"

enum { IMAGES_MANY = 200 };

struct entry {
	char *path;
	struct fp_report_string build_id; /* in path, behind its zero */
	struct fp_symbol_image *image;
};

struct fp_report_images {
	const char *debug_dir;
	struct entry *entries;
	size_t count;
};

int fp_report_images_new(const char *debug_dir, struct fp_report_images **images)
{
	*images = calloc(1, sizeof(**images));
	if (!*images)
		return -ENOMEM;
	(*images)->debug_dir = debug_dir;
	return 0;
}

static void close_all(struct fp_report_images *images)
{
	for (size_t i = 0; i < images->count; i++) {
		fp_symbol_close(images->entries[i].image);
		free(images->entries[i].path);
	}
	free(images->entries);
	images->entries = NULL;
	images->count = 0;
}

void fp_report_images_free(struct fp_report_images *images)
{
	if (!images)
		return;
	close_all(images);
	free(images);
}

void fp_report_images_trim(struct fp_report_images *images)
{
	if (images->count > IMAGES_MANY)
		close_all(images);
}

static bool is_of(const struct entry *entry, const struct fp_report_module *module)
{
	return fp_report_compare_strings(fp_report_text(entry->path), module->path) == 0 &&
	       fp_report_compare_strings(entry->build_id, module->build_id) == 0;
}

static int make_entry(const struct fp_report_images *images,
                      const struct fp_report_module *module, struct entry *entry)
{
	/* A path with a zero in it names what stands before that. */
	size_t length = strnlen(module->path.bytes, module->path.size);
	struct fp_symbol_source source = {.debug_dir = images->debug_dir};
	int result;

	entry->path = malloc(length + 1 + module->build_id.size);
	if (!entry->path)
		return -ENOMEM;
	memcpy(entry->path, module->path.bytes, length);
	entry->path[length] = '\0';
	memcpy(entry->path + length + 1, module->build_id.bytes, module->build_id.size);
	entry->build_id =
	        (struct fp_report_string){entry->path + length + 1, module->build_id.size};
	source.path = entry->path;
	source.build_id = (const uint8_t *)entry->build_id.bytes;
	source.build_id_size = entry->build_id.size;
	result = fp_symbol_open(&source, &entry->image);
	if (result != 0)
		free(entry->path);
	return result;
}

int fp_report_images_open(struct fp_report_images *images,
                          const struct fp_report_module *module, struct fp_symbol_image **image)
{
	struct entry *entries;
	int result;

	for (size_t i = 0; i < images->count; i++) {
		if (is_of(&images->entries[i], module)) {
			*image = images->entries[i].image;
			return 0;
		}
	}
	entries = fp_report_grow(images->entries, images->count, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	images->entries = entries;
	result = make_entry(images, module, &entries[images->count]);
	if (result != 0)
		return result;
	*image = entries[images->count++].image;
	return 0;
}
