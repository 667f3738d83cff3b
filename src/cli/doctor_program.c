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

#include "base/tool_messages.h"
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
		fp_cli_check_advise(check, FP_SAY_DIRECTORY_NAME_PROGRAM);
	else if (error == EACCES && quoted)
		fp_cli_check_fix(check, "chmod +x %s", quoted);
	else if (is_here && !strchr(name, '/') && quoted)
		fp_cli_check_fix(check, FP_SAY_FENCEPOST_DOCTOR, quoted);
	else
		fp_cli_check_advise(check, FP_SAY_GIVE_ITS_PATH);
	free(quoted);
}

static bool check_found(struct fp_cli_checkup *checkup, const char *name, char **path)
{
	*path = fp_cli_find_program(name);
	if (*path)
		return true;
	int error = errno;
	struct fp_cli_check *check =
	        fp_cli_checkup_add(checkup, "program", FP_CLI_PROBLEM,
	                           FP_SAY_PROGRAM_CANNOT_RUN, name, strerror(error));
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
		fp_cli_check_fix(check, FP_SAY_COPY_PROGRAM, from, to);
	free(from);
	free(to);
}

static bool check_obstacle(struct fp_cli_checkup *checkup, const char *path)
{
	struct fp_cli_obstacle obstacle;

	if (!fp_cli_find_obstacle(path, &obstacle)) {
		fp_cli_checkup_add(checkup, "program", FP_CLI_OK, FP_SAY_CAN_RUN, path);
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
		fp_cli_checkup_add(checkup, "allocator", FP_CLI_OK, FP_SAY_NO_OWN_ALLOCATOR);
		free(quoted);
		return;
	}
	struct fp_cli_check *check = fp_cli_checkup_add(checkup, "allocator", FP_CLI_WARNING,
	                                                FP_SAY_OWN_ALLOCATOR, allocator);
	if (fp_cli_is_pool(allocator) && quoted)
		fp_cli_check_fix(check, FP_SAY_RUN_POOLS_OFF_WITH, quoted);
	else
		fp_cli_check_advise(check, FP_SAY_BUILD_WITHOUT_ALLOCATOR);
	free(quoted);
}

static void check_debug_information(struct fp_cli_checkup *checkup,
                                    const struct fp_cli_image *image, const char *path)
{
	char separate[FP_CLI_DEBUG_PATH_MAX];
	struct fp_cli_check *check;

	fp_cli_image_debug_path(image, separate);
	if (fp_cli_image_has_section(image, ".debug_info")) {
		fp_cli_checkup_add(checkup, FP_SAY_DEBUG_INFORMATION, FP_CLI_OK,
		                   FP_SAY_PROGRAM_ITSELF);
		return;
	}
	if (separate[0] != '\0' && access(separate, R_OK) == 0) {
		fp_cli_checkup_add(checkup, FP_SAY_DEBUG_INFORMATION, FP_CLI_OK, "in %s",
		                   separate);
		return;
	}
	if (fp_cli_image_has_section(image, ".symtab"))
		check = fp_cli_checkup_add(checkup, FP_SAY_DEBUG_INFORMATION, FP_CLI_WARNING,
		                           FP_SAY_NONE_FRAMES_HAVE);
	else
		check = fp_cli_checkup_add(checkup, FP_SAY_DEBUG_INFORMATION, FP_CLI_WARNING,
		                           FP_SAY_STRIPPED_FRAMES_HAVE);
	if (fp_cli_fix_by_package(check, path)) {
		if (separate[0] != '\0')
			fp_cli_check_advise(check, FP_SAY_HAVE_FETCHED_FENCEPOST);
		return;
	}
	fp_cli_check_advise(check, FP_SAY_BUILD_WITH_DEBUG);
	if (separate[0] != '\0')
		fp_cli_check_advise(check, FP_SAY_BUILD_WITH_DEBUG_OR_PUT, separate);
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
			fp_cli_checkup_add(checkup, "script", FP_CLI_OK, FP_SAY_EXECUTED,
			                   executed);
		image = executed ? fp_cli_image_open(executed) : NULL;
		if (image) {
			check_allocator(checkup, image, path);
			check_debug_information(checkup, image, executed);
			fp_cli_checkup_add(checkup, "speed", FP_CLI_OK, FP_SAY_RUN_TAKES_LONG,
			                   path);
		}
		fp_cli_image_close(image);
		free(executed);
	}
	free(path);
}
