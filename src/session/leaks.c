/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches for leaks and what the event log is told of them. A search stands for itself: its
 * leaks replace those of earlier ones.
 */
#include <errno.h>
#include <linux/memfd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/messages.h"
#include "base/meta.h"
#include "base/remains.h"
#include "base/sys.h"
#include "base/text.h"
#include "heap/heap.h"
#include "heap/pools.h"
#include "leak/leak.h"
#include "options/options.h"
#include "region/region.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/caller.h"
#include "stack/stack.h"
#include "timeline/timeline.h"

/* ---- What the program says about leaks -----------------------------------------------------
 *
 * What the program says about leaks: blocks that are none, and more memory to look for pointers
 * in. Regions are taken as they are told: the search leaves out what cannot be read.
 */

enum { ROOTS_MAX = 1024 };

/* Under the session's lock. */
static struct fp_leak_range roots[ROOTS_MAX];
static size_t root_count;

void fp_session_ignore_block(const void *address)
{
	uintptr_t inside = (uintptr_t)address;
	struct fp_region_place place;
	struct fp_block block;

	if (fp_session_is_started() && fp_region_find(inside, &place))
		fp_region_mark(inside, place.block.serial, FP_BLOCK_IGNORED);
	else if (fp_session_is_started() && fp_heap_find(inside, &block) &&
	         block.state == FP_BLOCK_LIVE && inside >= block.address &&
	         inside - block.address <= block.size)
		fp_heap_mark(inside, block.serial, FP_BLOCK_IGNORED);
}

void fp_session_add_root(const void *start, size_t bytes)
{
	fp_lock_acquire(&fp_session.lock);
	bool is_full = root_count == ROOTS_MAX;
	if (!is_full)
		roots[root_count++] = (struct fp_leak_range){
		        .start = (uintptr_t)start,
		        .end = (uintptr_t)start + bytes,
		};
	fp_lock_release(&fp_session.lock);
	if (is_full && fp_session_is_started())
		fp_log_note(fp_session_log(), FP_TELL_ROOTS_FULL);
}

/* The newest of several equal ones. */
static size_t find_locked(uintptr_t start, uintptr_t end)
{
	for (size_t i = root_count; i-- > 0;)
		if (roots[i].start == start && roots[i].end == end)
			return i;
	return ROOTS_MAX;
}

void fp_session_remove_root(const void *start, size_t bytes)
{
	fp_lock_acquire(&fp_session.lock);
	size_t place = find_locked((uintptr_t)start, (uintptr_t)start + bytes);
	if (place < ROOTS_MAX) {
		root_count--;
		memmove(&roots[place], &roots[place + 1],
		        (root_count - place) * sizeof(roots[0]));
	}
	fp_lock_release(&fp_session.lock);
}

static size_t copy_roots(struct fp_leak_range *copy, size_t room)
{
	fp_lock_acquire(&fp_session.lock);
	size_t count = root_count < room ? root_count : room;
	if (copy != NULL)
		memcpy(copy, roots, count * sizeof(roots[0]));
	fp_lock_release(&fp_session.lock);
	return count;
}

void fp_session_leave_roots(struct fp_remains *remains)
{
	remains->roots = (struct fp_remains_ranges){
	        .first = (uintptr_t)roots,
	        .count = (uintptr_t)&root_count,
	        .bytes = sizeof(roots[0]),
	        .start = offsetof(struct fp_leak_range, start),
	        .end = offsetof(struct fp_leak_range, end),
	};
}

/* ---- What it says to LeakSanitizer ---------------------------------------------------------
 *
 * What a program that was annotated for LeakSanitizer says in functions of its own, and its
 * user in LSAN_OPTIONS: whether leaks are looked for, and which are known. Of LeakSanitizer's
 * options detect_leaks and suppressions are taken; the others are about another program.
 */

enum { OPTIONS_BYTES = 2048, FILE_BYTES = 256 << 10 };

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

static void read_options(const char *text, struct wishes *wishes)
{
	struct fp_options_item item;

	while (text != NULL && fp_options_next_other(&text, &item)) {
		size_t size = item.value_len;

		if (is_word(item.key, item.key_len, "detect_leaks")) {
			wishes->is_off = is_word(item.value, size, "0") ||
			                 is_word(item.value, size, "no") ||
			                 is_word(item.value, size, "false");
		} else if (is_word(item.key, item.key_len, "suppressions") &&
		           size < sizeof(wishes->suppressions)) {
			memcpy(wishes->suppressions, item.value, size);
			wishes->suppressions[size] = '\0';
		}
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

static bool asks_lsan(void)
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

/* ---- Searches -------------------------------------------------------------------------------
 */

/* What a search is for, and what it told. */
struct telling {
	struct fp_log *log;
	enum fp_session_check kind;
	uint64_t new_blocks; /* that are lost and were not when leaks were last looked for */
	fp_trace_id growing[FP_TREND_LISTED_MAX];
	size_t growing_count;
};

static bool is_lost(enum fp_leak_class class)
{
	return class == FP_LEAK_DEFINITE || class == FP_LEAK_INDIRECT;
}

static bool is_growing(const struct telling *telling, fp_trace_id trace)
{
	for (size_t i = 0; i < telling->growing_count; i++)
		if (telling->growing[i] == trace)
			return true;
	return false;
}

/* Reachable ones are leaks for those only who ask for them. */
static bool is_to_be_told(const struct fp_leak_group *group, const struct telling *telling)
{
	bool is_new = is_lost(group->class) &&
	              (group->new.blocks > 0 || group->new_indirect.blocks > 0);

	if (telling->kind == FP_SESSION_CHECK_ONLY_NEWS)
		return is_new;
	return group->class != FP_LEAK_REACHABLE || fp_session.options.show_reachable;
}

static void tell_group(const struct fp_leak_group *group, void *user)
{
	struct telling *telling = user;

	if (is_lost(group->class))
		telling->new_blocks += group->new.blocks;
	fp_session_log_group(telling->log, group, is_to_be_told(group, telling),
	                     is_growing(telling, group->trace));
}

/* For the next check. */
static void mark_told(const struct fp_leak_block *block, void *user)
{
	uint8_t marks = FP_BLOCK_TOLD | (is_lost(block->class) ? FP_BLOCK_LOST : 0);

	(void)user;
	if ((block->marks & marks) == marks)
		return;
	if (block->family == FP_FAMILY_VIRTUAL)
		fp_region_mark(block->address, block->serial, marks);
	else if (block->family == FP_FAMILY_POOL)
		fp_pools_mark(block->address, block->serial, marks);
	else
		fp_heap_mark(block->address, block->serial, marks);
}

bool fp_session_has_check_failed(void)
{
	return atomic_load(&fp_session.own.leaks.has_failed);
}

static void set_failed(struct fp_log *log)
{
	fp_log_leak_check(log, FP_LOG_CHECK_FAILED);
	atomic_store(&fp_session.own.leaks.has_failed, true);
}

static void log_notes(struct fp_log *log, const struct fp_leak_result *result)
{
	static _Atomic bool is_noted;

	/* Once: it is likely to be so at each check. */
	if (result->unanswered > 0 && !atomic_exchange(&is_noted, true))
		fp_log_tell(log, FP_TELL_THREADS_RAN, FP_TEXT_COUNT(result->unanswered));
	if (result->is_blind) {
		fp_log_note(log, FP_TELL_LEAKS_BLIND);
		set_failed(log);
	}
	if (result->is_partial)
		fp_log_note(log, FP_TELL_LEAKS_PARTIAL);
	if (fp_session.options.leak_snapshot && !result->is_snapshot)
		fp_log_note(log, FP_TELL_NO_SNAPSHOT);
}

bool fp_session_is_ignored(const struct fp_block *block, void *user)
{
	(void)user;
	return (block->marks & FP_BLOCK_IGNORED) != 0;
}

static bool is_wanted(void)
{
	return fp_session.options.leak_check != FP_OPTIONS_LEAK_CHECK_NO;
}

bool fp_session_has_blocks(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	return is_wanted() &&
	       (totals.live_blocks > totals.inherited_blocks || fp_pools_live_count() > 0 ||
	        fp_region_last_serial() > fp_session.first_region);
}

/* At the end of the process the C library's frames lie where the program's were, with gaps in
 * which those have left pointers: what counts is what was there when it called exit(3). */
static size_t find_exit(struct fp_stack_caller *caller, uintptr_t *stack)
{
	if (!atomic_load(&fp_session.own.is_finished) ||
	    !fp_stack_find_caller((uintptr_t)&exit, caller))
		return 0;
	*stack = caller->stack;
	return 1;
}

/* Where the program stands, when that is not where we were called. */
struct vantage {
	struct fp_stack_caller caller;
	struct fp_leak_range registers[FP_LEAK_REGISTER_RANGES];
	size_t count; /* of ranges */
};

static void find_vantage(struct vantage *vantage, uintptr_t *stack)
{
	/* Of the thread that dies, and no other. */
	const struct fp_leak_interrupted *interrupted =
	        fp_session_is_finishing_here() ? fp_session.own.interrupted : NULL;

	if (interrupted != NULL) {
		memcpy(vantage->registers, interrupted->registers, sizeof(vantage->registers));
		vantage->count = interrupted->count;
		*stack = interrupted->stack;
		return;
	}
	vantage->count = find_exit(&vantage->caller, stack);
	vantage->registers[0] = (struct fp_leak_range){
	        .start = (uintptr_t)&vantage->caller.registers,
	        .end = (uintptr_t)(&vantage->caller.registers + 1),
	};
}

/* Looks in saved registers and in the program's own roots, too, the latter as far as there is
 * memory for their list. */
static int search(struct fp_leak_config *config, uintptr_t stack, struct fp_leak_result *result)
{
	struct vantage vantage = {.count = 0};

	find_vantage(&vantage, &stack);
	size_t room = vantage.count + copy_roots(NULL, SIZE_MAX);
	struct fp_leak_range *ranges = room == 0 ? NULL : fp_meta_alloc(room * sizeof(*ranges));
	config->roots = ranges == NULL ? vantage.registers : ranges;
	config->root_count = vantage.count;
	if (ranges != NULL) {
		memcpy(ranges, vantage.registers, vantage.count * sizeof(*ranges));
		config->root_count += copy_roots(ranges + vantage.count, room - vantage.count);
	}
	int status = fp_leak_check(config, stack, result);
	fp_meta_free(ranges, room * sizeof(*ranges));
	return status;
}

static uint8_t flags_of(enum fp_session_check kind)
{
	return (uint8_t)((atomic_load(&fp_session.own.leaks.is_repeated) ? FP_LOG_CHECK_REPEATED
	                                                                 : 0) |
	                 (kind >= FP_SESSION_CHECK_NEWS ? FP_LOG_CHECK_NEWS : 0));
}

/* The next check tells what is new since this one. */
static void set_told(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	atomic_store(&fp_session.told_serial, totals.last_serial);
	atomic_store(&fp_session.told_region, fp_region_last_serial());
	atomic_store(&fp_session.own.leaks.is_repeated, true);
}

/* What the last search found, blocks and bytes. */
static _Atomic uint64_t last_found[FP_LEAK_CLASS_COUNT][2];

struct fp_session_leak_counts fp_session_count_leaks(bool of_blocks)
{
	return (struct fp_session_leak_counts){
	        .lost = atomic_load(&last_found[FP_LEAK_DEFINITE][!of_blocks]) +
	                atomic_load(&last_found[FP_LEAK_INDIRECT][!of_blocks]),
	        .possible = atomic_load(&last_found[FP_LEAK_POSSIBLE][!of_blocks]),
	        .reachable = atomic_load(&last_found[FP_LEAK_REACHABLE][!of_blocks]),
	};
}

static uint64_t log_leaks(struct fp_log *log, uintptr_t stack, enum fp_session_check kind)
{
	bool is_last = kind == FP_SESSION_CHECK_LAST;
	struct fp_leak_result result = {0};
	struct telling telling = {.log = log, .kind = kind};
	struct fp_leak_config config = {
	        .after = fp_session.first_serial,
	        .after_region = fp_session.first_region,
	        .told = atomic_load(&fp_session.told_serial),
	        .told_region = atomic_load(&fp_session.told_region),
	        .is_snapshot = fp_session.options.leak_snapshot,
	        .with_reachable = fp_session.options.show_reachable,
	        .is_kept = fp_session_is_ignored,
	        .visit_group = tell_group,
	        .visit_block = is_last ? NULL : mark_told,
	        .user = &telling,
	};

	if (!asks_lsan()) {
		fp_log_leak_check(log, FP_LOG_CHECK_OFF);
		return 0;
	}
	fp_log_leak_check(log, flags_of(kind));
	if (!is_last)
		set_told();
	if (!fp_session_has_blocks())
		return 0;
	if (kind != FP_SESSION_CHECK_ONLY_NEWS)
		telling.growing_count = fp_timeline_list_growing(telling.growing);
	config.with_reachable |= telling.growing_count > 0;
	int status = search(&config, stack, &result);
	if (status == 0) {
		log_notes(log, &result);
	} else {
		fp_log_tell(log, FP_TELL_LEAKS_FAILED, strerrordesc_np(-status));
		set_failed(log);
	}
	for (size_t i = 0; i < FP_LEAK_CLASS_COUNT; i++) {
		atomic_store(&last_found[i][0], result.blocks[i]);
		atomic_store(&last_found[i][1], result.bytes[i]);
	}
	if (kind == FP_SESSION_CHECK_ONLY_NEWS)
		return telling.new_blocks;
	return result.blocks[FP_LEAK_DEFINITE] + result.blocks[FP_LEAK_INDIRECT];
}

uint64_t fp_session_log_leaks(struct fp_log *log, uintptr_t stack, enum fp_session_check kind)
{
	if (!is_wanted())
		return 0;
	return atomic_load(&fp_session.own.leaks.is_last)
	               ? atomic_load(&fp_session.own.leaks.found)
	               : log_leaks(log, stack, kind);
}

/* Findings are made meanwhile: what a check has to say comes in one piece. */
static void check(uintptr_t stack, void *user)
{
	struct fp_log *leaks = fp_meta_alloc(sizeof(*leaks));
	uint64_t *leaked = user;

	if (leaks == NULL)
		return;
	fp_log_open(leaks, true);
	*leaked = log_leaks(leaks, stack, FP_SESSION_CHECK_ALL);
	fp_lock_acquire(&fp_session.lock);
	/* Leaks name traces of any module. */
	fp_log_modules(fp_session_log());
	fp_log_append_log(fp_session_log(), leaks);
	fp_session_publish(NULL);
	fp_lock_release(&fp_session.lock);
	fp_log_discard(leaks);
	fp_meta_free(leaks, sizeof(*leaks));
}

size_t fp_session_check_leaks(void)
{
	uint64_t leaked = 0;
	int saved_errno = errno;

	if (fp_session_is_started() && is_wanted() &&
	    !atomic_load(&fp_session.own.leaks.is_last))
		fp_leak_from_here(check, &leaked);
	errno = saved_errno;
	return (size_t)leaked;
}

int fp_session_check_leaks_finally(void)
{
	uint64_t leaked = fp_session_check_leaks();

	/* Whoever comes second looks for none and finds none. */
	if (leaked > 0)
		atomic_store(&fp_session.own.leaks.found, leaked);
	if (!fp_session_is_started() || !is_wanted() ||
	    atomic_exchange(&fp_session.own.leaks.is_last, true) || leaked == 0)
		return 0;
	return (int)fp_session.options.error_exitcode;
}

/* ---- What is new ---------------------------------------------------------------------------
 *
 * Leaks that are new since leaks were last looked for, as text: for a test that is to say what
 * it lost. The main log learns nothing of them, so that thousands of tests do not fill it; at
 * the end of the process all leaks are looked for anew. The text is the reporter's, which knows
 * names and suppressions.
 */

struct news {
	char *text;
	size_t size; /* of TEXT; 0: none is wanted */
	bool is_found;
};

/* What stands in FILE; false: nothing does. */
static bool read_text(int file, const struct news *news)
{
	size_t used = 0;
	ssize_t got;

	do {
		got = fp_sys_pread(file, news->text + used, news->size - 1 - used, (off_t)used);
		used += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	news->text[used] = '\0';
	return used > 0;
}

static void say_unnamed(const struct news *news, uint64_t blocks, int status)
{
	struct fp_text text;

	fp_text_begin(&text, news->text, news->size);
	fp_text_print(&text, FP_TELL_UNNAMED_LEAKS, blocks, blocks == 1 ? " was" : "s were",
	              strerrordesc_np(-status));
}

/* Whether any of BLOCKS is left when what suppressions name is taken away. */
static bool write_text(struct fp_log *tail, uint64_t blocks, const struct news *news)
{
	int file = (int)fp_sys(SYS_memfd_create, "fencepost-leaks", MFD_CLOEXEC);
	const struct fp_session_rendering rendering = {
	        .format = "text",
	        .fd = file,
	        .is_of_leaks = true,
	};
	int status = file < 0 ? file : fp_session_render(tail, &rendering);
	bool is_left = status != 0 || read_text(file, news);

	if (status != 0)
		say_unnamed(news, blocks, status);
	if (file >= 0)
		fp_sys_close(file);
	return is_left;
}

static void look(uintptr_t stack, void *user)
{
	struct news *news = user;
	struct fp_log *tail = fp_meta_alloc(sizeof(*tail));

	if (tail == NULL)
		return;
	fp_log_open(tail, true);
	uint64_t blocks = fp_session_log_leaks(tail, stack, FP_SESSION_CHECK_ONLY_NEWS);
	news->is_found = blocks > 0;
	if (blocks > 0 && news->size > 0) {
		/* Leaks name traces of any module. */
		fp_lock_acquire(&fp_session.lock);
		fp_log_modules(fp_session_log());
		fp_lock_release(&fp_session.lock);
		fp_log_end(tail);
		news->is_found = write_text(tail, blocks, news);
	}
	fp_session_drop_tail(tail);
}

bool fp_session_has_new_leaks(char *text, size_t size)
{
	struct news news = {.text = text, .size = text == NULL ? 0 : size};
	int saved_errno = errno;

	if (news.size > 0)
		text[0] = '\0';
	if (fp_session_is_started() && !atomic_load(&fp_session.own.leaks.is_last))
		fp_leak_from_here(look, &news);
	errno = saved_errno;
	return news.is_found;
}
