/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory cgroups, v1 and v2: where this process's is mounted, and what it and those above it
 * leave. A container sees the host's path in /proc/thread-self/cgroup and only its own part of
 * the tree mounted, so the mount's root says what to leave out of the path.
 */
#include <fcntl.h>
#include <string.h>

#include "base/proc.h"
#include "base/sys.h"
#include "base/text.h"
#include "machine/files.h"
#include "machine/machine.h"

struct cgroup {
	bool is_unified; /* wanted: the one of v2, whoever has the memory controller */
	bool is_found;
	bool is_v2;
	char path[FP_MACHINE_PATH_MAX]; /* as /proc/thread-self/cgroup has it */
	size_t mount_length;
	char directory[FP_MACHINE_PATH_MAX]; /* the mount, then what of the path is below it */
};

/* ---- Where it is ---------------------------------------------------------------------------
 */

/* Whether WORD is one of the words in LIST, separated by commas. */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

static void copy(char *to, const char *from)
{
	struct fp_text text;

	fp_text_begin(&text, to, FP_MACHINE_PATH_MAX);
	fp_text_string(&text, from);
}

/* "4:memory:/path" or, of v2, "0::/path". A controller is in one of them only. */
static bool see_membership(char *line, void *user)
{
	struct cgroup *cgroup = user;
	char *controllers = strchr(line, ':');
	char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');

	if (path == NULL)
		return true;
	*path++ = '\0';
	bool is_v1 = !cgroup->is_unified && has_word(controllers + 1, "memory");
	if (!is_v1 && controllers[1] != '\0')
		return true;
	cgroup->is_found = true;
	cgroup->is_v2 = !is_v1;
	copy(cgroup->path, path);
	return !is_v1;
}

/* The word behind COUNT spaces, terminated. NULL when there are fewer. */
static char *cut_word(char *line, unsigned count)
{
	while (count-- > 0 && line != NULL) {
		line = strchr(line, ' ');
		line = line == NULL ? NULL : line + 1;
	}
	if (line != NULL && strchr(line, ' ') != NULL)
		*strchr(line, ' ') = '\0';
	return line;
}

static bool is_mount_of(const struct cgroup *cgroup, char *types)
{
	const char *options = strrchr(types, ' ');

	if (cgroup->is_v2)
		return strncmp(types, "cgroup2 ", 8) == 0;
	return strncmp(types, "cgroup ", 7) == 0 && options != NULL &&
	       has_word(options + 1, "memory");
}

static void locate(struct cgroup *cgroup, const char *root, const char *mount)
{
	size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
	struct fp_text text;

	fp_text_begin(&text, cgroup->directory, sizeof(cgroup->directory));
	fp_text_string(&text, mount);
	cgroup->mount_length = text.used;
	/* What is not below the mount's root (seen from another namespace): all we see is the
	 * mount. */
	if (strncmp(cgroup->path, root, length) != 0 || cgroup->path[length] != '/' ||
	    strstr(cgroup->path, "/..") != NULL || strcmp(cgroup->path + length, "/") == 0)
		return;
	fp_text_string(&text, cgroup->path + length);
}

/* "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory" */
static bool see_mount(char *line, void *user)
{
	struct cgroup *cgroup = user;
	char *types = strstr(line, " - ");

	if (types == NULL || !is_mount_of(cgroup, types + 3))
		return true;
	char *root = cut_word(line, 3);
	char *mount = root == NULL ? NULL : cut_word(root + strlen(root) + 1, 0);
	if (mount == NULL)
		return true;
	locate(cgroup, root, mount);
	return false;
}

static bool find_cgroup(struct cgroup *cgroup, bool is_unified)
{
	cgroup->is_unified = is_unified;
	cgroup->is_found = false;
	cgroup->directory[0] = '\0';
	return fp_machine_each_line(FP_PROC_SELF "cgroup", see_membership, cgroup) &&
	       cgroup->is_found &&
	       fp_machine_each_line(FP_PROC_SELF "mountinfo", see_mount, cgroup) &&
	       cgroup->directory[0] != '\0';
}

/* ---- What it leaves
 * -------------------------------------------------------------------------- */

static bool read_number(const char *directory, const char *file, const char *key,
                        uint64_t *number)
{
	char path[FP_MACHINE_PATH_MAX + 64];
	struct fp_text text;

	fp_text_begin(&text, path, sizeof(path));
	fp_text_string(&text, directory);
	fp_text_string(&text, "/");
	fp_text_string(&text, file);
	return fp_machine_number(path, key, number);
}

/* The names of one version's files. */
struct names {
	const char *limits[2];
	bool has_hierarchy; /* memory.stat tells the limit of the groups above */
	const char *used;
	const char *reclaimable; /* a key of memory.stat */
};

static const struct names names_of[] = {
        {{"memory.limit_in_bytes", NULL},
         true,
         "memory.usage_in_bytes",
         "total_inactive_file "},
        {{"memory.max", "memory.high"}, false, "memory.current", "inactive_file "},
};

static uint64_t limit_of(const struct names *names, const char *directory)
{
	uint64_t limit = UINT64_MAX;
	uint64_t number;

	for (size_t i = 0; i < 2 && names->limits[i] != NULL; i++)
		if (read_number(directory, names->limits[i], "", &number) && number < limit)
			limit = number;
	if (names->has_hierarchy &&
	    read_number(directory, "memory.stat", "hierarchical_memory_limit ", &number) &&
	    number < limit)
		limit = number;
	return limit;
}

static void limit_by(const struct names *names, const char *directory, uint64_t limit,
                     struct fp_machine_memory *memory)
{
	uint64_t used;
	uint64_t reclaimable = 0;
	uint64_t number;

	if (!read_number(directory, names->used, "", &used))
		return;
	/* Cached files are given up before the limit is felt. */
	if (read_number(directory, "memory.stat", names->reclaimable, &number) &&
	    number <= used)
		reclaimable = number;
	used -= reclaimable;
	uint64_t available = limit > used ? limit - used : 0;
	if (available >= memory->available)
		return;
	memory->total = limit;
	memory->available = available;
	memory->is_limited = true;
}

void fp_machine_limit(struct fp_machine_memory *memory)
{
	uint64_t machine = memory->total;
	struct cgroup cgroup;

	if (!find_cgroup(&cgroup, false))
		return;
	const struct names *names = &names_of[cgroup.is_v2];
	for (;;) {
		uint64_t limit = limit_of(names, cgroup.directory);

		/* To tell the use of a group the kernel adds it up: only where it matters. */
		if (limit < machine)
			limit_by(names, cgroup.directory, limit, memory);
		if (strlen(cgroup.directory) <= cgroup.mount_length)
			return;
		*strrchr(cgroup.directory, '/') = '\0';
	}
}

bool fp_machine_pressure_path(char path[FP_MACHINE_PATH_MAX])
{
	struct cgroup cgroup;
	struct fp_text text;

	fp_text_begin(&text, path, FP_MACHINE_PATH_MAX);
	/* Only v2 tells of pressure, also beside a memory controller of v1. */
	if (find_cgroup(&cgroup, true)) {
		fp_text_string(&text, cgroup.directory);
		fp_text_string(&text, "/memory.pressure");
		int fd = fp_machine_open(path, O_RDONLY);

		if (fd >= 0)
			return fp_sys_close(fd) == 0;
		fp_text_begin(&text, path, FP_MACHINE_PATH_MAX);
	}
	fp_text_string(&text, "/proc/pressure/memory");
	int fd = fp_machine_open(path, O_RDONLY);
	return fd >= 0 && fp_sys_close(fd) == 0;
}
