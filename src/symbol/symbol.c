/* SPDX-License-Identifier: Apache-2.0
 *
 * Images: one ELF file each, checked against its recorded build-id, with every answer kept. An
 * image has a libdwfl session of its own, laid out at the file's own addresses, so that the
 * same file mapped twice, or two files at one address at different times, are no special case.
 */
#include "symbol/symbol.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/demangle.h"
#include "symbol/dwarf.h"
#include "symbol/table.h"

struct answer {
	uint64_t address;
	struct fp_symbol_place place;
	struct fp_symbol_frame frames[];
};

struct fp_symbol_image {
	enum fp_symbol_state state;
	Dwfl_Callbacks callbacks;
	char *debug_dir;
	Dwfl *session;
	Dwfl_Module *module;
	struct fp_symbol_dwarf dwarf;
	struct fp_symbol_table table;
	void *answers; /* tsearch tree of struct answer */
};

/* The file is always handed over open: nothing may go and look for another one. */
static int find_no_elf(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                       char **file, Elf **elf)
{
	(void)module, (void)user, (void)name, (void)base, (void)file, (void)elf;
	return -1;
}

/* dwfl_standard_find_debuginfo would ask debuginfod servers; this looks at build-ids only. */
static int find_debug_file(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                           const char *file, const char *link, GElf_Word checksum, char **found)
{
	return dwfl_build_id_find_debuginfo(module, user, name, base, file, link, checksum,
	                                    found);
}

/* A path can come from a damaged log: only regular files are read, and nothing blocks. */
static int open_regular(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool has_build_id(Dwfl_Module *module, const struct fp_symbol_source *source)
{
	const unsigned char *bits;
	GElf_Addr where;
	int size = dwfl_module_build_id(module, &bits, &where);

	if (size <= 0)
		return source->build_id_size == 0;
	return (size_t)size == source->build_id_size &&
	       memcmp(bits, source->build_id, source->build_id_size) == 0;
}

static enum fp_symbol_state load(struct fp_symbol_image *image,
                                 const struct fp_symbol_source *source)
{
	Dwarf_Addr bias = 0;
	int fd;

	if (!strchr(source->path, '/'))
		return FP_SYMBOL_NO_FILE;
	fd = open_regular(source->path);
	if (fd < 0)
		return FP_SYMBOL_UNREADABLE;
	dwfl_report_begin(image->session);
	image->module =
	        dwfl_report_elf(image->session, source->path, source->path, fd, 0, true);
	dwfl_report_end(image->session, NULL, NULL);
	if (!image->module) {
		close(fd);
		return FP_SYMBOL_UNREADABLE;
	}
	if (!has_build_id(image->module, source))
		return FP_SYMBOL_CHANGED;
	image->dwarf.dwarf = dwfl_module_getdwarf(image->module, &bias);
	image->dwarf.bias = bias;
	return FP_SYMBOL_USABLE;
}

int fp_symbol_open(const struct fp_symbol_source *source, struct fp_symbol_image **image)
{
	struct fp_symbol_image *opened = calloc(1, sizeof(*opened));

	*image = NULL;
	if (!opened)
		return -ENOMEM;
	opened->debug_dir = strdup(source->debug_dir);
	opened->callbacks = (Dwfl_Callbacks){.find_elf = find_no_elf,
	                                     .find_debuginfo = find_debug_file,
	                                     .section_address = dwfl_offline_section_address,
	                                     .debuginfo_path = &opened->debug_dir};
	opened->session = dwfl_begin(&opened->callbacks);
	if (!opened->debug_dir || !opened->session) {
		fp_symbol_close(opened);
		return -ENOMEM;
	}
	opened->state = load(opened, source);
	*image = opened;
	return 0;
}

enum fp_symbol_state fp_symbol_state(const struct fp_symbol_image *image)
{
	return image->state;
}

static void free_functions(struct fp_symbol_frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(frames[i].function);
}

static void free_answer(void *node)
{
	struct answer *answer = node;

	free_functions(answer->frames, answer->place.count);
	free(answer);
}

void fp_symbol_close(struct fp_symbol_image *image)
{
	if (!image)
		return;
	tdestroy(image->answers, free_answer);
	fp_symbol_dwarf_free(&image->dwarf);
	fp_symbol_ranges_free(&image->table.ranges);
	if (image->session)
		dwfl_end(image->session);
	free(image->debug_dir);
	free(image);
}

static int compare_answers(const void *left, const void *right)
{
	const struct answer *a = left;
	const struct answer *b = right;

	return (a->address > b->address) - (a->address < b->address);
}

/* Gives FRAME the symbol table's name for ADDRESS, if it has one. */
static int name_by_table(struct fp_symbol_image *image, uint64_t address,
                         struct fp_symbol_frame *frame)
{
	const char *name = fp_symbol_table_find(&image->table, image->module, address,
	                                        &frame->function_offset);

	if (!name)
		return 0;
	frame->function = fp_symbol_demangle(name);
	return frame->function ? 0 : -ENOMEM;
}

/* Returns how many FRAMES it filled, or -ENOMEM; functions are set or NULL either way. */
static int find_frames(struct fp_symbol_image *image, uint64_t address,
                       struct fp_symbol_frame *frames)
{
	int count;

	frames[0] = (struct fp_symbol_frame){0};
	if (image->state != FP_SYMBOL_USABLE)
		return 0;
	count = fp_symbol_dwarf_find(&image->dwarf, address, frames);
	if (count < 0 || (count > 0 && frames[count - 1].function))
		return count;
	if (name_by_table(image, address, &frames[count > 0 ? count - 1 : 0]) != 0)
		return -ENOMEM;
	return count > 0 || !frames[0].function ? count : 1;
}

static struct answer *find_answer(struct fp_symbol_image *image, uint64_t address)
{
	struct fp_symbol_frame frames[FP_SYMBOL_INLINE_MAX] = {{0}};
	int count = find_frames(image, address, frames);
	struct answer *answer =
	        count < 0 ? NULL : malloc(sizeof(*answer) + (size_t)count * sizeof(frames[0]));

	if (!answer) {
		free_functions(frames, FP_SYMBOL_INLINE_MAX);
		return NULL;
	}
	answer->address = address;
	answer->place = (struct fp_symbol_place){answer->frames, (size_t)count};
	memcpy(answer->frames, frames, (size_t)count * sizeof(frames[0]));
	return answer;
}

const struct fp_symbol_place *fp_symbol_lookup(struct fp_symbol_image *image, uint64_t address,
                                               bool exact)
{
	const struct answer wanted = {.address = exact || address == 0 ? address : address - 1};
	struct answer **kept = tfind(&wanted, &image->answers, compare_answers);
	struct answer *answer;

	if (kept)
		return &(*kept)->place;
	answer = find_answer(image, wanted.address);
	if (!answer)
		return NULL;
	if (!tsearch(answer, &image->answers, compare_answers)) {
		free_answer(answer);
		return NULL;
	}
	return &answer->place;
}
