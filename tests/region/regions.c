/* SPDX-License-Identifier: Apache-2.0
 *
 * The wiring of regions.h.
 */
#include "regions.h"

#include <string.h>

#include "stack/stack.h"

struct fp_finding found[FOUND_MAX];
unsigned found_count;

static void keep_finding(const struct fp_finding *finding, void *user)
{
	ck_assert_ptr_eq(user, &found_count);
	if (found_count < FOUND_MAX)
		found[found_count] = *finding;
	found_count++;
}

void start_regions(size_t kept)
{
	static const struct fp_region_error_codes codes = {.misuse = -111, .invalid = -222};
	const struct fp_stack_config stack = {.depth = 16};
	const struct fp_region_config config = {
	        .guard_bytes = PAGE,
	        .kept_bytes = kept,
	        .sink = keep_finding,
	        .sink_user = &found_count,
	};

	fp_stack_init(&stack);
	fp_region_init(&config);
	fp_region_set_error_codes(&codes);
}

static int try_alloc(uintptr_t address, size_t size, uint32_t type, uint32_t protection,
                     uintptr_t *base)
{
	const struct fp_region_request request = {
	        .address = address,
	        .size = size,
	        .type = type,
	        .protection = protection,
	        .level = FP_LEVEL_APPDOMAIN,
	};

	*base = 1;
	return fp_region_alloc(&request, base);
}

uintptr_t alloc(uintptr_t address, size_t size, uint32_t type, uint32_t protection)
{
	uintptr_t base;

	test_that(try_alloc(address, size, type, protection, &base) == 0);
	test_that(base != 0);
	return base;
}

void refuse(int status, uintptr_t address, size_t size, uint32_t type, uint32_t protection)
{
	uintptr_t base;

	ck_assert_int_eq(try_alloc(address, size, type, protection, &base), status);
	ck_assert_uint_eq(base, 0);
}

void must_free(uintptr_t address, size_t size, uint32_t type)
{
	test_that(fp_region_free(address, size, type) == 0);
}

void expect_finding(enum fp_finding_kind kind, const char *words)
{
	ck_assert_uint_eq(found_count, 1);
	ck_assert_str_eq(fp_finding_traits(found[0].kind)->name, fp_finding_traits(kind)->name);
	ck_assert_msg(strstr(found[0].description, words) != NULL, "no \"%s\" in: %s", words,
	              found[0].description);
	ck_assert_uint_ne(found[0].trace, FP_TRACE_NONE);
	found_count = 0;
}

void expect_no_finding(void)
{
	ck_assert_msg(found_count == 0, "%s", found[0].description);
}

bool is_filled(uintptr_t start, size_t size, uint8_t value)
{
	const uint8_t *bytes = (const uint8_t *)start;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != value)
			return false;
	return true;
}
