/* SPDX-License-Identifier: Apache-2.0
 *
 * aarch64: the kernel leaves the exception syndrome (ESR) among the records of the context.
 */
#include <ucontext.h>

#include "fault/access.h"

enum {
	ESR_MAGIC = 0x45535201, /* ESR_MAGIC of <asm/sigcontext.h> */
	CLASS_SHIFT = 26,
	CLASS_FETCH = 0x20, /* instruction abort from a lower level */
	CLASS_DATA = 0x24,  /* data abort from a lower level */
	VALID_SIZE = 1 << 24,
	SIZE_SHIFT = 22,
	IS_WRITE = 1 << 6
};

struct record {
	uint32_t magic;
	uint32_t size;
};

static uint64_t find_syndrome(const ucontext_t *context)
{
	const unsigned char *at = context->uc_mcontext.__reserved;
	const unsigned char *end = at + sizeof(context->uc_mcontext.__reserved);

	while (at + sizeof(struct record) <= end) {
		const struct record *record = (const void *)at;

		if (record->magic == ESR_MAGIC)
			return *(const uint64_t *)(const void *)(at + sizeof(*record));
		if (record->magic == 0 || record->size < sizeof(*record))
			return 0;
		at += record->size;
	}
	return 0;
}

struct fp_fault_access fp_fault_access(const void *context, uintptr_t address)
{
	uint64_t syndrome = find_syndrome(context);
	struct fp_fault_access access = {.address = address};

	access.is_fetch = syndrome >> CLASS_SHIFT == CLASS_FETCH;
	if (access.is_fetch)
		access.access = FP_ACCESS_READ;
	if (syndrome >> CLASS_SHIFT == CLASS_DATA)
		access.access = (syndrome & IS_WRITE) != 0 ? FP_ACCESS_WRITE : FP_ACCESS_READ;
	if (syndrome >> CLASS_SHIFT == CLASS_DATA && (syndrome & VALID_SIZE) != 0)
		access.size = 1U << (syndrome >> SIZE_SHIFT & 3);
	return access;
}

bool fp_fault_can_step(void)
{
	return false;
}

bool fp_fault_set_step(void *context, bool is_on)
{
	(void)context;
	(void)is_on;
	return false;
}
