/* SPDX-License-Identifier: Apache-2.0
 *
 * What a bad access is said to be, on a heap that exists as numbers only: one chunk of slots of
 * one page, guards of one page, and a history that forgot two blocks. Nothing is mapped.
 */
#include <stdio.h>
#include <string.h>

#include "fault/diagnose.h"
#include "support/support.h"

enum { PAGE = 4096, STRIDE = 2 * PAGE, SLOTS = 10, FRESH_FROM = 7, FENCE = 64 << 20 };

#define CHUNK ((uintptr_t)0x7e0000000000)
#define SLOT(index) (CHUNK + PAGE + (uintptr_t)(index)*STRIDE)
#define BLOCK(index) (SLOT(index) + heap[index].offset)
#define GUARD(index) (SLOT(index) + PAGE) /* behind that slot */

enum life { LIVE, FREED, FORGOTTEN, NEVER };

/* 0 and 5 fill their slots up to the guards; 4 has padding behind it. */
static const struct {
	enum life life;
	size_t offset;
	size_t size;
} heap[SLOTS] = {
        {LIVE, PAGE - 64, 64}, {FREED, PAGE - 112, 100},
        {FORGOTTEN, 0, 0},     {FORGOTTEN, 0, 0},
        {LIVE, PAGE - 32, 20}, {FREED, 0, PAGE},
        {LIVE, PAGE - 48, 48}, {NEVER, 0, 0},
        {NEVER, 0, 0},         {NEVER, 0, 0},
};

static bool find_place(uintptr_t address, struct fp_place *place)
{
	if (address - (CHUNK - FENCE) >= PAGE + SLOTS * STRIDE + 2 * (uintptr_t)FENCE)
		return false;
	size_t index = address < SLOT(0) ? 0 : (address - SLOT(0)) / STRIDE;
	if (index >= SLOTS)
		index = SLOTS - 1;
	*place = (struct fp_place){
	        .slot = {.base = SLOT(index), .bytes = PAGE},
	        .stride = STRIDE,
	        .is_in_guard = address - SLOT(index) >= PAGE,
	        .state = index < FRESH_FROM ? FP_PLACE_USED : FP_PLACE_FRESH,
	};
	return true;
}

/* As if the next slots of each chunk stood where those of the only one stand. */
static bool find_beside(const struct fp_place *place, bool is_behind, struct fp_place *beside)
{
	size_t index = (place->slot.base - SLOT(0)) / STRIDE;

	if (is_behind ? index + 1 >= FRESH_FROM : index == 0)
		return false;
	if (is_behind)
		index++;
	else
		index = index > FRESH_FROM ? FRESH_FROM - 1 : index - 1;
	return find_place(SLOT(index), beside);
}

static bool find_block(const struct fp_slot *slot, struct fp_block *block)
{
	size_t index = (slot->base - SLOT(0)) / STRIDE;

	ck_assert_uint_eq(slot->base, SLOT(index));
	if (heap[index].life != LIVE && heap[index].life != FREED)
		return false;
	*block = (struct fp_block){
	        .address = BLOCK(index),
	        .size = heap[index].size,
	        .serial = index + 1,
	        .alloc_trace = 100 + (fp_trace_id)index,
	        .state = heap[index].life == LIVE ? FP_BLOCK_LIVE : FP_BLOCK_FREED,
	};
	return true;
}

static size_t find_last_bytes(const struct fp_slot *slot, uint8_t *bytes, size_t size)
{
	ck_assert_uint_ge(size, 5);
	memcpy(bytes, slot->base == SLOT(1) ? "first" : "other", 5);
	return 5;
}

/* Padding that was changed, counted from the start of a slot; without an end: none. */
static struct {
	uintptr_t slot;
	size_t from;
	size_t to;
} damage;

static bool take_damage(const struct fp_slot *slot, bool is_behind, uintptr_t reach,
                        struct fp_damaged *damaged)
{
	size_t gap = is_behind ? PAGE - damage.to : damage.from;

	if (damage.to == 0 || slot->base != damage.slot || gap > reach)
		return false;
	*damaged = (struct fp_damaged){
	        .damage = {slot->base + damage.from, slot->base + damage.to},
	        .evidence_start = slot->base + damage.from,
	        .evidence_size = 3,
	        .evidence = "end",
	};
	ck_assert(find_block(slot, &damaged->block));
	return true;
}

static const struct fp_fault_view view = {find_place, find_beside, find_block, find_last_bytes,
                                          take_damage};

enum { NOBODY = -1 };

#define UAF FP_FINDING_HEAP_USE_AFTER_FREE
#define OVER FP_FINDING_HEAP_BUFFER_OVERFLOW
#define UNDER FP_FINDING_HEAP_BUFFER_UNDERFLOW
#define LONG_AGO " of a block that was freed so long ago that its record was dropped"
#define NEVER_ONE " that was never part of a block"

/* A read of 8 bytes at BASE + PLUS. The description is held to begin with what is given. */
static const struct {
	uintptr_t base;
	intptr_t plus;
	enum fp_finding_kind kind;
	int block;
	const char *description;
} accesses[] = {
        /* in a freed block's slot: in the block, in the padding on either side */
        {SLOT(1), PAGE - 112, UAF, 1, "0 bytes inside a block of 100 bytes that was freed"},
        {SLOT(1), PAGE - 13, UAF, 1, "99 bytes inside a block of 100 bytes that was freed"},
        {SLOT(1), PAGE - 12, UAF, 1, "0 bytes past the end of a block of 100 bytes that was"},
        {SLOT(1), PAGE - 1, UAF, 1, "11 bytes past the end of a block of 100 bytes that was"},
        {SLOT(1), PAGE - 113, UAF, 1, "1 byte before a block of 100 bytes that was freed"},
        {SLOT(1), 0, UAF, 1, "3984 bytes before a block of 100 bytes that was freed"},
        {SLOT(5), 0, UAF, 5, "0 bytes inside a block of 4096 bytes that was freed"},
        {SLOT(5), PAGE - 1, UAF, 5, "4095 bytes inside a block of 4096 bytes that was freed"},
        /* between a live block and a freed one: the nearer */
        {GUARD(0), 0, OVER, 0, "0 bytes past the end of a block of 64 bytes"},
        {GUARD(0), 4039, OVER, 0, "4039 bytes past the end of a block of 64 bytes"},
        {GUARD(0), 4041, UAF, 1, "4039 bytes before a block of 100 bytes that was freed"},
        /* between a freed one and a forgotten one */
        {GUARD(1), 0, UAF, 1, "12 bytes past the end of a block of 100 bytes that was freed"},
        {GUARD(1), PAGE - 1, UAF, 1, "4107 bytes past the end of a block of 100 bytes that"},
        /* between two forgotten ones, and inside them */
        {GUARD(2), 0, UAF, NOBODY, LONG_AGO},
        {GUARD(2), PAGE - 1, UAF, NOBODY, LONG_AGO},
        {SLOT(2), 0, UAF, NOBODY, LONG_AGO},
        {SLOT(3), PAGE - 1, UAF, NOBODY, LONG_AGO},
        /* between a forgotten one and a live one: only the live one is known */
        {GUARD(3), 0, UNDER, 4, "8160 bytes before a block of 20 bytes"},
        {GUARD(3), PAGE - 1, UNDER, 4, "4065 bytes before a block of 20 bytes"},
        /* between a live one with padding behind it and a freed one that fills its slot */
        {GUARD(4), 0, OVER, 4, "12 bytes past the end of a block of 20 bytes"},
        {GUARD(4), 2041, OVER, 4, "2053 bytes past the end of a block of 20 bytes"},
        {GUARD(4), 2042, OVER, 4, "2054 bytes past the end of a block of 20 bytes"},
        {GUARD(4), 2043, UAF, 5, "2053 bytes before a block of 4096 bytes that was freed"},
        {GUARD(4), PAGE - 1, UAF, 5, "1 byte before a block of 4096 bytes that was freed"},
        /* between a freed one that fills its slot and a live one further away */
        {GUARD(5), 0, UAF, 5, "0 bytes past the end of a block of 4096 bytes that was"},
        {GUARD(5), PAGE - 1, UNDER, 6, "4049 bytes before a block of 48 bytes"},
        /* behind the last slot in use: only one side has a block */
        {GUARD(6), 0, OVER, 6, "0 bytes past the end of a block of 48 bytes"},
        {GUARD(6), PAGE - 1, OVER, 6, "4095 bytes past the end of a block of 48 bytes"},
        {SLOT(7), 0, OVER, 6, "4096 bytes past the end of a block of 48 bytes"},
        {SLOT(7), PAGE - 1, OVER, 6, "8191 bytes past the end of a block of 48 bytes"},
        /* farther behind it: in what was never used, and in the fence behind all */
        {GUARD(7), 0, OVER, 6, "8192 bytes past the end of a block of 48 bytes"},
        {SLOT(8), 5, OVER, 6, "12293 bytes past the end of a block of 48 bytes"},
        {GUARD(9), PAGE - 1, OVER, 6, "28671 bytes past the end of a block of 48 bytes"},
        {GUARD(9), PAGE, OVER, 6, "28672 bytes past the end of a block of 48 bytes"},
        {GUARD(9), 4 << 20, OVER, 6, "4218880 bytes past the end of a block of 48 bytes"},
        /* the guard before the first slot */
        {CHUNK, 0, UNDER, 0, "8128 bytes before a block of 64 bytes"},
        {CHUNK, PAGE - 1, UNDER, 0, "4033 bytes before a block of 64 bytes"},
        /* the fence before that */
        {CHUNK, -1, UNDER, 0, "8129 bytes before a block of 64 bytes"},
        {CHUNK, -(4 << 20), UNDER, 0, "4202432 bytes before a block of 64 bytes"},
        {CHUNK, -(8 << 20), UNDER, 0, "8396736 bytes before a block of 64 bytes"},
        {GUARD(0) - 64, -(16 << 20), UNDER, 0, "16777216 bytes before a block of 64 bytes"},
        {GUARD(6), 16 << 20, OVER, 6, "16777216 bytes past the end of a block of 48 bytes"},
};

enum { ACCESSES = sizeof(accesses) / sizeof(accesses[0]) };

static void expect_blame(const struct fp_finding *finding, int block, uintptr_t address)
{
	ck_assert_uint_eq(finding->address, address);
	ck_assert_int_eq(finding->has_block, block != NOBODY);
	if (block == NOBODY)
		return;
	ck_assert_uint_eq(finding->block.address, BLOCK(block));
	ck_assert_uint_eq(finding->block.size, heap[block].size);
	ck_assert_uint_eq(finding->block.alloc_trace, 100 + (fp_trace_id)block);
	ck_assert_int_eq(finding->offset, (int64_t)(address - BLOCK(block)));
}

/* Of a freed block what it last held is shown, of others nothing. */
static void expect_evidence(const struct fp_finding *finding, int block)
{
	if (block == NOBODY || heap[block].life == LIVE) {
		ck_assert_uint_eq(finding->evidence_size, 0);
		return;
	}
	ck_assert(finding->is_evidence_last);
	ck_assert_int_eq(finding->evidence_offset, 0);
	ck_assert_uint_eq(finding->evidence_size, 5);
	ck_assert_mem_eq(finding->evidence, block == 1 ? "first" : "other", 5);
}

START_TEST(an_access_is_blamed_on_the_nearest_block)
{
	uintptr_t address = accesses[_i].base + (uintptr_t)accesses[_i].plus;
	const struct fp_fault_access access = {
	        .address = address, .access = FP_ACCESS_READ, .size = 8};
	struct fp_finding finding = {.trace = 7, .thread = 8, .evidence_size = 3};
	char expected[FP_DESCRIPTION_MAX + 100];

	ck_assert(fp_fault_diagnose(&access, &view, &finding));
	ck_assert_int_eq(finding.kind, accesses[_i].kind);
	ck_assert_int_eq(finding.access, FP_ACCESS_READ);
	expect_blame(&finding, accesses[_i].block, address);
	expect_evidence(&finding, accesses[_i].block);
	snprintf(expected, sizeof(expected), "read of 8 bytes%s%s",
	         accesses[_i].block == NOBODY ? "" : ", ", accesses[_i].description);
	ck_assert_msg(strncmp(finding.description, expected, strlen(expected)) == 0,
	              "\"%s\" does not begin with \"%s\"", finding.description, expected);
	/* Who it was is not for the diagnosis to say. */
	ck_assert_uint_eq(finding.trace, 7);
	ck_assert_uint_eq(finding.thread, 8);
}
END_TEST

/* Everything of a description that the access alone decides. */
static const struct {
	struct fp_fault_access access;
	const char *words;
} forms[] = {
        {{.access = FP_ACCESS_READ, .size = 1}, "read of 1 byte, 0 bytes past"},
        {{.access = FP_ACCESS_WRITE, .size = 64}, "write of 64 bytes, 0 bytes past"},
        {{.access = FP_ACCESS_WRITE}, "write, 0 bytes past"},
        {{.access = FP_ACCESS_UNKNOWN}, "access, 0 bytes past"},
        {{.access = FP_ACCESS_UNKNOWN, .size = 2}, "access of 2 bytes, 0 bytes past"},
        {{.access = FP_ACCESS_READ, .is_fetch = true}, "execution, 0 bytes past"},
};

enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

START_TEST(the_description_says_what_was_done)
{
	struct fp_fault_access access = forms[_i].access;
	struct fp_finding finding = {0};

	access.address = GUARD(0);
	ck_assert(fp_fault_diagnose(&access, &view, &finding));
	ck_assert_int_eq(finding.access, access.access);
	ck_assert_msg(strncmp(finding.description, forms[_i].words, strlen(forms[_i].words)) ==
	                      0,
	              "%s", finding.description);
}
END_TEST

/* 2054 bytes behind the live block 4, and before the freed block 5. */
START_TEST(of_two_blocks_as_near_the_live_one_is_blamed)
{
	const struct fp_fault_access access = {.address = GUARD(4) + 2042,
	                                       .access = FP_ACCESS_READ};
	struct fp_finding finding;

	ck_assert_uint_eq(access.address - BLOCK(4) - heap[4].size, BLOCK(5) - access.address);
	ck_assert(fp_fault_diagnose(&access, &view, &finding));
	expect_blame(&finding, 4, access.address);
	ck_assert_int_eq(finding.kind, OVER);
}
END_TEST

static void expect_untouched(const struct fp_finding *finding)
{
	static const struct fp_finding mark = {.kind = FP_FINDING_DOUBLE_FREE, .address = 4711};

	ck_assert_int_eq(finding->kind, mark.kind);
	ck_assert_uint_eq(finding->address, mark.address);
	ck_assert_str_eq(finding->description, "");
}

/* Beyond the fences, far from any block inside them, or in the slot of a live block, which we
 * never make inaccessible. */
START_TEST(what_is_not_ours_is_not_claimed)
{
	const uintptr_t addresses[] = {0,
	                               1,
	                               CHUNK - FENCE - 1,
	                               CHUNK + PAGE + SLOTS * STRIDE + FENCE,
	                               SLOT(0),
	                               SLOT(4) + 9,
	                               BLOCK(4) + 20,
	                               UINTPTR_MAX,
	                               BLOCK(6),
	                               BLOCK(0) - (16 << 20) - 1,
	                               BLOCK(6) + 48 + (16 << 20) + 1};
	struct fp_finding finding = {.kind = FP_FINDING_DOUBLE_FREE, .address = 4711};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		const struct fp_fault_access access = {.address = addresses[i], .size = 1};

		ck_assert(!fp_fault_diagnose(&access, &view, &finding));
		expect_untouched(&finding);
	}
}
END_TEST

/* ---- The first bad byte -------------------------------------------------------------------
 */

#define READ .access = FP_ACCESS_READ
#define WRITE .access = FP_ACCESS_WRITE
#define FURTHER "; the guard page stopped it "
#define MAYBE "; the bytes before it may have been read, too: that cannot be seen"

/* Of block 4, of 20 bytes with 12 of padding behind it and 4064 before it, unless another one
 * is named. */
static const struct {
	struct fp_fault_access access;
	int block;
	enum fp_finding_kind kind;
	long offset;
	size_t changed[2]; /* of its slot */
	const char *words;
	/* clang-format off */
} ways[] = {
        /* loops: from one element to the next, into the block from behind or from before */
        {{GUARD(4), READ, 1, .stride = 1}, 4, OVER, 20, {0}, "read of 1 byte, 0 bytes past the end of a block of 20 bytes" FURTHER "12 bytes further"},
        {{GUARD(4), READ, 8, .start = GUARD(4) - 4, .stride = 8}, 4, OVER, 20, {0}, "read of 8 bytes, 0 bytes past the end of a block of 20 bytes" FURTHER "12 bytes further"},
        {{GUARD(4), READ, 4, .stride = 12}, 4, OVER, 20, {0}, "read of 4 bytes, 0 bytes past the end of a block of 20 bytes" FURTHER "12 bytes further"},
        {{GUARD(4), READ, 1, .stride = 8}, 4, OVER, 24, {0}, "read of 1 byte, 4 bytes past the end of a block of 20 bytes" FURTHER "8 bytes further"},
        {{GUARD(4) + 4, READ, 4, .stride = 24}, 4, OVER, 36, {0}, "read of 4 bytes, 16 bytes past the end of a block of 20 bytes"},
        {{GUARD(4) + 100, READ, 1, .stride = 1}, 4, OVER, 132, {0}, "read of 1 byte, 112 bytes past the end of a block of 20 bytes"},
        {{GUARD(3) + PAGE - 4, READ, 4, .stride = -4}, 4, UNDER, -4, {0}, "read of 4 bytes, 4 bytes before a block of 20 bytes"},
        /* what they wrote is there to see, and nothing that is not there was written */
        {{GUARD(4), WRITE, 1, .stride = 1}, 4, OVER, 20, {PAGE - 12, PAGE}, "write of 1 byte, 0 bytes past the end of a block of 20 bytes" FURTHER "12 bytes further"},
        {{GUARD(4), WRITE, 1, .stride = 1}, 4, OVER, 23, {PAGE - 9, PAGE}, "write of 1 byte, 3 bytes past the end of a block of 20 bytes" FURTHER "9 bytes further"},
        {{GUARD(4), WRITE, 1, .stride = 1}, 4, OVER, 32, {0}, "write of 1 byte, 12 bytes past the end of a block of 20 bytes"},
        {{GUARD(4), WRITE, 1}, 4, OVER, 23, {PAGE - 9, PAGE}, "write of 1 byte, 3 bytes past the end of a block of 20 bytes" FURTHER "9 bytes further"},
        {{GUARD(4) + 900, WRITE, 1}, 4, OVER, 932, {0}, "write of 1 byte, 912 bytes past the end of a block of 20 bytes"},
        {{GUARD(3) + PAGE - 4, WRITE, 4, .stride = -4}, 4, UNDER, -4, {0, PAGE - 32}, "write of 4 bytes, 4 bytes before a block of 20 bytes"},
        /* one instruction, and what a compiler makes of one copy */
        {{GUARD(4), READ, 32, .start = SLOT(4) + PAGE - 16}, 4, OVER, 20, {0}, "read of 32 bytes, 28 of them behind the block, 0 bytes past the end of a block of 20 bytes"},
        {{GUARD(4), READ, 1}, 4, OVER, 32, {0}, "read of 1 byte, 12 bytes past the end of a block of 20 bytes" MAYBE},
        {{GUARD(4) + 8, READ, 1}, 4, OVER, 40, {0}, "read of 1 byte, 20 bytes past the end of a block of 20 bytes"},
        {{GUARD(4) + 16, READ, 16, .run = SLOT(4) + PAGE - 32}, 4, OVER, 20, {0}, "read of 16 bytes, 0 bytes past the end of a block of 20 bytes" FURTHER "28 bytes further"},
        {{GUARD(4) + 16, READ, 16, .run = SLOT(4) + PAGE - 8}, 4, OVER, 24, {0}, "read of 16 bytes, 4 bytes past the end of a block of 20 bytes" FURTHER "24 bytes further"},
        {{GUARD(4), READ, 8, .is_scan = true}, 4, OVER, 20, {0}, "read of 8 bytes, 0 bytes past the end of a block of 20 bytes" FURTHER "12 bytes further"},
        /* calls of the C library's: what they were given counts */
        {{GUARD(4) + 60, READ, 32, .is_in_library = true, .given = {SLOT(4) + PAGE - 27}, .call_size = 200}, 4, OVER, 20, {0}, "read of 200 bytes by a call, 185 of them behind the block, 0 bytes past the end of a block of 20 bytes"},
        {{GUARD(4) + 60, READ, 32, .is_in_library = true, .given = {SLOT(4) + PAGE - 9}, .call_size = 200}, 4, OVER, 23, {0}, "read of 200 bytes by a call, 3 bytes past the end of a block of 20 bytes"},
        {{GUARD(4) + 60, WRITE, 32, .is_in_library = true, .given = {7, SLOT(4) + PAGE - 27}}, 4, OVER, 20, {0}, "write by a call, 0 bytes past the end of a block of 20 bytes"},
        {{GUARD(4), READ, 32, .is_in_library = true, .given = {7, 8}}, 4, OVER, 20, {0}, "read of 32 bytes, 0 bytes past the end of a block of 20 bytes" FURTHER "12 bytes further"},
        {{GUARD(4), READ, 32, .is_in_library = true, .given = {GUARD(4)}}, 4, OVER, 20, {0}, "read by a call, 0 bytes past the end of a block of 20 bytes"},
        {{GUARD(4) + 9, READ, 32, .is_in_library = true, .given = {SLOT(4) + PAGE - 40}, .call_size = 100}, 4, UNDER, -8, {0}, "read of 100 bytes by a call, 8 of them before the block, 72 of them behind the block, 8 bytes before a block of 20 bytes"},
        {{GUARD(1) + 5, WRITE, 32, .is_in_library = true, .given = {SLOT(0) + PAGE - 64}, .call_size = 3 * PAGE}, 0, OVER, 64, {0}, "write of 12288 bytes by a call, 12224 of them behind the block, 0 bytes past the end of a block of 64 bytes"},
        {{SLOT(1) + PAGE - 128, READ, 32, .is_in_library = true, .given = {7, SLOT(1) + PAGE - 128}}, 1, UAF, 0, {0}, "read by a call, 0 bytes inside a block of 100 bytes that was freed"},
        {{SLOT(1) + PAGE - 128, READ, 32, .is_in_library = true, .given = {7, SLOT(1) + PAGE - 128}, .kept = {SLOT(1) + PAGE - 97, SLOT(1) + PAGE - 110}}, 1, UAF, 2, {0}, "read by a call, 2 bytes inside a block of 100 bytes that was freed"},
        {{GUARD(3) + PAGE - 32, READ, 32, .is_in_library = true, .given = {GUARD(3) + PAGE - 32}, .kept = {7, GUARD(3) + PAGE - 32, GUARD(3) + PAGE - 8}}, 4, UNDER, -4072, {0}, "read by a call, 4072 bytes before a block of 20 bytes"},
        {{SLOT(1) + PAGE - 96, READ, 32, .is_in_library = true, .given = {7, SLOT(1) + PAGE - 96}, .kept = {SLOT(1) + PAGE - 96, SLOT(1) + PAGE - 90}}, 1, UAF, 22, {0}, "read by a call, 22 bytes inside a block of 100 bytes that was freed"},
        {{SLOT(1) + PAGE - 60, READ, 32, .is_in_library = true, .given = {SLOT(1) + PAGE - 109}, .call_size = 90}, 1, UAF, 3, {0}, "read of 90 bytes by a call, 3 bytes inside a block of 100 bytes that was freed"},
};
/* clang-format on */

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

START_TEST(the_first_bad_byte_is_told)
{
	const struct fp_fault_access *access = &ways[_i].access;
	size_t changed = ways[_i].changed[1];
	struct fp_finding finding = {0};

	damage.slot = SLOT(4);
	damage.from = ways[_i].changed[0];
	damage.to = changed;
	ck_assert(fp_fault_diagnose(access, &view, &finding));
	ck_assert_str_eq(finding.description, ways[_i].words);
	ck_assert_int_eq(finding.kind, ways[_i].kind);
	ck_assert_uint_eq(finding.block.address, BLOCK(ways[_i].block));
	ck_assert_int_eq(finding.offset, ways[_i].offset);
	/* Where it was caught stays what it is. */
	ck_assert_uint_eq(finding.address, access->address);
	ck_assert_int_eq(finding.is_by_call, strstr(ways[_i].words, "by a call") != NULL);
	if (changed == 0)
		return;
	ck_assert(!finding.is_evidence_last);
	ck_assert_mem_eq(finding.evidence, "end", finding.evidence_size);
	ck_assert_int_eq(finding.evidence_offset, (int64_t)(SLOT(4) + damage.from - BLOCK(4)));
	damage.to = 0;
}
END_TEST

/* ---- Ranges ------------------------------------------------------------------------------ */

enum { FINE = -2 };

static const struct {
	uintptr_t base;
	intptr_t plus;
	size_t length;
	int block; /* or NOBODY, or FINE */
	enum fp_finding_kind kind;
	long offset; /* of the first bad byte in the block */
} ranges[] = {
        {SLOT(0), PAGE - 64, 64, FINE, 0, 0},
        {SLOT(0), PAGE - 64, 1, FINE, 0, 0},
        {SLOT(0), PAGE - 1, 1, FINE, 0, 0},
        {SLOT(0), PAGE - 64, 65, 0, OVER, 64},
        {SLOT(0), PAGE - 1, 2, 0, OVER, 64},
        {SLOT(0), PAGE - 64, 3 * PAGE, 0, OVER, 64},
        {SLOT(0), PAGE - 64, SIZE_MAX, 0, OVER, 64},
        {SLOT(0), PAGE - 65, 1, 0, UNDER, -1},
        {SLOT(0), PAGE - 65, 66, 0, UNDER, -1},
        {SLOT(0), 0, 1, 0, UNDER, -(PAGE - 64)},
        /* the padding behind a block is not the block's */
        {SLOT(4), PAGE - 32, 20, FINE, 0, 0},
        {SLOT(4), PAGE - 32, 21, 4, OVER, 20},
        {SLOT(4), PAGE - 32, PAGE, 4, OVER, 20},
        {SLOT(4), PAGE - 12, 1, 4, OVER, 20},
        /* starts in a guard, in a freed block, where no block is known or ever was */
        {GUARD(0), 0, 1, 0, OVER, 64},
        {GUARD(0), 0, SIZE_MAX, 0, OVER, 64},
        {CHUNK, PAGE - 1, 2, 0, UNDER, -(PAGE - 64) - 1},
        {SLOT(1), PAGE - 112, 1, 1, UAF, 0},
        {SLOT(1), PAGE - 112, SIZE_MAX, 1, UAF, 0},
        {SLOT(2), 0, 1, NOBODY, UAF, 0},
        {SLOT(8), 0, 1, 6, OVER, 2 * STRIDE - (PAGE - 48)},
        /* in the fences around all slots */
        {CHUNK, -1, 1, 0, UNDER, -(2 * PAGE - 64) - 1},
        {CHUNK, PAGE + SLOTS *STRIDE, 100, 6, OVER, 4 * STRIDE - (PAGE - 48)},
        /* far away in them */
        {CHUNK - FENCE, 0, 1, NOBODY, OVER, 0},
        {CHUNK + FENCE, PAGE, SIZE_MAX, NOBODY, OVER, 0},
        /* nothing is nowhere wrong */
        {SLOT(0), PAGE - 64, 0, FINE, 0, 0},
        {SLOT(0), PAGE, 0, FINE, 0, 0},
        {SLOT(1), PAGE - 112, 0, FINE, 0, 0},
        {0, 0, 0, FINE, 0, 0},
        /* nor is what is not ours */
        {0, 0, 1, FINE, 0, 0},
        {0, 0, SIZE_MAX, FINE, 0, 0},
        {CHUNK - FENCE, -1, 1, FINE, 0, 0},
        {CHUNK + FENCE, PAGE + SLOTS *STRIDE, 100, FINE, 0, 0},
        {UINTPTR_MAX, 0, SIZE_MAX, FINE, 0, 0},
};

enum { RANGES = sizeof(ranges) / sizeof(ranges[0]) };

START_TEST(the_first_bad_byte_of_a_range_is_blamed)
{
	const struct fp_fault_access access = {.address = ranges[_i].base +
	                                                  (uintptr_t)ranges[_i].plus,
	                                       .access = FP_ACCESS_WRITE};
	struct fp_finding finding = {.kind = FP_FINDING_DOUBLE_FREE, .address = 4711};
	bool is_bad = fp_fault_diagnose_range(&access, ranges[_i].length, &view, &finding);

	ck_assert_int_eq(is_bad, ranges[_i].block != FINE);
	if (!is_bad) {
		expect_untouched(&finding);
		return;
	}
	ck_assert_int_eq(finding.kind, ranges[_i].kind);
	ck_assert_int_eq(finding.access, FP_ACCESS_WRITE);
	if (ranges[_i].block == NOBODY) {
		expect_blame(&finding, NOBODY, access.address);
		ck_assert_ptr_nonnull(strstr(finding.description,
		                             ranges[_i].kind == UAF ? LONG_AGO : NEVER_ONE));
	} else {
		expect_blame(&finding, ranges[_i].block,
		             BLOCK(ranges[_i].block) + (uintptr_t)ranges[_i].offset);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("diagnose");
	TCase *tests = tcase_create("diagnose");

	tcase_add_loop_test(tests, the_first_bad_byte_is_told, 0, WAYS);
	tcase_add_loop_test(tests, an_access_is_blamed_on_the_nearest_block, 0, ACCESSES);
	tcase_add_loop_test(tests, the_description_says_what_was_done, 0, FORMS);
	tcase_add_test(tests, of_two_blocks_as_near_the_live_one_is_blamed);
	tcase_add_test(tests, what_is_not_ours_is_not_claimed);
	tcase_add_loop_test(tests, the_first_bad_byte_of_a_range_is_blamed, 0, RANGES);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
