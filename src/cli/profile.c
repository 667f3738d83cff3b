/* SPDX-License-Identifier: Apache-2.0
 *
 * The profile of align=auto: the keys of the allocation sites that need what malloc promises,
 * one a line. A run begins with those of earlier runs and appends what it learned.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/tool_messages.h"
#include "cli/cli.h"

char *fp_cli_profile_find(const struct fp_options *options)
{
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	char *path = NULL;
	int length = -1;

	if (options->align_profile[0] != '\0')
		return strdup(options->align_profile);
	if (cache && cache[0] == '/')
		length = asprintf(&path, "%s/fencepost/align", cache);
	else if (home && home[0] == '/')
		length = asprintf(&path, "%s/.cache/fencepost/align", home);
	return length < 0 ? NULL : path;
}

static void read_profile(const char *path, struct fp_sites *sites)
{
	FILE *file = fopen(path, "re");
	uint64_t key;

	while (file && fscanf(file, "%16" SCNx64, &key) == 1)
		if (key != 0)
			fp_sites_add(sites, key);
	if (file)
		fclose(file);
}

void fp_cli_profile_load(struct fp_cli_channel *channel, const struct fp_options *options)
{
	struct fp_sites *sites = fp_channel_sites(channel->memory);
	char *path = fp_cli_profile_find(options);

	if (path)
		read_profile(path, sites);
	free(path);
	channel->sites_known = sites->count;
}

/* Those of the cache: nobody else makes them. */
static void make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

/* What SITES have and the file has not. 0 or a negative errno. */
static int append(const char *path, const struct fp_sites *sites)
{
	struct fp_sites *there = calloc(1, sizeof(*there));
	FILE *file = there ? fopen(path, "ae") : NULL;
	int status = file ? 0 : -errno;

	if (file)
		read_profile(path, there);
	for (size_t i = 0; file && i < FP_SITES_MAX; i++)
		if (sites->keys[i] != 0 && !fp_sites_have(there, sites->keys[i]))
			fprintf(file, "%016" PRIx64 "\n", sites->keys[i]);
	if (file && fclose(file) != 0)
		status = -errno;
	free(there);
	return status;
}

void fp_cli_profile_save(const struct fp_cli_channel *channel, const struct fp_options *options)
{
	const struct fp_sites *sites = fp_channel_sites(channel->memory);
	char *path = sites->count > channel->sites_known ? fp_cli_profile_find(options) : NULL;

	if (!path)
		return;
	if (options->align_profile[0] == '\0')
		make_directories(path);
	int status = append(path, sites);
	if (status != 0)
		fp_cli_fail(FP_SAY_CANNOT_KEEP_ALIGN, path, strerror(-status));
	free(path);
}
