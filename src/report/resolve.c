/* SPDX-License-Identifier: Apache-2.0
 *
 * From addresses to frames, once, before anything is written. Only files that a trace points
 * into are opened, and each of them once, however often it was mapped.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "report/fingerprint.h"
#include "report/holders.h"
#include "report/report.h"
#include "report/leaks.h"
#include "report/names.h"
#include "report/schema.h"
#include "report/stack.h"
#include "report/finding.h"

/*
 * Images by path and build-id. A search from the front is quick enough: reports that are read
 * together are mostly of the same few files.
 */

enum { IMAGES_MANY = 200 };

struct entry {
	char *path;
	struct fp_report_string build_id; /* in path, behind its zero */
	struct fp_symbol_image *image;
};

struct fp_report_images {
	const char *debug_dir;
	struct entry *entries;
	size_t count;
};

int fp_report_images_new(const char *debug_dir, struct fp_report_images **images)
{
	*images = calloc(1, sizeof(**images));
	if (!*images)
		return -ENOMEM;
	(*images)->debug_dir = debug_dir;
	return 0;
}

static void close_all(struct fp_report_images *images)
{
	for (size_t i = 0; i < images->count; i++) {
		fp_symbol_close(images->entries[i].image);
		free(images->entries[i].path);
	}
	free(images->entries);
	images->entries = NULL;
	images->count = 0;
}

void fp_report_images_free(struct fp_report_images *images)
{
	if (!images)
		return;
	close_all(images);
	free(images);
}

void fp_report_images_trim(struct fp_report_images *images)
{
	if (images->count > IMAGES_MANY)
		close_all(images);
}

static bool is_of(const struct entry *entry, const struct fp_report_module *module)
{
	return fp_report_compare_strings(fp_report_text(entry->path), module->path) == 0 &&
	       fp_report_compare_strings(entry->build_id, module->build_id) == 0;
}

static int make_entry(const struct fp_report_images *images,
                      const struct fp_report_module *module, struct entry *entry)
{
	/* A path with a zero in it names what stands before that. */
	size_t length = strnlen(module->path.bytes, module->path.size);
	struct fp_symbol_source source = {.debug_dir = images->debug_dir};
	int result;

	entry->path = malloc(length + 1 + module->build_id.size);
	if (!entry->path)
		return -ENOMEM;
	memcpy(entry->path, module->path.bytes, length);
	entry->path[length] = '\0';
	memcpy(entry->path + length + 1, module->build_id.bytes, module->build_id.size);
	entry->build_id =
	        (struct fp_report_string){entry->path + length + 1, module->build_id.size};
	source.path = entry->path;
	source.build_id = (const uint8_t *)entry->build_id.bytes;
	source.build_id_size = entry->build_id.size;
	result = fp_symbol_open(&source, &entry->image);
	if (result != 0)
		free(entry->path);
	return result;
}

int fp_report_images_open(struct fp_report_images *images,
                          const struct fp_report_module *module, struct fp_symbol_image **image)
{
	struct entry *entries;
	int result;

	for (size_t i = 0; i < images->count; i++) {
		if (is_of(&images->entries[i], module)) {
			*image = images->entries[i].image;
			return 0;
		}
	}
	entries = fp_report_grow(images->entries, images->count, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	images->entries = entries;
	result = make_entry(images, module, &entries[images->count]);
	if (result != 0)
		return result;
	*image = entries[images->count++].image;
	return 0;
}

/* What fp_report_resolve needs at every step. */
struct resolving {
	struct fp_report *report;
	struct fp_report_images *images;
	bool is_brief; /* the C library's frames get no lines */
};

/* How much anybody will read of a frame. */
typedef typeof(fp_symbol_lookup) detail;

static int note_unusable(struct fp_report *report, const struct fp_report_module *module)
{
	int size = (int)(module->path.size < 1000 ? module->path.size : 1000);

	switch (fp_symbol_state(module->image)) {
	case FP_SYMBOL_UNREADABLE:
		return fp_report_note(report, FP_SAY_CANNOT_READ_ANY, size, module->path.bytes);
	case FP_SYMBOL_CHANGED:
		return fp_report_note(report, FP_SAY_NOT_FILE_RAN, size, module->path.bytes);
	default:
		return 0;
	}
}

static int open_module(const struct resolving *resolving, struct fp_report_module *module)
{
	const struct fp_report *report = resolving->report;
	struct fp_symbol_image *image;
	bool is_noted = false;
	int result;

	if (module->image)
		return 0;
	result = fp_report_images_open(resolving->images, module, &image);
	if (result != 0)
		return result;
	module->has_sources = fp_symbol_state(image) == FP_SYMBOL_USABLE;
	/* The same file may be mapped many times; one note will do. */
	for (size_t i = 0; i < report->module_count; i++)
		is_noted |= report->modules[i].image == image;
	module->image = image;
	return is_noted ? 0 : note_unusable(resolving->report, module);
}

/* One address of a trace on its way into a stack. */
struct step {
	const struct fp_report_address *address;
	bool is_exact;
	detail *look_up;
};

/* What stands at STEP, in MODULE. NULL when out of memory. */
static const struct fp_symbol_place *look_up(const struct resolving *resolving,
                                             const struct step *step,
                                             struct fp_report_module *module)
{
	uint64_t offset = step->address->address - module->bias;

	if (open_module(resolving, module) != 0)
		return NULL;
	return step->look_up(module->image, offset, step->is_exact);
}

static struct fp_report_module *module_of(const struct resolving *resolving,
                                          const struct fp_report_address *address)
{
	return address->module < 0 ? NULL : &resolving->report->modules[address->module];
}

static char callers_unknown_name[] = FP_SAY_CALLERS_UNKNOWN_CODE;
static const struct fp_symbol_frame callers_unknown = {.function = callers_unknown_name};
static char left_out_name[] = FP_SAY_FRAMES_LEFT_OUT;
static const struct fp_symbol_frame left_out = {.function = left_out_name};

static int add_address(const struct resolving *resolving, struct fp_report_stack *stack,
                       const struct step *step)
{
	struct fp_report_module *module = module_of(resolving, step->address);
	struct fp_report_frame frame = {.module = module, .offset = step->address->address};
	const struct fp_symbol_place *place;

	if (step->address->address == FP_TRACE_CALLERS_UNKNOWN)
		frame.symbol = &callers_unknown;
	if (step->address->address == FP_TRACE_LEFT_OUT)
		frame.symbol = &left_out;
	if (fp_report_find_made(resolving->report, step->address, step->is_exact, &place) != 0)
		return -ENOMEM;
	if (place && place->count > 0) {
		frame.module = NULL;
		frame.symbol = place->frames;
	}
	if (!frame.module)
		return fp_report_append(&resolving->report->arena, &stack->frames,
		                        &stack->count, &frame, sizeof(frame));
	/* What leads the stack is how Fencepost saw it, not what the program did. */
	if (stack->count == 0 && module->is_own)
		return 0;
	frame.offset = step->address->address - module->bias;
	place = look_up(resolving, step, module);
	if (!place)
		return -ENOMEM;
	if (place->count == 0)
		return fp_report_append(&resolving->report->arena, &stack->frames,
		                        &stack->count, &frame, sizeof(frame));
	for (size_t i = 0; i < place->count; i++) {
		frame.symbol = &place->frames[i];
		if (fp_report_append(&resolving->report->arena, &stack->frames, &stack->count,
		                     &frame, sizeof(frame)) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* One frame by its name; not counted when memory ran out, which the next step notices. */
static struct fp_report_frame peek(const struct resolving *resolving,
                                   const struct fp_report_address *address, bool is_exact)
{
	const struct step step = {address, is_exact, fp_symbol_lookup_name};
	struct fp_report_module *module = module_of(resolving, address);
	const struct fp_symbol_place *place =
	        module && !module->is_own ? look_up(resolving, &step, module) : NULL;

	return (struct fp_report_frame){
	        .module = module, .symbol = place && place->count > 0 ? place->frames : NULL};
}

/* How many addresses of TRACE come before those that only lead to main or to a thread's start.
 */
static size_t count_above_main(const struct resolving *resolving,
                               const struct fp_report_trace *trace)
{
	size_t count = trace->count;

	while (count > 1) {
		struct fp_report_frame frame =
		        peek(resolving, &trace->addresses[count - 1], false);

		if (!fp_report_is_start(&frame))
			break;
		count--;
	}
	return count;
}

/* How many innermost addresses of TRACE are in the C library's memory functions. */
static size_t count_memory_functions(const struct resolving *resolving,
                                     const struct fp_report_trace *trace)
{
	size_t count = 0;

	while (count < trace->count) {
		struct fp_report_frame frame =
		        peek(resolving, &trace->addresses[count], count == 0);
		char name[24];

		/* The frame behind is whom to blame. */
		struct fp_report_frame frames[2] = {frame, {0}};
		if (fp_report_count_memory_function(frames, 2, name, sizeof(name)) == 0)
			break;
		count++;
	}
	return count;
}

/* To open the C library's debug information takes ten times as long as the rest of a report:
 * not for frames that nobody sees. What is inlined there is nobody's business. */
static detail *detail_of(const struct resolving *resolving,
                         const struct fp_report_address *address)
{
	const struct fp_report_frame frame = {.module = module_of(resolving, address)};

	if (!frame.module || !fp_report_is_in_c_library(&frame))
		return fp_symbol_lookup;
	return resolving->is_brief ? fp_symbol_lookup_name : fp_symbol_lookup_line;
}

static int resolve_trace(const struct resolving *resolving, struct fp_report_trace *trace,
                         bool is_exact)
{
	struct fp_report_stack *stack =
	        fp_report_arena_take(&resolving->report->arena, sizeof(*stack));
	size_t above_main = count_above_main(resolving, trace);
	size_t inner = is_exact ? count_memory_functions(resolving, trace) : 0;

	if (!stack)
		return -ENOMEM;
	trace->stacks[is_exact] = stack;
	for (size_t i = 0; i < trace->count; i++) {
		const struct step step = {&trace->addresses[i], is_exact && i == 0,
		                          i < inner || i >= above_main
		                                  ? fp_symbol_lookup_name
		                                  : detail_of(resolving, &trace->addresses[i])};

		if (add_address(resolving, stack, &step) != 0)
			return -ENOMEM;
	}
	if (is_exact)
		fp_report_drop_memory_function(resolving->report, trace, stack);
	stack->shown = fp_report_count_shown(stack->frames, stack->count);
	return 0;
}

static int compare_id(const void *key, const void *item)
{
	const uint32_t *id = key;
	const struct fp_report_trace *trace = item;

	return (*id > trace->id) - (*id < trace->id);
}

/* The stack of trace ID, or an empty one when the log has no such trace. */
static int find_stack(const struct resolving *resolving, uint32_t id, bool is_exact,
                      const struct fp_report_stack **stack)
{
	static const struct fp_report_stack empty;
	struct fp_report *report = resolving->report;
	struct fp_report_trace *trace = NULL;

	if (report->trace_count > 0)
		trace = bsearch(&id, report->traces, report->trace_count,
		                sizeof(report->traces[0]), compare_id);
	*stack = &empty;
	if (!trace)
		return 0;
	if (!trace->stacks[is_exact] && resolve_trace(resolving, trace, is_exact) != 0)
		return -ENOMEM;
	*stack = trace->stacks[is_exact];
	return 0;
}

static int resolve_record(const struct resolving *resolving,
                          const struct fp_schema_record *schema, void *record);

static int resolve_items(const struct resolving *resolving,
                         const struct fp_schema_record *schema, char *items, size_t count)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++)
		result = resolve_record(resolving, schema, items + i * schema->size);
	return result;
}

/* Gives the traces of RECORD their stacks, where it has them and knows none yet. */
static int resolve_record(const struct resolving *resolving,
                          const struct fp_schema_record *schema, void *record)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < schema->count; i++) {
		const struct fp_schema_field *field = &schema->fields[i];
		void *at = (char *)record + field->offset;
		void *more = (char *)record + field->more;
		const struct fp_report_stack **stack = more;

		if (!fp_report_schema_has(field, record))
			continue;
		if (field->form == FP_SCHEMA_TRACE && !*stack)
			result = find_stack(resolving, *(uint32_t *)at, false, stack);
		else if (field->form == FP_SCHEMA_RECORD || field->form == FP_SCHEMA_BLOCK)
			result = resolve_record(resolving, field->of, at);
		else if (field->form == FP_SCHEMA_ARRAY)
			result = resolve_items(resolving, field->of, *(fp_schema_pointer *)at,
			                       *(size_t *)more);
	}
	return result;
}

/* In code, as debuggers have it: "main+0x16 (/usr/bin/x)". */
static int resolve_register(const struct resolving *resolving,
                            struct fp_report_register *holder)
{
	struct fp_report *report = resolving->report;
	const struct fp_symbol_place *place;
	struct fp_report_module *module = NULL;
	struct fp_report_string name;
	char *text;

	for (size_t i = 0; i < report->module_count; i++)
		if (holder->value >= report->modules[i].start &&
		    holder->value < report->modules[i].end)
			module = &report->modules[i];
	if (!module || holder->meaning.size > 0)
		return 0;
	if (open_module(resolving, module) != 0)
		return -ENOMEM;
	place = fp_symbol_lookup_name(module->image, holder->value - module->bias, true);
	name = fp_report_base_name(module->path);
	if (!place ||
	    asprintf(&text, "code: %s (%.*s+0x%" PRIx64 ")",
	             place->count > 0 ? place->frames[0].function : FP_SAY_NO_FUNCTION,
	             (int)name.size, name.bytes, holder->value - module->bias) < 0)
		return -ENOMEM;
	holder->meaning =
	        fp_report_text(fp_report_arena_keep(&report->arena, text, strlen(text)));
	free(text);
	return holder->meaning.bytes ? 0 : -ENOMEM;
}

static int resolve_holders(const struct resolving *resolving, struct fp_report_holder *holders,
                           size_t count)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++) {
		struct fp_report_module *module =
		        fp_report_holder_module(resolving->report, &holders[i]);

		if (module)
			result = open_module(resolving, module);
		if (result == 0)
			result = fp_report_name_holder(resolving->report, &holders[i], module);
	}
	return result;
}

/* The names of who holds a leak or a stack that grew, whose traces have stacks. */
#define RESOLVE_HELD(resolving, of)                                                            \
	(resolve_holders((resolving), (of)->holders, (of)->holder_count) != 0                  \
	         ? -ENOMEM                                                                     \
	         : resolve_holders((resolving), (of)->path, (of)->path_count))

static int resolve_finding(const struct resolving *resolving, struct fp_report_finding *finding)
{
	int result = find_stack(resolving, finding->trace, finding->is_exact, &finding->stack);

	if (result == 0)
		result = resolve_record(resolving, &fp_report_schema_finding, finding);
	for (size_t i = 0; result == 0 && i < finding->register_count; i++)
		result = resolve_register(resolving, &finding->registers[i]);
	if (result == 0)
		result = resolve_holders(resolving, finding->holders, finding->holder_count);
	if (result == 0)
		finding->fingerprint = fp_report_finding_fingerprint(finding);
	return result;
}

static int resolve_explanation(const struct resolving *resolving,
                               struct fp_report_explanation *explanation)
{
	if (!explanation)
		return 0;
	if (resolve_record(resolving, &fp_report_schema_explanation, explanation) != 0)
		return -ENOMEM;
	return resolve_holders(resolving, explanation->holders, explanation->holder_count);
}

static int resolve_growing(const struct resolving *resolving)
{
	struct fp_report *report = resolving->report;

	for (size_t i = 0; i < report->growth.count; i++) {
		struct fp_report_growing *growing = &report->growth.stacks[i];

		if (resolve_record(resolving, &fp_report_schema_growing, growing) != 0 ||
		    RESOLVE_HELD(resolving, growing) != 0)
			return -ENOMEM;
		growing->fingerprint = fp_report_leak_fingerprint(
		        &(struct fp_report_leak){.stack = growing->stack});
	}
	fp_report_sort_growing(report);
	return 0;
}

/* Gives REPORT images of its own, unless it has been resolved. */
static int own_images(struct fp_report *report, const char *debug_dir)
{
	if (report->images)
		return 0;
	report->owns_images = true;
	return fp_report_images_new(debug_dir, &report->images);
}

int fp_report_resolve_with(struct fp_report *report, struct fp_report_images *images)
{
	const struct resolving resolving = {report, images, false};

	const char *obstacle = fp_symbol_fetch_obstacle();

	report->images = images;
	if (obstacle && fp_report_note(report, "debuginfod=yes: %s", obstacle) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < report->finding_count; i++) {
		if (resolve_finding(&resolving, &report->findings[i]) != 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < report->leak_count; i++) {
		struct fp_report_leak *leak = &report->leaks[i];

		if (resolve_record(&resolving, &fp_report_schema_leak, leak) != 0 ||
		    RESOLVE_HELD(&resolving, leak) != 0 ||
		    resolve_holders(&resolving, leak->last_holders, leak->last_holder_count) !=
		            0)
			return -ENOMEM;
		leak->fingerprint = fp_report_leak_fingerprint(leak);
	}
	if (resolve_explanation(&resolving, report->explanation) != 0)
		return -ENOMEM;
	fp_report_merge_leaks(report);
	if (resolve_items(&resolving, &fp_report_schema_failed, (char *)report->failed,
	                  report->failed_count) != 0)
		return -ENOMEM;
	if (resolve_growing(&resolving) != 0 || fp_report_learn_allocators(report) != 0)
		return -ENOMEM;
	return fp_report_find_helpers(report);
}

int fp_report_resolve(struct fp_report *report, const char *debug_dir)
{
	int result = own_images(report, debug_dir);

	return result != 0 ? result : fp_report_resolve_with(report, report->images);
}

int fp_report_resolve_snapshots(struct fp_report *report, const char *debug_dir)
{
	int result = own_images(report, debug_dir);
	const struct resolving resolving = {report, report->images, true};

	if (result != 0)
		return result;
	result = resolve_items(&resolving, &fp_report_schema_snapshot,
	                       (char *)report->snapshots, report->snapshot_count);
	if (result == 0)
		result = resolve_items(&resolving, &fp_report_schema_context,
		                       (char *)report->heap.contexts,
		                       report->heap.context_count);
	return result != 0 ? result : fp_report_learn_allocators(report);
}
