/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that mend what the doctor found, as they can be typed by who asked it: with sudo
 * where that takes root, for the shell where a limit is its own, with the names of this
 * system's packages. Nothing is executed but the package manager's question of whose a file is.
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "cli/doctor.h"
#include "cli/run.h"

const char *fp_cli_sudo(void)
{
	return geteuid() == 0 ? "" : "sudo ";
}

void fp_cli_fix_limit(struct fp_cli_check *check, const struct fp_cli_limit *limit)
{
	struct rlimit now = {0};
	char value[24] = "unlimited";

	getrlimit((__rlimit_resource_t)limit->resource, &now);
	if (limit->wanted != RLIM_INFINITY)
		snprintf(value, sizeof(value), "%lu", (unsigned long)limit->wanted);
	if (now.rlim_max >= limit->wanted || geteuid() == 0)
		fp_cli_check_fix(check, "ulimit -%c %s", limit->letter, value);
	else
		fp_cli_check_fix(check, FP_SAY_SUDO_PRLIMIT_PID, limit->name, value);
}

/* NAME as a shell takes it. New memory, or NULL. */
char *fp_cli_quote(const char *name)
{
	static const char plain[] = "_./+-@%:,=";
	bool is_plain = name[0] != '\0';
	char *quoted = NULL;
	size_t size;

	for (const char *at = name; *at != '\0'; at++)
		is_plain = is_plain && (isalnum((unsigned char)*at) || strchr(plain, *at));
	if (is_plain)
		return strdup(name);
	FILE *out = open_memstream(&quoted, &size);
	if (!out)
		return NULL;
	fputc('\'', out);
	for (const char *at = name; *at != '\0'; at++) {
		if (*at == '\'')
			fputs("'\\''", out);
		else
			fputc(*at, out);
	}
	fputc('\'', out);
	return fclose(out) == 0 ? quoted : NULL;
}

_Noreturn static void ask(char *const question[], int answers)
{
	int nowhere = open("/dev/null", O_RDWR);

	dup2(nowhere, STDIN_FILENO);
	dup2(nowhere, STDERR_FILENO);
	dup2(answers, STDOUT_FILENO);
	execvp(question[0], question);
	_exit(FP_CLI_NOT_FOUND);
}

/* The first line that the command QUESTION writes, or false when it fails. */
static bool read_answer(char *const question[], char line[PATH_MAX])
{
	int ends[2];
	int status = 0;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	pid_t child = fork();
	if (child == 0)
		ask(question, ends[1]);
	close(ends[1]);
	FILE *in = child > 0 ? fdopen(ends[0], "r") : NULL;
	bool is_there = in && fgets(line, PATH_MAX, in) != NULL;
	if (in)
		fclose(in);
	else
		close(ends[0]);
	if (child > 0)
		waitpid(child, &status, 0);
	return is_there && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* "coreutils: /bin/true" */
static bool ask_dpkg(const char *path, char line[PATH_MAX])
{
	char *const question[] = {(char *)(uintptr_t) "dpkg-query", (char *)(uintptr_t) "-S",
	                          (char *)(uintptr_t) "--", (char *)(uintptr_t)path, NULL};

	if (!read_answer(question, line))
		return false;
	line[strcspn(line, ":,\n")] = '\0';
	return line[0] != '\0' && !strchr(line, ' ');
}

static bool ask_rpm(const char *path, char line[PATH_MAX])
{
	char *const question[] = {(char *)(uintptr_t) "rpm",  (char *)(uintptr_t) "-qf",
	                          (char *)(uintptr_t) "--qf", (char *)(uintptr_t) "%{NAME}\n",
	                          (char *)(uintptr_t)path,    NULL};

	if (!read_answer(question, line))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return line[0] != '\0' && !strchr(line, ' ');
}

bool fp_cli_fix_by_package(struct fp_cli_check *check, const char *path)
{
	static const char merged[] = "/usr/";
	char package[PATH_MAX];
	char *real = realpath(path, NULL);
	const char *file = real ? real : path;
	/* Where /bin is a link to /usr/bin, packages may still list /bin. */
	const char *older =
	        strncmp(file, merged, strlen(merged)) == 0 ? file + strlen(merged) - 1 : file;
	bool is_found = true;

	if (ask_dpkg(file, package) || ask_dpkg(older, package))
		fp_cli_check_fix(check, FP_SAY_APT_GET_INSTALL, fp_cli_sudo(), package);
	else if (ask_rpm(file, package))
		fp_cli_check_fix(check, FP_SAY_DNF_DEBUGINFO_INSTALL, fp_cli_sudo(), package);
	else
		is_found = false;
	free(real);
	return is_found;
}
