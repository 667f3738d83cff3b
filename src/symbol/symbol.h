/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses of an ELF file to functions, files and lines. Works on files, never on a process:
 * the one that was traced may be gone. A file is trusted only while it carries the build-id
 * that was recorded when it ran; symbols of a rebuilt one would be confident nonsense. Separate
 * debug files are found on this machine, by build-id or by .gnu_debuglink; servers are asked
 * only after fp_symbol_allow_fetching.
 *
 * Context: report.
 */
#ifndef FP_SYMBOL_SYMBOL_H
#define FP_SYMBOL_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where separate debug files stand, in .build-id/xx/yyyy.debug. */
#define FP_SYMBOL_DEBUG_DIR "/usr/lib/debug"

struct fp_symbol_source {
	const char *path;
	const uint8_t *build_id; /* as recorded; NULL when the file had none */
	size_t build_id_size;
	const char *debug_dir; /* FP_SYMBOL_DEBUG_DIR but for tests */
};

enum fp_symbol_state {
	FP_SYMBOL_USABLE,
	FP_SYMBOL_NO_FILE,    /* the path names none, like "[vdso]", or one of Windows' form: an
	                       * assembly of .NET or Mono */
	FP_SYMBOL_UNREADABLE, /* gone, no permission, not ELF */
	FP_SYMBOL_CHANGED     /* its build-id is not the recorded one */
};

struct fp_symbol_frame {
	char *function;           /* demangled; NULL when unknown */
	char *linkage;            /* the linker's name for it; NULL when it is the same */
	uint64_t function_offset; /* from the function's start, when only the symbol table knew
	                             it */
	const char *file;         /* as the compiler was told; NULL when unknown */
	const char *directory;  /* where the compiler stood, which a relative file starts from;
	                           NULL when unknown */
	uint32_t line;          /* 0 when unknown */
	uint32_t column;        /* from 1; 0 when unknown */
	uint32_t function_line; /* where the function begins; 0 when unknown */
	bool inlined;           /* into the frame that follows */
	uint64_t size;          /* of the function's code; 0 when unknown */
	bool is_generic;        /* takes a size and gives a pointer to void */
};

/* What stands at one address: the innermost inlined function first, the real one last. */
struct fp_symbol_place {
	struct fp_symbol_frame *frames;
	size_t count; /* 0 when nothing is known */
};

struct fp_symbol_image;

/*
 * Opens SOURCE, whose strings are not kept. An image that cannot be used is no error: its state
 * says why, and it knows no place. 0, or -ENOMEM.
 */
int fp_symbol_open(const struct fp_symbol_source *source, struct fp_symbol_image **image);

/* A piece of code that is in no file. */
struct fp_symbol_piece {
	uint64_t start;
	uint64_t size;
	const char *name;
	size_t name_size;
};

/*
 * Calls VISIT for each piece of code that process PID says it made while it ran, in
 * /tmp/perf-PID.map, in the order in which it made them. STARTED is when the process began, in
 * seconds since 1970.
 */
void fp_symbol_each_made(uint32_t pid, uint64_t started,
                         void (*visit)(const struct fp_symbol_piece *piece, void *user),
                         void *user);

/* An image of COUNT PIECES, which are not copied; addresses are those of the process. Of
 * several pieces at one address the last counts. 0, or -ENOMEM. */
int fp_symbol_open_made(const struct fp_symbol_piece *pieces, size_t count,
                        struct fp_symbol_image **image);

/* NULL is accepted. Ends the life of every place of IMAGE. */
void fp_symbol_close(struct fp_symbol_image *image);

enum fp_symbol_state fp_symbol_state(const struct fp_symbol_image *image);

/*
 * What stands at ADDRESS, counted as in the file (run-time address minus the load bias). A
 * return address points behind its call, so the byte before it is looked up, unless the address
 * is EXACT. The answer is kept, and owned, by IMAGE. NULL when out of memory.
 */
const struct fp_symbol_place *fp_symbol_lookup(struct fp_symbol_image *image, uint64_t address,
                                               bool exact);

/* The same from the symbol table alone: one frame with a name, or none. Reading debug
 * information takes a hundred times as long. */
const struct fp_symbol_place *fp_symbol_lookup_name(struct fp_symbol_image *image,
                                                    uint64_t address, bool exact);

/* One frame, or none: the function that the symbol table has there, and the line of its own
 * source file. What was inlined is left out: with and without debug information the frames are
 * the same. */
const struct fp_symbol_place *fp_symbol_lookup_line(struct fp_symbol_image *image,
                                                    uint64_t address, bool exact);

/* Whether the file has a place in memory for ADDRESS. */
bool fp_symbol_has(const struct fp_symbol_image *image, uint64_t address);

/* A variable and where in it an address is. */
struct fp_symbol_variable {
	char *name; /* demangled, with the members that lead there; to be freed; NULL: none is
	               known */
	uint64_t offset;
};

/* The variable of the file at ADDRESS. 0 or -ENOMEM. */
int fp_symbol_find_variable(struct fp_symbol_image *image, uint64_t address,
                            struct fp_symbol_variable *variable);

/* The same of a program's thread-local ones, PLACE bytes from the thread pointer. */
int fp_symbol_find_thread_local(struct fp_symbol_image *image, int64_t place,
                                struct fp_symbol_variable *variable);

/* The same of those on the stack of the function that the code at ADDRESS is of, PLACE bytes
 * from the end of its frame (the CFA). Only debug information tells. */
int fp_symbol_find_local(struct fp_symbol_image *image, uint64_t address, int64_t place,
                         struct fp_symbol_variable *variable);

/* The name of the function that was called where RETURN_ADDRESS, as in the file, says, if it is
 * another module's; owned by IMAGE. NULL: it is not, or the call does not tell. */
const char *fp_symbol_callee(const struct fp_symbol_image *image, uint64_t return_address);

/* The type that is MANGLED so, as C++ has it; as it is where it is none. To be freed; NULL when
 * out of memory. */
char *fp_symbol_demangle_type(const char *mangled);

/* A descriptor of the file at PATH, or -1: only a regular file is opened, and nothing blocks.
 */
int fp_symbol_open_regular(const char *path);

/* From now on debuginfod servers are asked for debug information that is not here. */
void fp_symbol_allow_fetching(void);

/* Why that is in vain, and what to do, or NULL. */
const char *fp_symbol_fetch_obstacle(void);

#endif
