/* SPDX-License-Identifier: Apache-2.0
 *
 * A perf map, written through Mono's profiler interface. Mono writes one itself (--jitmap), but
 * through a buffer that is lost when the process is killed, and without lines of source files.
 * Here each line is one write, so threads do not mix theirs.
 */
#include "mono_names.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mono/metadata/appdomain.h>
#include <mono/metadata/debug-helpers.h>
#include <mono/metadata/mono-debug.h>
#include <mono/metadata/profiler.h>

/* Mono's headers declare it, and leave out what is in it. */
struct _MonoDebugLineNumberEntry {
	uint32_t il_offset;
	uint32_t native_offset;
};

static int map;

/* The code of a method from one place to another. */
struct stretch {
	const char *method;
	const char *start;
	const char *end;
};

/* FILE NULL: no line is known. A name ends where a space and the file begin, so the file must
 * have none. */
static void write_stretch(const struct stretch *stretch, const char *file, uint32_t line)
{
	const char *space = file != NULL ? strrchr(file, ' ') : NULL;

	if (stretch->start >= stretch->end)
		return;
	if (file == NULL)
		dprintf(map, "%" PRIxPTR " %zx %s\n", (uintptr_t)stretch->start,
		        (size_t)(stretch->end - stretch->start), stretch->method);
	else
		dprintf(map, "%" PRIxPTR " %zx %s %s:%" PRIu32 "\n", (uintptr_t)stretch->start,
		        (size_t)(stretch->end - stretch->start), stretch->method,
		        space != NULL ? space + 1 : file, line);
}

/* What stands for several source lines, line by line, on top of the whole. */
static void write_lines(MonoMethod *method, const struct stretch *whole)
{
	MonoDebugMethodJitInfo *lines = mono_debug_find_method(method, mono_domain_get());
	struct stretch stretch = *whole;

	for (uint32_t i = 0; lines != NULL && i < lines->num_line_numbers; i++) {
		uint32_t offset = lines->line_numbers[i].native_offset;
		bool is_last = i + 1 == lines->num_line_numbers;
		MonoDebugSourceLocation *place =
		        mono_debug_lookup_source_location(method, offset, mono_domain_get());

		stretch.start = whole->start + offset;
		stretch.end = is_last ? whole->end
		                      : whole->start + lines->line_numbers[i + 1].native_offset;
		if (place != NULL && place->source_file != NULL)
			write_stretch(&stretch, place->source_file, place->row);
		if (place != NULL)
			mono_debug_free_source_location(place);
	}
	if (lines != NULL)
		mono_debug_free_method_jit_info(lines);
}

static void method_is_done(MonoProfiler *profiler, MonoMethod *method, MonoJitInfo *code)
{
	char *name = mono_method_full_name(method, 1);
	const char *start = mono_jit_info_get_code_start(code);
	const struct stretch whole = {name, start, start + mono_jit_info_get_code_size(code)};

	(void)profiler;
	write_stretch(&whole, NULL, 0);
	write_lines(method, &whole);
	mono_free(name);
}

/* What Mono made before it told of anything, the trampolines that all methods share, is known
 * by its mapping. Methods come later, and count more. */
static void write_mapping_of(const void *code)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t start;
	uintptr_t end;

	while (maps != NULL &&
	       fscanf(maps, "%" SCNxPTR "-%" SCNxPTR "%*[^\n]", &start, &end) == 2)
		if ((uintptr_t)code >= start && (uintptr_t)code < end)
			dprintf(map, "%" PRIxPTR " %" PRIxPTR " (trampoline)\n", start,
			        end - start);
	if (maps != NULL)
		fclose(maps);
}

static void code_is_there(MonoProfiler *profiler, const mono_byte *code, uint64_t size,
                          MonoProfilerCodeBufferType type, const void *data)
{
	static atomic_flag is_known = ATOMIC_FLAG_INIT;

	(void)profiler, (void)size, (void)type, (void)data;
	if (!atomic_flag_test_and_set(&is_known))
		write_mapping_of(code);
}

static void chunk_is_there(MonoProfiler *profiler, const mono_byte *chunk, uintptr_t size)
{
	(void)profiler;
	dprintf(map, "%" PRIxPTR " %" PRIxPTR " (trampoline)\n", (uintptr_t)chunk, size);
}

bool mono_names_begin(void)
{
	MonoProfilerHandle handle;
	char path[40];

	snprintf(path, sizeof(path), "/tmp/perf-%ld.map", (long)getpid());
	/* Another process may have had this id, and left one. */
	unlink(path);
	map = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (map < 0)
		return false;
	handle = mono_profiler_create(NULL);
	mono_profiler_set_jit_chunk_created_callback(handle, chunk_is_there);
	mono_profiler_set_jit_code_buffer_callback(handle, code_is_there);
	mono_profiler_set_jit_done_callback(handle, method_is_done);
	return true;
}
