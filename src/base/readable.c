/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel is asked, a page at a time: a mask that it cannot read is EFAULT before the
 * unknown request is EINVAL, and a request that it does not know has no effect.
 */
#include "base/readable.h"

#include <string.h>

#include "base/align.h"
#include "base/sys.h"
#include "base/vm.h"

/* NO_PAGE: no page ends there. */
enum { NO_REQUEST = -1, NO_PAGE = 1, WORD = sizeof(uint64_t) };

/* An aligned word, which lies in one page. At 0 there is no mask, which the kernel would not
 * mind. */
static bool is_page_readable(uintptr_t address)
{
	uintptr_t word = fp_align_down(address, WORD);

	return word != 0 && fp_sys_sigmask(NO_REQUEST, (const void *)word, NULL) != -EFAULT;
}

static uintptr_t page_end(uintptr_t address)
{
	return fp_align_down(address, fp_vm_page_size()) + fp_vm_page_size();
}

bool fp_is_readable(const void *address, size_t size)
{
	uintptr_t end = (uintptr_t)address + size;
	bool is_good = address != NULL && end >= size;

	for (uintptr_t at = (uintptr_t)address; is_good && at < end; at = page_end(at))
		is_good = is_page_readable(at);
	return is_good;
}

/* The end of the page that was asked for last: the texts of an environment stand together. */
static bool find_end(const char *text, uintptr_t *asked)
{
	uintptr_t at = (uintptr_t)text;

	for (;; at = page_end(at)) {
		size_t bytes = page_end(at) - at;

		if (*asked != page_end(at) && !is_page_readable(at))
			return false;
		*asked = page_end(at);
		if (memchr((const void *)at, '\0', bytes) != NULL)
			return true;
	}
}

bool fp_is_text_readable(const char *text)
{
	uintptr_t asked = NO_PAGE;

	return text != NULL && find_end(text, &asked);
}

bool fp_are_texts_readable(char *const *texts)
{
	uintptr_t asked_texts = NO_PAGE;
	uintptr_t asked = NO_PAGE;

	for (;; texts++) {
		/* A pointer that lies across two pages. */
		uintptr_t last = page_end((uintptr_t)texts + sizeof(*texts) - 1);

		if (asked_texts != last && !fp_is_readable(texts, sizeof(*texts)))
			return false;
		asked_texts = last;
		if (*texts == NULL)
			return true;
		if (!find_end(*texts, &asked))
			return false;
	}
}
