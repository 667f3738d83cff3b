/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser of options. A refusal is one line that says where the text came from, and leaves
 * the options as they were; what was taken is shown as text that means the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "options/options.h"
#include "target.h"

enum { ERROR_ROOM = 64 };

static void set_again(const struct fp_option *option, const char *value, void *user)
{
	const struct fp_options_item item = {option->key, strlen(option->key), value,
	                                     strlen(value)};
	char text[FP_OPTION_ERROR_MAX];

	fuzz_must(fp_options_set(
	                  user, &item,
	                  &(struct fp_options_error){"again", text, sizeof(text), true}) == 0);
}

static void compare(const struct fp_option *option, const char *value, void *user)
{
	static char shown[FP_OPTIONS_COUNT][FP_OPTION_PATH_MAX];
	bool is_first = *(const bool *)user;
	char *place = shown[option - fp_options_table];

	if (is_first)
		strcpy(place, value);
	fuzz_must(strcmp(place, value) == 0);
}

static void check_taken(const struct fp_options *options)
{
	static struct fp_options again;
	bool is_first = true;

	fp_options_defaults(&again);
	fp_options_each(options, set_again, &again);
	fp_options_each(options, compare, &is_first);
	is_first = false;
	fp_options_each(&again, compare, &is_first);
}

static void check_refusal(const char *error, size_t size)
{
	size_t length = strnlen(error, size);

	fuzz_must(length < size && strncmp(error, "fuzzer: ", 8) == 0);
	for (size_t i = 0; i < length; i++)
		fuzz_must((unsigned char)error[i] >= 0x20 && error[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fp_options options, before;
	char *text = strndup((const char *)data, size);
	/* The first fits whatever there is to say; the second cuts it. */
	char error[FP_OPTION_ERROR_MAX] = "", cut[ERROR_ROOM] = "";

	fp_options_defaults(&options);
	before = options;
	int status = fp_options_parse(&options, text, "fuzzer", error, sizeof(error));
	if (status == 0) {
		check_taken(&options);
	} else {
		fuzz_must(status == -EINVAL);
		fuzz_must(memcmp(&options, &before, sizeof(options)) == 0);
		check_refusal(error, sizeof(error));
		fuzz_must(fp_options_parse(&options, text, "fuzzer", cut, sizeof(cut)) ==
		          status);
		check_refusal(cut, sizeof(cut));
	}
	free(text);
	return 0;
}
