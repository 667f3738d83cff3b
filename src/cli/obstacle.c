/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that a preloaded library does not reach, or breaks, are told from their files before
 * they start. What cannot be read is no obstacle here: executing it will say why.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/run.h"

enum { SCRIPT_DEPTH_MAX = 4, SCRIPT_LINE_MAX = 256, PIECE_MAX = 64 << 20 };

/* What of an executable the loader looks at. Pieces that cannot be read are NULL. */
struct image {
	int fd;
	char start[SCRIPT_LINE_MAX]; /* of the file, terminated */
	size_t start_bytes;
	Elf64_Ehdr header;
	Elf64_Phdr *segments;
	Elf64_Dyn *dynamic;
	size_t dynamic_count;
	char *names; /* of symbols and libraries */
	size_t names_bytes;
};

static void *load(const struct image *image, uint64_t offset, uint64_t bytes)
{
	char *piece = bytes > 0 && bytes <= PIECE_MAX ? malloc(bytes) : NULL;
	size_t used = 0;

	while (piece && used < bytes) {
		ssize_t got =
		        pread(image->fd, piece + used, bytes - used, (off_t)(offset + used));

		if (got <= 0) {
			free(piece);
			return NULL;
		}
		used += (size_t)got;
	}
	return piece;
}

static const Elf64_Phdr *find_segment(const struct image *image, uint32_t type)
{
	for (size_t i = 0; image->segments && i < image->header.e_phnum; i++) {
		if (image->segments[i].p_type == type)
			return &image->segments[i];
	}
	return NULL;
}

/* The file offset of what is loaded at ADDRESS. */
static uint64_t file_offset(const struct image *image, uint64_t address)
{
	for (size_t i = 0; image->segments && i < image->header.e_phnum; i++) {
		const Elf64_Phdr *segment = &image->segments[i];

		if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
		    address - segment->p_vaddr < segment->p_filesz)
			return segment->p_offset + (address - segment->p_vaddr);
	}
	return UINT64_MAX;
}

static uint64_t dynamic_value(const struct image *image, int64_t tag)
{
	for (size_t i = 0; image->dynamic && i < image->dynamic_count; i++) {
		if (image->dynamic[i].d_tag == tag)
			return image->dynamic[i].d_un.d_val;
	}
	return 0;
}

static bool is_elf(const struct image *image)
{
	return image->start_bytes >= sizeof(image->header) &&
	       memcmp(image->start, ELFMAG, SELFMAG) == 0;
}

static void load_elf(struct image *image)
{
	memcpy(&image->header, image->start, sizeof(image->header));
	if (image->header.e_ident[EI_CLASS] != ELFCLASS64)
		return;
	image->segments = load(image, image->header.e_phoff,
	                       image->header.e_phnum * sizeof(*image->segments));
	const Elf64_Phdr *dynamic = find_segment(image, PT_DYNAMIC);
	if (!dynamic)
		return;
	image->dynamic_count = dynamic->p_filesz / sizeof(*image->dynamic);
	image->dynamic =
	        load(image, dynamic->p_offset, image->dynamic_count * sizeof(*image->dynamic));
	image->names_bytes = dynamic_value(image, DT_STRSZ);
	image->names = load(image, file_offset(image, dynamic_value(image, DT_STRTAB)),
	                    image->names_bytes);
}

static bool open_image(const char *path, struct image *image)
{
	*image = (struct image){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	if (image->fd < 0)
		return false;
	ssize_t got = pread(image->fd, image->start, sizeof(image->start) - 1, 0);
	image->start_bytes = got > 0 ? (size_t)got : 0;
	if (is_elf(image))
		load_elf(image);
	return true;
}

static void close_image(struct image *image)
{
	close(image->fd);
	free(image->segments);
	free(image->dynamic);
	free(image->names);
}

static const char *sanitizer_of(const struct image *image)
{
	static const char *const sanitizers[][2] = {
	        {"__asan_init", "AddressSanitizer"},
	        {"__tsan_init", "ThreadSanitizer"},
	        {"__msan_init", "MemorySanitizer"},
	        {"__hwasan_init", "HWAddressSanitizer"},
	};

	for (size_t i = 0; image->names && i < sizeof(sanitizers) / sizeof(sanitizers[0]);
	     i++) {
		if (memmem(image->names, image->names_bytes, sanitizers[i][0],
		           strlen(sanitizers[i][0]) + 1))
			return sanitizers[i][1];
	}
	return NULL;
}

/* As this program is, whose libraries are the ones we have. */
static bool is_of_this_machine(const struct image *image)
{
	struct image own;

	if (!open_image("/proc/self/exe", &own))
		return true;
	bool is_same = image->header.e_ident[EI_CLASS] == own.header.e_ident[EI_CLASS] &&
	               image->header.e_machine == own.header.e_machine;
	close_image(&own);
	return is_same;
}

static bool is_for_musl(const struct image *image)
{
	const Elf64_Phdr *segment = find_segment(image, PT_INTERP);
	char *loader = load(image, segment->p_offset, segment->p_filesz);
	bool is_musl =
	        loader && memmem(loader, segment->p_filesz, "ld-musl", strlen("ld-musl"));

	free(loader);
	return is_musl;
}

static char *explain(const char *path, const char *what, const char *remedy)
{
	char *text;

	return asprintf(&text, "%s %s: %s, or --force to try", path, what, remedy) < 0 ? NULL
	                                                                               : text;
}

static char *examine_elf(const char *path, const struct image *image)
{
	static const char link[] = "link it with libfencepost and use its heaps";

	if (!is_of_this_machine(image))
		return explain(path, "is for another architecture than this fencepost",
		               "use a fencepost built for that one");
	if (!find_segment(image, PT_INTERP))
		return explain(path, "is statically linked, so no library can be put under it",
		               "link it dynamically");
	if (is_for_musl(image))
		return explain(path, "is linked with musl and this fencepost with glibc", link);
	const char *sanitizer = sanitizer_of(image);
	char *what;
	if (!sanitizer ||
	    asprintf(&what, "is linked with %s, which has an allocator of its own", sanitizer) <
	            0)
		return NULL;
	char *text = explain(path, what, "build it without -fsanitize");
	free(what);
	return text;
}

/* Who gains privileges when executed is refused foreign libraries by the loader. */
static char *examine_privileges(const char *path)
{
	static const char what[] = "gains privileges when executed, so the loader refuses us";
	struct stat status;

	if (stat(path, &status) != 0)
		return NULL;
	bool is_other_user = (status.st_mode & S_ISUID) != 0 && status.st_uid != getuid();
	bool is_other_group = (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
	                      status.st_gid != getgid();
	bool has_capabilities =
	        getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
	if (!is_other_user && !is_other_group && !has_capabilities)
		return NULL;
	return explain(path, what, "run a copy of it without the privileges");
}

static char *examine(const char *path, int depth);

/* "#!/usr/bin/env python3" is python3's. */
static char *examine_script(const struct image *image, int depth)
{
	char line[SCRIPT_LINE_MAX];
	char *rest;

	strcpy(line, image->start + 2);
	line[strcspn(line, "\n")] = '\0';
	char *interpreter = strtok_r(line, " \t", &rest);
	char *argument = interpreter ? strtok_r(NULL, " \t", &rest) : NULL;
	if (!interpreter)
		return NULL;
	char *text = examine(interpreter, depth + 1);
	const char *name = strrchr(interpreter, '/');
	if (text || !argument || argument[0] == '-' || !name || strcmp(name, "/env") != 0)
		return text;
	char *found = fp_cli_find_program(argument);
	text = found ? examine(found, depth + 1) : NULL;
	free(found);
	return text;
}

static char *examine(const char *path, int depth)
{
	struct image image;
	char *text = examine_privileges(path);

	if (text || depth > SCRIPT_DEPTH_MAX || !open_image(path, &image))
		return text;
	if (is_elf(&image))
		text = examine_elf(path, &image);
	else if (strncmp(image.start, "#!", 2) == 0)
		text = examine_script(&image, depth);
	close_image(&image);
	return text;
}

char *fp_cli_find_obstacle(const char *path)
{
	return examine(path, 0);
}
