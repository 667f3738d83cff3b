/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that this one executes and nobody watches. `fencepost run` collects them; without it
 * each is said on standard error, once by a process and all that it forks.
 *
 * Context: alloc and fault.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/messages.h"
#include "base/text.h"
#include "base/vm.h"
#include "session/session.h"
#include "session/state.h"

/* Hashes of what was said, in memory that forked processes share. */
enum { SAID_MAX = 512 };
static _Atomic uint64_t *said;

void fp_session_watch_unseen(void)
{
	uintptr_t memory;
	size_t bytes = SAID_MAX * sizeof(*said);

	if (fp_session_is_collected() || fp_vm_map(bytes, PROT_READ, &memory) != 0)
		return;
	if (fp_vm_remap_shared(memory, bytes, PROT_READ | PROT_WRITE) == 0)
		said = (_Atomic uint64_t *)memory;
}

/* Two lines of one place: the later one stays unsaid, where the table is full too. */
static bool is_new(const char *line)
{
	uint64_t hash = fp_hash_bytes(fp_hash_start, line, strlen(line)) | 1;

	for (size_t i = 0; i < SAID_MAX; i++) {
		uint64_t seen = 0;

		if (atomic_compare_exchange_strong(&said[i], &seen, hash))
			return true;
		if (seen == hash)
			return false;
	}
	return false;
}

static void say(const char *line)
{
	if (!fp_session.options.quiet && !fp_session_is_stderr_lost() && is_new(line))
		fp_say(FP_TELL_NOT_SEEN, line);
}

void fp_session_note_unseen(const char *line, bool is_in_place)
{
	if (!fp_session_is_started())
		return;
	if (is_in_place)
		fp_session_leave_to_others();
	if (!fp_session_collects_unseen(line) && said != NULL)
		say(line);
}
