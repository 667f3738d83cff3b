/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of symbol tables and debug information, in the program that writes reports. Every
 * question is asked, about addresses all over the file and about those in the input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbol/symbol.h"
#include "target.h"

enum { PLACES = 24 };

static void ask_for_variables(struct fp_symbol_image *image, uint64_t address)
{
	struct fp_symbol_variable variable;

	fuzz_must(fp_symbol_find_variable(image, address, &variable) == 0);
	free(variable.name);
	fuzz_must(fp_symbol_find_thread_local(image, -(int64_t)(address % 512), &variable) ==
	          0);
	free(variable.name);
	for (int64_t place = -64; place <= 0; place += 8) {
		fuzz_must(fp_symbol_find_local(image, address, place, &variable) == 0);
		free(variable.name);
	}
}

static void check_place(const struct fp_symbol_place *place)
{
	fuzz_must(place != NULL);
	for (size_t i = 0; i < place->count; i++) {
		const struct fp_symbol_frame *frame = &place->frames[i];

		fuzz_must(!frame->function || strlen(frame->function) < UINT32_MAX);
		fuzz_must(!frame->file || strlen(frame->file) < UINT32_MAX);
		fuzz_must(!frame->directory || strlen(frame->directory) < UINT32_MAX);
	}
}

static void ask(struct fp_symbol_image *image, uint64_t address)
{
	check_place(fp_symbol_lookup(image, address, true));
	check_place(fp_symbol_lookup_name(image, address, false));
	check_place(fp_symbol_lookup_line(image, address, false));
	fp_symbol_has(image, address);
	fp_symbol_callee(image, address);
	ask_for_variables(image, address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("module", MFD_CLOEXEC);
	struct fp_symbol_image *image;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fuzz_must(write(fd, data, size) == (ssize_t)size);
	const struct fp_symbol_source source = {.path = path, .debug_dir = "/nonexistent"};
	fuzz_must(fp_symbol_open(&source, &image) == 0);
	fuzz_must(fp_symbol_state(image) != FP_SYMBOL_NO_FILE || size < 2 || data[0] == 'M');
	for (uint64_t i = 0; i < PLACES; i++)
		ask(image, i % 4 != 0 ? 0x320 + i * 13 : 0x2000 + i * 2);
	ask(image, UINT64_MAX);
	fp_symbol_close(image);
	close(fd);
	return 0;
}
