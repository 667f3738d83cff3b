/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that a preloaded library does not reach, or breaks, are told from their files before
 * they start. Of a script it is the interpreter's file that counts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/image.h"
#include "base/tool_messages.h"
#include "cli/run.h"

enum { SCRIPT_DEPTH_MAX = 4 };

static bool examine(const char *path, struct fp_cli_obstacle *obstacle)
{
	static const char *const texts[FP_IMAGE_OBSTACLES][2] = {
	        [FP_IMAGE_PRIVILEGED] = {FP_SAY_GAINS_PRIVILEGES_WHEN, FP_SAY_RUN_COPY_WITHOUT},
	        [FP_IMAGE_FOREIGN] = {FP_SAY_ANOTHER_ARCHITECTURE_THAN,
	                              FP_SAY_USE_FENCEPOST_BUILT},
	        [FP_IMAGE_STATIC] = {FP_SAY_STATICALLY_LINKED_SO,
	                             FP_SAY_LINK_DYNAMICALLY_LIBFENCEPOST},
	        [FP_IMAGE_MUSL] = {FP_SAY_LINKED_MUSL_FENCEPOST, FP_SAY_LINK_LIBFENCEPOST_USE},
	        [FP_IMAGE_SANITIZED] = {FP_SAY_WHICH_ALLOCATOR_ITS,
	                                FP_SAY_BUILD_WITHOUT_SANITIZER},
	};
	const char *sanitizer;
	enum fp_image_obstacle kind = fp_image_examine(path, &sanitizer);
	int length;

	if (kind == FP_IMAGE_NO_OBSTACLE)
		return false;
	obstacle->remedy = texts[kind][1];
	obstacle->is_privileged = kind == FP_IMAGE_PRIVILEGED;
	length = sanitizer ? asprintf(&obstacle->what, FP_SAY_SANITIZED_LINE, path, sanitizer,
	                              texts[kind][0])
	                   : asprintf(&obstacle->what, "%s %s", path, texts[kind][0]);
	return length >= 0;
}

/* What a script at PATH names in its first line: "#!/usr/bin/env python3" is python3's. New
 * memory; NULL when PATH is none. */
static char *find_interpreter(const char *path)
{
	char line[FP_IMAGE_LINE_MAX];
	char *rest;

	if (!fp_image_read_script(path, line))
		return NULL;
	char *interpreter = strtok_r(line, " \t", &rest);
	char *argument = interpreter ? strtok_r(NULL, " \t", &rest) : NULL;
	const char *name = interpreter ? strrchr(interpreter, '/') : NULL;
	bool is_named = name && strcmp(name, "/env") == 0 && argument && argument[0] != '-';

	if (!interpreter)
		return NULL;
	return is_named ? fp_cli_find_program(argument) : strdup(interpreter);
}

char *fp_cli_find_executed(const char *path)
{
	char *executed = strdup(path);

	for (int depth = 0; executed && depth < SCRIPT_DEPTH_MAX; depth++) {
		char *interpreter = find_interpreter(executed);

		if (!interpreter)
			break;
		free(executed);
		executed = interpreter;
	}
	return executed;
}

bool fp_cli_find_obstacle(const char *path, struct fp_cli_obstacle *obstacle)
{
	char *executed = fp_cli_find_executed(path);
	/* Of a script the kernel takes no privileges. */
	bool is_found = examine(executed ? executed : path, obstacle);

	free(executed);
	return is_found;
}
