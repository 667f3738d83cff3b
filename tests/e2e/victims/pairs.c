/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that runs for long: so many pairs of Alloc and Free with 1,000 blocks live. Ten
 * times on the way it prints the pairs done, its resident KiB and its mappings.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "victim.h"

enum { LIVE = 1000, SAMPLES = 10, PIECE_BYTES = 1 << 16 };

static char piece[PIECE_BYTES];

static long resident_kib(void)
{
	int fd = open("/proc/self/status", O_RDONLY);
	const char *line;
	ssize_t length;

	EXPECT(fd >= 0);
	length = read(fd, piece, sizeof(piece) - 1);
	EXPECT(length > 0);
	close(fd);
	piece[length] = '\0';
	line = strstr(piece, "VmRSS:");
	EXPECT(line != NULL);
	return atol(line + strlen("VmRSS:"));
}

static long mapping_count(void)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	ssize_t length;
	long lines = 0;

	EXPECT(fd >= 0);
	while ((length = read(fd, piece, sizeof(piece))) > 0)
		for (ssize_t i = 0; i < length; i++)
			lines += piece[i] == '\n';
	close(fd);
	return lines;
}

int main(int argc, char **argv)
{
	static char *blocks[LIVE];
	IHostMalloc *heap = victim_heap();
	long pairs;

	EXPECT(argc == 2);
	pairs = atol(argv[1]);
	for (long i = 0; i < pairs + LIVE; i++) {
		char **block = &blocks[i % LIVE];
		void *memory = NULL;

		if (*block != NULL)
			EXPECT(**block == (char)(i - LIVE) &&
			       IHostMalloc_Free(heap, *block) == S_OK);
		EXPECT(IHostMalloc_Alloc(heap, 64, eTaskCritical, &memory) == S_OK);
		*block = memory;
		**block = (char)i;
		if (i >= LIVE && (i - LIVE + 1) % (pairs / SAMPLES) == 0) {
			printf("%ld %ld %ld\n", i - LIVE + 1, resident_kib(), mapping_count());
			fflush(stdout);
		}
	}
	for (size_t i = 0; i < LIVE; i++)
		EXPECT(IHostMalloc_Free(heap, blocks[i]) == S_OK);
	IHostMalloc_Release(heap);
	return 0;
}
