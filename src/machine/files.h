/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files of /proc and /sys, below the root that tests set. Private to the module.
 *
 * Context: report.
 */
#ifndef FP_MACHINE_FILES_H
#define FP_MACHINE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FP_MACHINE_PATH_MAX = 1024 };

/* open(2) of a path below the root. A descriptor or a negative errno. */
int fp_machine_open(const char *path, int flags);

/* Calls VISIT with each line, terminated, until it returns false. A line longer than the buffer
 * is cut. False when the file cannot be read. */
bool fp_machine_each_line(const char *path, bool (*visit)(char *line, void *user), void *user);

/* The number behind KEY, which begins a line ("" for the first); false when there is none, as
 * with "max". */
bool fp_machine_number(const char *path, const char *key, uint64_t *number);

/* The file, below the root, that tells of pressure on this process; false without one (in
 * cgroup.c). */
bool fp_machine_pressure_path(char path[FP_MACHINE_PATH_MAX]);

/* Narrows MEMORY, the machine's, to what the cgroups above this process leave (in cgroup.c). */
struct fp_machine_memory;
void fp_machine_limit(struct fp_machine_memory *memory);

#endif
