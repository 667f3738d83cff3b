/* SPDX-License-Identifier: Apache-2.0
 *
 * How long do frames take? 10,000 distinct addresses, evenly over the functions of an ELF file,
 * to functions, inlined functions, files and lines. Without a FILE: this program's C library.
 * For a large one: /usr/lib/x86_64-linux-gnu/debug/libstdc++.so.6 of Debian's
 * libstdc++6-12-dbg.
 */
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>

#include "symbol/symbol.h"

enum { FRAMES = 10000 };

struct code {
	uint64_t start;
	uint64_t size;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The executable section with the most in it. */
static struct code find_code(Elf *elf)
{
	struct code code = {0};
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)) && gelf_getshdr(section, &header)) {
		if ((header.sh_flags & SHF_EXECINSTR) && header.sh_size > code.size)
			code = (struct code){header.sh_addr, header.sh_size};
	}
	return code;
}

static void look_up(struct fp_symbol_image *image, const struct code *code)
{
	size_t known = 0;
	size_t with_line = 0;
	size_t frames = 0;

	for (uint64_t i = 0; i < FRAMES; i++) {
		uint64_t address = code->start + 1 + code->size / FRAMES * i;
		const struct fp_symbol_place *place = fp_symbol_lookup(image, address, false);

		if (!place || place->count == 0)
			continue;
		known++;
		frames += place->count;
		with_line += place->frames[0].line > 0;
	}
	printf("%d addresses: %zu known, %zu with a line, %zu frames\n", FRAMES, known,
	       with_line, frames);
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/lib/x86_64-linux-gnu/libc.so.6";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf;
	const void *build_id = NULL;
	ssize_t size;
	struct fp_symbol_image *image;

	elf_version(EV_CURRENT);
	elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf) {
		fprintf(stderr, "frames: %s: %s\n", path,
		        fd < 0 ? strerror(errno) : "no ELF file");
		return EXIT_FAILURE;
	}
	const struct code code = find_code(elf);
	size = dwelf_elf_gnu_build_id(elf, &build_id);
	const struct fp_symbol_source source = {path, build_id, size > 0 ? (size_t)size : 0,
	                                        FP_SYMBOL_DEBUG_DIR};
	double start = now();
	if (fp_symbol_open(&source, &image) != 0)
		return EXIT_FAILURE;
	look_up(image, &code);
	printf("%.0f ms\n", (now() - start) * 1000);
	fp_symbol_close(image);
	elf_end(elf);
	close(fd);
	return EXIT_SUCCESS;
}
