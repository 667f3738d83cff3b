/* SPDX-License-Identifier: Apache-2.0
 *
 * A report: the facts of one event log, its addresses turned into frames, as plain data that
 * every writer renders alike. It may have been read from a JSON report as well, and may be many
 * reports merged. Nothing here prints. A log may come from a crashed process, another machine
 * or an enemy: every count is bounded by the bytes that are there, and strings are any bytes.
 *
 * Context: report.
 */
#ifndef FP_REPORT_REPORT_H
#define FP_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/format.h"
#include "model/finding.h"
#include "model/schema.h"
#include "report/arena.h"
#include "symbol/symbol.h"

struct fp_report_images;

/* Bytes of the log, not terminated, not necessarily UTF-8. */
struct fp_report_string {
	const char *bytes;
	size_t size;
};

/* Whose members model/schema.def has. Traces become stacks in fp_report_resolve, NULL where
 * there is none; then names are found for registers, variables and what belongs to those, too.
 */
/* clang-format off */
#define FP_REPORT_STRUCT(name, FIELDS, least) struct fp_report_##name { FP_##FIELDS##_FIELDS(FP_REPORT_, ) };
FP_JSON_RECORDS(FP_REPORT_STRUCT)

struct fp_report_shares {
	struct fp_report_share *items;
	size_t count;
	struct fp_report_more_shares beyond;
};

FP_REPORT_STRUCT(party, PARTY, 0)
FP_REPORT_STRUCT(region_page, PAGE, 0)
FP_REPORT_STRUCT(census, CENSUS, 0)
FP_LOG_RECORDS(FP_REPORT_STRUCT)
FP_REPORT_STRUCT(finding, FINDING, 0)
/* clang-format on */

struct fp_report_module {
	uint64_t start;
	uint64_t end;
	uint64_t bias;
	struct fp_report_string path;
	struct fp_report_string build_id;
	bool is_own;                   /* part of Fencepost */
	bool has_sources;              /* the file is the one that ran: so are its sources */
	struct fp_symbol_image *image; /* NULL until asked for; not the module's own */
};

struct fp_report_frame {
	const struct fp_report_module *module; /* NULL when no module was there */
	uint64_t offset;                       /* in the module; the address without one */
	const struct fp_symbol_frame *symbol;  /* NULL when nothing is known */
	bool passes_on; /* what an allocator returned: learnt, or told by a JSON report */
};

/* Innermost first, without the frames of Fencepost itself that led it, and without those of the
 * C library's memory functions where one of them made the access. */
struct fp_report_stack {
	struct fp_report_frame *frames;
	size_t count;
	size_t shown;    /* frames down to main; the rest is how main came to be called */
	size_t passed;   /* innermost frames that only pass on a block, or are a helper's */
	size_t helper;   /* from 1: the frame that made the access for the place; or 0 */
	char within[24]; /* the memory function that made the access, for example "memcpy"; or
	                    "" */
	const struct fp_report_lines *source; /* around the frame that it stands for, when a
	                                         JSON report has them; or NULL */
};

struct fp_report_address {
	uint64_t address;
	int64_t module; /* index, or -1 */
};

struct fp_report_trace {
	uint32_t id;
	size_t order; /* in the log */
	size_t count;
	struct fp_report_address *addresses;
	struct fp_report_stack
	        *stacks[2]; /* [1]: the innermost address is exact; NULL: not asked */
};

/* DOORS has bits of enum fp_log_door. ARE_LEAKS_LOOKED_FOR: known to be, whatever the process
 * ended by. Where it IS_UNCOUNTED, protection and heap are 0. Findings stand by index, leaks
 * after fp_report_resolve the largest first, stacks of growth those that grew most first.
 * SNAPSHOT_SOURCE is not below source_count where it is of none that is listed. Without
 * sources this is no merged report; of MORE_SOURCES one more costs nothing. SUMMARY,
 * ARE_LEAKS_LISTED and HAS_SNAPSHOT_SOURCE are only set while JSON is written or read.
 * SUPPRESSIONS did something to it, or are NULL. */
struct fp_report {
	FP_PROCESS_FIELDS(FP_REPORT_, )
	FP_LEAK_CHECK_FIELDS(FP_REPORT_, )
	FP_REPORT_FIELDS(FP_REPORT_, )
	size_t shown;     /* findings with indices below were in the text when they were made */
	size_t sent;      /* findings with indices below were sent as lines then */
	bool is_of_leaks; /* and of nothing else: text for a test that is to say what it lost */
	struct fp_report_module *modules;
	size_t module_count;
	struct fp_report_explanation *explanation; /* or NULL */
	struct fp_report_trace *traces;            /* by id */
	size_t trace_count;
	uint64_t started;             /* seconds since 1970; 0: not known */
	struct fp_symbol_piece *made; /* code that a runtime made while it ran */
	size_t made_count;
	struct fp_symbol_image *made_image; /* NULL until asked for */
	bool is_check_off; /* no check was made: the program turned them off, or it failed */
	bool has_check_failed;
	bool is_exit_own;               /* the process itself said how it ends */
	struct fp_report_string *known; /* leaks that the program suppresses, a line each */
	size_t known_count;
	uint64_t suppressed;                   /* findings and leaks that were taken out */
	struct fp_report_arena snapshot_arena; /* stacks of the snapshots of a merged report */
	struct fp_report_arena arena;          /* lists, and what is not in an event log */
	struct fp_report_images *images;       /* what it was resolved with, or NULL */
	bool owns_images;
};

/*
 * Reads the event log of SIZE bytes at DATA, which must outlive the report. What is cut off or
 * damaged is left out and noted. 0; -EINVAL when this is no event log, -ENOTSUP when its
 * version is unknown, -ENOMEM.
 */
int fp_report_read(const void *data, size_t size, struct fp_report **report);

/*
 * The log of SIZE bytes at DATA, which REPORT was read from, with the names that its process
 * has left in /tmp for code that it made, of what stands in the log's stacks: in *NAMED, to be
 * freed, NULL when there are none. For a process that just ran, before its id is another's. 0
 * or -ENOMEM.
 */
int fp_report_name_made(const struct fp_report *report, const char *data, size_t *size,
                        char **named);

/* What is known of code that was made at ADDRESS, which is exact or behind a call, in *PLACE;
 * NULL when it is other code. 0 or -ENOMEM. */
int fp_report_find_made(struct fp_report *report, const struct fp_report_address *address,
                        bool is_exact, const struct fp_symbol_place **place);

/*
 * Turns addresses into frames, merges leaks of one stack and computes fingerprints. DEBUG_DIR
 * is where separate debug files stand. Call it once. 0 or -ENOMEM.
 */
int fp_report_resolve(struct fp_report *report, const char *debug_dir);

/* The same with IMAGES, which must outlive the report. */
int fp_report_resolve_with(struct fp_report *report, struct fp_report_images *images);

/* An empty set. DEBUG_DIR is where separate debug files stand. 0 or -ENOMEM. */
int fp_report_images_new(const char *debug_dir, struct fp_report_images **images);

/* Ends the life of every frame that was resolved with them. NULL is accepted. */
void fp_report_images_free(struct fp_report_images *images);

/* Closes all when there are many: each one costs memory and a descriptor. Only for when no
 * report is left that was resolved with them. */
void fp_report_images_trim(struct fp_report_images *images);

/* The file of MODULE, opened now or before, in *IMAGE. 0 or -ENOMEM. */
int fp_report_images_open(struct fp_report_images *images,
                          const struct fp_report_module *module,
                          struct fp_symbol_image **image);

/* The same for the stacks of snapshots, which few formats show and which are many: after
 * fp_report_resolve; a second call does nothing. */
int fp_report_resolve_snapshots(struct fp_report *report, const char *debug_dir);

/* The snapshot by stack that holds most bytes, or NULL. */
const struct fp_report_snapshot *fp_report_peak(const struct fp_report *report);

/* NULL is accepted. */
void fp_report_free(struct fp_report *report);

/* Adds a note made of a printf format. 0 or -ENOMEM. */
int fp_report_note(struct fp_report *report, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* How many sources have it, and how many there are. */
uint64_t fp_report_count_shares(const struct fp_report_shares *shares);
uint64_t fp_report_count_sources(const struct fp_report *report);

/*
 * The array ITEMS of COUNT items with room for one more, or NULL when out of memory. Only for
 * arrays that grow by one at a time through this function.
 */
void *fp_report_grow(void *items, size_t count, size_t item_size);

#endif
