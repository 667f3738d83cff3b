/* SPDX-License-Identifier: Apache-2.0
 *
 * A finding: one detected misuse, as plain data. Modules that detect fill one in and hand
 * it to the sink the session plugged into them; they never format or write.
 */
#ifndef FP_MODEL_FINDING_H
#define FP_MODEL_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/block.h"
#include "model/region.h"
#include "model/schema.h"

enum fp_finding_kind {
#define FP_FINDING(constant, name, cwe, severity, title) FP_FINDING_##constant,
#include "model/finding.def"
#undef FP_FINDING
	FP_FINDING_COUNT
};

struct fp_finding_traits {
	const char *name;     /* the word users and machines see, for example "double-free" */
	int cwe;              /* number in the Common Weakness Enumeration */
	const char *severity; /* "error" or "warning" */
	const char *title;    /* one phrase for people */
};

enum fp_access {
	FP_ACCESS_UNKNOWN,
	FP_ACCESS_READ,
	FP_ACCESS_WRITE,
	FP_ACCESS_FREE,
	FP_ACCESS_COUNT
};

enum {
	FP_EVIDENCE_MAX = 64,     /* changed bytes kept with a finding */
	FP_DESCRIPTION_MAX = 512, /* bytes of a description, terminating zero included */
	FP_THREAD_NAME_MAX = 16,  /* the kernel's TASK_COMM_LEN */
	FP_BIRTHS_MAX = 8         /* threads whose creation is told with a finding */
};

/* What the other party of a finding has to do with it. */
enum fp_party_role {
	FP_PARTY_NONE,
	FP_PARTY_INSIDE,   /* was inside the heap at the same time */
	FP_PARTY_HOLDER,   /* had locked the heap */
	FP_PARTY_RELEASER, /* had released the heap */
	FP_PARTY_FINDER,   /* had found the heap unusable */
	FP_PARTY_UNMAPPER, /* had unmapped the memory */
	FP_PARTY_POISONER, /* had poisoned the memory */
	FP_PARTY_COUNT
};

/* What can have a pointer to a block. */
enum fp_holder_kind {
	FP_HOLDER_MEMORY, /* that is mapped, and none of the others */
	FP_HOLDER_GLOBAL,
	FP_HOLDER_THREAD_LOCAL,
	FP_HOLDER_BLOCK,
	FP_HOLDER_STACK,
	FP_HOLDER_REGISTER,
	FP_HOLDER_FREED_BLOCK, /* when it was freed */
	FP_HOLDER_KINDS
};

/* How far the search for holders came. */
enum fp_census_result {
	FP_CENSUS_NONE, /* there was none, nor is it told why */
	FP_CENSUS_WHOLE,
	FP_CENSUS_PARTIAL,
	FP_CENSUS_SKIPPED,
	FP_CENSUS_RESULTS
};

/* What a program crashed of. */
enum fp_crash_cause {
#define FP_CRASH(constant, name, cwe) FP_CRASH_##constant,
#include "model/crash.def"
#undef FP_CRASH
	FP_CRASH_CAUSE_COUNT
};

typedef char fp_name_text[FP_THREAD_NAME_MAX];
typedef char fp_sentence_text[FP_DESCRIPTION_MAX];

/* The other party of a finding, if it has a role. */
struct fp_party {
	FP_PARTY_FIELDS(FP_VICTIM_, )
};

struct fp_census {
	FP_CENSUS_FIELDS(FP_VICTIM_, )
};

/* With a signal, of a crash, the rest of that is known. The block is meaningful with has_block,
 * the page if it has a state. The trace is FP_TRACE_NONE when the finding was made at exit. */
struct fp_finding {
	FP_FINDING_FIELDS(FP_VICTIM_, )
	int64_t offset;      /* address minus the block's start */
	const void *context; /* what a fault interrupted: the third argument of its handler */
};

/*
 * Where findings go. May run inside malloc and inside a signal handler: a sink must not
 * allocate from the heap that reports, and no lock of a lower layer is held while it runs.
 */
typedef void (*fp_finding_sink)(const struct fp_finding *finding, void *user);

/* Never NULL for a kind below FP_FINDING_COUNT. Any context. */
const struct fp_finding_traits *fp_finding_traits(enum fp_finding_kind kind);

/* "null-pointer" and the like, and its number in the Common Weakness Enumeration. Any context.
 */
const char *fp_crash_name(unsigned cause);
int fp_crash_cwe(enum fp_crash_cause cause);

/* "inside", "holder", "releaser", "finder", "unmapper", "poisoner", or NULL for FP_PARTY_NONE.
 * Any context. */
const char *fp_party_role_name(unsigned role);

/* "global", "block" and the like. Any context. */
const char *fp_holder_kind_name(unsigned kind);

/* "whole", "partial", "skipped", or NULL for FP_CENSUS_NONE. Any context. */
const char *fp_census_result_name(unsigned result);

/* "read", "write", "free" or "unknown". Any context. */
const char *fp_access_name(unsigned access);

#endif
