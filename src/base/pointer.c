/* SPDX-License-Identifier: Apache-2.0
 *
 * Classification of foreign pointers by the mapping they lie in.
 */
#include "base/pointer.h"

#include <stdbool.h>
#include <string.h>

#include "base/maps.h"
#include "base/messages.h"
#include "base/room.h"

/* Of a longer path the end is shown, which has the file's name. */
enum { PATH_SHOWN = 248 };

struct search {
	uintptr_t address;
	uintptr_t own_stack; /* an address in the calling thread's stack */
	struct fp_text *text;
	char module[PATH_SHOWN +
	            8]; /* the file whose segments end where the current mapping starts */
	uintptr_t module_end;
	bool is_found;
};

static void append_path(struct fp_text *text, const char *path)
{
	size_t length = strlen(path);

	if (length > PATH_SHOWN) {
		fp_text_string(text, "...");
		path += length - PATH_SHOWN;
	}
	fp_text_string(text, path);
}

static void describe_file(struct search *search, const struct fp_mapping *mapping,
                          const char *path)
{
	if (mapping->is_executable)
		fp_text_string(search->text, FP_TELL_IN_CODE);
	else if (mapping->is_writable)
		fp_text_string(search->text, FP_TELL_IN_GLOBAL);
	else
		fp_text_string(search->text, FP_TELL_IN_CONSTANT);
	append_path(search->text, path);
}

static void describe_mapping(struct search *search, const struct fp_mapping *mapping)
{
	if (search->own_stack >= mapping->start && search->own_stack < mapping->end)
		fp_text_string(search->text, FP_TELL_IN_OWN_STACK);
	else if (strcmp(mapping->path, "[stack]") == 0)
		fp_text_string(search->text, FP_TELL_IN_MAIN_STACK);
	else if (strcmp(mapping->path, "[heap]") == 0)
		fp_text_string(search->text, FP_TELL_IN_BRK);
	else if (mapping->path[0] == '/')
		describe_file(search, mapping, mapping->path);
	else if (mapping->path[0] == '\0' && search->module_end == mapping->start)
		/* The .bss that does not fit the file's last page. */
		describe_file(search, mapping, search->module);
	else if (!mapping->is_readable)
		fp_text_string(search->text, FP_TELL_IN_RESERVED);
	else
		fp_text_string(search->text, FP_TELL_IN_MAPPED);
}

static bool visit(const struct fp_mapping *mapping, void *user)
{
	struct search *search = user;

	if (search->address < mapping->start)
		return false;
	if (search->address < mapping->end) {
		describe_mapping(search, mapping);
		search->is_found = true;
		return false;
	}
	if (mapping->path[0] == '/') {
		struct fp_text module;

		fp_text_begin(&module, search->module, sizeof(search->module));
		append_path(&module, mapping->path);
		search->module_end = mapping->end;
	}
	return true;
}

void fp_pointer_describe(struct fp_text *text, uintptr_t address)
{
	struct search search = {
	        .address = address,
	        .own_stack = fp_room_outside((uintptr_t)__builtin_frame_address(0)),
	        .text = text,
	};
	int status = fp_maps_each(visit, &search);

	if (status != 0)
		fp_text_string(text, FP_TELL_IN_UNKNOWN);
	else if (!search.is_found)
		fp_text_string(text, FP_TELL_IN_NOTHING);
}
