/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be told of a program from its file: whether the library can be put under it, whether
 * it has blocks that no malloc sees, and whether frames of it will have names and lines.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/image.h"
#include "cli/pools.h"
#include "cli/run.h"

/* Why NAME is no program, and what would make it one. */
static void advise_missing(struct fp_cli_check *check, const char *name, int error)
{
	char *quoted = fp_cli_quote(name);
	struct stat status;
	bool is_here = stat(name, &status) == 0;

	if (is_here && S_ISDIR(status.st_mode))
		fp_cli_check_advise(check, "that is a directory: name a program");
	else if (error == EACCES && quoted)
		fp_cli_check_fix(check, "chmod +x %s", quoted);
	else if (is_here && !strchr(name, '/') && quoted)
		fp_cli_check_fix(check, "fencepost doctor ./%s", quoted);
	else
		fp_cli_check_advise(check, "give its path, or install it");
	free(quoted);
}

static bool check_found(struct fp_cli_checkup *checkup, const char *name, char **path)
{
	*path = fp_cli_find_program(name);
	if (*path)
		return true;
	int error = errno;
	struct fp_cli_check *check = fp_cli_checkup_add(
	        checkup, "program", FP_CLI_PROBLEM, "cannot run %s: %s", name, strerror(error));
	advise_missing(check, name, error);
	return false;
}

/* What cp makes has none. */
static void fix_privileges(struct fp_cli_check *check, const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char *from = fp_cli_quote(path);
	char *to = fp_cli_quote(name);

	if (from && to)
		fp_cli_check_fix(check, "cp -- %s /tmp && fencepost run /tmp/%s", from, to);
	free(from);
	free(to);
}

static bool check_obstacle(struct fp_cli_checkup *checkup, const char *path)
{
	struct fp_cli_obstacle obstacle;

	if (!fp_cli_find_obstacle(path, &obstacle)) {
		fp_cli_checkup_add(checkup, "program", FP_CLI_OK, "%s can be served", path);
		return true;
	}
	struct fp_cli_check *check =
	        fp_cli_checkup_add(checkup, "program", FP_CLI_PROBLEM, "%s", obstacle.what);
	fp_cli_check_advise(check, "%s", obstacle.remedy);
	if (obstacle.is_privileged)
		fix_privileges(check, path);
	free(obstacle.what);
	return false;
}

static void check_allocator(struct fp_cli_checkup *checkup, const struct fp_cli_image *image,
                            const char *path)
{
	const char *allocator = fp_cli_image_allocator(image);
	char *quoted = fp_cli_quote(path);

	if (!allocator) {
		fp_cli_checkup_add(checkup, "allocator", FP_CLI_OK,
		                   "none of its own that is known here");
		free(quoted);
		return;
	}
	struct fp_cli_check *check =
	        fp_cli_checkup_add(checkup, "allocator", FP_CLI_WARNING,
	                           "has %s, whose blocks are not tracked; those of the C "
	                           "library's malloc are",
	                           allocator);
	if (fp_cli_is_pool(allocator) && quoted)
		fp_cli_check_fix(check, "fencepost run --pools=off %s", quoted);
	else
		fp_cli_check_advise(check, "build it without, or link the parts to look at "
		                           "with libfencepost");
	free(quoted);
}

static void check_debug_information(struct fp_cli_checkup *checkup,
                                    const struct fp_cli_image *image, const char *path)
{
	char separate[FP_CLI_DEBUG_PATH_MAX];
	struct fp_cli_check *check;

	fp_cli_image_debug_path(image, separate);
	if (fp_cli_image_has_section(image, ".debug_info")) {
		fp_cli_checkup_add(checkup, "debug information", FP_CLI_OK,
		                   "in the program itself");
		return;
	}
	if (separate[0] != '\0' && access(separate, R_OK) == 0) {
		fp_cli_checkup_add(checkup, "debug information", FP_CLI_OK, "in %s", separate);
		return;
	}
	if (fp_cli_image_has_section(image, ".symtab"))
		check = fp_cli_checkup_add(checkup, "debug information", FP_CLI_WARNING,
		                           "none: frames have functions, but no lines");
	else
		check = fp_cli_checkup_add(checkup, "debug information", FP_CLI_WARNING,
		                           "stripped: frames have addresses, and names only "
		                           "where a library exports them");
	if (fp_cli_fix_by_package(check, path)) {
		if (separate[0] != '\0')
			fp_cli_check_advise(check, "or have it fetched: fencepost run "
			                           "--debuginfod=yes, with DEBUGINFOD_URLS");
		return;
	}
	fp_cli_check_advise(check, "build it with -g and do not strip it");
	if (separate[0] != '\0')
		fp_cli_check_advise(check,
		                    "build it with -g and do not strip it, or put its debug "
		                    "file into %s",
		                    separate);
}

void fp_cli_check_program(struct fp_cli_checkup *checkup, const char *name)
{
	struct fp_cli_image *image;
	char *path;

	if (!check_found(checkup, name, &path))
		return;
	if (check_obstacle(checkup, path)) {
		char *executed = fp_cli_find_executed(path);

		if (executed && strcmp(executed, path) != 0)
			fp_cli_checkup_add(checkup, "script", FP_CLI_OK,
			                   "what is executed is %s", executed);
		image = executed ? fp_cli_image_open(executed) : NULL;
		if (image) {
			check_allocator(checkup, image, path);
			check_debug_information(checkup, image, executed);
			fp_cli_checkup_add(checkup, "speed", FP_CLI_OK,
			                   "if a run takes too long, guard part of the blocks: "
			                   "fencepost run --budget=25 %s",
			                   path);
		}
		fp_cli_image_close(image);
		free(executed);
	}
	free(path);
}
