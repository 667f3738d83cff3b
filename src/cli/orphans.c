/* SPDX-License-Identifier: Apache-2.0
 *
 * What is left of a run whose `fencepost run` was killed: processes that still run, and event
 * logs that processes kept because nobody read them (session/render.c). The next command says
 * so. A file of a run stands beside them while it goes on; it is no lock, and nobody misses it
 * where none can be made.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/tool_messages.h"
#include "cli/cli.h"

enum { TOLD_MODE = 0400, UNTOLD_MODE = 0600, MODE_BITS = 0777, FEW = 5, NAMESPACE_BYTES = 64 };

static void name_mark(char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/fencepost.%ld.run", fp_cli_temporary_directory(),
	         (long)getpid());
}

/* Of process numbers: who reads a mark may be in another namespace, where they mean others. */
static void name_namespace(char name[NAMESPACE_BYTES])
{
	ssize_t length = readlink(FP_PROC_SELF "ns/pid", name, NAMESPACE_BYTES - 1);

	if (length <= 0)
		length = snprintf(name, NAMESPACE_BYTES, "-");
	name[length] = '\0';
}

/* When process PID was started, in ticks; another may have its number now. 0: not known. */
static unsigned long long start_of(pid_t pid)
{
	char line[FP_CLI_STAT_BYTES];
	unsigned long long start = 0;

	sscanf(fp_cli_read_stat(pid, line),
	       "%*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
	       "%llu",
	       &start);
	return start;
}

void fp_cli_orphans_mark(const char *program, pid_t pid)
{
	char namespace[NAMESPACE_BYTES];
	char path[PATH_MAX];

	name_mark(path);
	name_namespace(namespace);
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, UNTOLD_MODE);
	if (fd < 0)
		return;
	dprintf(fd, "%ld %llu %s %s\n", (long)pid, start_of(pid), namespace, program);
	close(fd);
}

void fp_cli_orphans_unmark(void)
{
	char path[PATH_MAX];

	name_mark(path);
	unlink(path);
}

/* Anybody may put files there; only the caller's own are looked at. */
static bool is_own(const char *path, struct stat *status)
{
	return lstat(path, status) == 0 && S_ISREG(status->st_mode) &&
	       status->st_uid == geteuid();
}

static bool is_fencepost(pid_t pid)
{
	static const char name[] = "fencepost";
	char path[64];
	char comm[32] = "";

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	FILE *in = fopen(path, "re");
	if (!in)
		return kill(pid, 0) == 0 || errno != ESRCH;
	bool is_read = fgets(comm, sizeof(comm), in) != NULL;
	fclose(in);
	return is_read && strncmp(comm, name, strlen(name)) == 0;
}

static void look_at_mark(const char *path)
{
	struct stat status;
	char program[PATH_MAX] = "";
	char namespace[NAMESPACE_BYTES];
	char theirs[NAMESPACE_BYTES] = "";
	unsigned long long start = 0;
	long pid = 0;
	long maker = 0;

	if (!is_own(path, &status) ||
	    sscanf(strrchr(path, '/'), "/fencepost.%ld.run", &maker) != 1)
		return;
	FILE *in = fopen(path, "re");
	bool is_read = in && fscanf(in, "%ld %llu %63s %4095[^\n]", &pid, &start, theirs,
	                            program) == 4;
	if (in)
		fclose(in);
	name_namespace(namespace);
	/* One that is being written has nothing yet. */
	if ((is_read && strcmp(theirs, namespace) != 0) || is_fencepost((pid_t)maker))
		return;
	if (is_read && (kill((pid_t)pid, 0) == 0 || errno != ESRCH) &&
	    start_of((pid_t)pid) == start)
		fp_cli_say(FP_SAY_ORPHAN_RUNS, maker, program, pid);
	else
		unlink(path);
}

static void look_at_marks(char *const paths[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		look_at_mark(paths[i]);
}

static bool is_news(const char *path)
{
	struct stat status;

	return is_own(path, &status) && (status.st_mode & MODE_BITS) == UNTOLD_MODE &&
	       chmod(path, TOLD_MODE) == 0;
}

/* Each is said once. */
static void look_at_logs(char *const paths[], size_t count)
{
	size_t news = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_news(paths[i]))
			continue;
		if (news++ < FEW)
			fp_cli_say(FP_SAY_ORPHAN_ENDED, paths[i]);
	}
	if (news > FEW)
		fp_cli_say(FP_SAY_ORPHANS_MORE, news - FEW, fp_cli_temporary_directory());
}

static void look_for(const char *suffix, void (*look)(char *const paths[], size_t count))
{
	char pattern[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/fencepost.*.%s", fp_cli_temporary_directory(),
	         suffix);
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	look(found.gl_pathv, found.gl_pathc);
	globfree(&found);
}

void fp_cli_orphans_say(void)
{
	look_for("run", look_at_marks);
	look_for("orphan", look_at_logs);
}
