/* SPDX-License-Identifier: Apache-2.0
 *
 * userfaultfd(2) with UFFDIO_MOVE (Linux 6.8). In a registered range every page that holds no
 * data faults with SIGBUS, so guards and sealed slots need no system call, no page-table mark
 * and no VMA. Freeing moves the physical page out of the slot and into the next fresh one:
 * nothing is zeroed, no page fault is taken.
 *
 * What surprised us:
 *   - After fork the child's ranges are not registered (missing pages read as zeros), and its
 *     copy of the descriptor still commands the parent's memory. A page that the kernel wipes
 *     on fork tells us, even after a fork that ran no handlers.
 *   - Pages shared with a child or parent since a fork answer EBUSY until somebody writes.
 *   - When the last descriptor is closed, all ranges lose their registration.
 *   - MADV_DONTNEED is refused (EINVAL) in locked memory.
 *   - What the program maps over its own blocks is not registered: such a mapping in the way
 *     makes UFFDIO_MOVE fail with EINVAL, and a page that it gave back with ENOENT.
 */
#include "base/sys.h"
#include "guard/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/child.h"
#include "base/inject.h"
#include "base/messages.h"
#include "base/vm.h"

/* Debian 12's headers do not have them. */
struct move_request {
	uint64_t dst;
	uint64_t src;
	uint64_t len;
	uint64_t mode;
	int64_t moved;
};

#define IOCTL_MOVE _IOWR(UFFDIO, 0x05, struct move_request)

enum {
	FEATURE_MOVE = 1 << 16,
	ADVISE_DONTNEED_LOCKED = 24, /* Linux 5.18 */
	USER_MODE_ONLY = 1,          /* needs no privilege; system calls then get EFAULT */
	SLOT_PAGES_MAX = 16,
	/* Far above what programs use, so that closing or numbering descriptors does not meet
	 * ours. */
	FD_FLOOR = 900,
	TRIES = 8
};

FP_CHILD_WRITES static _Atomic int uffd = -1;
static unsigned char fill;
static unsigned char *pattern;    /* SLOT_PAGES_MAX pages of the fill byte */
static _Atomic uint32_t *witness; /* 1, but 0 in a child that forked */

void fp_backend_move_set_fill(unsigned char byte)
{
	fill = byte;
	/* A probe may have come first. */
	if (pattern != NULL)
		memset(pattern, fill, SLOT_PAGES_MAX * fp_vm_page_size());
}

static int open_descriptor(void)
{
	struct uffdio_api api = {
	        .api = UFFD_API,
	        .features = UFFD_FEATURE_SIGBUS | FEATURE_MOVE,
	};
	int fd = (int)fp_sys(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);

	if (fd < 0)
		return fd;
	int status = (int)fp_sys(SYS_ioctl, fd, UFFDIO_API, &api);
	if (status != 0) {
		fp_sys_close(fd);
		return status;
	}
	int high = fp_sys_fcntl(fd, F_DUPFD_CLOEXEC, FD_FLOOR);
	if (high < 0)
		return fd;
	fp_sys_close(fd);
	return high;
}

/* An initialised userfaultfd refuses a second handshake with EINVAL; other files do not know
 * the request at all. */
static bool is_userfaultfd(int fd)
{
	struct uffdio_api api = {.api = UFFD_API};

	return fp_sys(SYS_ioctl, fd, UFFDIO_API, &api) == -EINVAL;
}

static int prepare_pages(void)
{
	size_t page = fp_vm_page_size();
	uintptr_t base;
	int status = fp_vm_map((SLOT_PAGES_MAX + 1) * page, PROT_READ | PROT_WRITE, &base);

	if (status != 0)
		return status;
	status = fp_vm_advise(base + SLOT_PAGES_MAX * page, page, MADV_WIPEONFORK);
	if (status != 0) {
		fp_vm_unmap(base, (SLOT_PAGES_MAX + 1) * page);
		return status;
	}
	pattern = (unsigned char *)base;
	memset(pattern, fill, SLOT_PAGES_MAX * page);
	witness = (_Atomic uint32_t *)(base + SLOT_PAGES_MAX * page);
	return 0;
}

static int renew(void)
{
	int old = atomic_load(&uffd);
	int fd = open_descriptor();

	if (fd < 0)
		return fd;
	atomic_store(&uffd, fd);
	/* Only in the child of a fork is an old descriptor still ours to close. */
	if (atomic_exchange(witness, 1) == 0 && old >= 0 && is_userfaultfd(old))
		fp_sys_close(old);
	return 0;
}

/* What REQUEST made of itself; a descriptor that is not ours any more is -ESTALE. */
static int command(unsigned long request, void *argument)
{
	if (atomic_load_explicit(witness, memory_order_relaxed) == 0)
		return -ESTALE;
	if (fp_inject_fails(FP_INJECT_VM))
		return -ENOMEM;
	int fd = atomic_load_explicit(&uffd, memory_order_relaxed);
	int status = fp_vm_note("ioctl", (int)fp_sys(SYS_ioctl, fd, request, argument));
	switch (status) {
	case -EBADF:  /* closed */
	case -ENOTTY: /* closed, and the number is another file's */
	case -ENOENT: /* the number is another userfaultfd's, or the range lost its registration
	               */
		return -ESTALE;
	default:
		return status;
	}
}

static int hold(uintptr_t base, size_t bytes)
{
	struct uffdio_register request = {
	        .range = {.start = base, .len = bytes},
	        .mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	return command(UFFDIO_REGISTER, &request);
}

static int open_range(uintptr_t base, size_t bytes, int prot)
{
	/* Registered first: a locked range would be populated as it becomes writable. */
	int status = hold(base, bytes);

	if (status == 0)
		status = fp_vm_protect(base, bytes, prot);
	if (status != 0)
		return status;
	fp_backend_refuse_huge_pages(base, bytes);
	fp_vm_show(base, bytes);
	return 0;
}

static int drop_pages(uintptr_t base, size_t bytes)
{
	return fp_vm_advise(base, bytes, ADVISE_DONTNEED_LOCKED);
}

/* In a range that lost its registration a missing page reads as zeros. */
static bool has_descriptor(void)
{
	return atomic_load_explicit(witness, memory_order_relaxed) == 1 &&
	       is_userfaultfd(atomic_load_explicit(&uffd, memory_order_relaxed));
}

static int seal_slot(uintptr_t base, size_t bytes)
{
	return has_descriptor() ? drop_pages(base, bytes) : -ESTALE;
}

static int seal_many(const struct iovec *slots, size_t count)
{
	return has_descriptor() ? fp_vm_advise_many(slots, count, ADVISE_DONTNEED_LOCKED)
	                        : -ESTALE;
}

static int unseal_slot(uintptr_t base, size_t bytes, int prot)
{
	int status = -EAGAIN;

	(void)prot;
	for (int tries = 0; status == -EAGAIN && tries < TRIES; tries++) {
		struct uffdio_copy request = {
		        .dst = base,
		        .src = (uintptr_t)pattern,
		        .len = bytes,
		        .mode = UFFDIO_COPY_MODE_DONTWAKE,
		};

		status = command(UFFDIO_COPY, &request);
		/* A part that was copied would be in the way of the next try. */
		if (status != 0 && request.copy > 0)
			drop_pages(base, (size_t)request.copy);
	}
	return status;
}

static int recycle_slot(uintptr_t from, uintptr_t to, size_t bytes)
{
	struct move_request request = {.dst = to, .src = from, .len = bytes};
	int status = command(IOCTL_MOVE, &request);

	if (status == 0)
		return 0;
	/* Half a slot has moved: nobody may ever see that. */
	if (request.moved > 0)
		drop_pages(to, (size_t)request.moved);
	/* Nothing is known to be lost when a page was missing because the program gave it back.
	 */
	return status == -ESTALE && has_descriptor() ? -ENOENT : status;
}

static int mend(uintptr_t page)
{
	int status = -EAGAIN;

	for (int tries = 0; status == -EAGAIN && tries < TRIES; tries++) {
		struct uffdio_zeropage request = {
		        .range = {.start = page, .len = fp_vm_page_size()},
		        .mode = UFFDIO_ZEROPAGE_MODE_DONTWAKE,
		};

		status = command(UFFDIO_ZEROPAGE, &request);
	}
	return status == -EEXIST ? 0 : status;
}

static int probe(void)
{
	int status = pattern == NULL ? prepare_pages() : 0;

	if (status == 0 && !has_descriptor())
		status = renew();
	if (status == 0)
		status = fp_backend_exercise(&fp_backend_move);
	return status;
}

const struct fp_backend fp_backend_move = {
        .name = "move",
        .needs = FP_TELL_NEEDS_MOVE,
        .slot_bytes_max = SLOT_PAGES_MAX * 4096,
        .opens_widely = true,
        .is_uncommon = true,
        .probe = probe,
        .open = open_range,
        .unseal = unseal_slot,
        .seal = seal_slot,
        .seal_many = seal_many,
        .recycle = recycle_slot,
        .fills = true,
        .renew = renew,
        .hold = hold,
        .mend = mend,
};
