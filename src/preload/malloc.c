/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of <malloc.h>, as glibc's manual and malloc(3) have them. What they do beyond
 * checking their arguments is in blocks.c.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/align.h"
#include "base/messages.h"
#include "base/text.h"
#include "base/vm.h"
#include "guard/guard.h"
#include "heap/heap.h"
#include "preload/blocks.h"
#include "preload/door.h"
#include "preload/export.h"
#include "preload/next.h"

static void *with_errno(void *block)
{
	if (block == NULL)
		errno = ENOMEM;
	return block;
}

/* Whether a block of SIZE for who called the exported function is left to libc. */
#define IS_LEFT(size)                                                                          \
	fp_picker_leaves((uintptr_t)__builtin_return_address(0),                               \
	                 (uintptr_t)__builtin_frame_address(0), size)

static void *allocate(bool is_left, size_t align, size_t size)
{
	const struct fp_heap_request request = {
	        .size = size,
	        .align = align,
	        .family = FP_FAMILY_MALLOC,
	};

	return fp_preload_alloc(&request, is_left);
}

FP_EXPORT void *malloc(size_t size)
{
	/* As much as a program that guards some of its blocks can feel. */
	if (IS_LEFT(size))
		return fp_preload_next.malloc(size);
	return with_errno(allocate(false, 0, size));
}

/* A second name that nobody can interpose. */
extern void *own_malloc(size_t size) __attribute__((alias("malloc"), visibility("hidden"),
                                                    malloc, nothrow, leaf, alloc_size(1)));

uintptr_t fp_preload_own_malloc(void)
{
	return (uintptr_t)own_malloc;
}

bool fp_preload_is_stub(uintptr_t function)
{
	void *symbol = NULL;
	Dl_info info;

	return dladdr1((void *)function, &info, &symbol, RTLD_DL_SYMENT) != 0 &&
	       symbol != NULL && ((ElfW(Sym) *)symbol)->st_shndx == SHN_UNDEF;
}

bool fp_preload_is_malloc_ours(void)
{
	void *(*volatile visible)(size_t) = malloc;

	return visible == own_malloc || fp_preload_is_stub((uintptr_t)visible);
}

/* COUNT times SIZE bytes are more than size_t can say: no allocator gets to see that. */
static void *refuse_product(size_t count, size_t size)
{
	fp_preload_refuse(&(const struct fp_heap_request){
	        .count = count,
	        .size = size,
	        .family = FP_FAMILY_MALLOC,
	});
	return with_errno(NULL);
}

FP_EXPORT void *calloc(size_t count, size_t size)
{
	struct fp_heap_request request = {.family = FP_FAMILY_MALLOC, .is_zeroed = true};

	if (__builtin_mul_overflow(count, size, &request.size))
		return refuse_product(count, size);
	if (IS_LEFT(request.size))
		return fp_preload_next.calloc(count, size);
	return with_errno(fp_preload_alloc(&request, false));
}

/* While some blocks are left to libc, what is not ours is libc's. */
static bool is_plain(const void *block)
{
	return fp_preload.picks && !fp_guard_may_own((uintptr_t)block);
}

FP_EXPORT void free(void *block)
{
	if (is_plain(block)) {
		fp_preload_next.free(block);
		return;
	}
	const struct fp_heap_claim claim = {.block = block, .family = FP_FAMILY_MALLOC};

	fp_preload_free(&claim);
}

FP_EXPORT void cfree(void *block)
{
	free(block);
}

/* glibc's functions round an alignment that is no power of two up to one. */
static size_t power_from(size_t align)
{
	size_t power = 1;

	while (power < align && power != 0)
		power *= 2;
	return power;
}

static void free_as(void *block, size_t size, size_t align)
{
	const struct fp_heap_claim claim = {
	        .block = block,
	        .family = FP_FAMILY_MALLOC,
	        .has_size = true,
	        .size = size,
	        .align = align,
	};

	fp_preload_free(&claim);
}

FP_EXPORT void free_sized(void *block, size_t size)
{
	free_as(block, size, 0);
}

FP_EXPORT void free_aligned_sized(void *block, size_t align, size_t size)
{
	free_as(block, size, power_from(align));
}

FP_EXPORT void *realloc(void *block, size_t size)
{
	if (block == NULL)
		return malloc(size);
	if (size == 0) {
		free(block);
		return NULL;
	}
	bool is_left = IS_LEFT(size);
	if (is_left && is_plain(block))
		return fp_preload_next.realloc(block, size);
	return with_errno(fp_preload_realloc(block, size, is_left));
}

FP_EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return refuse_product(count, size);
	return realloc(block, bytes);
}

FP_EXPORT int posix_memalign(void **block, size_t align, size_t size)
{
	if (align % sizeof(void *) != 0 || !fp_is_power_of_two(align))
		return EINVAL;
	/* errno says so, too, as with glibc. */
	void *made = with_errno(allocate(IS_LEFT(size), align, size));
	if (made == NULL)
		return ENOMEM;
	*block = made;
	return 0;
}

FP_EXPORT void *memalign(size_t align, size_t size)
{
	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	return with_errno(allocate(IS_LEFT(size), power_from(align), size));
}

FP_EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

FP_EXPORT void *valloc(size_t size)
{
	return memalign(fp_vm_page_size(), size);
}

FP_EXPORT void *pvalloc(size_t size)
{
	size_t page = fp_vm_page_size();

	/* Where whole pages would be too many, so are the bytes. */
	return memalign(page, size > SIZE_MAX - page ? size : fp_align_up(size, page));
}

/* Other names of the C library's, which a malloc of the program's own may be made of. Were they
 * another allocator than ours, that program's free() would give our calloc()'s blocks to it. */
#if __has_attribute(copy)
#define FP_SAME_AS(name) alias(#name), copy(name)
#else
#define FP_SAME_AS(name) alias(#name), nothrow
#endif
#define FP_ALIAS(result, name, parameters)                                                     \
	FP_EXPORT extern result __libc_##name parameters __attribute__((FP_SAME_AS(name)))
FP_ALIAS(void *, malloc, (size_t size));
FP_ALIAS(void *, calloc, (size_t count, size_t size));
FP_ALIAS(void *, realloc, (void *block, size_t size));
FP_ALIAS(void *, memalign, (size_t align, size_t size));
FP_ALIAS(void *, valloc, (size_t size));
FP_ALIAS(void *, pvalloc, (size_t size));
FP_ALIAS(void, free, (void *block));

FP_EXPORT size_t malloc_usable_size(void *block)
{
	if (block == NULL)
		return 0;
	return is_plain(block) ? fp_preload_next.usable_size(block) : fp_preload_size_of(block);
}

/* ---- What programs ask about the allocator -------------------------------------------------
 *
 * What programs ask an allocator about itself. The figures are the heap's; there is nothing to
 * tune and nothing to trim.
 */

FP_EXPORT struct mallinfo2 mallinfo2(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	return (struct mallinfo2){
	        .arena = totals.live_bytes,
	        .uordblks = totals.live_bytes,
	        .usmblks = totals.peak_bytes,
	};
}

/* The fields of the older interface are too small: they wrap, as glibc's do. */
FP_EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 info = mallinfo2();

	return (struct mallinfo){
	        .arena = (int)info.arena,
	        .uordblks = (int)info.uordblks,
	        .usmblks = (int)info.usmblks,
	};
}

FP_EXPORT int mallopt(int parameter, int value)
{
	(void)parameter;
	(void)value;
	return 1;
}

FP_EXPORT int malloc_trim(size_t pad)
{
	(void)pad;
	return 0;
}

FP_EXPORT void malloc_stats(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	fp_say(FP_TELL_MALLOC_STATS, totals.live_bytes, totals.peak_bytes, totals.live_blocks,
	       totals.peak_blocks);
}

FP_EXPORT int malloc_info(int options, FILE *out)
{
	struct fp_heap_totals totals;

	if (options != 0)
		return EINVAL;
	fp_heap_totals(&totals);
	fprintf(out,
	        "<malloc version=\"1\">\n<total type=\"rest\" count=\"%lu\" size=\"%lu\"/>\n"
	        "<system type=\"current\" size=\"%lu\"/>\n"
	        "<system type=\"max\" size=\"%lu\"/>\n</malloc>\n",
	        totals.live_blocks, totals.live_bytes, totals.live_bytes, totals.peak_bytes);
	return 0;
}
