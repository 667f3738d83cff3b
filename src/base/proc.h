/* SPDX-License-Identifier: Apache-2.0
 *
 * The directory of /proc in which a process finds what it is made of. It is that of the calling
 * thread: in the one of the process the kernel answers for the main thread, and once that has
 * ended (pthread_exit in main) there are no maps, no memory, no descriptors and no program
 * there. Only the list of threads is in the process' own. Nothing else may name that directory
 * (tests/lint/proc.sh). Any context.
 *
 * A process that has restricted itself does not see it any more (chroot, Landlock, a filter, no
 * descriptor left). Somebody who does may read for it.
 */
#ifndef FP_BASE_PROC_H
#define FP_BASE_PROC_H

#include <stddef.h>
#include <sys/types.h>

#define FP_PROC_SELF "/proc/thread-self/"
#define FP_PROC_TASKS "/proc/self/task"

enum fp_proc_file {
	FP_PROC_FILE_MAPS,
	FP_PROC_FILE_THREADS, /* their numbers, each FP_PROC_NUMBER_BYTES wide with its newline
	                       */
	FP_PROC_FILE_HELD     /* the words of base/held.h */
};

enum { FP_PROC_NUMBER_BYTES = 8 };

/* At most SIZE bytes of FILE, from OFFSET on; how many, or a negative errno. Files are read
 * from their beginning, in order. */
typedef ssize_t (*fp_proc_reader)(enum fp_proc_file file, size_t offset, char *bytes,
                                  size_t size);

void fp_proc_set_reader(fp_proc_reader reader);

/* By whom was set; -ENOENT when nobody was. */
ssize_t fp_proc_read_elsewhere(enum fp_proc_file file, size_t offset, char *bytes, size_t size);

#endif
