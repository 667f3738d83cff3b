/* SPDX-License-Identifier: Apache-2.0
 *
 * The wiring of heaps.h. Nothing here calls malloc once a heap is started.
 */
#include "heaps.h"

#include <errno.h>
#include <stdatomic.h>

#include "heap/padding.h"
#include "registry/registry.h"
#include "stack/stack.h"

_Static_assert((int)FILL == (int)FP_PADDING_BYTE, "the session fills with the padding's byte");

struct fp_finding found[FOUND_MAX];
_Atomic unsigned found_count;
static unsigned expected;

static _Atomic unsigned shortages;

static void keep_finding(const struct fp_finding *finding, void *user)
{
	if (finding->kind == FP_FINDING_OUT_OF_MEMORY) {
		atomic_fetch_add(&shortages, 1);
		return;
	}
	unsigned at = atomic_fetch_add(&found_count, 1);

	if (user != &found_count || at >= FOUND_MAX)
		return;
	found[at] = *finding;
}

static void wire(size_t align, enum fp_placement placement)
{
	const struct fp_stack_config stack = {.depth = 16};
	const struct fp_heap_config config = {
	        .align = align,
	        .placement = placement,
	        .lock_timeout_ms = LOCK_TIMEOUT_MS,
	        .sink = keep_finding,
	        .sink_user = &found_count,
	};

	fp_registry_init(16 << 20);
	fp_stack_init(&stack);
	fp_heap_init(&config);
}

bool start_heaps(int backend, size_t align, enum fp_placement placement)
{
	const struct fp_guard_config automatic = {
	        .backend = "auto", .guard_pages = 1, .fill = FILL};
	const char *why;

	if (backend >= 0 && !start_backend(backend, 1))
		return false;
	if (backend < 0)
		ck_assert_int_eq(fp_guard_init(&automatic, &why), 0);
	wire(align, placement);
	return true;
}

bool start_heaps_batched(int backend, unsigned batch)
{
	const struct fp_guard_config config = {
	        .backend = backend_names[backend],
	        .guard_pages = 1,
	        .fill = FILL,
	        .seal_batch = batch,
	        .verify = fp_heap_verify_freed,
	};

	if (!start_backend_as(&config))
		return false;
	wire(16, FP_PLACEMENT_RIGHT);
	return true;
}

struct fp_heap *new_heap(void)
{
	return new_heap_with(false);
}

struct fp_heap *new_heap_with(bool is_for_one_thread)
{
	const struct fp_heap_traits traits = {.is_for_one_thread = is_for_one_thread,
	                                      .error_codes = {.has_hresult = true,
	                                                      .misuse = MISUSE,
	                                                      .no_memory = NO_MEMORY,
	                                                      .timeout = TIMEOUT,
	                                                      .not_owner = NOT_OWNER,
	                                                      .abandoned = ABANDONED,
	                                                      .failed = FAILED,
	                                                      .unavailable = UNAVAILABLE}};
	struct fp_heap *heap;

	ck_assert_int_eq(fp_heap_create(&traits, &heap), 0);
	return heap;
}

int try_alloc(struct fp_heap *heap, size_t size, void **block)
{
	const struct fp_heap_request request = {
	        .size = size,
	        .family = FP_FAMILY_HOST,
	        .level = FP_LEVEL_APPDOMAIN,
	        .file = "engine.c",
	        .line = 77,
	};

	errno = ERRNO;
	int status = fp_heap_alloc(heap, &request, block);
	test_that(errno == ERRNO);
	test_that((*block == NULL) == (status != 0));
	return status;
}

char *take(struct fp_heap *heap, size_t size)
{
	void *block;

	test_that(try_alloc(heap, size, &block) == 0);
	return block;
}

int give(struct fp_heap *heap, const void *block)
{
	errno = ERRNO;
	int status = fp_heap_free(heap, (void *)(uintptr_t)block);
	test_that(errno == ERRNO);
	return status;
}

const struct fp_finding *expect_finding(enum fp_finding_kind kind)
{
	ck_assert_uint_eq(found_count, ++expected);
	const struct fp_finding *finding = &found[expected - 1];
	ck_assert_str_eq(fp_finding_traits(finding->kind)->name, fp_finding_traits(kind)->name);
	return finding;
}

void expect_no_finding(void)
{
	ck_assert_msg(found_count == expected, "%s: %s",
	              fp_finding_traits(found[expected].kind)->name,
	              found[expected].description);
}

unsigned take_shortages(void)
{
	return atomic_exchange(&shortages, 0);
}
