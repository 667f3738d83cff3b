/* SPDX-License-Identifier: Apache-2.0
 *
 * Capture by walking the stack, unless it is one that was walked before, and interning in two
 * depots. Nothing here takes a lock of the loader or of the C library, or calls what may: a
 * thread that is in either of them may be waiting for one that captures.
 */
#include "stack/stack.h"

#include <string.h>
#include <ucontext.h>

#include "base/own.h"
#include "base/remains.h"
#include "base/room.h"
#include "base/thread.h"
#include "stack/cpu.h"
#include "stack/depot.h"
#include "stack/trace_cache.h"
#include "stack/module.h"
#include "stack/walk.h"

enum {
	OWN_FRAMES_MAX = 8, /* frames of Fencepost that may lead a capture */
	OWN_FRAME_BYTES_MAX = 64 << 10,
	TAIL = 1,             /* a word more: see keep() */
	SITE_FILE_MAX = 1024, /* longer file names of DebugAlloc keep their end */
	BUFFERS = 32,
	FEW_FRAMES = 24,
	RED_ZONE = 128, /* of x86-64; where no call leaves its address on the stack, none is
	                 * looked for */
	MEASURED_MAX = 1 << 20
};

/* What a site's entry holds. */
struct site {
	int32_t line;
	char file[];
};

static struct fp_depot traces = {.lock = FP_LOCK_INITIALIZER(FP_RANK_DEPOT)};
static struct fp_depot sites = {.lock = FP_LOCK_INITIALIZER(FP_RANK_DEPOT)};
FP_HELD_ACROSS_FORK(FP_RANK_DEPOT, &traces.lock);
FP_HELD_ACROSS_FORK(FP_RANK_DEPOT, &sites.lock);
static _Atomic uint64_t lost;
static struct fp_stack_config configuration = {.depth = 32};
static void (*_Atomic look_at_code)(const struct fp_stack_code *code);

void fp_stack_init(const struct fp_stack_config *config)
{
	configuration = *config;
	if (configuration.depth > FP_TRACE_DEPTH_MAX)
		configuration.depth = FP_TRACE_DEPTH_MAX;
	fp_trace_cache_forget_all();
}

void fp_stack_on_new_code(void (*look)(const struct fp_stack_code *code))
{
	atomic_store(&look_at_code, look);
}

/* The frame that called one of our functions, whose frame pointer is OWN; SP is the caller's
 * stack pointer. */
static struct fp_frame caller_of(const uintptr_t *own, uintptr_t sp)
{
	return (struct fp_frame){.pc = fp_cpu_strip(own[1]), .sp = sp, .fp = own[0]};
}

/* The same, or, in a room, who called the function that went there. */
static struct fp_frame caller_outside(const uintptr_t *own, uintptr_t sp)
{
	const struct fp_room_door door = fp_room_door();

	return door.frame != NULL ? caller_of(door.frame, door.sp) : caller_of(own, sp);
}

/* The frame that called Fencepost, from that of one of our functions: all of them have a frame
 * pointer, and on most machines it tells where their frames end. */
static struct fp_frame find_caller(struct fp_frame frame)
{
	for (int i = 0;
	     FP_CPU_RECORD_BYTES != 0 && i < OWN_FRAMES_MAX && fp_own_is_code(frame.pc) &&
	     frame.fp >= frame.sp && frame.fp - frame.sp < OWN_FRAME_BYTES_MAX;
	     i++)
		frame = caller_of((const uintptr_t *)frame.fp, frame.fp + FP_CPU_RECORD_BYTES);
	return frame;
}

#define FIND_CALLER()                                                                          \
	find_caller(                                                                           \
	        caller_outside(__builtin_frame_address(0), (uintptr_t)__builtin_dwarf_cfa()))

/* No return address has this bit. */
#define TAIL_BIT ((uintptr_t)1 << (8 * sizeof(uintptr_t) - 1))

/* A walk and what it met. */
struct capture {
	struct fp_walk walk;
	struct fp_trace_cache_entry *entry;
	uintptr_t *frames; /* with room for a TAIL behind MAX */
	uintptr_t *stacks; /* where each begins, or NULL */
	unsigned max;
	unsigned count;
	bool is_lost; /* there are callers, and nobody knows where */
};

/* Before the trace is known: what its addresses meant until now is written down first. */
static void tell_of_new_code(void)
{
	void (*look)(const struct fp_stack_code *) = atomic_load(&look_at_code);
	struct fp_stack_code code;

	while (look != NULL && fp_module_tell(&code))
		look(&code);
}

/* What tells the trace apart from others with the same addresses becomes a word behind them. */
static fp_trace_id keep(const struct capture *capture)
{
	uintptr_t tail = (uintptr_t)capture->walk.mark >> 1;
	unsigned words = capture->count;

	tell_of_new_code();
	if (capture->is_lost) {
		capture->frames[words++] = FP_TRACE_CALLERS_UNKNOWN;
		atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
	}
	if (tail != 0)
		capture->frames[words++] = tail | TAIL_BIT;
	return fp_depot_intern(&traces, capture->frames,
	                       (uint32_t)(words * sizeof(capture->frames[0])));
}

/* From where the walk is. */
static void walk_on(struct capture *capture)
{
	enum fp_step step;

	do {
		if (capture->stacks != NULL)
			capture->stacks[capture->count] = capture->walk.frame.sp;
		capture->frames[capture->count++] = fp_walk_address(&capture->walk);
		if (capture->count == capture->max) {
			fp_walk_look(&capture->walk);
			return;
		}
		step = fp_walk_step(&capture->walk);
	} while (step == FP_STEP_ON);
	capture->is_lost = step == FP_STEP_LOST;
}

/* ---- Buffers -------------------------------------------------------------------------------
 */

/* Traces are too long for the stacks of coroutines. */
struct buffer {
	_Alignas(64) _Atomic bool is_busy;
	uintptr_t frames[FP_TRACE_DEPTH_MAX + TAIL];
};

static struct buffer buffers[BUFFERS];

/* One that nobody uses, or NULL. */
static struct buffer *take_buffer(void)
{
	unsigned first = fp_thread_ordinal();

	for (unsigned i = 0; i < BUFFERS; i++) {
		struct buffer *buffer = &buffers[(first + i) % BUFFERS];

		if (!atomic_exchange_explicit(&buffer->is_busy, true, memory_order_acquire))
			return buffer;
	}
	return NULL;
}

static void give_buffer(struct buffer *buffer)
{
	if (buffer != NULL)
		atomic_store_explicit(&buffer->is_busy, false, memory_order_release);
}

/* ---- Faults --------------------------------------------------------------------------------
 */

/* Where this thread goes on when a read of the stack faults after all: the page was unmapped
 * since the kernel was asked about it, or is a hole in what looked like one stack. */
struct landing {
	bool is_set;
	void *jump[5];
};

static _Thread_local struct landing landing;

bool fp_stack_recover(void *context)
{
	uintptr_t pc =
	        *(const uintptr_t *)((const char *)context + fp_cpu_offset(FP_CPU_REGISTER_PC));

	if (!landing.is_set || !fp_own_is_code(pc))
		return false;
	landing.is_set = false;
	return fp_cpu_land(context, landing.jump);
}

/* The handler of a signal may capture while this thread does. */
static void leave(const struct landing *outer, bool has_failed)
{
	landing = *outer;
	if (has_failed)
		fp_reading.end = fp_reading.start;
}

/* Byte by byte: what copies has to be code of ours. */
static void copy_bytes(unsigned char *to, const volatile unsigned char *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = from[i];
}

__attribute__((noinline)) bool fp_stack_read(void *to, uintptr_t from, size_t bytes)
{
	/* A compiler that sees that nothing here jumps back leaves out where it would land. */
	static void (*const volatile copy)(unsigned char *, const volatile unsigned char *,
	                                   size_t) = copy_bytes;
	const struct landing outer = landing;

	if (__builtin_setjmp(landing.jump) != 0) {
		landing = outer;
		return false;
	}
	landing.is_set = true;
	copy(to, (const volatile unsigned char *)from, bytes);
	landing = outer;
	return true;
}

/* Walks without harm, whatever is read. */
__attribute__((noinline)) static void walk_safely(struct capture *capture)
{
	const struct landing outer = landing;

	if (__builtin_setjmp(landing.jump) != 0) {
		capture->is_lost = true;
		leave(&outer, true);
		return;
	}
	landing.is_set = true;
	walk_on(capture);
	leave(&outer, false);
}

__attribute__((noinline)) static fp_trace_id
recognise_safely(const struct fp_frame *caller, struct fp_trace_cache_entry **draft)
{
	const struct landing outer = landing;

	if (__builtin_setjmp(landing.jump) != 0) {
		leave(&outer, true);
		return FP_TRACE_NONE;
	}
	landing.is_set = true;
	fp_trace_id trace = fp_trace_cache_find(caller, draft);
	leave(&outer, false);
	return trace;
}

/* ---- Captures ------------------------------------------------------------------------------
 */

static void skip_own(struct capture *capture)
{
	for (int i = 0; i < OWN_FRAMES_MAX && fp_own_is_code(capture->walk.frame.pc); i++)
		if (fp_walk_step(&capture->walk) != FP_STEP_ON)
			break;
}

static fp_trace_id capture_into(const struct fp_frame *caller,
                                struct fp_trace_cache_entry *draft, uintptr_t *frames,
                                unsigned max)
{
	struct capture capture = {.frames = frames, .max = max};

	fp_walk_begin(&capture.walk, caller, draft);
	skip_own(&capture);
	walk_safely(&capture);
	fp_trace_id trace = keep(&capture);
	/* What cannot be read now may be read the next time. */
	if (draft != NULL && !capture.is_lost)
		fp_trace_cache_keep(draft, trace);
	else if (draft != NULL)
		fp_trace_cache_drop(draft);
	return trace;
}

/* More threads capture at once than there are buffers, or a signal's handler does. */
__attribute__((noinline)) static fp_trace_id capture_few(const struct fp_frame *caller)
{
	uintptr_t frames[FEW_FRAMES + TAIL];

	return capture_into(caller, NULL, frames,
	                    configuration.depth < FEW_FRAMES ? configuration.depth
	                                                     : FEW_FRAMES);
}

/* noinline: its frame is one that has a frame pointer, and is always left out. */
__attribute__((noinline)) fp_trace_id fp_stack_capture(void)
{
	const struct fp_frame caller = FIND_CALLER();
	struct fp_trace_cache_entry *draft = NULL;
	fp_trace_id trace = recognise_safely(&caller, &draft);

	if (trace != FP_TRACE_NONE)
		return trace;
	struct buffer *buffer = take_buffer();
	if (buffer != NULL) {
		trace = capture_into(&caller, draft, buffer->frames, configuration.depth);
	} else {
		if (draft != NULL)
			fp_trace_cache_drop(draft);
		trace = capture_few(&caller);
	}
	give_buffer(buffer);
	return trace;
}

/* The innermost frame of the crossing among those that CAPTURE met, or 0. */
static unsigned count_crossings(const struct capture *capture,
                                struct fp_stack_crossing *crossing)
{
	unsigned innermost = 0;

	crossing->count = 0;
	/* The last instruction of the code may be the call. */
	for (unsigned i = capture->count; i-- > 0;) {
		uintptr_t pc = capture->frames[i] - 1;

		if (pc < crossing->start || pc >= crossing->end)
			continue;
		crossing->count++;
		innermost = i;
	}
	return innermost;
}

__attribute__((noinline)) fp_trace_id fp_stack_capture_to(struct fp_stack_crossing *crossing)
{
	const struct fp_frame caller = FIND_CALLER();
	struct buffer *buffer = take_buffer();
	fp_trace_id trace = FP_TRACE_NONE;

	crossing->count = 0;
	crossing->is_cut = true;
	if (buffer == NULL)
		return FP_TRACE_NONE;
	struct capture capture = {.frames = buffer->frames, .max = FP_TRACE_DEPTH_MAX};
	fp_walk_begin(&capture.walk, &caller, NULL);
	skip_own(&capture);
	walk_safely(&capture);
	crossing->is_cut = capture.is_lost || capture.count == capture.max;
	unsigned innermost = count_crossings(&capture, crossing);
	if (innermost > 0) {
		capture.count =
		        innermost < configuration.depth ? innermost : configuration.depth;
		capture.is_lost = false;
		trace = keep(&capture);
	}
	give_buffer(buffer);
	return trace;
}

/* A fault's handler has a stack of our own. */
fp_trace_id fp_stack_capture_interrupted(void *context)
{
	uintptr_t frames[FP_TRACE_DEPTH_MAX + TAIL];
	struct capture capture = {.frames = frames, .max = configuration.depth};

	if (!fp_walk_begin_interrupted(&capture.walk, context))
		return FP_TRACE_NONE;
	uintptr_t innermost = capture.walk.frame.pc;
	walk_safely(&capture);
	frames[0] = innermost;
	return keep(&capture);
}

__attribute__((noinline)) bool fp_stack_is_above(const void *context, uintptr_t pc,
                                                 uintptr_t sp)
{
	const struct landing outer = landing;
	struct fp_walk walk;
	bool is_above = false;

	if (FP_CPU_RETURN_BELOW == 0 || !fp_walk_begin_interrupted(&walk, context))
		return false;
	if (__builtin_setjmp(landing.jump) != 0) {
		leave(&outer, true);
		return false;
	}
	landing.is_set = true;
	while (!is_above && walk.frame.sp < sp && fp_walk_step(&walk) == FP_STEP_ON)
		is_above = walk.frame.pc == pc && walk.frame.sp == sp && walk.pc_at != 0 &&
		           sp - walk.pc_at > RED_ZONE;
	leave(&outer, false);
	return is_above;
}

__attribute__((noinline)) unsigned fp_stack_list_frames(const void *context, uintptr_t *frames,
                                                        uintptr_t *stacks, unsigned max)
{
	struct capture capture = {.frames = frames, .stacks = stacks, .max = max};
	const struct fp_frame caller = FIND_CALLER();

	if (context == NULL)
		fp_walk_begin(&capture.walk, &caller, NULL);
	else if (!fp_walk_begin_interrupted(&capture.walk, context))
		return 0;
	skip_own(&capture);
	walk_safely(&capture);
	return capture.count;
}

fp_trace_id fp_stack_keep_frames(const uintptr_t *frames, unsigned count)
{
	return fp_depot_intern(&traces, frames, (uint32_t)(count * sizeof(frames[0])));
}

/* The last frames of what is stepped over are in OUTER, the last at (count - 1) %
 * FP_TRACE_OUTER.
 */
__attribute__((noinline)) static uint64_t count_frames(struct fp_walk *walk, uintptr_t *outer)
{
	const struct landing outside = landing;
	static _Thread_local volatile uint64_t counted;

	counted = 0;
	if (__builtin_setjmp(landing.jump) != 0) {
		leave(&outside, true);
		return counted;
	}
	landing.is_set = true;
	do {
		outer[counted % FP_TRACE_OUTER] = fp_walk_address(walk);
		counted++;
	} while (counted < MEASURED_MAX && fp_walk_step(walk) == FP_STEP_ON);
	leave(&outside, false);
	return counted;
}

fp_trace_id fp_stack_capture_ends(void *context, uint64_t *depth)
{
	uintptr_t frames[FP_TRACE_DEPTH_MAX + 1 + FP_TRACE_OUTER + TAIL];
	uintptr_t outer[FP_TRACE_OUTER];
	struct capture capture = {.frames = frames, .max = configuration.depth};
	struct fp_walk walk;

	*depth = 0;
	if (!fp_walk_begin_interrupted(&capture.walk, context) ||
	    !fp_walk_begin_interrupted(&walk, context))
		return FP_TRACE_NONE;
	uintptr_t innermost = capture.walk.frame.pc;
	walk_safely(&capture);
	frames[0] = innermost;
	*depth = count_frames(&walk, outer);
	/* Of more nobody knows the outermost. */
	if (*depth > capture.count + FP_TRACE_OUTER && *depth < MEASURED_MAX) {
		frames[capture.count++] = FP_TRACE_LEFT_OUT;
		for (uint64_t i = 0; i < FP_TRACE_OUTER; i++)
			frames[capture.count++] = outer[(*depth + i) % FP_TRACE_OUTER];
	}
	return keep(&capture);
}

const uintptr_t *fp_stack_trace(fp_trace_id trace, size_t *count)
{
	const struct fp_depot_entry *entry = fp_depot_get(&traces, trace);

	*count = 0;
	if (entry == NULL)
		return NULL;
	const uintptr_t *frames = (const void *)entry->content;
	*count = entry->size / sizeof(frames[0]);
	if (*count > 0 && (frames[*count - 1] & TAIL_BIT) != 0)
		--*count;
	return frames;
}

uint64_t fp_stack_lost(void)
{
	return atomic_load(&lost);
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

void fp_stack_leave_remains(struct fp_remains *remains)
{
	remains->traces = (uintptr_t)&traces;
	remains->sites = (uintptr_t)&sites;
}
