/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of the vocabulary's enums.
 */
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

const struct fp_crash_traits *fp_crash_traits(enum fp_crash_cause cause)
{
	static const struct fp_crash_traits causes[FP_CRASH_CAUSE_COUNT] = {
#define FP_CRASH(constant, name_, cwe_)                                                        \
	[FP_CRASH_##constant] = {.name = (name_), .cwe = (cwe_)},
#include "model/crash.def"
#undef FP_CRASH
	};

	return &causes[cause];
}

const char *fp_party_role_name(enum fp_party_role role)
{
	static const char *const names[FP_PARTY_COUNT] = {
	        [FP_PARTY_INSIDE] = "inside",
	        [FP_PARTY_HOLDER] = "holder",
	        [FP_PARTY_RELEASER] = "releaser",
	        [FP_PARTY_FINDER] = "finder",
	};

	return names[role];
}

const char *fp_access_name(enum fp_access access)
{
	static const char *const names[FP_ACCESS_COUNT] = {
	        [FP_ACCESS_UNKNOWN] = "unknown",
	        [FP_ACCESS_READ] = "read",
	        [FP_ACCESS_WRITE] = "write",
	        [FP_ACCESS_FREE] = "free",
	};

	return names[access];
}

const char *fp_family_name(enum fp_family family)
{
	static const char *const names[FP_FAMILY_COUNT] = {
	        [FP_FAMILY_HOST] = "host",       [FP_FAMILY_MALLOC] = "malloc",
	        [FP_FAMILY_NEW] = "new",         [FP_FAMILY_NEW_ARRAY] = "new[]",
	        [FP_FAMILY_ALIGNED] = "aligned", [FP_FAMILY_ALIGNED_ARRAY] = "aligned",
	        [FP_FAMILY_VIRTUAL] = "virtual",
	};

	return names[family];
}

const char *fp_tier_name(enum fp_tier tier)
{
	static const char *const names[FP_TIER_COUNT] = {
	        [FP_TIER_GUARDED] = "guarded",
	        [FP_TIER_PADDED] = "padded",
	        [FP_TIER_PLAIN] = "plain",
	};

	return names[tier];
}

const char *fp_level_name(enum fp_level level)
{
	static const char *const names[FP_LEVEL_COUNT] = {
	        [FP_LEVEL_TASK] = "task",
	        [FP_LEVEL_APPDOMAIN] = "appdomain",
	        [FP_LEVEL_PROCESS] = "process",
	};

	return names[level];
}

const char *fp_page_state_name(enum fp_page_state state)
{
	static const char *const names[FP_PAGE_STATE_COUNT] = {
	        [FP_PAGE_GUARD] = "guard",         [FP_PAGE_RESERVED] = "reserved",
	        [FP_PAGE_COMMITTED] = "committed", [FP_PAGE_DECOMMITTED] = "decommitted",
	        [FP_PAGE_RELEASED] = "released",
	};

	return names[state];
}

const char *fp_page_protection_name(uint32_t protection)
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
