/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed access to JSON. The first wrong value is what the user is told about; the rest of the
 * report is read all the same, because what is thrown away costs little.
 */
#include "report/json/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool fp_report_fields_have_failed(const struct fp_report_fields *fields)
{
	return fields->wrong || fields->is_out_of_memory;
}

void fp_report_fields_refuse(struct fp_report_fields *fields, const char *key)
{
	if (!fields->wrong)
		fields->wrong = key;
}

/* The value at KEY, or NULL when it is missing, null, or IS_RIGHT says no. */
static const json_t *value_at(struct fp_report_fields *fields, const json_t *object,
                              const char *key, json_type type)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return NULL;
	if (json_typeof(value) == type)
		return value;
	fp_report_fields_refuse(fields, key);
	return NULL;
}

int64_t fp_report_fields_integer(struct fp_report_fields *fields, const json_t *object,
                                 const char *key)
{
	return json_integer_value(value_at(fields, object, key, JSON_INTEGER));
}

uint64_t fp_report_fields_count(struct fp_report_fields *fields, const json_t *object,
                                const char *key)
{
	int64_t number = fp_report_fields_integer(fields, object, key);

	if (number < 0)
		fp_report_fields_refuse(fields, key);
	return number < 0 ? 0 : (uint64_t)number;
}

uint32_t fp_report_fields_small(struct fp_report_fields *fields, const json_t *object,
                                const char *key)
{
	uint64_t number = fp_report_fields_count(fields, object, key);

	if (number > UINT32_MAX)
		fp_report_fields_refuse(fields, key);
	return number > UINT32_MAX ? 0 : (uint32_t)number;
}

bool fp_report_fields_flag(struct fp_report_fields *fields, const json_t *object,
                           const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_null(value) && !json_is_boolean(value))
		fp_report_fields_refuse(fields, key);
	return json_is_true(value);
}

uint64_t fp_report_fields_address(struct fp_report_fields *fields, const json_t *object,
                                  const char *key)
{
	const json_t *value = value_at(fields, object, key, JSON_STRING);
	const char *text = value ? json_string_value(value) : "0x0";
	uint64_t address;
	char *end;

	errno = 0;
	address = strtoull(text, &end, 16);
	if (strncmp(text, "0x", 2) == 0 && errno == 0 && *end == '\0' && end > text + 2)
		return address;
	fp_report_fields_refuse(fields, key);
	return 0;
}

struct fp_report_string fp_report_fields_keep(struct fp_report_fields *fields,
                                              const char *bytes, size_t size)
{
	const char *kept = fp_report_arena_keep(&fields->report->arena, bytes, size);

	if (kept)
		return (struct fp_report_string){kept, size};
	fields->is_out_of_memory = true;
	return (struct fp_report_string){"", 0};
}

struct fp_report_string fp_report_fields_string(struct fp_report_fields *fields,
                                                const json_t *object, const char *key)
{
	const json_t *value = value_at(fields, object, key, JSON_STRING);

	if (!value)
		return (struct fp_report_string){"", 0};
	return fp_report_fields_keep(fields, json_string_value(value),
	                             json_string_length(value));
}

static int digit_value(char digit)
{
	const char *const digits = "0123456789abcdef";
	const char *found = digit != '\0' ? strchr(digits, digit) : NULL;

	return found ? (int)(found - digits) : -1;
}

struct fp_report_string fp_report_fields_bytes(struct fp_report_fields *fields,
                                               const json_t *object, const char *key)
{
	struct fp_report_string digits = fp_report_fields_string(fields, object, key);
	char *bytes = digits.size > 0 ? malloc(digits.size) : NULL;
	struct fp_report_string kept = {"", 0};

	if (digits.size % 2 != 0)
		fp_report_fields_refuse(fields, key);
	if (digits.size > 0 && !bytes)
		fields->is_out_of_memory = true;
	for (size_t i = 0; bytes && i + 1 < digits.size; i += 2) {
		int high = digit_value(digits.bytes[i]);
		int low = digit_value(digits.bytes[i + 1]);

		if (high < 0 || low < 0)
			fp_report_fields_refuse(fields, key);
		bytes[i / 2] = (char)((unsigned)high << 4 | (unsigned)low);
	}
	if (bytes)
		kept = fp_report_fields_keep(fields, bytes, digits.size / 2);
	free(bytes);
	return kept;
}

const json_t *fp_report_fields_object(struct fp_report_fields *fields, const json_t *object,
                                      const char *key)
{
	return value_at(fields, object, key, JSON_OBJECT);
}

const json_t *fp_report_fields_array(struct fp_report_fields *fields, const json_t *object,
                                     const char *key)
{
	return value_at(fields, object, key, JSON_ARRAY);
}
