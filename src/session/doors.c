/* SPDX-License-Identifier: Apache-2.0
 *
 * The doors of this process, and what they have to know of each other. The one under malloc is
 * never entered twice by a thread: who comes by the other passes it first.
 *
 * Context: alloc.
 */
#include <stdatomic.h>

#include "session/session.h"
#include "session/state.h"

static _Atomic unsigned doors; /* a bit for each enum fp_door */

static bool (*_Atomic passage_in)(void);
static void (*_Atomic passage_out)(void);

void fp_session_set_passage(bool (*enter)(void), void (*leave)(void))
{
	atomic_store(&passage_out, leave);
	atomic_store(&passage_in, enter);
}

bool fp_session_enter(void)
{
	bool (*enter)(void) = atomic_load(&passage_in);

	return enter != NULL && enter();
}

void fp_session_leave(void)
{
	atomic_load (&passage_out)();
}

bool fp_session_has_door(enum fp_door door)
{
	return (atomic_load(&doors) & 1u << door) != 0;
}

void fp_session_log_doors(struct fp_log *log)
{
	uint8_t bits = (fp_session_has_door(FP_DOOR_HOST) ? FP_LOG_DOOR_HOST : 0) |
	               (fp_session_has_door(FP_DOOR_MALLOC) ? FP_LOG_DOOR_MALLOC : 0);

	if (bits != 0)
		fp_log_doors(log, bits);
}

void fp_session_open_door(enum fp_door door, const struct fp_own_object *object,
                          void (*on_finding)(const struct fp_finding_info *finding))
{
	fp_own_add(object);
	fp_session_tell_debuggers(on_finding);
	bool is_new = (atomic_fetch_or(&doors, 1u << door) & 1u << door) == 0;
	if (is_new && fp_session_is_started())
		fp_session_log_doors(fp_session_log());
}
