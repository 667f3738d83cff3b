/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of recordings, after fencepost-record(5) and without a line of the recorder's. It
 * believes nothing: a file from anywhere is read to its end or refused, and never more.
 */
#include "recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEADER_BYTES = 24,
	FORMAT_VERSION = 1,
	KIND = 3,
	HAS_THREAD = 4,
	HAS_SKIP = 8,
	HAS_TRAITS = 16,
	RESERVED = 0xe0,
	FAMILY_MALLOC = 1,
	LEVEL_NONE = 3,
	THREADS_MAX = 1 << 16,
	NUMBERS_FREE = 1 << 20,
	NUMBERS_PER_BYTE = 64
};

enum life { UNKNOWN, LIVE, FREED };

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool is_cut; /* the file ends inside of an event */
	struct recording *recording;
	size_t capacity; /* of events */
	size_t thread_capacity;
	uint8_t *lives; /* enum life, by number of a block */
	uint64_t life_capacity;
	uint64_t highest; /* number that a file of this size is believed to need */
	struct recording_event before;
	const char *error;
};

static const char no_memory[] = "not enough memory for the recording";
static const char broken[] = "it is damaged: an event says what cannot have happened";

static void refuse(struct reader *reader, const char *error)
{
	if (reader->error == NULL)
		reader->error = error;
}

/* ---- The file's bytes
 * ------------------------------------------------------------------------
 */

static unsigned take_byte(struct reader *reader)
{
	if (reader->at == reader->end) {
		reader->is_cut = true;
		return 0;
	}
	return *reader->at++;
}

static uint64_t take_number(struct reader *reader)
{
	uint64_t number = 0;
	unsigned byte = 0x80;

	for (unsigned shift = 0; (byte & 0x80) != 0; shift += 7) {
		byte = take_byte(reader);
		if (shift > 63 || (shift == 63 && byte > 1)) {
			refuse(reader, broken);
			return 0;
		}
		number |= (uint64_t)(byte & 0x7f) << shift;
	}
	return number;
}

static int64_t take_offset(struct reader *reader)
{
	uint64_t number = take_number(reader);

	return (number & 1) != 0 ? -(int64_t)((number >> 1) + 1) : (int64_t)(number >> 1);
}

static uint32_t take_u32(struct reader *reader)
{
	uint32_t value = 0;

	for (int shift = 0; shift < 32; shift += 8)
		value |= (uint32_t)take_byte(reader) << shift;
	return value;
}

/* ---- What has happened
 * -----------------------------------------------------------------------
 */

/* Room for COUNT items of SIZE bytes, zeroed where they are new. */
static bool reserve(struct reader *reader, void **items, uint64_t *capacity, uint64_t count,
                    size_t size)
{
	uint64_t wanted = *capacity == 0 ? 1024 : *capacity;

	while (wanted < count)
		wanted *= 2;
	if (wanted == *capacity)
		return true;
	/* A file of N bytes has no more than N events, whatever it says. */
	void *moved = wanted > SIZE_MAX / 2 / size ? NULL : realloc(*items, wanted * size);
	if (moved == NULL) {
		refuse(reader, no_memory);
		return false;
	}
	memset((char *)moved + *capacity * size, 0, (wanted - *capacity) * size);
	*items = moved;
	*capacity = wanted;
	return true;
}

static uint8_t *life_of(struct reader *reader, uint64_t block)
{
	static uint8_t nobody;
	void *lives = reader->lives;

	if (!reserve(reader, &lives, &reader->life_capacity, block + 1, 1))
		return &nobody;
	reader->lives = lives;
	return &reader->lives[block];
}

static uint32_t thread_index(struct reader *reader, uint64_t number)
{
	struct recording *recording = reader->recording;
	void *threads = recording->threads;
	uint64_t capacity = reader->thread_capacity;

	for (size_t i = 0; i < recording->thread_count; i++)
		if (recording->threads[i].number == number)
			return (uint32_t)i;
	if (recording->thread_count == THREADS_MAX) {
		refuse(reader, "it has more threads than can be replayed");
		return 0;
	}
	if (!reserve(reader, &threads, &capacity, recording->thread_count + 1,
	             sizeof(*recording->threads)))
		return 0;
	reader->thread_capacity = capacity;
	recording->threads = threads;
	recording->threads[recording->thread_count] = (struct recording_thread){
	        .number = number, .first = SIZE_MAX, .last = SIZE_MAX};
	return (uint32_t)recording->thread_count++;
}

static void live(struct reader *reader, uint64_t block)
{
	uint8_t *life = life_of(reader, block);

	if (block == 0 || *life != UNKNOWN)
		refuse(reader, broken);
	*life = LIVE;
}

static void use(struct reader *reader, uint64_t block, enum life after)
{
	uint8_t *life = block == 0 ? NULL : life_of(reader, block);

	if (life == NULL)
		return;
	if (*life != LIVE)
		refuse(reader, broken);
	*life = (uint8_t)after;
}

/* ---- Events
 * ----------------------------------------------------------------------------------
 */

/* A block no more than BACK back, which the file's length bounds, so no number is too large. */
static uint64_t take_block(struct reader *reader)
{
	uint64_t back = take_number(reader);

	if (back > reader->recording->newest) {
		refuse(reader, broken);
		return 0;
	}
	return reader->recording->newest - back;
}

static uint64_t take_new_block(struct reader *reader, unsigned head)
{
	int64_t skip = (head & HAS_SKIP) != 0 ? take_offset(reader) : 0;
	int64_t block = (int64_t)reader->recording->newest + 1;

	/* Numbers are left out for what was refused, and cost no bytes: a damaged file must not
	 * ask for all memory. */
	if (skip < -block || skip > (int64_t)reader->highest - block) {
		refuse(reader, broken);
		return 0;
	}
	return (uint64_t)(block + skip);
}

static void take_traits(struct reader *reader, struct recording_event *event)
{
	event->align = (uint8_t)take_byte(reader);
	event->family = (uint8_t)take_byte(reader);
	event->level = (uint8_t)take_byte(reader);
	take_number(reader); /* the heap: here all are one */
	if (event->align > 62)
		refuse(reader, broken);
}

static void take_rest(struct reader *reader, unsigned head, struct recording_event *event)
{
	event->kind = head & KIND;
	if ((head & HAS_THREAD) != 0)
		event->thread = thread_index(reader, take_number(reader));
	if (event->kind == RECORDING_FREE) {
		event->block = take_block(reader);
		return;
	}
	event->block = take_new_block(reader, head);
	if ((head & HAS_TRAITS) != 0)
		take_traits(reader, event);
	event->size = take_number(reader);
	if (event->block > reader->recording->newest && reader->error == NULL)
		reader->recording->newest = event->block;
	if (event->kind == RECORDING_REALLOC)
		event->origin = take_block(reader);
}

static void happen(struct reader *reader, const struct recording_event *event)
{
	if (event->kind == RECORDING_FREE) {
		use(reader, event->block, FREED);
		return;
	}
	live(reader, event->block);
	if (event->kind == RECORDING_REALLOC)
		use(reader, event->origin, LIVE);
}

static void append(struct reader *reader, const struct recording_event *event)
{
	struct recording *recording = reader->recording;
	struct recording_thread *thread = &recording->threads[event->thread];
	uint64_t capacity = reader->capacity;
	void *events = recording->events;

	if (!reserve(reader, &events, &capacity, recording->event_count + 1, sizeof(*event)))
		return;
	reader->capacity = capacity;
	recording->events = events;
	recording->events[recording->event_count] = *event;
	if (thread->first == SIZE_MAX)
		thread->first = recording->event_count;
	else
		recording->events[thread->last].next = recording->event_count;
	thread->last = recording->event_count++;
}

/* False at the end. */
static bool take_event(struct reader *reader)
{
	struct recording_event event = reader->before;
	const uint8_t *start = reader->at;
	unsigned head = take_byte(reader);

	if (reader->is_cut)
		return false;
	if ((head & RESERVED) != 0) {
		refuse(reader, broken);
		return false;
	}
	if ((head & KIND) == 0) {
		reader->recording->is_complete =
		        take_number(reader) == reader->recording->event_count;
		return false;
	}
	event.origin = event.size = 0;
	event.next = SIZE_MAX;
	take_rest(reader, head, &event);
	if (reader->is_cut || reader->error != NULL) {
		reader->at = start;
		return false;
	}
	happen(reader, &event);
	append(reader, &event);
	reader->before = event;
	return reader->error == NULL;
}

static void take_header(struct reader *reader)
{
	if ((size_t)(reader->end - reader->at) < HEADER_BYTES ||
	    memcmp(reader->at, "FENCEPRC", 8) != 0) {
		refuse(reader, "it is no recording; fencepost run --record=FILE makes one");
		return;
	}
	reader->at += 8;
	if (take_u32(reader) != FORMAT_VERSION)
		refuse(reader, "it is of another version than this program reads");
	reader->recording->pid = take_u32(reader);
	take_u32(reader);
	take_u32(reader);
}

static void read_bytes(struct reader *reader)
{
	struct recording *recording = reader->recording;

	take_header(reader);
	if (reader->error != NULL)
		return;
	reader->before = (struct recording_event){.family = FAMILY_MALLOC, .level = LEVEL_NONE};
	reader->before.thread = thread_index(reader, 0);
	while (reader->error == NULL && take_event(reader))
		;
	for (size_t i = 0; i < recording->event_count; i++)
		if (recording->events[i].next == SIZE_MAX)
			recording->events[i].next = recording->event_count;
	for (size_t i = 0; i < recording->thread_count; i++)
		if (recording->threads[i].first == SIZE_MAX)
			recording->threads[i].first = recording->event_count;
}

/* ---- Whole files
 * -----------------------------------------------------------------------------
 */

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long length;

	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0 &&
	    fseek(file, 0, SEEK_SET) == 0)
		bytes = malloc((size_t)length + 1);
	if (bytes != NULL)
		*size = fread(bytes, 1, (size_t)length, file);
	fclose(file);
	return bytes;
}

const char *recording_read(struct recording *recording, const char *path)
{
	struct reader reader = {.recording = recording};
	size_t size = 0;

	*recording = (struct recording){0};
	uint8_t *bytes = read_file(path, &size);
	if (bytes == NULL)
		return strerror(errno);
	reader.at = bytes;
	reader.end = bytes + size;
	reader.highest = NUMBERS_FREE + size * NUMBERS_PER_BYTE;
	read_bytes(&reader);
	free(bytes);
	free(reader.lives);
	if (reader.error != NULL)
		recording_free(recording);
	return reader.error;
}

void recording_free(struct recording *recording)
{
	free(recording->events);
	free(recording->threads);
	*recording = (struct recording){0};
}
