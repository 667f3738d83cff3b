/* SPDX-License-Identifier: Apache-2.0
 *
 * From an address to its entry in .eh_frame, through the loader's index and the linker's, as
 * these are made for x86-64. Whatever is not expected ends the reading. It must never read
 * beyond the entry it is in, nor look at the stack.
 */
#include "stack/frame_table.h"

#include <dlfcn.h>

#include "stack/frame_program.h"

enum { HEADER_BYTES = 12 };

/* How pointers are written: DW_EH_PE_*. */
enum { SIZE_MASK = 0x0f, UNSIGNED_4 = 0x03, PC_RELATIVE_4 = 0x1b, TABLE_RELATIVE_4 = 0x3b };

/* The header of the index that the linker makes, and an entry of it: both relative to the
 * header. */
struct index_header {
	uint8_t version;
	uint8_t table_start_encoding;
	uint8_t count_encoding;
	uint8_t table_encoding;
	int32_t table_start;
	uint32_t count;
};

_Static_assert(sizeof(struct index_header) == HEADER_BYTES, "as the linker writes it");

struct index_entry {
	int32_t code;
	int32_t description;
};

/* What stands at AT behind its length, or nothing. */
static struct fp_frame_reader open_entry(const uint8_t *at)
{
	struct fp_frame_reader reader = {.at = at, .end = at + 4};
	uint64_t length = fp_frame_read(&reader, 4);

	/* The terminator, or one of more than 4 GiB. */
	reader.is_broken = length == 0 || length >= 0xfffffff0;
	if (!reader.is_broken)
		reader.end = reader.at + length;
	return reader;
}

/* Bytes of a pointer that is written as ENCODING says, or 0. */
static uint64_t pointer_bytes(uint8_t encoding)
{
	static const uint8_t sizes[] = {[0x00] = 8, [0x02] = 2, [0x03] = 4, [0x04] = 8,
	                                [0x0a] = 2, [0x0b] = 4, [0x0c] = 8};
	uint8_t size = encoding & SIZE_MASK;

	return size < sizeof(sizes) ? sizes[size] : 0;
}

/* The letters between the 'z' and the end say what the data is; false for a signal's frame and
 * for pointers to code that are written in another way. */
static bool read_augmentation(struct fp_frame_reader *reader, const char *letters)
{
	uint8_t encoding = 0;

	for (; *letters != '\0' && !reader->is_broken; letters++) {
		uint8_t byte = (uint8_t)fp_frame_read(reader, 1);

		if (*letters == 'R')
			encoding = byte;
		else if (*letters == 'P')
			fp_frame_skip(reader, pointer_bytes(byte));
		else if (*letters != 'L')
			return false;
	}
	return encoding == PC_RELATIVE_4 && !reader->is_broken;
}

static bool read_common(const uint8_t *at, struct fp_frame_common *common)
{
	struct fp_frame_reader reader = open_entry(at);

	if (reader.is_broken || fp_frame_read(&reader, 4) != 0)
		return false;
	uint64_t version = fp_frame_read(&reader, 1);
	const char *letters = (const char *)reader.at;
	while (fp_frame_read(&reader, 1) != 0)
		;
	if ((version != 1 && version != 3) || letters[0] != 'z' || reader.is_broken)
		return false;
	common->code_unit = fp_frame_read_unsigned(&reader);
	common->data_unit = fp_frame_read_signed(&reader);
	if (fp_frame_read_unsigned(&reader) != FP_FRAME_REGISTER_RA)
		return false;
	struct fp_frame_reader data = reader;
	uint64_t bytes = fp_frame_read_unsigned(&reader);
	data.at = reader.at;
	fp_frame_skip(&reader, bytes);
	data.end = reader.at;
	common->instructions = reader;
	return !reader.is_broken && read_augmentation(&data, letters + 1);
}

/* DESCRIPTION is the entry of the function that begins at or before PC. */
static bool read_row(const uint8_t *description, uintptr_t pc, struct fp_frame_row *row)
{
	struct fp_frame_reader reader = open_entry(description);
	const uint8_t *here = reader.at;
	uint64_t back = fp_frame_read(&reader, 4);
	struct fp_frame_common common;

	if (reader.is_broken || back == 0 || !read_common(here - back, &common))
		return false;
	uintptr_t start = (uintptr_t)reader.at + (uintptr_t)fp_frame_read_signed_4(&reader);
	if (pc < start || pc - start >= fp_frame_read(&reader, 4))
		return false;
	fp_frame_skip(&reader, fp_frame_read_unsigned(&reader));
	return !reader.is_broken && fp_frame_program_run(&common, &reader, start, pc, row);
}

/* The last entry of the index that begins at or before PC, or NULL. */
static const struct index_entry *search(const uint8_t *index, uintptr_t pc)
{
	const struct index_header *header = (const void *)index;
	const struct index_entry *entries = (const void *)(index + HEADER_BYTES);
	int64_t wanted = (int64_t)(pc - (uintptr_t)index);
	size_t low = 0;
	size_t high = header->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entries[middle].code <= wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? NULL : &entries[low - 1];
}

bool fp_frame_table_find(uintptr_t pc, struct fp_frame_row *row)
{
	struct dl_find_object object;

	/* The loader's own way for unwinders: neither locks nor allocates. */
	if (_dl_find_object((void *)pc, &object) != 0 || object.dlfo_eh_frame == NULL)
		return false;
	const uint8_t *index = object.dlfo_eh_frame;
	const struct index_header *header = object.dlfo_eh_frame;
	if (header->version != 1 || header->table_start_encoding != PC_RELATIVE_4 ||
	    header->count_encoding != UNSIGNED_4 || header->table_encoding != TABLE_RELATIVE_4)
		return false;
	const struct index_entry *entry = search(index, pc);
	return entry != NULL && read_row(index + entry->description, pc, row);
}
