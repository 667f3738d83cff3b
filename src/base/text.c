/* SPDX-License-Identifier: Apache-2.0
 *
 * Text without stdio, locale or heap.
 */
#include "base/text.h"

#include <string.h>
#include <unistd.h>

#include "base/write.h"

void fp_text_begin(struct fp_text *text, char *buffer, size_t size)
{
	*text = (struct fp_text){.buffer = buffer, .size = size};
	buffer[0] = '\0';
}

void fp_text_bytes(struct fp_text *text, const char *bytes, size_t count)
{
	size_t room = text->size - 1 - text->used;

	if (count > room) {
		count = room;
		text->is_cut = true;
	}
	memcpy(text->buffer + text->used, bytes, count);
	text->used += count;
	text->buffer[text->used] = '\0';
}

void fp_text_string(struct fp_text *text, const char *string)
{
	fp_text_bytes(text, string, strlen(string));
}

static void append_number(struct fp_text *text, uint64_t value, unsigned base)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	fp_text_bytes(text, digits + at, sizeof(digits) - at);
}

void fp_text_decimal(struct fp_text *text, uint64_t value)
{
	append_number(text, value, 10);
}

void fp_text_signed(struct fp_text *text, int64_t value)
{
	if (value < 0)
		fp_text_string(text, "-");
	append_number(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

void fp_text_hex(struct fp_text *text, uint64_t value)
{
	fp_text_string(text, "0x");
	append_number(text, value, 16);
}

void fp_say(const char *first, const char *second)
{
	char line[1024];
	struct fp_text text;

	/* One byte is kept for the newline, which a cut must not lose. */
	fp_text_begin(&text, line, sizeof(line) - 1);
	fp_text_string(&text, "fencepost: ");
	fp_text_string(&text, first);
	fp_text_string(&text, second);
	line[text.used] = '\n';
	fp_write_all(STDERR_FILENO, line, text.used + 1);
}
