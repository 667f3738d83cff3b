/* SPDX-License-Identifier: Apache-2.0
 *
 * Capture through libunwind's unw_backtrace, unless the stack is one that it unwound before,
 * and interning in two depots.
 */
#include "stack/stack.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "stack/code.h"
#include "stack/depot.h"
#include "stack/frame_table.h"
#include "stack/gate.h"
#include "stack/memo.h"
#include "stack/rule.h"

enum {
	OWN_FRAMES_MAX = 8, /* frames of Fencepost that may lead a capture */
	OWN_FRAME_BYTES_MAX = 64 << 10,
	MARK = 1,             /* more: see keep() */
	SITE_FILE_MAX = 1024, /* longer file names of DebugAlloc keep their end */
	DESCRIPTOR_FLOOR = 700
};

/* What a site's entry holds. */
struct site {
	int32_t line;
	char file[];
};

static struct fp_depot traces = {.lock = FP_LOCK_INITIALIZER(FP_RANK_DEPOT)};
static struct fp_depot sites = {.lock = FP_LOCK_INITIALIZER(FP_RANK_DEPOT)};
static struct fp_stack_config configuration = {.depth = 32};

/* libunwind asks a pipe whether memory can be read: it writes a byte to it and reads it again.
 * In a program that closes all descriptors and opens files under their numbers, those bytes
 * would go to its files. So its first capture, which makes the pipe, finds the numbers that
 * programs use taken. */
static void capture_first(void)
{
	int taken[DESCRIPTOR_FLOOR];
	size_t count = 0;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && fd < DESCRIPTOR_FLOOR) {
		taken[count++] = fd;
		fd = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0);
	}
	if (fd >= 0)
		close(fd);
	/* A low limit on descriptors: the pipe takes the last two. */
	for (int i = 0; fd < 0 && i < 2 && count > 0; i++)
		close(taken[--count]);
	fp_stack_capture();
	while (count > 0)
		close(taken[--count]);
}

void fp_stack_init(const struct fp_stack_config *config)
{
	configuration = *config;
	if (configuration.depth > FP_TRACE_DEPTH_MAX)
		configuration.depth = FP_TRACE_DEPTH_MAX;
	fp_memo_forget_all();
	capture_first();
}

static bool is_own(uintptr_t pc)
{
	return pc >= configuration.own_start && pc < configuration.own_end;
}

/* The frame that called Fencepost, from OWN, the frame pointer of one of our functions: all of
 * them have one. Whether that is so is seen later, when libunwind has to agree. */
static struct fp_frame find_caller(const uintptr_t *own)
{
	struct fp_frame frame = {.pc = own[1], .sp = (uintptr_t)(own + 2), .fp = own[0]};

	for (int i = 0; i < OWN_FRAMES_MAX && is_own(frame.pc) && frame.fp >= frame.sp &&
	                frame.fp - frame.sp < OWN_FRAME_BYTES_MAX;
	     i++) {
		own = (const uintptr_t *)frame.fp;
		frame = (struct fp_frame){
		        .pc = own[1], .sp = (uintptr_t)(own + 2), .fp = own[0]};
	}
	return frame;
}

/* What a trace is made of: all of FRAMES but the first and our own that follow it. */
static struct fp_unwound keep_part(uintptr_t *frames, int count)
{
	int first = 1;

	while (first < count && is_own(frames[first]))
		first++;
	unsigned kept = count > first ? (unsigned)(count - first) : 0;
	bool is_cut = kept >= configuration.depth;
	return (struct fp_unwound){
	        .frames = frames + first,
	        .count = is_cut ? configuration.depth : kept,
	        .is_cut = is_cut,
	};
}

/* No return address has this bit. */
#define MARK_BIT ((uintptr_t)1 << (8 * sizeof(uintptr_t) - 1))

/* Interns FRAMES; a MARK that is not 0 becomes a word behind them, for which there is room. */
static fp_trace_id keep(uintptr_t *frames, size_t count, uint64_t mark)
{
	if (mark != 0)
		frames[count++] = (uintptr_t)mark | MARK_BIT;
	return fp_depot_intern(&traces, frames, (uint32_t)(count * sizeof(frames[0])));
}

static fp_trace_id keep_now(uintptr_t *frames, size_t count)
{
	return keep(frames, count, fp_code_mark_now(frames, count));
}

/* Where nobody tells of code that comes and goes, the loader is asked: it counts. */
static void look_for_loads(void)
{
	if (!fp_code_are_loads_watched())
		return;
	fp_gate_enter();
	uint64_t loads = fp_code_loads();
	fp_gate_leave();
	fp_code_see_loads(loads);
}

/* The return addresses from that into the function itself on; CALLER is who called Fencepost.
 * libunwind asks the loader where code is; where that could wait for ever, rules have to do. */
static inline __attribute__((always_inline)) int unwind(const struct fp_frame *caller,
                                                        uintptr_t *frames, int max)
{
	if (fp_gate_is_lost()) {
		frames[0] = caller->pc;
		return 1 + (int)fp_memo_walk(caller, frames + 1, (size_t)max - 1);
	}
	fp_gate_enter();
	int count = unw_backtrace((void **)(void *)frames, max);
	fp_gate_leave();
	return count;
}

/* noinline: its frame is the one that is always dropped. */
__attribute__((noinline)) fp_trace_id fp_stack_capture(void)
{
	const struct fp_frame caller = find_caller(__builtin_frame_address(0));
	uintptr_t frames[FP_TRACE_DEPTH_MAX + OWN_FRAMES_MAX + MARK];
	uint64_t key;

	look_for_loads();
	fp_trace_id trace = fp_memo_find(&caller, &key);
	if (trace != FP_TRACE_NONE)
		return trace;
	int count = unwind(&caller, frames, (int)configuration.depth + OWN_FRAMES_MAX);
	const struct fp_unwound unwound = keep_part(frames, count);
	if (unwound.count == 0)
		return FP_TRACE_NONE;
	trace = keep_now(unwound.frames, unwound.count);
	if (trace != FP_TRACE_NONE)
		fp_memo_keep(&caller, key, &unwound, trace);
	return trace;
}

void fp_stack_forget_code(void)
{
	fp_memo_forget_all();
}

__attribute__((noinline)) fp_trace_id fp_stack_capture_to(struct fp_stack_crossing *crossing)
{
	enum { FRAMES_MAX = FP_TRACE_DEPTH_MAX + OWN_FRAMES_MAX };
	const struct fp_frame caller = find_caller(__builtin_frame_address(0));
	uintptr_t frames[FRAMES_MAX + MARK];
	int first = 1;
	int last = 0;

	look_for_loads();
	int count = unwind(&caller, frames, FRAMES_MAX);

	crossing->count = 0;
	/* No rule leads through the frame of a signal. */
	crossing->is_cut = fp_gate_is_lost() || count == FRAMES_MAX;
	for (int i = count - 1; i > 0; i--) {
		/* The last instruction of the code may be the call. */
		uintptr_t pc = frames[i] - 1;

		if (pc < crossing->start || pc >= crossing->end)
			continue;
		crossing->count++;
		last = i;
	}
	while (first < last && is_own(frames[first]))
		first++;
	if (last - first > (int)configuration.depth)
		last = first + (int)configuration.depth;
	return first >= last ? FP_TRACE_NONE : keep_now(frames + first, (size_t)(last - first));
}

/* From where CURSOR is. */
static unsigned walk_interrupted(unw_cursor_t *cursor, uintptr_t *frames)
{
	unw_word_t pc;
	unw_word_t sp;
	unw_word_t fp;

	if (unw_get_reg(cursor, UNW_REG_IP, &pc) != 0 ||
	    unw_get_reg(cursor, UNW_REG_SP, &sp) != 0 ||
	    unw_get_reg(cursor, FP_FRAME_REGISTER_FP, &fp) != 0)
		return 0;
	/* Rules are about return addresses: what was interrupted is right before this one. */
	const struct fp_frame innermost = {.pc = pc + 1, .sp = sp, .fp = fp};
	unsigned count = (unsigned)fp_memo_walk(&innermost, frames, configuration.depth);
	frames[0] = pc;
	return count;
}

fp_trace_id fp_stack_capture_interrupted(void *context)
{
	uintptr_t frames[FP_TRACE_DEPTH_MAX + MARK];
	unsigned count = 0;
	unw_cursor_t cursor;
	unw_word_t address;

	/* On Linux an unw_context_t is a ucontext_t. */
	if (unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) != 0)
		return FP_TRACE_NONE;
	if (fp_gate_is_lost())
		count = walk_interrupted(&cursor, frames);
	while (!fp_gate_is_lost() && count < configuration.depth &&
	       unw_get_reg(&cursor, UNW_REG_IP, &address) == 0 && address != 0) {
		frames[count++] = address;
		if (unw_step(&cursor) <= 0)
			break;
	}
	return keep(frames, count, fp_code_mark(frames, count));
}

const uintptr_t *fp_stack_trace(fp_trace_id trace, size_t *count)
{
	const struct fp_depot_entry *entry = fp_depot_get(&traces, trace);

	*count = 0;
	if (entry == NULL)
		return NULL;
	const uintptr_t *frames = (const void *)entry->content;
	*count = entry->size / sizeof(frames[0]);
	if (*count > 0 && (frames[*count - 1] & MARK_BIT) != 0)
		--*count;
	return frames;
}

fp_site_id fp_stack_intern_site(const char *file, int line)
{
	union {
		struct site site;
		unsigned char bytes[sizeof(struct site) + SITE_FILE_MAX];
	} key;

	if (file == NULL)
		return FP_SITE_NONE;
	size_t length = strlen(file);
	if (length > SITE_FILE_MAX - 1) {
		file += length - (SITE_FILE_MAX - 1);
		length = SITE_FILE_MAX - 1;
	}
	key.site.line = line;
	memcpy(key.bytes + sizeof(struct site), file, length + 1);
	return fp_depot_intern(&sites, &key, (uint32_t)(sizeof(struct site) + length + 1));
}

bool fp_stack_site(fp_site_id site, const char **file, int *line)
{
	const struct fp_depot_entry *entry = fp_depot_get(&sites, site);

	if (entry == NULL)
		return false;
	const struct site *found = (const void *)entry->content;
	*file = found->file;
	*line = found->line;
	return true;
}

uint32_t fp_stack_trace_count(void)
{
	return atomic_load(&traces.count);
}

void fp_stack_lose_loader(void)
{
	fp_gate_lose();
	fp_code_trust_loads();
}

void fp_stack_lock_for_fork(void)
{
	fp_gate_close();
	fp_lock_acquire_for_fork(&traces.lock);
	fp_lock_acquire_for_fork(&sites.lock);
}

void fp_stack_unlock_after_fork(void)
{
	fp_lock_release_after_fork(&sites.lock);
	fp_lock_release_after_fork(&traces.lock);
	fp_gate_open();
}
