/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of the vocabulary's enums.
 */
#include "base/messages.h"
#include "base/text.h"
#include "model/finding.h"
#include "model/region.h"

static const struct fp_finding_traits infos[FP_FINDING_COUNT] = {
#define FP_FINDING(constant, name_, cwe_, severity_, title_)                                   \
	[FP_FINDING_##constant] = {                                                            \
	        .name = (name_), .cwe = (cwe_), .severity = (severity_), .title = (title_)},
#include "model/finding.def"
#undef FP_FINDING
};

const struct fp_finding_traits *fp_finding_traits(enum fp_finding_kind kind)
{
	return &infos[kind];
}

static const struct {
	const char *name;
	int cwe;
} causes[FP_CRASH_CAUSE_COUNT] = {
#define FP_CRASH(constant, name_, cwe_)                                                        \
	[FP_CRASH_##constant] = {.name = (name_), .cwe = (cwe_)},
#include "model/crash.def"
#undef FP_CRASH
};

const char *fp_crash_name(unsigned cause)
{
	return causes[cause].name;
}

int fp_crash_cwe(enum fp_crash_cause cause)
{
	return causes[cause].cwe;
}

const char *fp_party_role_name(unsigned role)
{
	static const char *const names[FP_PARTY_COUNT] = {
	        [FP_PARTY_INSIDE] = "inside",     [FP_PARTY_HOLDER] = "holder",
	        [FP_PARTY_RELEASER] = "releaser", [FP_PARTY_FINDER] = "finder",
	        [FP_PARTY_UNMAPPER] = "unmapper", [FP_PARTY_POISONER] = "poisoner",
	};

	return names[role];
}

const char *fp_holder_kind_name(unsigned kind)
{
	static const char *const names[FP_HOLDER_KINDS] = {
	        [FP_HOLDER_MEMORY] = "memory",
	        [FP_HOLDER_GLOBAL] = "global",
	        [FP_HOLDER_THREAD_LOCAL] = "thread-local",
	        [FP_HOLDER_BLOCK] = "block",
	        [FP_HOLDER_STACK] = "stack",
	        [FP_HOLDER_REGISTER] = "register",
	        [FP_HOLDER_FREED_BLOCK] = "freed-block",
	};

	return names[kind];
}

const char *fp_census_result_name(unsigned result)
{
	static const char *const names[FP_CENSUS_RESULTS] = {
	        [FP_CENSUS_WHOLE] = "whole",
	        [FP_CENSUS_PARTIAL] = "partial",
	        [FP_CENSUS_SKIPPED] = "skipped",
	};

	return names[result];
}

const char *fp_access_name(unsigned access)
{
	static const char *const names[FP_ACCESS_COUNT] = {
	        [FP_ACCESS_UNKNOWN] = "unknown",
	        [FP_ACCESS_READ] = "read",
	        [FP_ACCESS_WRITE] = "write",
	        [FP_ACCESS_FREE] = "free",
	};

	return names[access];
}

const char *fp_family_name(unsigned family)
{
	static const char *const names[FP_FAMILY_COUNT] = {
	        [FP_FAMILY_HOST] = "host",       [FP_FAMILY_MALLOC] = "malloc",
	        [FP_FAMILY_NEW] = "new",         [FP_FAMILY_NEW_ARRAY] = "new[]",
	        [FP_FAMILY_ALIGNED] = "aligned", [FP_FAMILY_ALIGNED_ARRAY] = "aligned",
	        [FP_FAMILY_VIRTUAL] = "virtual", [FP_FAMILY_POOL] = "pool",
	};

	return names[family];
}

const char *fp_tier_name(unsigned tier)
{
	static const char *const names[FP_TIER_COUNT] = {
	        [FP_TIER_GUARDED] = "guarded",
	        [FP_TIER_PADDED] = "padded",
	        [FP_TIER_PLAIN] = "plain",
	};

	return names[tier];
}

const char *fp_level_name(unsigned level)
{
	static const char *const names[FP_LEVEL_COUNT] = {
	        [FP_LEVEL_TASK] = "task",
	        [FP_LEVEL_APPDOMAIN] = "appdomain",
	        [FP_LEVEL_PROCESS] = "process",
	};

	return names[level];
}

const char *fp_page_state_name(unsigned state)
{
	static const char *const names[FP_PAGE_STATE_COUNT] = {
	        [FP_PAGE_GUARD] = "guard",         [FP_PAGE_RESERVED] = "reserved",
	        [FP_PAGE_COMMITTED] = "committed", [FP_PAGE_DECOMMITTED] = "decommitted",
	        [FP_PAGE_RELEASED] = "released",
	};

	return names[state];
}

const char *fp_page_protection_name(unsigned protection)
{
	switch (protection & 0xff) {
	case 0x01:
		return "PAGE_NOACCESS";
	case 0x02:
		return "PAGE_READONLY";
	case 0x04:
		return "PAGE_READWRITE";
	case 0x10:
		return "PAGE_EXECUTE";
	case 0x20:
		return "PAGE_EXECUTE_READ";
	case 0x40:
		return "PAGE_EXECUTE_READWRITE";
	default:
		return NULL;
	}
}

const char *fp_leak_class_name(unsigned class)
{
	static const char *const names[FP_LEAK_CLASS_COUNT] = {
	        [FP_LEAK_DEFINITE] = "definite",
	        [FP_LEAK_INDIRECT] = "indirect",
	        [FP_LEAK_POSSIBLE] = "possible",
	        [FP_LEAK_REACHABLE] = "reachable",
	};

	return names[class];
}

static const char *kind_name(unsigned kind)
{
	return infos[kind].name;
}

const struct fp_schema_words fp_schema_kinds = {FP_FINDING_COUNT, kind_name};
const struct fp_schema_words fp_schema_accesses = {FP_ACCESS_COUNT, fp_access_name};
const struct fp_schema_words fp_schema_tiers = {FP_TIER_COUNT, fp_tier_name};
const struct fp_schema_words fp_schema_families = {FP_FAMILY_COUNT, fp_family_name};
const struct fp_schema_words fp_schema_levels = {FP_LEVEL_COUNT, fp_level_name};
const struct fp_schema_words fp_schema_states = {FP_BLOCK_FREED + 1, NULL};
const struct fp_schema_words fp_schema_roles = {FP_PARTY_COUNT, fp_party_role_name};
const struct fp_schema_words fp_schema_page_states = {FP_PAGE_STATE_COUNT, fp_page_state_name};
const struct fp_schema_words fp_schema_holders = {FP_HOLDER_KINDS, fp_holder_kind_name};
const struct fp_schema_words fp_schema_census_results = {FP_CENSUS_RESULTS,
                                                         fp_census_result_name};
const struct fp_schema_words fp_schema_causes = {FP_CRASH_CAUSE_COUNT, fp_crash_name};
const struct fp_schema_words fp_schema_classes = {FP_LEAK_CLASS_COUNT, fp_leak_class_name};

const char *fp_block_place(const struct fp_block *block, uintptr_t address,
                           char buffer[FP_BLOCK_PLACE_MAX])
{
	bool is_before = address < block->address;
	bool is_inside = address - block->address < block->size;
	uint64_t distance = is_before   ? block->address - address
	                    : is_inside ? address - block->address
	                                : address - block->address - block->size;
	struct fp_text text;

	fp_text_begin(&text, buffer, FP_BLOCK_PLACE_MAX);
	fp_text_print(&text,
	              is_before   ? FP_TELL_BEFORE
	              : is_inside ? FP_TELL_INSIDE
	                          : FP_TELL_PAST,
	              FP_TEXT_COUNT(distance),
	              block->family == FP_FAMILY_VIRTUAL ? "region" : "block",
	              FP_TEXT_COUNT(block->size));
	return buffer;
}
