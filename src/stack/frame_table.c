/* SPDX-License-Identifier: Apache-2.0
 *
 * From an address to its entry in .eh_frame, through the index that linkers make. Whatever is
 * not expected ends the reading. It must never read beyond the entry it is in, nor out of the
 * module, nor look at the stack.
 */
#include "stack/frame_table.h"

#include "base/search.h"
#include "stack/cpu.h"
#include "stack/cfa_interpreter.h"

enum { HEADER_BYTES = 12 };

/* How pointers are written: DW_EH_PE_*. */
enum {
	SIZE_MASK = 0x0f,
	UNSIGNED_4 = 0x03,
	PC_RELATIVE_4 = 0x1b,
	PC_RELATIVE_8 = 0x1c,
	TABLE_RELATIVE_4 = 0x3b
};

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

/* MODULE from AT on, or nothing. */
static struct fp_frame_reader open_at(const struct fp_module *module, uintptr_t at)
{
	bool is_within = at - module->start < module->end - module->start;

	return (struct fp_frame_reader){.at = (const uint8_t *)at,
	                                .end = (const uint8_t *)(is_within ? module->end : at)};
}

/* What stands at AT behind its length, or nothing. */
static struct fp_frame_reader open_entry(const struct fp_module *module, uintptr_t at)
{
	struct fp_frame_reader reader = open_at(module, at);
	uint64_t length = fp_frame_read(&reader, 4);

	/* The terminator, or one that is longer than the module. */
	if (length == 0 || length > (uint64_t)(reader.end - reader.at))
		reader.is_broken = true;
	else
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

/* The letters between the 'z' and the end say what the data is. */
static bool read_augmentation(struct fp_frame_reader *reader, const char *letters,
                              struct fp_frame_common *common)
{
	for (; *letters != '\0' && !reader->is_broken; letters++) {
		if (*letters == 'S')
			common->is_signal = true;
		else if (*letters == 'R')
			common->encoding = (uint8_t)fp_frame_read(reader, 1);
		else if (*letters == 'P')
			fp_frame_skip(reader, pointer_bytes((uint8_t)fp_frame_read(reader, 1)));
		else if (*letters == 'L')
			fp_frame_skip(reader, 1);
		else if (*letters != 'B') /* signs return addresses with another key */
			return false;
	}
	return !reader->is_broken;
}

static bool read_common(const struct fp_module *module, uintptr_t at,
                        struct fp_frame_common *common)
{
	struct fp_frame_reader reader = open_entry(module, at);

	*common = (struct fp_frame_common){.encoding = 0};
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
	if (fp_frame_read_unsigned(&reader) != FP_CPU_REGISTER_RA)
		return false;
	struct fp_frame_reader data = reader;
	uint64_t bytes = fp_frame_read_unsigned(&reader);
	data.at = reader.at;
	fp_frame_skip(&reader, bytes);
	data.end = reader.at;
	common->instructions = reader;
	return !reader.is_broken && read_augmentation(&data, letters + 1, common);
}

/* Where the function of an entry begins, and how long it is; false when that is written in a
 * way that no compiler uses. */
static bool read_extent(struct fp_frame_reader *reader, uint8_t encoding, uintptr_t *start,
                        uintptr_t *bytes)
{
	uintptr_t here = (uintptr_t)reader->at;

	if (encoding == PC_RELATIVE_4) {
		*start = here + (uintptr_t)fp_frame_read_signed_4(reader);
		*bytes = fp_frame_read(reader, 4);
	} else {
		*start = here + fp_frame_read(reader, 8);
		*bytes = fp_frame_read(reader, 8);
	}
	return encoding == PC_RELATIVE_4 || encoding == PC_RELATIVE_8;
}

/* DESCRIPTION is the entry of the function that begins at or before the address. */
static bool read_row(uintptr_t description, const struct fp_frame_query *query,
                     struct fp_frame_row *row, struct fp_frame_entry *entry)
{
	struct fp_frame_reader reader = open_entry(&query->module, description);
	uintptr_t here = (uintptr_t)reader.at;
	uint64_t back = fp_frame_read(&reader, 4);
	struct fp_frame_common common;
	uintptr_t bytes;

	if (reader.is_broken || back == 0 ||
	    !read_common(&query->module, here - back, &common) ||
	    !read_extent(&reader, common.encoding, &entry->start, &bytes) ||
	    query->pc - entry->start >= bytes)
		return false;
	entry->is_signal = common.is_signal;
	if (common.is_signal)
		return true;
	fp_frame_skip(&reader, fp_frame_read_unsigned(&reader));
	common.asked = query->asked;
	return !reader.is_broken &&
	       fp_cfa_interpret(&common, &reader, query->pc - entry->start, row);
}

/* The last entry of the index that begins at or before PC, or NULL. */
static const struct index_entry *search(const struct fp_frame_query *query)
{
	const uint8_t *index = query->module.index;
	const struct index_header *header = (const void *)index;
	const struct index_entry *entries = (const void *)(index + HEADER_BYTES);
	int64_t wanted = (int64_t)(query->pc - (uintptr_t)index);
	size_t room = (query->module.end - (uintptr_t)entries) / sizeof(*entries);
	size_t count = FP_SEARCH(header->count < room ? header->count : room, i,
	                         entries[i].code <= wanted);

	return count == 0 ? NULL : &entries[count - 1];
}

static bool find(const struct fp_frame_query *query, struct fp_frame_row *row,
                 struct fp_frame_entry *entry)
{
	const struct index_entry *found = search(query);

	return found != NULL && read_row((uintptr_t)query->module.index +
	                                         (uintptr_t)(intptr_t)found->description,
	                                 query, row, entry);
}

bool fp_frame_table_find(const struct fp_frame_query *query, struct fp_frame_row *row,
                         struct fp_frame_entry *entry)
{
	const struct index_header *header = (const void *)query->module.index;
	struct fp_frame_query next = *query;

	*entry = (struct fp_frame_entry){0};
	if ((uintptr_t)header - query->module.start >=
	            query->module.end - query->module.start ||
	    query->module.end - (uintptr_t)header < HEADER_BYTES || header->version != 1 ||
	    (header->table_start_encoding & SIZE_MASK) != 0x0b ||
	    header->count_encoding != UNSIGNED_4 || header->table_encoding != TABLE_RELATIVE_4)
		return false;
	if (find(query, row, entry))
		return true;
	/* Nothing has called there: a new stack was made to return to a function's beginning,
	 * and is at its end. makecontext(3) keeps a pointer where a return address would be. */
	next.pc++;
	if (!find(&next, row, entry) || entry->start != next.pc)
		return false;
	row->ra.kind = FP_SAVED_NOWHERE;
	return true;
}
