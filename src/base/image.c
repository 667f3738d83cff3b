/* SPDX-License-Identifier: Apache-2.0
 *
 * Executable files are read through small windows: this runs between fork and exec of programs
 * whose stacks nobody knows, where nothing may be allocated.
 */
#include "base/image.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/own.h"
#include "base/sys.h"

enum { SEGMENTS_MAX = 64, WINDOW_BYTES = 2048, LOADER_MAX = 128, NAMES_MAX = 64 << 20 };

/* What of a file the loader looks at. */
struct elf {
	int fd;
	Elf64_Ehdr header;
	size_t segment_count;
	Elf64_Phdr segments[SEGMENTS_MAX];
};

/* How many bytes of the file at OFFSET are now in BUFFER. */
static size_t read_at(int fd, uint64_t offset, void *buffer, size_t bytes)
{
	size_t used = 0;

	while (used < bytes) {
		ssize_t got = fp_sys_pread(fd, (char *)buffer + used, bytes - used,
		                           (off_t)(offset + used));

		if (got == -EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	return used;
}

static const Elf64_Phdr *find_segment(const struct elf *elf, uint32_t type)
{
	for (size_t i = 0; i < elf->segment_count; i++)
		if (elf->segments[i].p_type == type)
			return &elf->segments[i];
	return NULL;
}

/* The file offset of what is loaded at ADDRESS. */
static uint64_t file_offset(const struct elf *elf, uint64_t address)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *segment = &elf->segments[i];

		if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
		    address - segment->p_vaddr < segment->p_filesz)
			return segment->p_offset + (address - segment->p_vaddr);
	}
	return UINT64_MAX / 2;
}

static bool read_elf(struct elf *elf)
{
	elf->segment_count = 0;
	if (read_at(elf->fd, 0, &elf->header, sizeof(elf->header)) != sizeof(elf->header) ||
	    memcmp(elf->header.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	size_t count = elf->header.e_phnum < SEGMENTS_MAX ? elf->header.e_phnum : SEGMENTS_MAX;
	size_t got = read_at(elf->fd, elf->header.e_phoff, elf->segments,
	                     count * sizeof(elf->segments[0]));
	elf->segment_count = got / sizeof(elf->segments[0]);
	return true;
}

static bool is_foreign(const struct elf *elf)
{
	return elf->header.e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS] ||
	       elf->header.e_ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA] ||
	       elf->header.e_machine != __ehdr_start.e_machine;
}

static bool is_for_musl(const struct elf *elf)
{
	const Elf64_Phdr *loader = find_segment(elf, PT_INTERP);
	char name[LOADER_MAX + 1];
	size_t bytes = loader->p_filesz < LOADER_MAX ? loader->p_filesz : LOADER_MAX;

	name[read_at(elf->fd, loader->p_offset, name, bytes)] = '\0';
	return strstr(name, "ld-musl") != NULL;
}

/* Where the names of symbols and libraries stand in the file. */
struct names {
	uint64_t offset;
	uint64_t bytes;
};

static bool find_names(const struct elf *elf, struct names *names)
{
	const Elf64_Phdr *dynamic = find_segment(elf, PT_DYNAMIC);
	Elf64_Dyn entry = {.d_tag = DT_NULL};
	uint64_t at = 0;

	*names = (struct names){0};
	for (; dynamic != NULL && at < dynamic->p_filesz; at += sizeof(entry)) {
		if (read_at(elf->fd, dynamic->p_offset + at, &entry, sizeof(entry)) !=
		            sizeof(entry) ||
		    entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_STRTAB)
			names->offset = file_offset(elf, entry.d_un.d_ptr);
		else if (entry.d_tag == DT_STRSZ)
			names->bytes = entry.d_un.d_val;
	}
	return names->bytes > 0 && names->bytes <= NAMES_MAX;
}

/* The names end alike: one search of what can be megabytes. */
static const char *sanitizer_in(const char *window, size_t bytes)
{
	static const char end[] = "san_init";
	static const char *const sanitizers[][2] = {
	        {"__a", "AddressSanitizer"},
	        {"__t", "ThreadSanitizer"},
	        {"__m", "MemorySanitizer"},
	        {"__hwa", "HWAddressSanitizer"},
	};
	const char *found = window;

	while ((found = memmem(found, (size_t)(window + bytes - found), end, sizeof(end)))) {
		for (size_t i = 0; i < sizeof(sanitizers) / sizeof(sanitizers[0]); i++) {
			size_t length = strlen(sanitizers[i][0]);

			if ((size_t)(found - window) >= length &&
			    memcmp(found - length, sanitizers[i][0], length) == 0)
				return sanitizers[i][1];
		}
		found += sizeof(end);
	}
	return NULL;
}

/* Windows overlap: a name may stand across the end of one. */
static const char *find_sanitizer(const struct elf *elf)
{
	enum { OVERLAP = 16 };
	char window[WINDOW_BYTES];
	const char *found = NULL;
	struct names names;
	uint64_t at = 0;

	if (!find_names(elf, &names))
		return NULL;
	while (found == NULL && at + OVERLAP < names.bytes) {
		uint64_t left = names.bytes - at;
		size_t bytes = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
		size_t got = read_at(elf->fd, names.offset + at, window, bytes);

		found = sanitizer_in(window, got);
		if (got < bytes)
			break;
		at += bytes - OVERLAP;
	}
	return found;
}

static enum fp_image_obstacle examine_elf(const struct elf *elf, const char **sanitizer)
{
	if (is_foreign(elf))
		return FP_IMAGE_FOREIGN;
	if (find_segment(elf, PT_INTERP) == NULL)
		return FP_IMAGE_STATIC;
	if (is_for_musl(elf))
		return FP_IMAGE_MUSL;
	*sanitizer = find_sanitizer(elf);
	return *sanitizer != NULL ? FP_IMAGE_SANITIZED : FP_IMAGE_NO_OBSTACLE;
}

static bool is_privileged(const char *path)
{
	struct stat status;

	if (fp_sys_stat(path, &status) != 0)
		return false;
	bool is_other_user =
	        (status.st_mode & S_ISUID) != 0 && status.st_uid != fp_sys(SYS_getuid);
	bool is_other_group = (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
	                      status.st_gid != fp_sys(SYS_getgid);
	return is_other_user || is_other_group ||
	       (fp_sys(SYS_getuid) != 0 &&
	        fp_sys(SYS_getxattr, path, "security.capability", NULL, 0) > 0);
}

static int open_file(const char *path)
{
	return fp_sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
}

enum fp_image_obstacle fp_image_examine(const char *path, const char **sanitizer)
{
	enum fp_image_obstacle obstacle = FP_IMAGE_NO_OBSTACLE;
	struct elf elf = {.fd = -1};

	*sanitizer = NULL;
	if (is_privileged(path))
		return FP_IMAGE_PRIVILEGED;
	elf.fd = open_file(path);
	if (elf.fd < 0)
		return FP_IMAGE_NO_OBSTACLE;
	if (read_elf(&elf))
		obstacle = examine_elf(&elf, sanitizer);
	fp_sys_close(elf.fd);
	return obstacle;
}

bool fp_image_read_script(const char *path, char line[FP_IMAGE_LINE_MAX])
{
	int fd = open_file(path);

	if (fd < 0)
		return false;
	line[read_at(fd, 0, line, FP_IMAGE_LINE_MAX - 1)] = '\0';
	fp_sys_close(fd);
	if (strncmp(line, "#!", 2) != 0)
		return false;
	line[strcspn(line, "\n")] = '\0';
	memmove(line, line + 2, strlen(line + 2) + 1);
	return true;
}
