/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters on cache lines of their own, so that threads that capture at the same time do not
 * meet: entering costs two atomic additions and a look at who closed the gate.
 */
#include "stack/gate.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/thread.h"

enum {
	COUNTERS = 64,
	/* A thread that was interrupted inside and forks in its signal handler waits for
	 * itself: it goes on at its own risk, as without a gate. */
	PATIENCE = 20000
};

struct counter {
	_Alignas(64) _Atomic uint32_t inside;
};

static struct counter counters[COUNTERS];
static bool is_lost;
static _Atomic uint32_t closed_by; /* ordinal of the thread that forks, plus 1 */

static struct counter *own_counter(void)
{
	return &counters[fp_thread_ordinal() % COUNTERS];
}

static void yield(void)
{
	syscall(SYS_sched_yield);
}

void fp_gate_enter(void)
{
	struct counter *counter = own_counter();
	uint32_t self = fp_thread_ordinal() + 1;

	for (;;) {
		atomic_fetch_add(&counter->inside, 1);
		uint32_t closer = atomic_load(&closed_by);
		if (closer == 0 || closer == self)
			return;
		atomic_fetch_sub(&counter->inside, 1);
		while (atomic_load(&closed_by) != 0)
			yield();
	}
}

void fp_gate_leave(void)
{
	atomic_fetch_sub(&own_counter()->inside, 1);
}

void fp_gate_lose(void)
{
	is_lost = true;
}

bool fp_gate_is_lost(void)
{
	return is_lost;
}

void fp_gate_close(void)
{
	unsigned waited = 0;

	atomic_store(&closed_by, fp_thread_ordinal() + 1);
	for (size_t i = 0; i < COUNTERS; i++) {
		while (atomic_load(&counters[i].inside) != 0 && waited++ < PATIENCE)
			yield();
	}
}

void fp_gate_open(void)
{
	atomic_store(&closed_by, 0);
}
