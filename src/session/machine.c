/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine, or the container this process is in, has to give.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "session/state.h"

size_t fp_session_read_file(const char *path, char *buffer, size_t size)
{
	size_t used = 0;
	ssize_t got = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	while (used < size && (got = read(fd, buffer + used, size - used)) > 0)
		used += (size_t)got;
	close(fd);
	return used;
}

/* The first number in TEXT; UINT64_MAX when there is none ("max"). */
static uint64_t first_number(const char *text)
{
	uint64_t number = 0;

	text += strcspn(text, "0123456789");
	if (*text == '\0')
		return UINT64_MAX;
	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (uint64_t)(*text - '0');
	return number;
}

/* The number after KEY in the file at PATH; UINT64_MAX when it is not there. */
static uint64_t read_number(const char *path, const char *key)
{
	char text[4096];

	text[fp_session_read_file(path, text, sizeof(text) - 1)] = '\0';
	const char *found = strstr(text, key);
	return found == NULL ? UINT64_MAX : first_number(found + strlen(key));
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t fp_session_available_memory(void)
{
	uint64_t kib = read_number("/proc/meminfo", "MemAvailable:");
	uint64_t machine = kib == UINT64_MAX ? UINT64_MAX : kib * 1024;
	uint64_t limit = read_number("/sys/fs/cgroup/memory.max", "");
	uint64_t used = read_number("/sys/fs/cgroup/memory.current", "");

	if (limit == UINT64_MAX || used == UINT64_MAX)
		return machine;
	return lesser(machine, limit > used ? limit - used : 0);
}

size_t fp_session_affordable(size_t bytes)
{
	enum { SHARE = 16 };
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return bytes;
	return lesser(bytes, limit.rlim_cur / SHARE);
}
