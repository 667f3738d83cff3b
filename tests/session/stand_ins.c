/* SPDX-License-Identifier: Apache-2.0
 *
 * The stand-ins of stand_ins.h. Locks are taken where the real ones take them, so that ranks
 * and orders are those of the library; traces are in a real depot.
 */
#include "stand_ins.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "base/vm.h"
#include "fault/fault.h"
#include "guard/guard.h"
#include "heap/heap.h"
#include "heap/pools.h"
#include "heap/refusal.h"
#include "heap/tier.h"
#include "leak/holders.h"
#include "leak/leak.h"
#include "machine/machine.h"
#include "record/record.h"
#include "region/region.h"
#include "registry/registry.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/caller.h"
#include "stack/depot.h"
#include "stack/function.h"
#include "support/support.h"
#include "timeline/timeline.h"

/* ---- Memory --------------------------------------------------------------------------------
 *
 * Our system calls are none of the C library's, so ThreadSanitizer would take what one thread
 * gave back and another got, at the same address, for memory that both have without order. The
 * C library's munmap(2) tells it: the linker puts this in the place of fp_vm_unmap(), under the
 * name that core/names.h gives it.
 */
int stand_in_unmap(uintptr_t base, size_t bytes) __asm__("__wrap___fencepost_vm_unmap");

static _Atomic size_t unmaps;

int stand_in_unmap(uintptr_t base, size_t bytes)
{
	atomic_fetch_add(&unmaps, 1);
	return munmap((void *)base, bytes);
}

size_t stand_in_unmaps(void)
{
	return atomic_load(&unmaps);
}

/* ---- Stacks: nothing is unwound ------------------------------------------------------------
 */

static struct fp_depot traces = {.lock = FP_LOCK_INITIALIZER(FP_RANK_DEPOT)};
static void (*look)(const struct fp_stack_code *code);

fp_trace_id stand_in_trace(const uintptr_t *frames, size_t count)
{
	return fp_depot_intern(&traces, frames, (uint32_t)(count * sizeof(frames[0])));
}

void stand_in_meet(const struct fp_stack_code *code)
{
	look(code);
}

void fp_stack_on_new_code(void (*new_look)(const struct fp_stack_code *code))
{
	look = new_look;
}

const uintptr_t *fp_stack_trace(fp_trace_id trace, size_t *count)
{
	const struct fp_depot_entry *entry = fp_depot_get(&traces, trace);

	*count = entry == NULL ? 0 : entry->size / sizeof(uintptr_t);
	return entry == NULL ? NULL : (const void *)entry->content;
}

uint32_t fp_stack_trace_count(void)
{
	return atomic_load(&traces.count);
}

fp_trace_id fp_stack_capture(void)
{
	return FP_TRACE_NONE;
}

bool fp_stack_find_birth(struct fp_stack_birth *birth)
{
	(void)birth;
	return false;
}

uint64_t fp_stack_lost(void)
{
	return 0;
}

bool fp_stack_site(fp_site_id site, const char **file, int *line)
{
	if (site == FP_SITE_NONE)
		return false;
	*file = "site.c";
	*line = (int)site;
	return true;
}

fp_trace_id fp_stack_keep_frames(const uintptr_t *frames, unsigned count)
{
	return stand_in_trace(frames, count);
}

bool fp_stack_find_caller(uintptr_t function, struct fp_stack_caller *caller)
{
	(void)function;
	(void)caller;
	return false;
}

void fp_function_watch(const char *name)
{
	(void)name;
}

bool fp_function_is_known(void)
{
	return true;
}

/* ---- Leaks: no thread is stopped, and the same ones are found each time --------------------
 */

static const uintptr_t leak_frames[STAND_IN_LEAKS][2] = {{0x101, 0x11}, {0x102, 0x11}, {0x103}};
static struct fp_lock leak_lock = FP_LOCK_INITIALIZER(FP_RANK_LEAK);

int fp_leak_check(const struct fp_leak_config *config, uintptr_t stack,
                  struct fp_leak_result *result)
{
	static const struct fp_leak_block block = {.address = 0x7000, .size = 10, .serial = 1};

	(void)stack;
	fp_lock_acquire(&leak_lock);
	*result = (struct fp_leak_result){.blocks = {[FP_LEAK_DEFINITE] = STAND_IN_LEAKS}};
	fp_lock_release(&leak_lock);
	for (size_t i = 0; i < STAND_IN_LEAKS; i++) {
		const struct fp_leak_group group = {
		        .class = FP_LEAK_DEFINITE,
		        .trace = stand_in_trace(leak_frames[i], 2),
		        .all = {.blocks = 1, .bytes = 10},
		        .new = {.blocks = 1, .bytes = 10},
		};

		config->visit_group(&group, config->user);
	}
	if (config->visit_block != NULL)
		config->visit_block(&block, config->user);
	return 0;
}

__attribute__((noinline)) void fp_leak_from_here(void (*work)(uintptr_t stack, void *user),
                                                 void *user)
{
	work((uintptr_t)__builtin_frame_address(0), user);
}

void fp_leak_look_at(const void *context, struct fp_leak_interrupted *interrupted)
{
	(void)context;
	*interrupted = (struct fp_leak_interrupted){.stack = 0};
}

void fp_leak_reserve_for_holders(void)
{
}

/* Each block is held by one that was freed with each finding. */
void fp_leak_find_holders(struct fp_leak_census *census, uintptr_t stack)
{
	(void)stack;
	fp_lock_acquire(&leak_lock);
	census->result = FP_CENSUS_WHOLE;
	census->found = census->count = 1;
	census->holders[0] = (struct fp_leak_holder){
	        .kind = FP_HOLDER_FREED_BLOCK,
	        .address = 0x8008,
	        .value = census->start,
	        .block = {.address = 0x8000, .size = 16, .state = FP_BLOCK_FREED},
	};
	fp_lock_release(&leak_lock);
}

/* ---- Core files: nobody reads one
 * --------------------------------------------------------------- */

void fp_session_leave_remains(void)
{
}

void fp_session_date_remains(void)
{
}

/* ---- The heap: whenever it is asked it has one block more ----------------------------------
 */

void fp_heap_begin_in_child(void)
{
}

const _Atomic uint64_t *fp_heap_frees(void)
{
	return NULL;
}

void fp_heap_totals(struct fp_heap_totals *totals)
{
	static _Atomic uint64_t blocks;
	uint64_t count = atomic_fetch_add(&blocks, 1) + 1;

	*totals = (struct fp_heap_totals){.allocations = count,
	                                  .last_serial = count,
	                                  .live_blocks = count,
	                                  .live_bytes = 10 * count};
}

size_t fp_heap_check(fp_trace_id trace, const char *when)
{
	(void)trace;
	(void)when;
	return 0;
}

bool fp_heap_find(uintptr_t address, struct fp_block *block)
{
	(void)address;
	(void)block;
	return false;
}

bool fp_heap_mark(uintptr_t address, uint64_t serial, uint8_t marks)
{
	(void)address;
	(void)serial;
	(void)marks;
	return true;
}

static void (*enlisted)(const struct fp_block *block);

void fp_refusal_init(const struct fp_refusal_config *config)
{
	enlisted = config->enlisted;
}

void stand_in_refuse(fp_trace_id trace)
{
	const struct fp_block block = {.size = 10, .serial = 1, .alloc_trace = trace};

	enlisted(&block);
}

void fp_refusal_each(fp_refusal_visitor visit, void *user)
{
	(void)visit;
	(void)user;
}

uint64_t fp_tier_plain_blocks(void)
{
	return 0;
}

uint64_t fp_tier_beside_blocks(void)
{
	return 0;
}

uint64_t fp_tier_blocks(enum fp_reason reason)
{
	return reason == FP_REASON_BACKEND;
}

const char *fp_tier_reason_name(enum fp_reason reason)
{
	return reason == FP_REASON_BACKEND ? "backend" : "";
}

const char *fp_tier_remedy(enum fp_reason reason)
{
	(void)reason;
	return NULL;
}

bool fp_guard_has_lapsed(void)
{
	return false;
}

void fp_registry_each_live(fp_registry_visitor visit, void *user)
{
	(void)visit;
	(void)user;
}

uint64_t fp_registry_evictions(void)
{
	return 0;
}

bool fp_region_find(uintptr_t address, struct fp_region_place *place)
{
	(void)address;
	(void)place;
	return false;
}

bool fp_region_mark(uintptr_t address, uint64_t serial, uint8_t marks)
{
	return fp_heap_mark(address, serial, marks);
}

bool fp_pools_find(uintptr_t address, struct fp_block *block)
{
	return fp_heap_find(address, block);
}

bool fp_pools_mark(uintptr_t address, uint64_t serial, uint8_t marks)
{
	return fp_heap_mark(address, serial, marks);
}

size_t fp_pools_live_count(void)
{
	return 0;
}

void fp_pools_each_live(fp_registry_visitor visit, void *user)
{
	fp_registry_each_live(visit, user);
}

uint64_t fp_region_last_serial(void)
{
	return 0;
}

void fp_region_announced(struct fp_region_announced *announced)
{
	*announced = (struct fp_region_announced){.needs = 1, .granted = 1};
}

void fp_region_unguarded(struct fp_region_unguarded *unguarded)
{
	*unguarded = (struct fp_region_unguarded){.first = 0};
}

/* ---- The heap over time, and the recording -------------------------------------------------
 */

static struct fp_lock timeline_lock = FP_LOCK_INITIALIZER(FP_RANK_TIMELINE);
static void (*growth_news)(void);

void fp_timeline_start(const struct fp_timeline_config *config)
{
	growth_news = config->growth_news;
}

void stand_in_look_for_growth(void)
{
	growth_news();
}

void fp_timeline_log_growth(struct fp_log *log)
{
	const struct fp_log_growth growth = {.is_judged = true, .snapshots = 8};
	const struct fp_log_point point = {.milliseconds = 1, .blocks = 1, .bytes = 10};
	const struct fp_log_growing growing = {
	        .trace = stand_in_trace(leak_frames[0], 2), .points = &point, .point_count = 1};

	fp_lock_acquire(&timeline_lock);
	fp_log_growth(log, &growth);
	fp_log_growing(log, &growing);
	fp_lock_release(&timeline_lock);
}

void fp_timeline_log(struct fp_log *log, bool looks)
{
	(void)looks;
	fp_timeline_log_growth(log);
}

uint64_t fp_timeline_now(void)
{
	return 0;
}

unsigned fp_stack_list_frames(const void *context, uintptr_t *frames, uintptr_t *stacks,
                              unsigned max)
{
	(void)context;
	(void)frames;
	(void)stacks;
	(void)max;
	return 0;
}

size_t fp_timeline_list_growing(fp_trace_id listed[FP_TREND_LISTED_MAX])
{
	(void)listed;
	return 0;
}

size_t fp_timeline_count_growing(void)
{
	return 1;
}

void fp_record_end(bool writes_empty)
{
	(void)writes_empty;
}

int fp_record_failure(void)
{
	return 0;
}

void fp_session_log_recording(struct fp_log *tail)
{
	(void)tail;
}

/* ---- A fork --------------------------------------------------------------------------------
 */

FP_HELD_ACROSS_FORK(FP_RANK_LEAK, &leak_lock);
FP_HELD_ACROSS_FORK(FP_RANK_TIMELINE, &timeline_lock);
FP_HELD_ACROSS_FORK(FP_RANK_DEPOT, &traces.lock);

void fp_region_renew_in_child(void)
{
}

void fp_guard_prepare_fork(void)
{
}

int fp_guard_renew_in_child(void)
{
	return 0;
}

void fp_timeline_start_in_child(void)
{
}

void fp_refusal_forget(void)
{
}

void fp_session_answer_in_child(void)
{
}

void fp_session_leave_channel(struct fp_channel *before)
{
	(void)before;
}

/* ---- What the session starts, and what runs the reporter ------------------------------------
 */

bool fp_record_is_on;

void fp_session_start_recording(void)
{
}

void fp_stack_init(const struct fp_stack_config *config)
{
	(void)config;
}

void fp_registry_init(size_t history_bytes)
{
	(void)history_bytes;
}

int fp_guard_init(const struct fp_guard_config *config, const char **why)
{
	(void)config;
	*why = "";
	return 0;
}

const char *fp_guard_backend_name(void)
{
	return "none";
}

void fp_heap_init(const struct fp_heap_config *config)
{
	(void)config;
}

void fp_heap_verify_freed(const struct fp_slot *slot)
{
	(void)slot;
}

void fp_tier_init(const struct fp_tier_config *config)
{
	(void)config;
}

uint64_t fp_tier_max_memory(void)
{
	return 0;
}

void fp_tier_leave_picking(uint64_t (*count)(void))
{
	(void)count;
}

void fp_region_init(const struct fp_region_config *config)
{
	(void)config;
}

int fp_fault_start(const struct fp_fault_config *config)
{
	(void)config;
	return 0;
}

void fp_fault_report_crash(int signal, const siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
}

int fp_machine_memory(struct fp_machine_memory *memory)
{
	(void)memory;
	return -ENOENT;
}

bool fp_session_is_format(const char *format)
{
	return strcmp(format, "text") == 0;
}

int fp_session_render(struct fp_log *tail, const struct fp_session_rendering *rendering)
{
	size_t shown = fp_session_shown_by_reader();
	int fd = fp_session_make_events(tail);

	(void)rendering;
	test_must(shown <= fp_session_finding_count());
	if (fd >= 0)
		fp_sys_close(fd);
	return fd < 0 ? fd : 0;
}

/* A thread of the test is the watcher. */
pid_t fp_session_run_watcher(const char *address, int fd)
{
	test_must(address[0] != '\0' && fd >= 0);
	return fp_sys_getpid();
}
