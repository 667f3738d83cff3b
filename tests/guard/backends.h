/* SPDX-License-Identifier: Apache-2.0
 *
 * The back ends by name, for loop tests: a test's loop index chooses one. fp_guard_init works
 * once a process, so each test starts the one it wants in the process Check forks for it.
 */
#ifndef TESTS_GUARD_BACKENDS_H
#define TESTS_GUARD_BACKENDS_H

#include <stdio.h>
#include <string.h>

#include "guard/guard.h"
#include "support/support.h"

static const char *const backend_names[] = {"move", "guard", "mprotect", "none"};

enum { FILL = 0xcb };

enum { BACKENDS = sizeof(backend_names) / sizeof(backend_names[0]) };

/* Whether the back end can be tested on this machine; then it is in use. */
static inline bool start_backend_as(const struct fp_guard_config *config)
{
	const char *why = NULL;

	if (fp_guard_probe(config->backend) != 0)
		return false;
	ck_assert_int_eq(fp_guard_init(config, &why), 0);
	ck_assert_str_eq(fp_guard_backend_name(), config->backend);
	ck_assert_int_eq(fp_guard_is_protecting(), strcmp(config->backend, "none") != 0);
	return true;
}

static inline bool start_backend(int index, unsigned guard_pages)
{
	const struct fp_guard_config config = {
	        .backend = backend_names[index],
	        .guard_pages = guard_pages,
	        .fill = FILL,
	};

	return start_backend_as(&config);
}

/* Nobody shall believe that a back end works because its tests were left out. */
static inline void announce_untested(void)
{
	for (int i = 0; i < BACKENDS; i++) {
		int status = fp_guard_probe(backend_names[i]);

		if (status != 0)
			fprintf(stderr, "*** NOT TESTED on this machine: back end %s (%s)\n",
			        backend_names[i], strerror(-status));
	}
}

/* Asserts that the byte is out of reach. Without protection it may or may not be. */
static inline void expect_sealed(uintptr_t address)
{
	if (!fp_guard_is_protecting())
		return;
	test_that(test_read_faults(address));
	test_that(test_write_faults(address));
}

static inline void expect_open(uintptr_t address)
{
	test_that(!test_read_faults(address));
	test_that(!test_write_faults(address));
}

static inline struct fp_slot acquire(size_t pages)
{
	struct fp_slot slot;

	test_that(fp_guard_acquire(pages, false, &slot) == 0);
	return slot;
}

/* As the contract asks: what may stay accessible for a while is filled first. Safe in any
 * thread. */
static inline int release(const struct fp_slot *slot)
{
	struct fp_place place;

	if (!fp_guard_find(slot->base, &place))
		return fp_guard_release(slot);
	if (place.slot.is_filled)
		memset((void *)slot->base, FILL, slot->bytes);
	return fp_guard_release(&place.slot);
}

#endif
