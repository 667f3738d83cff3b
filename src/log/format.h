/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log: what the victim writes and `fencepost report` reads. The same text is in
 * fencepost-events(5).
 *
 * A log is the eight bytes FP_LOG_MAGIC, a u32 version, a u32 zero, then records. A record
 * is a u16 type, a u16 zero, a u32 payload length in bytes, and the payload. All integers are
 * little-endian and unpadded. `str` and `bytes` are a u32 length and that many bytes, without
 * a terminating zero. A reader skips record types it does not know and payload bytes beyond
 * the fields it knows: fields are only ever appended.
 *
 * A log may end anywhere (the process was killed, the disk is full): what stands before the
 * end is valid. Only FP_LOG_END says that nothing is missing.
 */
#ifndef FP_LOG_FORMAT_H
#define FP_LOG_FORMAT_H

#define FP_LOG_MAGIC "FENCEPEV"

/* What the name of the mapping begins with that says which signal a process answers with its
 * events, and of the abstract socket that it sends them to. A number follows. */
#define FP_LOG_ANSWERS "fencepost-leaks-"

enum { FP_LOG_VERSION = 1, FP_LOG_HEADER_BYTES = 16, FP_LOG_RECORD_HEADER_BYTES = 8 };

enum fp_log_type {
	/* u32 pid, u32 ppid, u32 page bytes, str version of the library, str executable,
	 * u32 argc, argc times str, u64 when it began, in seconds since 1970 */
	FP_LOG_PROCESS = 1,
	/* str key, str value: one effective option */
	FP_LOG_SETTING = 2,
	/* u64 start, u64 end, u64 bias (run-time address minus the file's), str path,
	 * bytes build-id, u8 is Fencepost's own. Addresses of the executable mapping; a later
	 * module at the same addresses replaces the earlier one for records after it. */
	FP_LOG_MODULE = 3,
	/* u32 id, u32 n, n times u64 return address, innermost first; 1 as the last of them:
	 * the callers further out are not known. Precedes every record that names the id; id 0
	 * is "no trace". Of several with one id the first counts: the modules of its addresses
	 * may have been unloaded since. The innermost address of a fault's own trace is the
	 * faulting instruction itself: see the flag in FP_LOG_FINDING. 2 in between: frames are
	 * left out there.
	 */
	FP_LOG_TRACE = 4,
	/* FP_FINDING_FIELDS of model/schema.def, where `since` is the order; records and arrays
	 * of the table stand within, an array after a u32 count */
	FP_LOG_FINDING = 5,
	/* u32 index, u64 count: how often that finding was made so far; the last one counts.
	 * A finding without one was made once. */
	FP_LOG_FINDING_COUNT_IS = 6,
	/* FP_LEAK_FIELDS: blocks of one allocation stack that were never freed */
	FP_LOG_LEAK = 7,
	/* FP_PROTECTION_FIELDS */
	FP_LOG_PROTECTION = 8,
	/* FP_HEAP_FIELDS */
	FP_LOG_HEAP = 9,
	/* str text: one sentence on what was lost or degraded, and how to get it back */
	FP_LOG_NOTE = 10,
	/* u8 how (enum fp_log_exit), u8 whether the process itself says so, u8[2] zero, i32
	 * exit code or signal number */
	FP_LOG_EXIT = 11,
	/* empty; the log is complete */
	FP_LOG_END = 12,
	/* FP_SNAPSHOT_FIELDS: the heap at one moment, by allocation stack */
	FP_LOG_SNAPSHOT = 13,
	/* FP_FAILED_FIELDS: allocations of one stack that failed because fail_alloc chose them;
	 * trace 0: of all other stacks. Of several with one serial the last counts */
	FP_LOG_FAILED_ALLOC = 14,
	/* Leaks were looked for, and the FP_LOG_LEAK records that follow, up to the next one of
	 * this type, are all there are; they replace those before. u8 flags (enum fp_log_check)
	 */
	FP_LOG_LEAK_CHECK = 15,
	/* FP_GROWTH_FIELDS: growth was looked for, and the FP_LOG_GROWING records that follow,
	 * up to the next one of this type, are all there are; they replace those before */
	FP_LOG_GROWTH = 16,
	/* FP_GROWING_FIELDS: an allocation stack whose live bytes never fell from one of these
	 * snapshots to the next, and rose */
	FP_LOG_GROWING = 17,
	/* str text: a line in LeakSanitizer's syntax, of leaks that the program says it knows
	 */
	FP_LOG_SUPPRESSION = 18,
	/* u8 doors: by what the program came in so far, bits of enum fp_log_door; the last one
	 * counts */
	FP_LOG_DOORS = 19,
	/* FP_EXPLANATION_FIELDS: the answer to who asked about an address; never in a file */
	FP_LOG_EXPLANATION = 20,
	/* FP_HELD_FIELDS: of an allocation stack that an FP_LOG_GROWING record before names */
	FP_LOG_HELD = 21,
	/* u64 start, u64 bytes, str name: code that a runtime made while it ran. Not the
	 * process itself writes it, but who reads the log right after it, before all other
	 * records. Of several at one address the last counts. */
	FP_LOG_MADE = 22,
};

/* In the number of a request: who asks sends an address (u64) first, and wants to know of that
 * alone. */
#define FP_LOG_ASKS_ABOUT_ADDRESS ((uint64_t)1 << 60)

enum fp_log_door { FP_LOG_DOOR_HOST = 1, FP_LOG_DOOR_MALLOC = 2 };

enum fp_log_check {
	FP_LOG_CHECK_REPEATED = 1, /* another check was made before */
	FP_LOG_CHECK_NEWS = 2,  /* somebody asks again and again: what is new is to be told */
	FP_LOG_CHECK_OFF = 4,   /* none was made: the program has turned them off */
	FP_LOG_CHECK_FAILED = 8 /* none could be made; a note says why */
};

enum fp_log_exit { FP_LOG_EXIT_UNKNOWN, FP_LOG_EXIT_CODE, FP_LOG_EXIT_SIGNAL };

#endif
