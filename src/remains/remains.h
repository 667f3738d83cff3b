/* SPDX-License-Identifier: Apache-2.0
 *
 * What a core file has of a process that ran under Fencepost, as an event log: what the process
 * had to say itself, and answers to what is asked now. The file may be of another machine, cut
 * off, or made by somebody who means harm: each address, size and link in it is checked.
 *
 * Context: report. One file at a time, in one thread.
 */
#ifndef FP_REMAINS_REMAINS_H
#define FP_REMAINS_REMAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FP_REMAINS_REFUSAL_MAX = 256 };

struct fp_remains_question {
	const uint64_t *address; /* what is there; or NULL */
	bool wants_leaks;
	bool wants_blocks; /* the live ones by stack, as a snapshot */
};

/* Whether the file PATH is a core file. */
bool fp_remains_is_core(const char *path);

/* The events of the process in the core file PATH, with the answer to QUESTION, as a file in
 * memory: *FD is the caller's to close. 0; or a negative errno with the reason in REFUSAL. */
int fp_remains_read(const char *path, const struct fp_remains_question *question, int *fd,
                    char refusal[FP_REMAINS_REFUSAL_MAX]);

#endif
