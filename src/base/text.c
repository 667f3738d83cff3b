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

/* In UTF-8, too, some of them are two bytes. */
static size_t length_of_control(const unsigned char *at)
{
	if (at[0] < ' ' || at[0] == 0x7f)
		return 1;
	return at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0 ? 2 : 0;
}

/* Names in it may be made to do something to a terminal. */
static void append_printable(struct fp_text *text, const char *string)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *at = (const unsigned char *)string;

	while (*at != '\0') {
		size_t length = length_of_control(at);

		if (length == 0)
			fp_text_bytes(text, (const char *)at++, 1);
		for (; length > 0; length--, at++) {
			const char escaped[] = {'\\', 'x', digits[*at >> 4], digits[*at & 15]};

			fp_text_bytes(text, escaped, sizeof(escaped));
		}
	}
}

static void append_value(struct fp_text *text, char letter, bool is_long, va_list *values)
{
	switch (letter) {
	case 's':
		(text->shows_control ? append_printable
		                     : fp_text_string)(text, va_arg(*values, const char *));
		break;
	case 'd':
		fp_text_signed(text, is_long ? va_arg(*values, long) : va_arg(*values, int));
		break;
	case 'u':
		fp_text_decimal(text, is_long ? va_arg(*values, unsigned long)
		                              : va_arg(*values, unsigned));
		break;
	case 'x':
		fp_text_hex(text, is_long ? va_arg(*values, unsigned long)
		                          : va_arg(*values, unsigned));
		break;
	default:
		fp_text_bytes(text, &letter, 1);
	}
}

void fp_text_print_list(struct fp_text *text, const char *format, va_list values)
{
	va_list rest;

	va_copy(rest, values);
	for (; *format != '\0'; format++) {
		size_t plain = 0;

		while (format[plain] != '\0' && format[plain] != '%')
			plain++;
		fp_text_bytes(text, format, plain);
		format += plain;
		if (*format == '\0')
			break;
		format += format[1] == '#' ? 2 : 1;
		bool is_long = *format == 'l';
		format += is_long;
		append_value(text, *format, is_long, &rest);
	}
	va_end(rest);
}

void fp_text_print(struct fp_text *text, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	fp_text_print_list(text, format, values);
	va_end(values);
}

void fp_say(const char *format, ...)
{
	char line[1024];
	struct fp_text text;
	va_list values;

	/* One byte is kept for the newline, which a cut must not lose. */
	fp_text_begin(&text, line, sizeof(line) - 1);
	text.shows_control = true;
	fp_text_string(&text, "fencepost: ");
	va_start(values, format);
	fp_text_print_list(&text, format, values);
	va_end(values);
	line[text.used] = '\n';
	fp_write_all(STDERR_FILENO, line, text.used + 1);
}
