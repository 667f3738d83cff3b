/* SPDX-License-Identifier: Apache-2.0
 *
 * A recording: what a process allocated and freed, in which order and on which threads, without
 * a single address. The same text is in fencepost-record(5), where programs that read one find
 * it.
 *
 * A recording is the eight bytes FP_RECORD_MAGIC, a u32 version, a u32 process id, a u32 id of
 * the parent process, a u32 zero, all little-endian, then events. A `number` is a LEB128: seven
 * bits a byte, the lowest first, the top bit set in all bytes but the last. An `offset` is a
 * number that is twice the value, or, for a negative one, minus twice the value minus one.
 *
 * An event is a byte, its head, and what that says:
 *   bits 0 and 1: the kind, enum fp_record_kind
 *   FP_RECORD_THREAD: number thread. Without it: that of the event before; at first 0.
 *   FP_RECORD_SKIP:   offset, the block's number minus what it would be without it: one more
 * than the highest so far. The first block is 1. FP_RECORD_TRAITS: u8 logarithm of the
 * alignment asked for (0: none), u8 family (enum fp_family), u8 level (enum fp_level), number
 * heap. They are those of this block and of those after it. At first: 0, FP_FAMILY_MALLOC,
 *                     FP_LEVEL_NONE, 1.
 * Then by kind:
 *   FP_RECORD_ALLOC:   number size in bytes
 *   FP_RECORD_REALLOC: number size in bytes, number of blocks back: a block that takes the
 * place of another one, whose FP_RECORD_FREE follows as an event of its own FP_RECORD_FREE:
 * number of blocks back FP_RECORD_END:     number of events before it; nothing follows Blocks
 * back are counted from the highest number so far, which itself is 0 back. As many back as that
 * number is a block 0: one that a parent process made before it forked this one.
 *
 * The order is that in which things happened, as far as a program can tell: a block's event
 * stands before those of everything that the program did once it had the block. A recording may
 * end anywhere (the process was killed, the disk was full): the whole events before that are
 * valid.
 */
#ifndef FP_RECORD_FORMAT_H
#define FP_RECORD_FORMAT_H

#define FP_RECORD_MAGIC "FENCEPRC"

enum { FP_RECORD_VERSION = 1, FP_RECORD_HEADER_BYTES = 24 };

enum fp_record_kind { FP_RECORD_END, FP_RECORD_ALLOC, FP_RECORD_FREE, FP_RECORD_REALLOC };

enum fp_record_flag {
	FP_RECORD_THREAD = 1 << 2,
	FP_RECORD_SKIP = 1 << 3,
	FP_RECORD_TRAITS = 1 << 4
};

#endif
