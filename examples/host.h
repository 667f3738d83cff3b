/* SPDX-License-Identifier: Apache-2.0
 *
 * What the example hosts share: the command line, the script, and a heap from Fencepost.
 */
#ifndef EXAMPLES_HOST_H
#define EXAMPLES_HOST_H

#include <stddef.h>

#include <fencepost/hosting.h>

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
};

/*
 * Read the command line and the script, and create the heap. Does not return when something is
 * missing: one line on standard error says what, and what to do.
 */
void host_open(struct host *host, char **argv);

/* Commit the mistake that --plant asked for, if any. */
void host_plant(const struct host *host);

/* Give everything back. */
void host_close(struct host *host);

/* The heap's Alloc and Free in the C library's form: NULL when there is no memory. */
void *host_allocate(IHostMalloc *heap, size_t size);
void host_free(IHostMalloc *heap, void *block);

#endif
