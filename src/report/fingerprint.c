/* SPDX-License-Identifier: Apache-2.0
 *
 * FNV-1a over what stays. Whatever a compiler or a packager adds to a name is left out: the
 * suffix of a clone, the version behind ".so". Whom a thread met is chance: another party's
 * stack has no part in it.
 */
#include "report/fingerprint.h"

#include <ctype.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "report/stack.h"
#include "report/names.h"
#include "report/finding.h"

struct hash {
	uint64_t value;
	bool is_likeness;
};

static void add_bytes(struct hash *hash, const void *bytes, size_t size)
{
	hash->value = fp_hash_bytes(hash->value, bytes, size);
}

/* As the string comes back from a JSON report, where what is not UTF-8 is U+FFFD. It ends with
 * a zero, so that "ab" "c" is not "a" "bc". */
static void add_string(struct hash *hash, struct fp_report_string string)
{
	while (string.size > 0) {
		size_t length = string.bytes[0] == '\0' ? 0 : fp_report_utf8_length(string);

		if (length > 0)
			add_bytes(hash, string.bytes, length);
		else
			add_bytes(hash, "\xef\xbf\xbd", 3);
		length = length > 0 ? length : 1;
		string.bytes += length;
		string.size -= length;
	}
	add_bytes(hash, "", 1);
}

static void add_number(struct hash *hash, uint64_t number)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	add_bytes(hash, bytes, sizeof(bytes));
}

/* "libz.so" of "libz.so.1.2.13", "libc.so" of "libc-2.31.so". */
static void add_module(struct hash *hash, struct fp_report_string name)
{
	const char *end = memmem(name.bytes, name.size, ".so", 3);
	size_t size = end ? (size_t)(end - name.bytes) : name.size;
	size_t dash = size;

	while (end && dash > 0 &&
	       (isdigit((unsigned char)name.bytes[dash - 1]) || name.bytes[dash - 1] == '.'))
		dash--;
	if (end && dash > 1 && dash < size && name.bytes[dash - 1] == '-')
		size = dash - 1;
	add_string(hash, (struct fp_report_string){name.bytes, size});
}

/* FUNCTION without what the compiler calls a copy that it made: "f.constprop.0", and "f()
 * [clone .isra.0]" once demangled. */
static struct fp_report_string plain_name(const char *function)
{
	static const char *const marks[] = {" [clone .", ".constprop.", ".isra.",
	                                    ".part.",    ".cold",       ".lto_priv.",
	                                    ".llvm.",    ".localalias"};
	struct fp_report_string name = fp_report_text(function);

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *mark = strstr(function, marks[i]);

		if (mark && mark != function && (size_t)(mark - function) < name.size)
			name.size = (size_t)(mark - function);
	}
	return name;
}

static bool has_function(const struct fp_report_frame *frame)
{
	return frame->symbol && frame->symbol->function;
}

/* Frames that another build of the same code may have or not. */
static bool is_skipped(const struct fp_report_frame *frame)
{
	if (frame->module && frame->module->is_own)
		return true;
	return has_function(frame) && frame->symbol->inlined &&
	       fp_report_is_memory_function(frame->symbol->function);
}

/* What a system brings along: which functions of it have names, and which were inlined, depends
 * on the debug information that a machine happens to have. */
static bool is_of_system(const struct fp_report_frame *frame)
{
	static const char *const names[] = {
	        "libc.",      "libc-",   "libpthread", "ld-linux", "libm.",
	        "libstdc++.", "libc++.", "libc++abi.", "libgcc_s", NULL};

	return fp_report_starts_with_any(fp_report_module_name(frame), names);
}

/* How many lines below its function's start FRAME stands, where the program's author wrote it.
 */
static void add_line(struct hash *hash, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;

	if (symbol->function_line > 0 && symbol->line > 0 && !fp_report_frame_owner(frame))
		add_number(hash, (uint64_t)symbol->line - symbol->function_line);
}

static void add_frame(struct hash *hash, const struct fp_report_frame *frame)
{
	if (!hash->is_likeness || !has_function(frame))
		add_module(hash, fp_report_module_name(frame));
	if (!has_function(frame) && frame->module && !hash->is_likeness)
		add_number(hash, frame->offset);
	if (!has_function(frame))
		return;
	add_string(hash, plain_name(frame->symbol->function));
	if (!hash->is_likeness)
		add_line(hash, frame);
}

/* A run of frames of the system is the place where it was entered. */
static void add_stack(struct hash *hash, const struct fp_report_stack *stack)
{
	bool is_inside = false;

	for (size_t i = 0; stack && i < stack->shown; i++) {
		const struct fp_report_frame *frame = &stack->frames[i];

		if (is_skipped(frame))
			continue;
		if (!is_of_system(frame))
			add_frame(hash, frame);
		else if (!is_inside)
			add_module(hash, fp_report_module_name(frame));
		is_inside = is_of_system(frame);
	}
	add_bytes(hash, "|", 1);
}

static void add_kind(struct hash *hash, enum fp_finding_kind kind)
{
	add_string(hash, fp_report_text(fp_finding_traits(kind)->name));
}

static void add_access(struct hash *hash, enum fp_access access)
{
	if (!hash->is_likeness)
		add_string(hash, fp_report_text(fp_access_name(access)));
}

static uint64_t hash_finding(const struct fp_report_finding *finding, bool is_likeness)
{
	struct hash hash = {fp_hash_start, is_likeness};

#define WORD(member) add_##member(&hash, finding->member);
#define STACK(of) add_stack(&hash, finding->of##stack);
	FP_SAME_FINDING(WORD, STACK)
#undef WORD
#undef STACK
	return hash.value;
}

/* Where there is no stack, the caller's own word on the place is all there is. */
static void add_site(struct hash *hash, const struct fp_report_leak *leak)
{
	add_string(hash, fp_report_base_name(leak->site.file));
	if (leak->stack->shown == 0)
		add_number(hash, leak->site.line);
}

static uint64_t hash_leak(const struct fp_report_leak *leak, bool is_likeness)
{
	struct hash hash = {fp_hash_start, is_likeness};

	add_string(&hash, fp_report_text(fp_leak_class_name(leak->class)));
	add_stack(&hash, leak->stack);
	if (leak->site.file.size > 0)
		add_site(&hash, leak);
	return hash.value;
}

uint64_t fp_report_finding_fingerprint(const struct fp_report_finding *finding)
{
	return hash_finding(finding, false);
}

uint64_t fp_report_leak_fingerprint(const struct fp_report_leak *leak)
{
	return hash_leak(leak, false);
}

uint64_t fp_report_finding_likeness(const struct fp_report_finding *finding)
{
	return hash_finding(finding, true);
}

uint64_t fp_report_leak_likeness(const struct fp_report_leak *leak)
{
	return hash_leak(leak, true);
}

/* A fingerprint, which anybody may have made, so no hash of it is used, and its number. */
struct numbered {
	uint64_t fingerprint;
	size_t number;
};

static int compare(const void *left, const void *right)
{
	const struct numbered *a = left;
	const struct numbered *b = right;

	return (a->fingerprint > b->fingerprint) - (a->fingerprint < b->fingerprint);
}

size_t fp_report_number_of(void **numbers, uint64_t fingerprint, size_t next, bool *is_new)
{
	struct numbered **found =
	        tfind(&(struct numbered){.fingerprint = fingerprint}, numbers, compare);
	struct numbered *added;

	*is_new = !found;
	if (found)
		return (*found)->number;
	added = malloc(sizeof(*added));
	if (!added)
		return SIZE_MAX;
	*added = (struct numbered){fingerprint, next};
	if (tsearch(added, numbers, compare))
		return next;
	free(added);
	return SIZE_MAX;
}
