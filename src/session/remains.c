/* SPDX-License-Identifier: Apache-2.0
 *
 * What whoever reads a core file of the process goes by.
 *
 * Context: alloc.
 */
#include "base/remains.h"

#include <string.h>

#include "base/clock.h"
#include "base/meta.h"
#include "base/own.h"
#include "base/room.h"
#include "base/vm.h"
#include "guard/guard.h"
#include "region/region.h"
#include "registry/registry.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/stack.h"

static struct fp_remains remains;

_Static_assert(sizeof(PACKAGE_VERSION) <= FP_REMAINS_VERSION_MAX, "it has room");

void fp_session_leave_thread(pid_t thread)
{
	remains.thread = (uint32_t)thread;
}

void fp_session_date_remains(void)
{
	remains.last_finding = fp_clock_now();
}

void fp_session_leave_remains(void)
{
	remains.self = (uintptr_t)&remains;
	memcpy(remains.version, PACKAGE_VERSION, sizeof(PACKAGE_VERSION));
	remains.bytes = sizeof(remains);
	remains.inherited = (uintptr_t)&fp_session.first_serial;
	remains.is_aligning = fp_session.options.align == FP_OPTIONS_ALIGN_AUTO;
	remains.guard_bytes = (uint32_t)(fp_session.options.guard_pages * fp_vm_page_size());
	fp_meta_leave_remains(&remains);
	fp_own_leave_remains(&remains);
	fp_room_leave_remains(&remains);
	fp_guard_leave_remains(&remains);
	fp_stack_leave_remains(&remains);
	fp_registry_leave_remains(&remains);
	fp_region_leave_remains(&remains);
	fp_log_leave_remains(&fp_session.log, &remains);
	fp_session_leave_roots(&remains);
	memcpy(remains.magic, FP_REMAINS_MAGIC, FP_REMAINS_MAGIC_BYTES);
}
