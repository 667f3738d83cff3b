/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine, or the container this process is in, has to give.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include "base/proc.h"
#include "base/sys.h"
#include "machine/machine.h"
#include "session/state.h"

size_t fp_session_read_file(const char *path, char *buffer, size_t size)
{
	size_t used = 0;
	ssize_t got = -1;
	int fd = fp_sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	while (used < size && (got = fp_sys_read(fd, buffer + used, size - used)) > 0)
		used += (size_t)got;
	fp_sys_close(fd);
	return used;
}

uint64_t fp_session_available_memory(void)
{
	struct fp_machine_memory memory;

	return fp_machine_memory(&memory) == 0 ? memory.available : UINT64_MAX;
}

size_t fp_session_affordable(size_t bytes)
{
	enum { SHARE = 16 };
	struct rlimit limit;

	if (fp_sys_get_limit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return bytes;
	return bytes < limit.rlim_cur / SHARE ? bytes : limit.rlim_cur / SHARE;
}

bool fp_session_is_traced(void)
{
	static const char key[] = "\nTracerPid:\t";
	char text[2048];

	text[fp_session_read_file(FP_PROC_SELF "status", text, sizeof(text) - 1)] = '\0';
	const char *tracer = strstr(text, key);
	return tracer != NULL && tracer[sizeof(key) - 1] != '0';
}
