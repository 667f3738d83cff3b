/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program that was annotated for LeakSanitizer says in functions of its own, and its
 * user in LSAN_OPTIONS: whether leaks are looked for, and which are known. Of LeakSanitizer's
 * options detect_leaks and suppressions are taken; the others are about another program.
 */
#include <stdlib.h>
#include <string.h>

#include "base/meta.h"
#include "session/session.h"
#include "session/state.h"

enum { OPTIONS_BYTES = 2048, FILE_BYTES = 256 << 10 };

static const char separators[] = " ,:\n\t\r";

static struct fp_session_lsan program;          /* under the session's lock, set once */
static char environment_options[OPTIONS_BYTES]; /* of the start: the program may change it */

/* What the options come to. */
struct wishes {
	bool is_off;
	char suppressions[FP_OPTION_PATH_MAX]; /* a file, or "" */
};

void fp_session_set_lsan(const struct fp_session_lsan *functions)
{
	program = *functions;
}

void fp_session_read_lsan_options(void)
{
	const char *options = secure_getenv("LSAN_OPTIONS");

	if (options != NULL && strlen(options) < sizeof(environment_options))
		strcpy(environment_options, options);
}

static bool is_word(const char *at, size_t size, const char *word)
{
	return strlen(word) == size && memcmp(at, word, size) == 0;
}

static void take(const char *key, size_t key_size, const char *value, size_t size,
                 struct wishes *wishes)
{
	if (is_word(key, key_size, "detect_leaks")) {
		wishes->is_off = is_word(value, size, "0") || is_word(value, size, "no") ||
		                 is_word(value, size, "false");
	} else if (is_word(key, key_size, "suppressions") &&
	           size < sizeof(wishes->suppressions)) {
		memcpy(wishes->suppressions, value, size);
		wishes->suppressions[size] = '\0';
	}
}

/* "key=value:key='other value'". */
static void read_options(const char *at, struct wishes *wishes)
{
	while (at != NULL && *at != '\0') {
		const char *key = at;
		size_t key_size = strcspn(key, "= ,:\n\t\r");

		at = key + key_size;
		if (*at != '=') {
			at += *at != '\0';
			continue;
		}
		const char *value = at + 1;
		const char quote[2] = {*value, '\0'};
		bool is_quoted = *value == '\'' || *value == '"';
		value += is_quoted;
		size_t size = strcspn(value, is_quoted ? quote : separators);
		take(key, key_size, value, size, wishes);
		at = value + size;
		at += *at != '\0';
	}
}

static struct wishes wishes_now(void)
{
	struct wishes wishes = {.is_off = false};

	if (program.default_options != NULL)
		read_options(program.default_options(), &wishes);
	read_options(environment_options, &wishes);
	return wishes;
}

/* A line each. */
static void log_suppressions(const char *text)
{
	while (text != NULL && *text != '\0') {
		char line[FP_LOG_STRING_MAX];
		size_t size = strcspn(text, "\n");
		size_t kept = size < sizeof(line) ? size : sizeof(line) - 1;

		memcpy(line, text, kept);
		line[kept] = '\0';
		if (kept > 0 && line[0] != '#')
			fp_log_suppression(fp_session_log(), line);
		text += size;
		text += *text != '\0';
	}
}

static void log_file(const char *name)
{
	char path[FP_SESSION_PATH_MAX];
	char *text = fp_meta_alloc(FILE_BYTES);

	if (text == NULL)
		return;
	fp_session_absolute_path(name, path, sizeof(path));
	text[fp_session_read_file(path, text, FILE_BYTES - 1)] = '\0';
	log_suppressions(text);
	fp_meta_free(text, FILE_BYTES);
}

bool fp_session_asks_lsan(void)
{
	struct wishes wishes = wishes_now();

	if (wishes.is_off || (program.is_turned_off != NULL && program.is_turned_off() != 0))
		return false;
	if (atomic_exchange(&fp_session.own.has_lsan_wishes, true))
		return true;
	if (program.default_suppressions != NULL)
		log_suppressions(program.default_suppressions());
	if (wishes.suppressions[0] != '\0')
		log_file(wishes.suppressions);
	return true;
}
