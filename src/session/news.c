/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaks that are new since leaks were last looked for, as text: for a test that is to say what
 * it lost. The main log learns nothing of them, so that thousands of tests do not fill it; at
 * the end of the process all leaks are looked for anew. The text is the reporter's, which knows
 * names and suppressions.
 */
#include <errno.h>
#include <linux/memfd.h>
#include <string.h>

#include "base/messages.h"
#include "base/meta.h"
#include "base/sys.h"
#include "base/text.h"
#include "session/session.h"
#include "session/state.h"

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
