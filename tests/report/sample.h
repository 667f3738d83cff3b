/* SPDX-License-Identifier: Apache-2.0
 *
 * One log with every record type, whose facts the tests of the report side know.
 */
#ifndef FP_TESTS_REPORT_SAMPLE_H
#define FP_TESTS_REPORT_SAMPLE_H

#include "encoder.h"
#include "model/finding.h"

enum {
	SAMPLE_OWN = 0x100000,     /* module of Fencepost itself, one page */
	SAMPLE_PROGRAM = 0x200000, /* "/nonexistent/plant", one page */
	SAMPLE_LIBRARY = 0x300000, /* "[engine]", one page */
	SAMPLE_TRACES = 4          /* ids 1 to 4; each led by a frame of Fencepost */
};

/* A finding's fields; zero is a possible value for each. The block, if there is one, is always
 * the same: 24 bytes at 0x7000, allocated by trace 2 and freed by trace 3. */
struct sample_finding {
	uint32_t index;
	enum fp_finding_kind kind;
	enum fp_access access;
	const char *thread_name;
	const char *description;
	uint32_t trace;
	const void *evidence;
	size_t evidence_size;
	int64_t evidence_offset;
	int has_block;
	uint8_t state;
	uint32_t site_line; /* in "engine.c"; 0 for no site */
	int is_held;        /* with holders */
	int is_fault;       /* not a call that returned HOST_E_INVALIDOPERATION */
	int is_evidence_last;
};

void encode_process(struct encoder *encoder, const char *executable, const char *argument);
void encode_setting(struct encoder *encoder, const char *key, const char *value);
void encode_snapshots(struct encoder *encoder);

/* Growth by trace 2 from 100 to 300 bytes, and by trace 4 from 0 to 120000, of nine snapshots;
 * three more stacks grew. */
void encode_growth(struct encoder *encoder);
void encode_totals(struct encoder *encoder);
void encode_note(struct encoder *encoder, const char *text);

/* The end of a complete log. */
void encode_exit(struct encoder *encoder, uint8_t how, uint32_t value);

void encode_finding(struct encoder *encoder, const struct sample_finding *finding);

/*
 * pid 4242, a double free found 3 times (traces 1: call, 2: allocation, 3: free), an overflow
 * found at exit with evidence and site, and leaks: 2 blocks of 200 bytes and 1 of 100 from
 * trace 2, 1 of 5000 from trace 4, 7 bytes reachable,
 * and snapshots: 300 bytes after 5 ms, 5300 from traces 2 and 4 after 12 ms.
 */
void encode_sample(struct encoder *encoder);

#endif
