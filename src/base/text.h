/* SPDX-License-Identifier: Apache-2.0
 *
 * Text without stdio: a bounded builder and lines on standard error.
 *
 * Context: alloc and fault.
 */
#ifndef FP_BASE_TEXT_H
#define FP_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends to a caller's buffer, always terminated; what does not fit is cut off. */
struct fp_text {
	char *buffer;
	size_t size; /* of the buffer, at least 1 */
	size_t used; /* without the terminating zero */
	bool is_cut;
	bool shows_control; /* of strings that are printed */
};

void fp_text_begin(struct fp_text *text, char *buffer, size_t size);
void fp_text_bytes(struct fp_text *text, const char *bytes, size_t count);
void fp_text_string(struct fp_text *text, const char *string);
void fp_text_decimal(struct fp_text *text, uint64_t value);
void fp_text_signed(struct fp_text *text, int64_t value);
void fp_text_hex(struct fp_text *text, uint64_t value); /* with 0x */

/* As printf does, of which it knows %s, %d, %u and %#x, the last three also with l. */
void fp_text_print(struct fp_text *text, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
void fp_text_print_list(struct fp_text *text, const char *format, va_list values)
        __attribute__((format(printf, 2, 0)));

/* For "%lu byte%s". */
#define FP_TEXT_COUNT(count) (uint64_t)(count), (count) == 1 ? "" : "s"

/* "fencepost: ...\n" on standard error in one write; control characters in strings are shown.
 */
void fp_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
