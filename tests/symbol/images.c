/* SPDX-License-Identifier: Apache-2.0
 *
 * The program of the test as an image.
 */
#include "images.h"

#include <check.h>
#include <elf.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plant.h"

struct program program;
char directory[64];
struct fp_symbol_image *image;

static void read_note(const ElfW(Nhdr) * note)
{
	const uint8_t *name = (const uint8_t *)(note + 1);

	if (note->n_type != NT_GNU_BUILD_ID || note->n_descsz > sizeof(program.build_id))
		return;
	program.build_id_size = note->n_descsz;
	memcpy(program.build_id, name + ((note->n_namesz + 3) & ~3u), note->n_descsz);
}

/* The first object is the program. */
static int read_program(struct dl_phdr_info *info, size_t size, void *user)
{
	(void)size, (void)user;
	program.bias = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + header->p_vaddr;
		uintptr_t end = at + header->p_memsz;

		while (header->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) <= end) {
			const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;

			read_note(note);
			at += sizeof(*note) + ((note->n_namesz + 3) & ~3u) +
			      ((note->n_descsz + 3) & ~3u);
		}
	}
	return 1;
}

void open_file(const char *path, const char *debug_dir)
{
	const struct fp_symbol_source source = {path, program.build_id, program.build_id_size,
	                                        debug_dir};

	ck_assert_int_eq(fp_symbol_open(&source, &image), 0);
}

const char *build_id_link(void)
{
	static char link[160];
	char hex[2 * sizeof(program.build_id) + 1];

	for (size_t i = 0; i < program.build_id_size; i++)
		sprintf(hex + 2 * i, "%02x", program.build_id[i]);
	snprintf(link, sizeof(link), ".build-id/%.2s/%s.debug", hex, hex + 2);
	return link;
}

void setup(void)
{
	dl_iterate_phdr(read_program, NULL);
	ck_assert_uint_gt(program.build_id_size, 2);
	strcpy(directory, "/tmp/fp-test-symbol-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

void run(const char *format, ...)
{
	char *command;
	va_list arguments;

	va_start(arguments, format);
	ck_assert_int_gt(vasprintf(&command, format, arguments), 0);
	va_end(arguments);
	ck_assert_msg(system(command) == 0, "%s", command);
	free(command);
}

void teardown(void)
{
	fp_symbol_close(image);
	image = NULL;
	run("rm -rf '%s'", directory);
}

/* Makes FILE in the test's directory from this program with COMMAND. */
char *derive(const char *command, const char *file)
{
	static char path[256];
	char self_path[256];
	ssize_t len = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);

	ck_assert_int_gt(len, 0);
	self_path[len] = '\0';
	snprintf(path, sizeof(path), "%s/%s", directory, file);
	run("self='%s' made='%s'; %s", self_path, path, command);
	return path;
}

const struct fp_symbol_place *look_up(uintptr_t address, bool exact)
{
	const struct fp_symbol_place *place =
	        fp_symbol_lookup(image, address - program.bias, exact);

	ck_assert_ptr_nonnull(place);
	return place;
}

/* With the directory of the compiler, the file is found from anywhere. */
static void expect_source(const struct fp_symbol_frame *frame)
{
	char path[4096];

	ck_assert_ptr_nonnull(frame->directory);
	ck_assert_int_eq(frame->directory[0], '/');
	snprintf(path, sizeof(path), "%s/%s", frame->file[0] == '/' ? "" : frame->directory,
	         frame->file);
	ck_assert_msg(access(path, R_OK) == 0, "%s: no such file", path);
}

static void expect_frame(const struct fp_symbol_frame *frame, const char *function,
                         unsigned line, bool inlined)
{
	ck_assert_msg(strstr(frame->function, function) != NULL, "%s", frame->function);
	ck_assert_ptr_nonnull(frame->file);
	ck_assert_str_eq(strrchr(frame->file, '/'), "/plant.cc");
	ck_assert_uint_eq(frame->line, line);
	ck_assert_uint_gt(frame->column, 0);
	expect_source(frame);
	ck_assert_int_eq(frame->inlined, inlined);
}

void expect_whole_place(void)
{
	struct plant_call call = plant_call();
	const struct fp_symbol_place *place = look_up(call.return_address, false);

	ck_assert_int_eq(fp_symbol_state(image), FP_SYMBOL_USABLE);
	ck_assert_uint_eq(place->count, 2);
	/* Compilers leave out the linkage name of what they only inlined. */
	expect_frame(&place->frames[0], "inner", call.inner_line, true);
	expect_frame(&place->frames[1], "plant::outer(plant_call*, int)", call.outer_line,
	             false);
}
