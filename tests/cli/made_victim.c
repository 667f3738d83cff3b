/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that makes code while it runs, says so as runtimes do, and frees a block twice from
 * there. Its argument says how: "named"; "killed", right after that; "old", in a file that was
 * written before the process began; "foreign", in another user's file, for which it has to be
 * root.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A function that calls what it is given. */
#ifdef __x86_64__
static const unsigned char code[] = {0x55,             /* push %rbp */
                                     0x48, 0x89, 0xe5, /* mov %rsp,%rbp */
                                     0xff, 0xd7,       /* call *%rdi */
                                     0x5d,             /* pop %rbp */
                                     0xc3};            /* ret */
#else
static const unsigned char code[] = {0};
#endif

static void *block;

static void misuse(void)
{
	free(block);
	free(block);
}

static void say(const char *made, const char *how)
{
	const struct timespec old[2] = {{1, 0}, {1, 0}};
	char path[40];
	char line[6000];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	snprintf(path, sizeof(path), "/tmp/perf-%ld.map", (long)getpid());
	FILE *map = fopen(path, "w");
	if (map == NULL)
		exit(99);
	fprintf(map, "%lx 1000 what stood there before\n", (long)made);
	fprintf(map, "a line that is not one\n%lx %zx %s\n", (long)made + 4096, sizeof(code),
	        line);
	fprintf(map, "%lx %zx made (string) a.source:7\n", (long)made, sizeof(code));
	fprintf(map, "%lx %zx not whole", (long)made, sizeof(code));
	fclose(map);
	if (strcmp(how, "old") == 0)
		utimensat(AT_FDCWD, path, old, 0);
	if (strcmp(how, "foreign") == 0 && chown(path, 65534, 65534) != 0)
		exit(98);
}

int main(int argc, char **argv)
{
	void *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (argc < 2 || sizeof(code) == 1 || made == MAP_FAILED)
		return 77;
	block = malloc(40);
	memcpy(made, code, sizeof(code));
	say(made, argv[1]);
	((void (*)(void (*)(void)))made)(misuse);
	if (strcmp(argv[1], "killed") == 0)
		raise(SIGKILL);
	return 0;
}
