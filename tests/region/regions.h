/* SPDX-License-Identifier: Apache-2.0
 *
 * Regions for the tests: started once in each test's process, with the findings they make.
 */
#ifndef TESTS_REGION_REGIONS_H
#define TESTS_REGION_REGIONS_H

#include "region/region.h"
#include "support/support.h"

enum { PAGE = 4096, GRANULE = 64 << 10, FOUND_MAX = 16 };

enum {
	COMMIT = FP_REGION_COMMIT,
	RESERVE = FP_REGION_RESERVE,
	DECOMMIT = FP_REGION_DECOMMIT,
	RELEASE = FP_REGION_RELEASE,
	RESET = FP_REGION_RESET,
	NOACCESS = FP_PROTECT_NOACCESS,
	READONLY = FP_PROTECT_READONLY,
	READWRITE = FP_PROTECT_READWRITE,
};

extern struct fp_finding found[FOUND_MAX];
extern unsigned found_count;

/* KEPT is the address space of released regions, in bytes. */
void start_regions(size_t kept);

/* fp_region_alloc, which must succeed. */
uintptr_t alloc(uintptr_t address, size_t size, uint32_t type, uint32_t protection);

/* fp_region_alloc, which must fail with STATUS. */
void refuse(int status, uintptr_t address, size_t size, uint32_t type, uint32_t protection);

void must_free(uintptr_t address, size_t size, uint32_t type);

/* The only finding since the last call, with words that its description has. */
void expect_finding(enum fp_finding_kind kind, const char *words);
void expect_no_finding(void);

/* Whether every byte is that value. */
bool is_filled(uintptr_t start, size_t size, uint8_t value);

#endif
