/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings of a log, which are any bytes, and its numbers as JSON.
 */
#include "report/json/tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/names.h"
#include "report/stack.h"

void fp_report_tree_put(struct fp_report_tree *tree, json_t *object, const char *key,
                        json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		tree->has_failed = true;
}

void fp_report_tree_append(struct fp_report_tree *tree, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		tree->has_failed = true;
}

/* STRING as UTF-8 in new memory, terminated: what is not valid, and the zero byte that many
 * parsers refuse, becomes U+FFFD. */
static char *make_valid(struct fp_report_string string)
{
	char *valid = malloc(3 * string.size + 1);
	char *to = valid;

	while (valid && string.size > 0) {
		size_t length = string.bytes[0] == '\0' ? 0 : fp_report_utf8_length(string);
		const char *from = length > 0 ? string.bytes : "\xef\xbf\xbd";
		size_t taken = length > 0 ? length : 1;

		length = length > 0 ? length : 3;
		memcpy(to, from, length);
		to += length;
		string.bytes += taken;
		string.size -= taken;
	}
	if (valid)
		*to = '\0';
	return valid;
}

void fp_report_tree_put_named(struct fp_report_tree *tree, json_t *object,
                              struct fp_report_string key, json_t *value)
{
	char *valid = make_valid(key);

	if (!valid) {
		tree->has_failed = true;
		json_decref(value);
		return;
	}
	fp_report_tree_put(tree, object, valid, value);
	free(valid);
}

json_t *fp_report_make_string(struct fp_report_string string)
{
	char *valid = make_valid(string);
	json_t *json = valid ? json_string(valid) : NULL;

	free(valid);
	return json;
}

json_t *fp_report_make_text(const char *text)
{
	return text ? fp_report_make_string(fp_report_text(text)) : json_null();
}

/* JSON numbers of this library are signed; no honest count is larger. */
json_t *fp_report_make_count(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

json_t *fp_report_make_address(uint64_t address)
{
	return json_sprintf("0x%" PRIx64, address);
}

json_t *fp_report_make_hex(struct fp_report_string bytes)
{
	char *digits = malloc(2 * bytes.size + 1);
	json_t *json;

	if (!digits)
		return NULL;
	digits[0] = '\0';
	for (size_t i = 0; i < bytes.size; i++)
		snprintf(digits + 2 * i, 3, "%02x", (unsigned char)bytes.bytes[i]);
	json = json_string(digits);
	free(digits);
	return json;
}
