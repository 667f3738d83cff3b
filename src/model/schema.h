/* SPDX-License-Identifier: Apache-2.0
 *
 * Structs and tables out of schema.def. `struct fp_x { FP_X_FIELDS(FP_VICTIM_, ) };` is what
 * the process under test fills in, FP_REPORT_ makes the report's, FP_ROW_ and FP_VICTIM_ROW_
 * the rows of their tables. A type is one line here: the victim's, the report's, what stands
 * for both in JSON, the bytes in the log, and the words or the record it is of.
 *
 * Context: alloc.
 */
#ifndef FP_MODEL_SCHEMA_H
#define FP_MODEL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/schema.def"

enum fp_schema_form {
	FP_SCHEMA_NUMBER, /* of JSON */
	FP_SCHEMA_PEAK,   /* a number of which a merged report has the largest, not the sum */
	FP_SCHEMA_ID,     /* 0 is null */
	FP_SCHEMA_SIGNED,
	FP_SCHEMA_HEX,
	FP_SCHEMA_FLAG,
	FP_SCHEMA_THERE, /* no bytes: whether the record of the log goes on here */
	FP_SCHEMA_ENUM,
	FP_SCHEMA_PROTECTION,
	FP_SCHEMA_HRESULT,
	FP_SCHEMA_TEXT,
	FP_SCHEMA_PATH, /* as a text; a pointer in the victim */
	FP_SCHEMA_WORD, /* as a text; empty is null */
	FP_SCHEMA_BYTES,
	FP_SCHEMA_TRACE,
	FP_SCHEMA_RECORD,
	FP_SCHEMA_BLOCK, /* a record; the victim has it otherwise */
	FP_SCHEMA_ARRAY,
	FP_SCHEMA_NAMED, /* an array; in JSON an object */
	FP_SCHEMA_MAP,   /* the same: an item is a name and its value */
	FP_SCHEMA_SIGNAL,
	/* Only in JSON. */
	FP_SCHEMA_FINGERPRINT,
	FP_SCHEMA_SHARES,
	FP_SCHEMA_CWE,
	FP_SCHEMA_SEVERITY,
	FP_SCHEMA_THROUGH,
	FP_SCHEMA_CREATED, /* only where it is known */
	FP_SCHEMA_RISE,    /* what its points come to, beside it */
	FP_SCHEMA_STRINGS,
	FP_SCHEMA_CHARS,   /* a pointer to what is terminated; NULL is null */
	FP_SCHEMA_DATE,    /* the same in the record itself */
	FP_SCHEMA_SETTING, /* a text; in JSON a number, where it is one */
	FP_SCHEMA_EXIT,
	FP_SCHEMA_DOOR, /* what a newer version calls otherwise is left out */
	FP_SCHEMA_SUPPRESSIONS,
};

/* Whatever a pointer in a struct is to. */
typedef void *__attribute__((may_alias)) fp_schema_pointer;

/* An enum, whose numbers are below COUNT. */
struct fp_schema_words {
	unsigned count;
	const char *(*name_of)(unsigned number); /* NULL for what has no name */
};

struct fp_schema_field {
	const char *key;
	const void *of; /* the words, the record, or the record of an array's items */
	uint8_t form;   /* enum fp_schema_form */
	uint8_t since;
	uint8_t bytes; /* in the log */
	uint8_t has_size;
	bool is_optional; /* in JSON it has no name while it is not there */
	uint16_t offset;
	uint16_t size;
	uint16_t more; /* offset: of the stack of a trace, the count of an array, the value of
	                  an exit, the victim's size of bytes */
	uint16_t has;  /* offset of what is not zero when this is there */
};

struct fp_schema_record {
	const struct fp_schema_field *fields;
	uint16_t count;
	uint16_t size; /* of the struct */
	uint8_t least; /* what has a smaller or equal SINCE is in every log */
};

extern const struct fp_schema_words fp_schema_kinds, fp_schema_accesses, fp_schema_tiers,
        fp_schema_families, fp_schema_levels, fp_schema_states, fp_schema_roles,
        fp_schema_page_states, fp_schema_classes, fp_schema_causes, fp_schema_holders,
        fp_schema_census_results;

/* clang-format off */
#define FP_TYPE_U32 uint32_t, uint32_t, NUMBER, 4, NULL
#define FP_TYPE_U64 uint64_t, uint64_t, NUMBER, 8, NULL
#define FP_TYPE_PEAK uint64_t, uint64_t, PEAK, 8, NULL
#define FP_TYPE_I64 int64_t, int64_t, SIGNED, 8, NULL
#define FP_TYPE_I32 int32_t, int32_t, SIGNED, 4, NULL
#define FP_TYPE_SIGNAL uint32_t, uint32_t, SIGNAL, 4, NULL
#define FP_TYPE_CAUSE enum fp_crash_cause, enum fp_crash_cause, ENUM, 1, &fp_schema_causes
#define FP_TYPE_ID uint32_t, uint32_t, ID, 4, NULL
#define FP_TYPE_ADDRESS uintptr_t, uint64_t, HEX, 8, NULL
#define FP_TYPE_FLAG bool, bool, FLAG, 1, NULL
#define FP_TYPE_FLAG_4 bool, bool, FLAG, 4, NULL
#define FP_TYPE_THERE bool, bool, THERE, 0, NULL
#define FP_TYPE_HRESULT int32_t, int32_t, HRESULT, 4, NULL
#define FP_TYPE_PAGE_FLAGS uint32_t, uint32_t, PROTECTION, 4, NULL
#define FP_TYPE_NAME fp_name_text, struct fp_report_string, TEXT, 0, NULL
#define FP_TYPE_SENTENCE fp_sentence_text, struct fp_report_string, TEXT, 0, NULL
#define FP_TYPE_PATH const char *, struct fp_report_string, PATH, 0, NULL
#define FP_TYPE_WORD const char *, struct fp_report_string, WORD, 0, NULL
#define FP_TYPE_KIND enum fp_finding_kind, enum fp_finding_kind, ENUM, 1, &fp_schema_kinds
#define FP_TYPE_ACCESS enum fp_access, enum fp_access, ENUM, 1, &fp_schema_accesses
#define FP_TYPE_TIER enum fp_tier, enum fp_tier, ENUM, 1, &fp_schema_tiers
#define FP_TYPE_FAMILY enum fp_family, enum fp_family, ENUM, 1, &fp_schema_families
#define FP_TYPE_LEVEL enum fp_level, enum fp_level, ENUM, 1, &fp_schema_levels
#define FP_TYPE_LEVEL_2 enum fp_level, enum fp_level, ENUM, 2, &fp_schema_levels
#define FP_TYPE_LEVEL_3 enum fp_level, enum fp_level, ENUM, 3, &fp_schema_levels
#define FP_TYPE_STATE enum fp_block_state, enum fp_block_state, ENUM, 1, &fp_schema_states
#define FP_TYPE_ROLE enum fp_party_role, enum fp_party_role, ENUM, 1, &fp_schema_roles
#define FP_TYPE_PAGE_STATE enum fp_page_state, enum fp_page_state, ENUM, 1, &fp_schema_page_states
#define FP_TYPE_CLASS enum fp_leak_class, enum fp_leak_class, ENUM, 1, &fp_schema_classes
#define FP_TYPE_SITE struct fp_log_site, struct fp_report_site, RECORD, 0, FP_SCHEMA_OF(site)
#define FP_TYPE_BLOCK struct fp_block, struct fp_report_block, BLOCK, 0, FP_SCHEMA_OF(block)
#define FP_TYPE_PARTY struct fp_party, struct fp_report_party, RECORD, 0, FP_SCHEMA_OF(party)
#define FP_TYPE_PAGE struct fp_page, struct fp_report_region_page, RECORD, 0, FP_SCHEMA_OF(page)
#define FP_TYPE_HOLDER enum fp_holder_kind, enum fp_holder_kind, ENUM, 1, &fp_schema_holders
#define FP_TYPE_CENSUS_RESULT enum fp_census_result, enum fp_census_result, ENUM, 1, &fp_schema_census_results
#define FP_TYPE_HELD_BLOCK struct fp_log_block, struct fp_report_block, RECORD, 0, FP_SCHEMA_OF(block)
#define FP_TYPE_CENSUS struct fp_census, struct fp_report_census, RECORD, 0, FP_SCHEMA_OF(census)
#define FP_TYPE_AGE struct fp_log_age, struct fp_report_age, RECORD, 0, FP_SCHEMA_OF(age)
#define FP_TYPE_NEWS struct fp_log_news, struct fp_report_news, RECORD, 0, FP_SCHEMA_OF(news)
#define FP_TYPE_LINE void, struct fp_report_line, RECORD, 0, FP_SCHEMA_OF(line)
#define FP_TYPE_UNLISTED void, struct fp_report_unlisted, RECORD, 0, FP_SCHEMA_OF(unlisted)
#define FP_TYPE_FINGERPRINT uint64_t, uint64_t, FINGERPRINT, 0, NULL
#define FP_TYPE_SHARES void, struct fp_report_shares, SHARES, 0, NULL
#define FP_TYPE_CWE void, void, CWE, 0, NULL
#define FP_TYPE_SEVERITY void, void, SEVERITY, 0, NULL
#define FP_TYPE_THROUGH void, void, THROUGH, 0, NULL
#define FP_TYPE_CREATED void, void, CREATED, 0, NULL
#define FP_TYPE_RISE void, void, RISE, 0, NULL
#define FP_TYPE_CHARS void, const char *, CHARS, 0, NULL
#define FP_TYPE_DATE void, fp_report_date, DATE, 0, NULL
#define FP_TYPE_SETTING void, struct fp_report_string, SETTING, 0, NULL
#define FP_TYPE_DOOR void, uint8_t, DOOR, 0, &fp_report_doors
#define FP_TYPE_SUPPRESSION_STATE void, enum fp_report_suppression_state, ENUM, 0, &fp_report_suppression_states
#define FP_TYPE_SUPPRESSIONS void, const struct fp_report_suppressions *, SUPPRESSIONS, 0, NULL
#define FP_TYPE_LINES void, struct fp_report_lines, RECORD, 0, FP_SCHEMA_OF(lines)
#define FP_TYPE_PROTECTION void, struct fp_report_protection, RECORD, 0, FP_SCHEMA_OF(protection)
#define FP_TYPE_HEAP void, struct fp_report_heap, RECORD, 0, FP_SCHEMA_OF(heap)
#define FP_TYPE_GROWTH void, struct fp_report_growth, RECORD, 0, FP_SCHEMA_OF(growth)
#define FP_TYPE_SUMMARY void, struct fp_report_summary, RECORD, 0, FP_SCHEMA_OF(summary)
#define FP_TYPE_PROCESS void, void, RECORD, 0, FP_SCHEMA_OF(process)
#define FP_TYPE_LEAK_CHECK void, void, RECORD, 0, FP_SCHEMA_OF(leak_check)

/* One part of a type. */
#define FP_OF_VICTIM(...) FP_OF_VICTIM_(__VA_ARGS__)
#define FP_OF_VICTIM_(victim, report, form_, bytes_, of_) victim
#define FP_OF_REPORT(...) FP_OF_REPORT_(__VA_ARGS__)
#define FP_OF_REPORT_(victim, report, form_, bytes_, of_) report
#define FP_OF_ROW(...) FP_OF_ROW_(__VA_ARGS__)
#define FP_OF_ROW_(victim, report, form_, bytes_, of_) \
	.form = FP_SCHEMA_##form_, .bytes = (bytes_), .of = (of_)

#define FP_VICTIM_FIELD(X, since_, type, member, key_, text) FP_OF_VICTIM(FP_TYPE_##type) member;
#define FP_VICTIM_WHERE(X, since_, type, member, key_, has_, text) FP_OF_VICTIM(FP_TYPE_##type) member;
#define FP_VICTIM_TRACE(X, since_, of_, key_, text) fp_trace_id of_##trace;
#define FP_VICTIM_MAYBE(X, since_, of_, key_, has_, text) fp_trace_id of_##trace;
#define FP_VICTIM_BYTES(X, since_, member, key_, has_, text) \
	uint8_t member[FP_EVIDENCE_MAX]; \
	uint32_t member##_size;
#define FP_VICTIM_ARRAY(X, since_, item, members, count_, key_, text) \
	const struct fp_log_##item *members; \
	uint32_t count_;
#define FP_VICTIM_WHEN FP_VICTIM_WHERE
#define FP_VICTIM_LIST FP_VICTIM_ARRAY
#define FP_VICTIM_NAMED FP_VICTIM_ARRAY
#define FP_VICTIM_ADDED(X, since_, type, member, key_, text)
#define FP_VICTIM_TOLD(X, type, member, key_, text)
#define FP_VICTIM_HELD(X, item, members, count_, key_, text)
#define FP_VICTIM_MAP FP_VICTIM_ARRAY

#define FP_REPORT_FIELD(X, since_, type, member, key_, text) FP_OF_REPORT(FP_TYPE_##type) member;
#define FP_REPORT_WHERE(X, since_, type, member, key_, has_, text) FP_OF_REPORT(FP_TYPE_##type) member;
#define FP_REPORT_TRACE(X, since_, of_, key_, text) \
	uint32_t of_##trace; \
	const struct fp_report_stack *of_##stack;
#define FP_REPORT_MAYBE(X, since_, of_, key_, has_, text) FP_REPORT_TRACE(X, since_, of_, key_, text)
#define FP_REPORT_BYTES(X, since_, member, key_, has_, text) struct fp_report_string member;
#define FP_REPORT_ARRAY(X, since_, item, members, count_, key_, text) \
	struct fp_report_##item *members; \
	size_t count_;
#define FP_REPORT_WHEN FP_REPORT_WHERE
#define FP_REPORT_LIST FP_REPORT_ARRAY
#define FP_REPORT_NAMED FP_REPORT_ARRAY
#define FP_REPORT_ADDED(X, since_, type, member, key_, text) FP_OF_REPORT(FP_TYPE_##type) member;
#define FP_REPORT_TOLD(X, type, member, key_, text)
#define FP_REPORT_HELD(X, item, members, count_, key_, text) FP_REPORT_ARRAY(X, 0, item, members, count_, key_, text)
#define FP_REPORT_MAP FP_REPORT_ARRAY
#define FP_REPORT_STRINGS(X, members, count_, key_, text) \
	struct fp_report_string *members; \
	size_t count_;
#define FP_REPORT_EXIT(X, how, value, key_, text) \
	enum fp_log_exit how; \
	int32_t value;
#define FP_REPORT_SAME(X, type, key_, text)

#define FP_MEMBER(X, member) .offset = offsetof(X, member), .size = sizeof(((X *)NULL)->member)
#define FP_HAS(X, has_) .has = offsetof(X, has_), .has_size = sizeof(((X *)NULL)->has_)
#define FP_ROW_FIELD(X, since_, type, member, key_, text) \
	{.key = (key_), .since = (since_), FP_MEMBER(X, member), FP_OF_ROW(FP_TYPE_##type)},
#define FP_ROW_WHERE(X, since_, type, member, key_, has_, text) \
	{.key = (key_), .since = (since_), FP_MEMBER(X, member), FP_HAS(X, has_), FP_OF_ROW(FP_TYPE_##type)},
#define FP_ROW_TRACE(X, since_, of_, key_, text) \
	{.key = (key_), .since = (since_), FP_MEMBER(X, of_##trace), .more = offsetof(X, of_##stack), \
	 .form = FP_SCHEMA_TRACE, .bytes = 4},
#define FP_ROW_MAYBE(X, since_, of_, key_, has_, text) \
	{.key = (key_), .since = (since_), FP_MEMBER(X, of_##trace), .more = offsetof(X, of_##stack), \
	 FP_HAS(X, has_), .form = FP_SCHEMA_TRACE, .bytes = 4},
#define FP_ROW_BYTES(X, since_, member, key_, has_, text) \
	{.key = (key_), .since = (since_), FP_MEMBER(X, member), FP_HAS(X, has_), .form = FP_SCHEMA_BYTES},
#define FP_ROW_ARRAY(X, since_, item, members, count_, key_, text) \
	{.key = (key_), .since = (since_), FP_MEMBER(X, members), .more = offsetof(X, count_), \
	 .form = FP_SCHEMA_ARRAY, .of = FP_SCHEMA_OF(item)},
#define FP_ROW_WHEN(X, since_, type, member, key_, has_, text) \
	{.key = (key_), .since = (since_), FP_MEMBER(X, member), FP_HAS(X, has_), .is_optional = true, \
	 FP_OF_ROW(FP_TYPE_##type)},
#define FP_ROW_LIST(X, since_, item, members, count_, key_, text) \
	FP_ROW_ITEMS(X, since_, item, members, count_, key_, ARRAY)
#define FP_ROW_NAMED(X, since_, item, members, count_, key_, text) \
	FP_ROW_ITEMS(X, since_, item, members, count_, key_, NAMED)
#define FP_ROW_ITEMS(X, since_, item, members, count_, key_, form_) \
	{.key = (key_), .since = (since_), FP_MEMBER(X, members), .more = offsetof(X, count_), FP_HAS(X, count_), \
	 .is_optional = true, .form = FP_SCHEMA_##form_, .of = FP_SCHEMA_OF(item)},
#define FP_ROW_ADDED(X, since_, type, member, key_, text) FP_ROW_FIELD(X, since_, type, member, key_, text)
#define FP_ROW_TOLD(X, type, member, key_, text) FP_ROW_FIELD(X, 0, type, member, key_, text)
#define FP_ROW_HELD(X, item, members, count_, key_, text) FP_ROW_ARRAY(X, 0, item, members, count_, key_, text)
#define FP_ROW_MAP(X, since_, item, members, count_, key_, text) \
	{.key = (key_), .since = (since_), FP_MEMBER(X, members), .more = offsetof(X, count_), .form = FP_SCHEMA_MAP, \
	 .of = FP_SCHEMA_OF(item)},
#define FP_ROW_STRINGS(X, members, count_, key_, text) \
	{.key = (key_), FP_MEMBER(X, members), .more = offsetof(X, count_), .form = FP_SCHEMA_STRINGS},
#define FP_ROW_EXIT(X, how, value, key_, text) \
	{.key = (key_), FP_MEMBER(X, how), .more = offsetof(X, value), .form = FP_SCHEMA_EXIT},
#define FP_ROW_SAME(X, type, key_, text) {.key = (key_), FP_OF_ROW(FP_TYPE_##type)},

/* Rows of the victim's struct: all of it is always there. */
#define FP_VICTIM_ROW_FIELD FP_ROW_FIELD
#define FP_VICTIM_ROW_WHERE(X, since_, type, member, key_, has_, text) \
	FP_ROW_FIELD(X, since_, type, member, NULL, text)
#define FP_VICTIM_ROW_TRACE(X, since_, of_, key_, text) FP_ROW_FIELD(X, since_, U32, of_##trace, NULL, text)
#define FP_VICTIM_ROW_MAYBE(X, since_, of_, key_, has_, text) FP_ROW_FIELD(X, since_, U32, of_##trace, NULL, text)
#define FP_VICTIM_ROW_BYTES(X, since_, member, key_, has_, text) \
	{.since = (since_), FP_MEMBER(X, member), .more = offsetof(X, member##_size), .form = FP_SCHEMA_BYTES},
#define FP_VICTIM_ROW_ARRAY FP_ROW_ARRAY
#define FP_VICTIM_ROW_WHEN FP_VICTIM_ROW_WHERE
#define FP_VICTIM_ROW_LIST FP_ROW_LIST
#define FP_VICTIM_ROW_NAMED FP_ROW_NAMED
#define FP_VICTIM_ROW_ADDED(X, since_, type, member, key_, text)
#define FP_VICTIM_ROW_TOLD(X, type, member, key_, text)
#define FP_VICTIM_ROW_HELD(X, item, members, count_, key_, text)
#define FP_VICTIM_ROW_MAP FP_ROW_MAP

/* The table that LIST and M make for STRUCT; see `least`. */
#define FP_SCHEMA(LIST, M, STRUCT, least_) \
	{.fields = (const struct fp_schema_field[]){LIST(M, STRUCT)}, \
	 .count = sizeof((const struct fp_schema_field[]){LIST(M, STRUCT)}) / sizeof(struct fp_schema_field), \
	 .size = sizeof(STRUCT), \
	 .least = (least_)}
/* clang-format on */

enum { FP_SCHEMA_SINCE_MAX = 32 };

/* The field that is so many-th in records of the log, or NULL. */
static inline const struct fp_schema_field *
fp_schema_find(const struct fp_schema_record *record, unsigned since)
{
	for (size_t i = 0; i < record->count; i++)
		if (record->fields[i].since == since)
			return &record->fields[i];
	return NULL;
}

/* A member that is a number, a flag or an enum. */
static inline uint64_t fp_schema_load(const void *from, size_t size)
{
	switch (size) {
	case 1:
		return *(const uint8_t *)from;
	case 4:
		return *(const uint32_t *)from;
	default:
		return *(const uint64_t *)from;
	}
}

#endif
