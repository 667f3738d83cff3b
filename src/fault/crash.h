/* SPDX-License-Identifier: Apache-2.0
 *
 * Crashes: the parts of that finding. Private to the module but for fp_fault_report_crash,
 * which is declared in fault.h.
 *
 * Context: fault.
 */
#ifndef FP_FAULT_CRASH_H
#define FP_FAULT_CRASH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/maps.h"
#include "base/text.h"
#include "fault/access.h"
#include "model/finding.h"

/* What the judgement is made of. */
struct fp_crash_scene {
	int signal;
	int code;
	bool has_address; /* the kernel says what was accessed */
	bool is_sent;     /* by a process, or by the program itself: kill, raise, abort */
	bool is_own;      /* by this process */
	struct fp_fault_access access;
	uintptr_t stack; /* the stack pointer; 0: not known */
	bool is_place_known;
	struct fp_maps_place place;  /* at the address */
	struct fp_maps_place behind; /* what follows that */
};

/* A pure function of SCENE. */
enum fp_crash_cause fp_crash_judge(const struct fp_crash_scene *scene);

/* What the program's stack has in bytes, if SCENE is one that is full. */
uint64_t fp_crash_stack_bytes(const struct fp_crash_scene *scene);

/* How far ADDRESS is from null, or INT64_MAX when it is not near. */
int64_t fp_crash_null_offset(uintptr_t address);

/* The sentence of FINDING, whose other facts are known. INFO and CONTEXT are the handler's
 * arguments; DEPTH: frames of a stack that is full. */
struct fp_crash_signal {
	const siginfo_t *info;
	const void *context;
	uint64_t depth;
};
void fp_crash_say(struct fp_finding *finding, const struct fp_crash_scene *scene,
                  const struct fp_crash_signal *signal);

/* Appends where ADDRESS stands in or beside a block, freed or not; false: beside none. */
bool fp_crash_say_block(struct fp_text *text, uintptr_t address);

/* Appends that SIGNAL came of the program's handler. */
void fp_crash_say_handled(struct fp_finding *finding, int signal);

/* Appends that it is a child of vfork that dies. */
void fp_crash_say_guest(struct fp_finding *finding);

enum { FP_CRASH_MESSAGE_MAX = 1024, FP_CRASH_EXCEPTION_MAX = 256 };

/* What was said by who aborts. */
struct fp_crash_words {
	char message[FP_CRASH_MESSAGE_MAX];     /* of the C library, or what() says; or "" */
	char exception[FP_CRASH_EXCEPTION_MAX]; /* the type of one that nobody caught, mangled;
	                                           or "" */
};

/* TRACE is that of the thread that aborts, which calls this. */
void fp_crash_take_last_words(struct fp_crash_words *words, fp_trace_id trace);

#endif
