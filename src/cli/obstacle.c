/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that a preloaded library does not reach, or breaks, are told from their files before
 * they start.
 */
#include <stdlib.h>
#include <string.h>

#include "base/image.h"
#include "cli/run.h"

enum { SCRIPT_DEPTH_MAX = 4 };

static char *explain(const char *path, const char *what, const char *remedy)
{
	char *text;

	return asprintf(&text, "%s %s: %s, or --force to try", path, what, remedy) < 0 ? NULL
	                                                                               : text;
}

static char *explain_sanitizer(const char *path, const char *sanitizer)
{
	char *what;

	if (asprintf(&what, "is linked with %s, which has an allocator of its own", sanitizer) <
	    0)
		return NULL;
	char *text = explain(path, what, "build it without -fsanitize");
	free(what);
	return text;
}

static char *examine_file(const char *path)
{
	static const char *const texts[FP_IMAGE_OBSTACLES][2] = {
	        [FP_IMAGE_PRIVILEGED] =
	                {"gains privileges when executed, so the loader refuses us",
	                 "run a copy of it without the privileges"},
	        [FP_IMAGE_FOREIGN] = {"is for another architecture than this fencepost",
	                              "use a fencepost built for that one"},
	        [FP_IMAGE_STATIC] = {"is statically linked, so no library can be put under it",
	                             "link it dynamically, or with libfencepost"},
	        [FP_IMAGE_MUSL] = {"is linked with musl and this fencepost with glibc",
	                           "link it with libfencepost and use its heaps"},
	};
	const char *sanitizer;
	enum fp_image_obstacle obstacle = fp_image_examine(path, &sanitizer);

	if (sanitizer)
		return explain_sanitizer(path, sanitizer);
	if (!texts[obstacle][0])
		return NULL;
	return explain(path, texts[obstacle][0], texts[obstacle][1]);
}

static char *examine(const char *path, int depth);

/* "#!/usr/bin/env python3" is python3's. */
static char *examine_script(char *line, int depth)
{
	char *rest;
	char *interpreter = strtok_r(line, " \t", &rest);
	char *argument = interpreter ? strtok_r(NULL, " \t", &rest) : NULL;

	if (!interpreter)
		return NULL;
	char *text = examine(interpreter, depth + 1);
	const char *name = strrchr(interpreter, '/');
	if (text || !argument || argument[0] == '-' || !name || strcmp(name, "/env") != 0)
		return text;
	char *found = fp_cli_find_program(argument);
	text = found ? examine(found, depth + 1) : NULL;
	free(found);
	return text;
}

static char *examine(const char *path, int depth)
{
	char line[FP_IMAGE_LINE_MAX];
	char *text = examine_file(path);

	if (text || depth > SCRIPT_DEPTH_MAX || !fp_image_read_script(path, line))
		return text;
	return examine_script(line, depth);
}

char *fp_cli_find_obstacle(const char *path)
{
	return examine(path, 0);
}
