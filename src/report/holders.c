/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables tell most, then blocks, then what is on stacks; registers of the access itself
 * hardly anything.
 */
#include "report/holders.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/stack.h"
#include "symbol/symbol.h"

/* The log has where the code of a module is: its data stand behind that, before the code of the
 * next. */
static struct fp_report_module *find_module(const struct fp_report *report, uint64_t address)
{
	struct fp_report_module *module = NULL;

	for (size_t i = 0; i < report->module_count; i++)
		if (address >= report->modules[i].start &&
		    (!module || report->modules[i].start >= module->start))
			module = &report->modules[i];
	return module;
}

/* The program itself, whose thread-local storage is where it is known to be. */
static struct fp_report_module *find_program(const struct fp_report *report)
{
	for (size_t i = 0; i < report->module_count; i++)
		if (fp_report_compare_strings(report->modules[i].path, report->executable) == 0)
			return &report->modules[i];
	return NULL;
}

struct fp_report_module *fp_report_holder_module(const struct fp_report *report,
                                                 const struct fp_report_holder *holder)
{
	const struct fp_report_frame *frame;

	switch (holder->kind) {
	case FP_HOLDER_MEMORY:
	case FP_HOLDER_GLOBAL:
		return find_module(report, holder->address);
	case FP_HOLDER_THREAD_LOCAL:
		return find_program(report);
	case FP_HOLDER_STACK:
		if (!holder->stack || holder->stack->count == 0)
			return NULL;
		frame = &holder->stack->frames[0];
		return (struct fp_report_module *)(uintptr_t)frame->module;
	default:
		return NULL;
	}
}

static int find_name(const struct fp_report_holder *holder,
                     const struct fp_report_module *module, struct fp_symbol_variable *variable)
{
	switch (holder->kind) {
	case FP_HOLDER_THREAD_LOCAL:
		return fp_symbol_find_thread_local(module->image, holder->place, variable);
	case FP_HOLDER_STACK:
		return fp_symbol_find_local(module->image, holder->stack->frames[0].offset - 1,
		                            holder->place, variable);
	default:
		return fp_symbol_find_variable(module->image, holder->address - module->bias,
		                               variable);
	}
}

static int keep(struct fp_report *report, const char *text, struct fp_report_string *kept)
{
	*kept = fp_report_text(fp_report_arena_keep(&report->arena, text, strlen(text)));
	return kept->bytes ? 0 : -ENOMEM;
}

int fp_report_name_holder(struct fp_report *report, struct fp_report_holder *holder,
                          const struct fp_report_module *module)
{
	struct fp_symbol_variable variable = {0};
	int result = 0;

	if (!module || holder->name.size > 0)
		return 0;
	if (holder->kind == FP_HOLDER_MEMORY) {
		if (!fp_symbol_has(module->image, holder->address - module->bias))
			return 0;
		holder->kind = FP_HOLDER_GLOBAL;
	}
	if (find_name(holder, module, &variable) != 0)
		return -ENOMEM;
	if (variable.name)
		result = keep(report, variable.name, &holder->name);
	holder->name_offset = variable.name ? variable.offset : 0;
	/* Of a variable that has no name: how far into the file's memory it is. */
	if (!variable.name && holder->kind == FP_HOLDER_GLOBAL)
		holder->name_offset = holder->address - module->bias;
	if (variable.name || holder->kind == FP_HOLDER_GLOBAL)
		holder->module = module->path;
	free(variable.name);
	return result;
}

/* ---- Which are told ------------------------------------------------------------------------
 */

/* From here on a holder is worth a line only where there is no better one: where a compiler
 * keeps a copy for a moment says little, and of a register the access itself had it. */
enum { WEAK = 5 };

static int rank_of(const struct fp_report_holder *holder)
{
	static const int ranks[FP_HOLDER_KINDS] = {
	        [FP_HOLDER_GLOBAL] = 0,          [FP_HOLDER_BLOCK] = 1,
	        [FP_HOLDER_THREAD_LOCAL] = 2,    [FP_HOLDER_STACK] = 3,
	        [FP_HOLDER_MEMORY] = 4,          [FP_HOLDER_FREED_BLOCK] = WEAK,
	        [FP_HOLDER_REGISTER] = WEAK + 2,
	};

	if (holder->kind == FP_HOLDER_STACK && holder->name.size == 0)
		return WEAK + 1;
	return ranks[holder->kind];
}

static bool is_chosen(const struct fp_report_holder *const *shown, size_t count,
                      const struct fp_report_holder *holder, bool is_kind_enough)
{
	for (size_t i = 0; i < count; i++)
		if (shown[i] == holder || (is_kind_enough && shown[i]->kind == holder->kind))
			return true;
	return false;
}

/* The best that is not chosen. */
static const struct fp_report_holder *find_best(const struct fp_report_holder *holders,
                                                size_t count,
                                                const struct fp_report_holder *const *shown,
                                                size_t chosen, bool is_kind_enough)
{
	const struct fp_report_holder *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (!is_chosen(shown, chosen, &holders[i], is_kind_enough) &&
		    (!best || rank_of(&holders[i]) < rank_of(best)))
			best = &holders[i];
	return best;
}

size_t fp_report_choose_holders(const struct fp_report_holder *holders, size_t count,
                                const struct fp_report_holder *shown[FP_REPORT_HOLDERS_SHOWN])
{
	size_t chosen = 0;

	while (chosen < FP_REPORT_HOLDERS_SHOWN && chosen < count) {
		const struct fp_report_holder *best =
		        find_best(holders, count, shown, chosen, true);

		if (!best)
			best = find_best(holders, count, shown, chosen, false);
		if (chosen > 0 && rank_of(best) > WEAK)
			break;
		shown[chosen++] = best;
	}
	return chosen;
}

/* ---- Words ---------------------------------------------------------------------------------
 */

struct words {
	char *text;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *words, const char *format,
                                                      ...)
{
	size_t room = FP_REPORT_HOLDER_WORDS_MAX - words->used;
	va_list arguments;
	int written;

	va_start(arguments, format);
	written = vsnprintf(words->text + words->used, room, format, arguments);
	va_end(arguments);
	if (written > 0)
		words->used += (size_t)written < room ? (size_t)written : room - 1;
}

static void say_string(struct words *words, struct fp_report_string string)
{
	say(words, "%.*s", (int)(string.size < 300 ? string.size : 300), string.bytes);
}

static void say_variable(struct words *words, const struct fp_report_holder *holder)
{
	say_string(words, holder->name);
	if (holder->name_offset > 0)
		say(words, "+%" PRIu64, holder->name_offset);
}

static void say_file(struct words *words, const struct fp_report_holder *holder)
{
	say_string(words, fp_report_base_name(holder->module));
}

static void say_global(struct words *words, const struct fp_report_holder *holder)
{
	if (holder->name.size == 0) {
		say_file(words, holder);
		say(words, "+0x%" PRIx64, holder->name_offset);
		return;
	}
	say_variable(words, holder);
	say(words, " (");
	say_file(words, holder);
	say(words, ")");
}

static void say_block(struct words *words, const struct fp_report_holder *holder)
{
	const struct fp_report_block *block = &holder->block;

	say(words, "offset %" PRIi64 " in a %sblock of %" PRIu64 " byte%s (serial %" PRIu64 ")",
	    block->offset, holder->kind == FP_HOLDER_FREED_BLOCK ? "freed " : "", block->size,
	    block->size == 1 ? "" : "s", block->serial);
}

static void say_of_thread(struct words *words, const struct fp_report_holder *holder)
{
	if (holder->kind == FP_HOLDER_REGISTER)
		say(words, "register ");
	if (holder->kind == FP_HOLDER_THREAD_LOCAL)
		say(words, "thread-local ");
	if (holder->kind == FP_HOLDER_STACK && holder->name.size > 0)
		say(words, "variable ");
	if (holder->name.size > 0)
		say_variable(words, holder);
	else
		say(words, holder->kind == FP_HOLDER_STACK ? "the stack" : "storage");
	say(words, " of thread %" PRIu32, holder->thread);
}

void fp_report_holder_inside(const struct fp_report_holder *holder,
                             char text[FP_REPORT_HOLDER_INSIDE_MAX])
{
	text[0] = '\0';
	if (holder->offset != 0)
		snprintf(text, FP_REPORT_HOLDER_INSIDE_MAX,
		         ", which points %" PRIi64 " byte%s inside", holder->offset,
		         holder->offset == 1 ? "" : "s");
}

void fp_report_holder_words(const struct fp_report_holder *holder,
                            char text[FP_REPORT_HOLDER_WORDS_MAX])
{
	struct words words = {text, 0};
	char inside[FP_REPORT_HOLDER_INSIDE_MAX];

	text[0] = '\0';
	switch (holder->kind) {
	case FP_HOLDER_GLOBAL:
		say_global(&words, holder);
		break;
	case FP_HOLDER_BLOCK:
	case FP_HOLDER_FREED_BLOCK:
		say_block(&words, holder);
		break;
	case FP_HOLDER_THREAD_LOCAL:
	case FP_HOLDER_STACK:
	case FP_HOLDER_REGISTER:
		say_of_thread(&words, holder);
		break;
	default:
		say(&words, "memory at 0x%" PRIx64, holder->address);
		break;
	}
	fp_report_holder_inside(holder, inside);
	say(&words, "%s", inside);
}

const struct fp_report_stack *fp_report_holder_stack(const struct fp_report_holder *holder)
{
	bool is_block =
	        holder->kind == FP_HOLDER_BLOCK || holder->kind == FP_HOLDER_FREED_BLOCK;
	const struct fp_report_stack *stack =
	        is_block ? holder->block.alloc_stack : holder->stack;

	return stack && stack->count > 0 ? stack : NULL;
}

void fp_report_holder_sentence(const struct fp_report_holder *holder,
                               char text[FP_REPORT_HOLDER_SENTENCE_MAX])
{
	const struct fp_report_stack *stack = fp_report_holder_stack(holder);
	const struct fp_report_frame *frame = stack ? fp_report_stack_place(stack) : NULL;
	const struct fp_symbol_frame *symbol = frame ? frame->symbol : NULL;
	char words[FP_REPORT_HOLDER_WORDS_MAX];
	struct fp_report_string file = {0};

	fp_report_holder_words(holder, words);
	if (symbol && symbol->file)
		file = fp_report_base_name(fp_report_text(symbol->file));
	snprintf(text, FP_REPORT_HOLDER_SENTENCE_MAX, "still held by %s%s%.*s", words,
	         file.size == 0                    ? ""
	         : holder->kind == FP_HOLDER_STACK ? ", at "
	                                           : ", allocated at ",
	         (int)(file.size < 256 ? file.size : 256), file.size == 0 ? "" : file.bytes);
	if (file.size > 0) {
		size_t used = strlen(text);

		snprintf(text + used, FP_REPORT_HOLDER_SENTENCE_MAX - used, ":%u",
		         symbol->line);
	}
}
