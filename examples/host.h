/* SPDX-License-Identifier: Apache-2.0
 *
 * What the example hosts share: the command line, the script, and a heap from Fencepost.
 */
#ifndef EXAMPLES_HOST_H
#define EXAMPLES_HOST_H

#include <stddef.h>

#include <fencepost/extension.h>

#include "plant.h"

enum { HOST_EXIT_FAILURE = 1, HOST_EXIT_USAGE = 2 };

struct host {
	const char *program;       /* name for messages */
	const char *script;        /* file name, or "-" for standard input */
	char *text;                /* the script's text, with a zero byte behind it */
	size_t length;             /* bytes of text */
	char **args;               /* NULL-terminated arguments after the script */
	const struct plant *plant; /* the mistake to commit, or NULL */
	IHostMemoryManager *manager;
	IHostMalloc *heap;
	IFencepostMalloc *extended; /* the same heap, with realloc and size */
};

/*
 * Read the command line, which names a script, in the usage called NOUN, and create the heap.
 * Does not return when something is missing: one line on standard error says what, and what to
 * do.
 */
void host_begin(struct host *host, char **argv, const char *noun);

/* The same, and read the script, which may stand on standard input. */
void host_open(struct host *host, char **argv);

/* Commit the mistake that --plant asked for, if any. */
void host_plant(const struct host *host);

/* Give everything back. */
void host_close(struct host *host);

/* The heap in the C library's form: NULL when there is no memory, which leaves BLOCK as it is.
 * A size of 0 gives a block. */
void *host_allocate(const struct host *host, size_t size);
void *host_reallocate(const struct host *host, void *block, size_t size);
void host_free(const struct host *host, void *block);

/* Bytes that were asked for; 0 for NULL. */
size_t host_size(const struct host *host, void *block);

#endif
