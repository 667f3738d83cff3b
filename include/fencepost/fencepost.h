/* SPDX-License-Identifier: Apache-2.0
 *
 * Fencepost's own interface: a memory manager for a host, and questions to the debugging heap
 * behind it. The names in this header are Fencepost's; those in hosting.h are the SDK's.
 *
 * Options are `key=value` pairs separated by ':', for example "backend=guard:json=report.json";
 * fencepost-options(7) lists them. When the process ends, a report of findings and leaks goes
 * to standard error and to the files the options name; the process itself keeps its exit
 * status.
 *
 * Every function may be called on any thread, and none may be called from a signal handler.
 * Before the first successful fp_create_memory_manager() there is no session: the functions
 * below it then say "nothing found" and change nothing.
 */
#ifndef FENCEPOST_FENCEPOST_H
#define FENCEPOST_FENCEPOST_H

#include <stddef.h>
#include <stdint.h>
#ifndef __cplusplus
#include <stdbool.h>
#endif

#include <fencepost/hosting.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header; reports carry the version of the library. */
#define FP_VERSION_STRING "0.1.0"

/*
 * The memory manager of this process, in *manager, with a reference that the caller owns.
 * Release it like any interface; the report does not depend on it.
 *
 * options: "key=value:..." or NULL for the defaults; copied. A process has one session, so the
 * first successful call fixes the options; later calls must pass the same text or NULL. The
 * environment variable FENCEPOST_OPTIONS, in the same form, overrides single keys. It is
 * ignored in programs that gained privileges when they were executed (AT_SECURE).
 *
 * S_OK           *manager is set
 * E_INVALIDARG   an unknown key, a bad value, a report file that cannot be written, a back end
 *                that does not work here, or options that differ from the session's; one line
 *                on standard error says which, and what would be valid
 * E_OUTOFMEMORY  no memory for the session
 * E_POINTER      manager is NULL
 * On every failure *manager is NULL; the call may be repeated with better options.
 */
FP_API HRESULT fp_create_memory_manager(const char *options, IHostMemoryManager **manager);

/*
 * For a host that begins with IHostControl: one whose GetHostManager gives the manager that
 * fp_create_memory_manager(options) would, in *control, with a reference that the caller owns.
 * The same options and results; the session starts here, not when the manager is asked for.
 */
FP_API HRESULT fp_create_host_control(const char *options, IHostControl **control);

/*
 * How many distinct findings were made so far. The same misuse at the same place is one
 * finding, however often it happens. Leaks are not findings.
 */
FP_API size_t fp_finding_count(void);

/*
 * Write the report of everything up to now to the open descriptor fd, which stays open, and go
 * on. Other threads keep running, so the blocks that are live may change meanwhile; they are
 * listed as leaks like at exit. Starts the fencepost program: not for use between fork and
 * exec.
 *
 * format: "text" or a key of an output option: "json", "html", "folded" and so on.
 *
 * Returns 0, or a negative errno: -EINVAL for another format, -ENODEV without a session,
 * -EBADF for a bad descriptor, -ENOENT when the fencepost program cannot be run (see the
 * `reporter` option), -EIO when it failed.
 */
FP_API int fp_write_report(int fd, const char *format);

/*
 * Verify the padding of every live block now rather than at its Free. Returns the number of
 * blocks found damaged; each is a finding, once.
 */
FP_API size_t fp_check_heap(void);

/*
 * Look for leaks now: blocks that are unreachable from registers, stacks, thread-local storage,
 * globals and all other memory the program can write. All other threads stand still meanwhile,
 * stopped by a signal, so calls that no handler leaves unbroken (poll, nanosleep, ...) may
 * return EINTR there; with the option leak_snapshot only for as long as fork(2) takes.
 *
 * Returns how many blocks are lost, and what only those point to; each check's result replaces
 * the one before in the report, even if the process is killed later. The report says of each
 * leak how old its blocks are and how many of them the check before had not told of. 0 with
 * leak_check=no.
 */
FP_API size_t fp_check_leaks(void);

/*
 * Whether blocks were lost since leaks were last looked for, by this or any other call: a test
 * asks before it begins, which sets the mark, and when it is done. Looks for leaks as
 * fp_check_leaks() does, but the report learns nothing of it.
 *
 * text: NULL, or room of size bytes for what was lost: each call stack with its blocks and
 * bytes, as the text report has them, cut where the room ends. It is "" when the result is
 * false. Suppressions count only where text is wanted. What takes time then, some tenths of a
 * second, is the fencepost program that names functions; without it text has the number of
 * blocks.
 *
 * In the child of fork(2) nothing that it inherited counts. Under `fencepost run` a program
 * that is not linked with Fencepost has it, too: dlsym(RTLD_DEFAULT, "fp_has_new_leaks") finds
 * it. The result is false with leak_check=no, within Alloc and Free and malloc, and after
 * __lsan_do_leak_check().
 */
FP_API bool fp_has_new_leaks(char *text, size_t size);

/* What fp_check_range() is asked about. */
enum fp_access_kind { FP_READ, FP_WRITE };

/*
 * Whether all length bytes at address may be read, or written: for a host to ask before it
 * hands a buffer to the kernel, because a system call that meets a guard does not fault but
 * comes back short or with EFAULT. Memory that is not from a heap of this library is always
 * fine. Returns false after making a finding, with the caller's stack. May be called inside
 * Alloc and Free.
 */
FP_API bool fp_check_range(const void *address, size_t length, enum fp_access_kind access);

/*
 * Install the handlers of SIGSEGV and SIGBUS, which report bad accesses to blocks, again. The
 * session installs them when it starts; a host that installs its own afterwards (and so
 * displaces them) calls this once it has: its handler then gets every fault that is not a bad
 * access to a block, and those too after they were reported, with the original siginfo and
 * context.
 *
 * A thread that blocks these signals is killed by the kernel at a bad access before any handler
 * is asked. A host that blocks all signals somewhere leaves these two out, or is started with
 * `fencepost run`, under which they are never really blocked.
 *
 * Returns 0, or a negative errno: -ENODEV without a session. Not needed with fault_handler=no.
 */
FP_API int fp_install_fault_handler(void);

/* A block, or a region of VirtualAlloc, as fp_describe() and findings show it. The strings are
 * constants. */
struct fp_block_info {
	const void *address;   /* what Alloc returned */
	size_t size;           /* what was asked for, in bytes */
	ptrdiff_t offset;      /* from address to the address asked about, in bytes; negative
	                        * before the block, size or more behind it */
	bool is_live;          /* not freed */
	const char *tier;      /* how well it is protected: "guarded", "padded" */
	const char *family;    /* how it was allocated: "host", "virtual" */
	uint32_t heap;         /* number of its heap; 1 is the first one created; 0: a region */
	uint64_t serial;       /* 1 for the first block, or region, of the process */
	uint32_t alloc_thread; /* the kernel's id of the thread that allocated it */
	uint32_t free_thread;  /* and that freed it; 0 while it is live */
};

/*
 * Fill *info with what is known of the block or region that address lies in, or whose padding
 * or guard it lies in. Returns false, and leaves *info alone, when no block is known there: it
 * was never one, or the record of a freed block was dropped (see the `history` option). Under
 * `fencepost run` a program that is not linked with Fencepost has it, too: declare it weak.
 */
FP_API bool fp_describe(const void *address, struct fp_block_info *info);

/* A finding as it is made. Pointers are valid during the callback, kind for ever. */
struct fp_finding_info {
	const char *kind;        /* as in the report, for example "double-free" */
	const char *description; /* one sentence */
	const void *address;     /* what was accessed or passed to the call */
	uint32_t thread;         /* the kernel's id of the thread that did it */
	bool has_block;          /* a block is concerned, and block is filled in */
	struct fp_block_info block;
};

/* Its name in headers before this one. */
#define fp_finding_event fp_finding_info

/*
 * Called once per distinct finding, on the thread that made it, possibly inside Alloc or Free:
 * it must not allocate from, or free to, the heap that reports.
 */
typedef void (*fp_finding_callback)(const struct fp_finding_info *finding, void *user);

/*
 * Have findings reported to callback, with user handed through; NULL ends it. Replaces the
 * previous callback, which may still be running on another thread when this returns. May be
 * set before there is a session.
 */
FP_API void fp_set_finding_callback(fp_finding_callback callback, void *user);

/*
 * Does nothing, and is called after each distinct finding is recorded, on the thread that made
 * it: a place for a debugger to stop at ("break fencepost_on_finding"), with the caller's
 * frames above it. A program that defines a function of this name, and shows it to libraries,
 * has that called instead, under the rules of the callback. Both doors export it: it is there
 * under fencepost run, too.
 */
FP_API void fencepost_on_finding(const struct fp_finding_info *finding);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FENCEPOST_FENCEPOST_H */
