/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that this one executes and nobody watches. `fencepost run` collects them; without it
 * each is said on standard error, once by a process and all that it forks.
 *
 * Context: alloc and fault.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "base/text.h"
#include "base/vm.h"
#include "base/write.h"
#include "log/format.h"
#include "session/session.h"
#include "session/state.h"

/* Hashes of what was said, in memory that forked processes share. */
enum { SAID_MAX = 512 };
static _Atomic uint64_t *said;

void fp_session_watch_unseen(void)
{
	uintptr_t memory;
	size_t bytes = SAID_MAX * sizeof(*said);

	if (fp_session.options.spool[0] != '\0' || fp_vm_map(bytes, PROT_READ, &memory) != 0)
		return;
	if (fp_vm_remap_shared(memory, bytes, PROT_READ | PROT_WRITE) == 0)
		said = (_Atomic uint64_t *)memory;
}

static void collect(const char *line)
{
	char path[FP_OPTION_PATH_MAX + 64];
	struct fp_text text;

	fp_text_begin(&text, path, sizeof(path));
	fp_text_string(&text, fp_session.options.spool);
	fp_text_string(&text, "/" FP_LOG_UNSEEN);
	int fd =
	        fp_sys_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	fp_write_all(fd, line, strlen(line));
	fp_sys_close(fd);
}

static uint64_t hash_of(const char *line)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *line != '\0'; line++)
		hash = (hash ^ (unsigned char)*line) * 0x100000001b3u;
	return hash | 1;
}

/* Two lines of one place: the later one stays unsaid, where the table is full too. */
static bool is_new(const char *line)
{
	uint64_t hash = hash_of(line);

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
	char text[FP_SESSION_PATH_MAX];
	size_t length = strcspn(line, "\n");

	if (fp_session.options.quiet || fp_session_is_stderr_lost() || !is_new(line))
		return;
	length = length < sizeof(text) ? length : sizeof(text) - 1;
	memcpy(text, line, length);
	text[length] = '\0';
	fp_say("not seen: ", text);
}

void fp_session_note_unseen(const char *line)
{
	if (!fp_session_is_started())
		return;
	if (fp_session.options.spool[0] != '\0')
		collect(line);
	else if (said != NULL)
		say(line);
}
