/* SPDX-License-Identifier: Apache-2.0
 *
 * Images: one ELF file each, checked against its recorded build-id, with every answer kept. An
 * image has a libdwfl session of its own, laid out at the file's own addresses, so that the
 * same file mapped twice, or two files at one address at different times, are no special case.
 */
#include "symbol/symbol.h"

#include <ctype.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/dwarf.h"
#include "symbol/names.h"
#include "symbol/separate.h"
#include "symbol/table.h"

enum detail { EVERYTHING, NAME, LINE };

struct answer {
	uint64_t address;
	enum detail detail; /* that was asked for */
	struct fp_symbol_place place;
	struct fp_symbol_frame frames[];
};

struct fp_symbol_image {
	enum fp_symbol_state state;
	Dwfl_Callbacks callbacks;
	struct fp_symbol_search search;
	Dwfl *session;
	Dwfl_Module *module;
	struct fp_symbol_dwarf dwarf;
	bool is_dwarf_open;
	struct fp_symbol_table table;
	struct fp_symbol_table objects;
	struct fp_symbol_table thread_locals;
	const struct fp_symbol_piece *pieces; /* of an image without a file */
	size_t piece_count;
	void *answers; /* tsearch tree of struct answer */
};

/* The file is always handed over open: nothing may go and look for another one. */
static int find_no_elf(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                       char **file, Elf **elf)
{
	(void)module, (void)user, (void)name, (void)base, (void)file, (void)elf;
	return -1;
}

/* libelf decompresses all debug information when it is opened, which takes longer than
 * everything else here: only what is asked for is opened. */
static struct fp_symbol_dwarf *open_dwarf(struct fp_symbol_image *image)
{
	Dwarf_Addr bias = 0;

	if (!image->is_dwarf_open) {
		image->is_dwarf_open = true;
		image->dwarf.dwarf = dwfl_module_getdwarf(image->module, &bias);
		image->dwarf.bias = bias;
	}
	return &image->dwarf;
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

/* Its code has no names that we could read, and lacks none. */
static bool is_assembly(int fd)
{
	char magic[2];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) && magic[0] == 'M' &&
	       magic[1] == 'Z';
}

/* FD is the image's from then on. */
static enum fp_symbol_state load_file(struct fp_symbol_image *image,
                                      const struct fp_symbol_source *source, int fd)
{
	void **user;

	if (is_assembly(fd)) {
		close(fd);
		return FP_SYMBOL_NO_FILE;
	}
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
	dwfl_module_info(image->module, &user, NULL, NULL, NULL, NULL, NULL, NULL);
	*user = &image->search;
	return FP_SYMBOL_USABLE;
}

/* Of a file that is gone, is another one by now, or was on another machine, there may still be
 * what debuggers read. */
static enum fp_symbol_state load(struct fp_symbol_image *image,
                                 const struct fp_symbol_source *source)
{
	enum fp_symbol_state state = FP_SYMBOL_NO_FILE;
	int fd = -1;

	if (strchr(source->path, '/')) {
		fd = fp_symbol_open_regular(source->path);
		state = fd < 0 ? FP_SYMBOL_UNREADABLE : load_file(image, source, fd);
	}
	if (state == FP_SYMBOL_USABLE)
		return state;
	fd = fp_symbol_separate_open(&image->search);
	return fd >= 0 && load_file(image, source, fd) == FP_SYMBOL_USABLE ? FP_SYMBOL_USABLE
	                                                                   : state;
}

static int begin_search(struct fp_symbol_search *search, const struct fp_symbol_source *source)
{
	search->debug_dir = strdup(source->debug_dir);
	if (source->build_id_size > 0) {
		search->build_id = malloc(source->build_id_size);
		if (!search->build_id)
			return -ENOMEM;
		memcpy(search->build_id, source->build_id, source->build_id_size);
		search->build_id_size = source->build_id_size;
	}
	return search->debug_dir ? 0 : -ENOMEM;
}

int fp_symbol_open(const struct fp_symbol_source *source, struct fp_symbol_image **image)
{
	struct fp_symbol_image *opened = calloc(1, sizeof(*opened));

	*image = NULL;
	if (!opened)
		return -ENOMEM;
	opened->callbacks = (Dwfl_Callbacks){.find_elf = find_no_elf,
	                                     .find_debuginfo = fp_symbol_separate_find,
	                                     .section_address = dwfl_offline_section_address,
	                                     .debuginfo_path = &opened->search.debug_dir};
	opened->objects.kind = FP_SYMBOL_OBJECTS;
	opened->thread_locals.kind = FP_SYMBOL_THREAD_LOCALS;
	opened->session = dwfl_begin(&opened->callbacks);
	if (begin_search(&opened->search, source) != 0 || !opened->session) {
		fp_symbol_close(opened);
		return -ENOMEM;
	}
	opened->state = load(opened, source);
	*image = opened;
	return 0;
}

int fp_symbol_open_made(const struct fp_symbol_piece *pieces, size_t count,
                        struct fp_symbol_image **image)
{
	*image = calloc(1, sizeof(**image));
	if (!*image)
		return -ENOMEM;
	(*image)->state = FP_SYMBOL_NO_FILE;
	(*image)->pieces = pieces;
	(*image)->piece_count = count;
	return 0;
}

enum fp_symbol_state fp_symbol_state(const struct fp_symbol_image *image)
{
	return image->state;
}

/*
 * Code that is in no file: a runtime made it, and said so where perf looks for it, in
 * /tmp/perf-PID.map. There each piece has a line "START SIZE NAME", with numbers in
 * hexadecimal. What was made later at the same addresses stands further down.
 *
 * Anybody can make a file of that name, and process ids come again: the file has to be this
 * user's own, and written to since the process began.
 */

enum { LINE_BYTES = 4096, MAP_BYTES_MAX = 512 << 20 };

static FILE *open_map(uint32_t pid, uint64_t started)
{
	struct stat status;
	char path[40];
	FILE *map = NULL;
	int fd;

	snprintf(path, sizeof(path), "/tmp/perf-%" PRIu32 ".map", pid);
	fd = fp_symbol_open_regular(path);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
	    (uint64_t)status.st_mtim.tv_sec >= started && status.st_size <= MAP_BYTES_MAX)
		map = fdopen(fd, "r");
	if (!map)
		close(fd);
	return map;
}

/* LINE, which a runtime may be writing just now, into PIECE; false when it is not whole. */
static bool parse(char *line, struct fp_symbol_piece *piece)
{
	char *end = strchr(line, '\n');
	int name = 0;

	if (!end ||
	    sscanf(line, "%" SCNx64 " %" SCNx64 " %n", &piece->start, &piece->size, &name) !=
	            2 ||
	    name == 0 || line + name >= end)
		return false;
	piece->name = line + name;
	piece->name_size = (size_t)(end - piece->name);
	return true;
}

void fp_symbol_each_made(uint32_t pid, uint64_t started,
                         void (*visit)(const struct fp_symbol_piece *piece, void *user),
                         void *user)
{
	FILE *map = open_map(pid, started);
	struct fp_symbol_piece piece;
	char line[LINE_BYTES];
	bool is_whole = true; /* LINE begins where one begins */

	while (map && fgets(line, sizeof(line), map)) {
		if (is_whole && parse(line, &piece))
			visit(&piece, user);
		is_whole = strchr(line, '\n') != NULL;
	}
	if (map)
		fclose(map);
}

/* A name may end in " FILE:LINE", which is the line of this piece of the function. One that
 * ends in two numbers, as V8's do, says where the function begins; that stays part of it. */
static void split_line(struct fp_symbol_frame *frame)
{
	char *file = strrchr(frame->function, ' ');
	char *colon = file ? strchr(file, ':') : NULL;
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	const char *before = colon;

	while (colon && isdigit((unsigned char)before[-1]))
		before--;
	if (digits == 0 || digits > 9 || colon[1 + digits] != '\0' || before[-1] == ' ' ||
	    (before[-1] == ':' && before != colon))
		return;
	*file = *colon = '\0';
	frame->file = file + 1;
	frame->line = (uint32_t)strtoul(colon + 1, NULL, 10);
}

static int fp_symbol_made_find(const struct fp_symbol_piece *pieces, size_t count,
                               uint64_t address, struct fp_symbol_frame *frame)
{
	while (count > 0 && address - pieces[count - 1].start >= pieces[count - 1].size)
		count--;
	if (count == 0)
		return 0;
	frame->function = strndup(pieces[count - 1].name, pieces[count - 1].name_size);
	if (!frame->function)
		return -ENOMEM;
	frame->function_offset = address - pieces[count - 1].start;
	split_line(frame);
	return 1;
}

static void free_functions(struct fp_symbol_frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(frames[i].function);
		free(frames[i].linkage);
		frames[i].function = frames[i].linkage = NULL;
	}
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
	fp_symbol_ranges_free(&image->objects.ranges);
	fp_symbol_ranges_free(&image->thread_locals.ranges);
	if (image->session)
		dwfl_end(image->session);
	free(image->search.debug_dir);
	free(image->search.build_id);
	free(image);
}

static int compare_answers(const void *left, const void *right)
{
	const struct answer *a = left;
	const struct answer *b = right;

	if (a->detail != b->detail)
		return a->detail < b->detail ? -1 : 1;
	return (a->address > b->address) - (a->address < b->address);
}

/* Fills FRAMES, all zero, with what WANTED asks for. Returns how many it filled, or -ENOMEM;
 * functions are set or NULL either way. */
static int find_frames(struct fp_symbol_image *image, const struct answer *wanted,
                       struct fp_symbol_frame *frames)
{
	struct fp_symbol_frame *unnamed;
	const char *name;
	int count = 0;

	if (image->state != FP_SYMBOL_USABLE)
		return fp_symbol_made_find(image->pieces, image->piece_count, wanted->address,
		                           frames);
	if (wanted->detail != NAME)
		count = fp_symbol_dwarf_find(open_dwarf(image), wanted->address, frames);
	if (wanted->detail == LINE && count > 0) {
		/* The last one is whose code it is. */
		free_functions(frames, (size_t)count);
		frames[0] = frames[count - 1];
		count = 1;
	}
	if (count < 0 || (count > 0 && frames[count - 1].function))
		return count;
	unnamed = &frames[count > 0 ? count - 1 : 0];
	name = fp_symbol_table_find(&image->table, image->module, wanted->address,
	                            &unnamed->function_offset);
	if (name && fp_symbol_name(unnamed, name) != 0)
		return -ENOMEM;
	return count > 0 || !name ? count : 1;
}

static const struct fp_symbol_place *look_up(struct fp_symbol_image *image, uint64_t address,
                                             bool exact, enum detail detail)
{
	/* A return address is behind the call. */
	const struct answer wanted = {.address = exact || address == 0 ? address : address - 1,
	                              .detail = detail};
	struct answer **kept = tfind(&wanted, &image->answers, compare_answers);
	struct fp_symbol_frame frames[FP_SYMBOL_INLINE_MAX] = {{0}};
	struct answer *answer = NULL;
	int count;

	if (kept)
		return &(*kept)->place;
	count = find_frames(image, &wanted, frames);
	if (count >= 0)
		answer = malloc(sizeof(*answer) + (size_t)count * sizeof(frames[0]));
	if (answer) {
		*answer = wanted;
		answer->place = (struct fp_symbol_place){answer->frames, (size_t)count};
		memcpy(answer->frames, frames, (size_t)count * sizeof(frames[0]));
	}
	if (!answer || !tsearch(answer, &image->answers, compare_answers)) {
		free_functions(frames, FP_SYMBOL_INLINE_MAX);
		free(answer);
		return NULL;
	}
	return &answer->place;
}

const struct fp_symbol_place *fp_symbol_lookup(struct fp_symbol_image *image, uint64_t address,
                                               bool exact)
{
	return look_up(image, address, exact, EVERYTHING);
}

const struct fp_symbol_place *fp_symbol_lookup_name(struct fp_symbol_image *image,
                                                    uint64_t address, bool exact)
{
	return look_up(image, address, exact, NAME);
}

const struct fp_symbol_place *fp_symbol_lookup_line(struct fp_symbol_image *image,
                                                    uint64_t address, bool exact)
{
	return look_up(image, address, exact, LINE);
}

const char *fp_symbol_callee(const struct fp_symbol_image *image, uint64_t return_address)
{
	return image->state == FP_SYMBOL_USABLE
	               ? fp_symbol_callee_find(image->module, return_address)
	               : NULL;
}

/* What TABLE has at ADDRESS. */
static int find_in(struct fp_symbol_image *image, struct fp_symbol_table *table,
                   uint64_t address, struct fp_symbol_variable *variable)
{
	struct fp_symbol_frame frame = {0};
	const char *name;

	*variable = (struct fp_symbol_variable){0};
	if (image->state != FP_SYMBOL_USABLE)
		return 0;
	name = fp_symbol_table_find(table, image->module, address, &variable->offset);
	if (!name)
		return 0;
	if (fp_symbol_name(&frame, name) != 0)
		return -ENOMEM;
	free(frame.linkage);
	variable->name = frame.function;
	return 0;
}

int fp_symbol_find_variable(struct fp_symbol_image *image, uint64_t address,
                            struct fp_symbol_variable *variable)
{
	int result = find_in(image, &image->objects, address, variable);

	return result != 0 || !variable->name
	               ? result
	               : fp_symbol_dwarf_members(open_dwarf(image), address, variable);
}

/* The next segment of TYPE from *AT on; false when there is none. */
static bool find_segment(const struct fp_symbol_image *image, uint32_t type, size_t *at,
                         GElf_Phdr *segment)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(image->module, &bias);
	size_t count;

	if (!elf || elf_getphdrnum(elf, &count) != 0)
		return false;
	while (*at < count)
		if (gelf_getphdr(elf, (int)(*at)++, segment) && segment->p_type == type)
			return true;
	return false;
}

bool fp_symbol_has(const struct fp_symbol_image *image, uint64_t address)
{
	GElf_Phdr segment;
	size_t at = 0;

	while (image->state == FP_SYMBOL_USABLE && find_segment(image, PT_LOAD, &at, &segment))
		if (address - segment.p_vaddr < segment.p_memsz)
			return true;
	return false;
}

/* Where the program's own storage is from the thread pointer: right below it, or behind what
 * the ABI has there. False: it has none. */
static bool find_storage(const struct fp_symbol_image *image, int64_t *start)
{
	GElf_Addr bias;
	GElf_Ehdr header;
	GElf_Phdr segment;
	uint64_t align;
	size_t at = 0;

	if (!find_segment(image, PT_TLS, &at, &segment) ||
	    !gelf_getehdr(dwfl_module_getelf(image->module, &bias), &header))
		return false;
	align = segment.p_align > 0 ? segment.p_align : 1;
	*start = header.e_machine == EM_AARCH64
	                 ? (int64_t)(align > 16 ? align : 16)
	                 : -(int64_t)((segment.p_memsz + align - 1) / align * align);
	return true;
}

int fp_symbol_find_thread_local(struct fp_symbol_image *image, int64_t place,
                                struct fp_symbol_variable *variable)
{
	int64_t start;

	*variable = (struct fp_symbol_variable){0};
	if (image->state != FP_SYMBOL_USABLE || !find_storage(image, &start) || place < start)
		return 0;
	return find_in(image, &image->thread_locals,
	               (uint64_t)(place - start) + FP_SYMBOL_STORAGE_START, variable);
}

int fp_symbol_find_local(struct fp_symbol_image *image, uint64_t address, int64_t place,
                         struct fp_symbol_variable *variable)
{
	*variable = (struct fp_symbol_variable){0};
	return image->state == FP_SYMBOL_USABLE
	               ? fp_symbol_dwarf_local(open_dwarf(image), address, place, variable)
	               : 0;
}
