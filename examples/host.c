/* SPDX-License-Identifier: Apache-2.0
 *
 * The shared part of the example hosts. Nothing here is peculiar to an engine; memory of the
 * host itself, such as the script's text, comes from the C library.
 */
#define COBJMACROS
#include "host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fencepost/fencepost.h>

static const char plant_option[] = "--plant=";

__attribute__((noreturn, format(printf, 3, 4))) static void
fail(const struct host *host, int status, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", host->program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

static void parse_option(struct host *host, const char *option)
{
	size_t prefix = strlen(plant_option);

	if (strncmp(option, plant_option, prefix) != 0)
		fail(host, HOST_EXIT_USAGE, "unknown option '%s'; there is only %s%s", option,
		     plant_option, PLANT_NAMES);
	host->plant = plant_find(option + prefix);
	if (host->plant == NULL)
		fail(host, HOST_EXIT_USAGE, "unknown mistake '%s'; choose one of %s",
		     option + prefix, PLANT_NAMES);
}

static void parse(struct host *host, char **argv, const char *noun)
{
	const char *slash = strrchr(argv[0], '/');

	host->program = slash != NULL ? slash + 1 : argv[0];
	for (argv++; *argv != NULL && argv[0][0] == '-' && argv[0][1] != '\0'; argv++)
		parse_option(host, *argv);
	if (*argv == NULL)
		fail(host, HOST_EXIT_USAGE, "no script; usage: %s [%sMISTAKE] %s [ARGS...]",
		     host->program, plant_option, noun);
	host->script = *argv;
	host->args = argv + 1;
}

static void read_stream(struct host *host, FILE *stream)
{
	size_t capacity = 0;

	do {
		if (capacity - host->length < 2) {
			capacity = capacity * 2 + 4096;
			host->text = realloc(host->text, capacity);
			if (host->text == NULL)
				fail(host, HOST_EXIT_FAILURE, "no memory for the script");
		}
		host->length += fread(host->text + host->length, 1, capacity - host->length - 1,
		                      stream);
	} while (!feof(stream) && !ferror(stream));
	host->text[host->length] = '\0';
}

static void read_script(struct host *host)
{
	bool is_stdin = strcmp(host->script, "-") == 0;
	FILE *stream = is_stdin ? stdin : fopen(host->script, "r");

	if (stream == NULL)
		fail(host, HOST_EXIT_USAGE,
		     "cannot open script '%s': %s; give a readable file, or - for standard "
		     "input",
		     host->script, strerror(errno));
	read_stream(host, stream);
	if (ferror(stream))
		fail(host, HOST_EXIT_USAGE, "cannot read script '%s': %s; give a regular file",
		     host->script, strerror(errno));
	if (!is_stdin)
		fclose(stream);
}

static void create_heap(struct host *host)
{
	void *extended = NULL;
	HRESULT result;

	result = fp_create_memory_manager(NULL, &host->manager);
	if (result == S_OK)
		result = IHostMemoryManager_CreateMalloc(host->manager, MALLOC_THREADSAFE,
		                                         &host->heap);
	if (result == E_INVALIDARG) /* Fencepost itself said why */
		exit(HOST_EXIT_FAILURE);
	if (result != S_OK)
		fail(host, HOST_EXIT_FAILURE, "no heap from Fencepost: error 0x%08X",
		     (unsigned)result);
	result = IHostMalloc_QueryInterface(host->heap, &IID_IFencepostMalloc, &extended);
	if (result != S_OK)
		fail(host, HOST_EXIT_FAILURE, "the heap has no realloc: error 0x%08X",
		     (unsigned)result);
	host->extended = extended;
}

void host_begin(struct host *host, char **argv, const char *noun)
{
	parse(host, argv, noun);
	create_heap(host);
}

void host_open(struct host *host, char **argv)
{
	parse(host, argv, "SCRIPT|-");
	read_script(host);
	create_heap(host);
}

void host_plant(const struct host *host)
{
	if (host->plant != NULL)
		host->plant->commit(host->manager, host->heap);
}

void host_close(struct host *host)
{
	IFencepostMalloc_Release(host->extended);
	IHostMalloc_Release(host->heap);
	IHostMemoryManager_Release(host->manager);
	free(host->text);
}

void *host_allocate(const struct host *host, size_t size)
{
	return host_reallocate(host, NULL, size);
}

void *host_reallocate(const struct host *host, void *block, size_t size)
{
	void *moved = NULL;

	if (IFencepostMalloc_Realloc(host->extended, block, size, eTaskCritical, &moved) !=
	    S_OK)
		return NULL;
	return moved;
}

void host_free(const struct host *host, void *block)
{
	IHostMalloc_Free(host->heap, block);
}

size_t host_size(const struct host *host, void *block)
{
	SIZE_T size = 0;

	IFencepostMalloc_GetSize(host->extended, block, &size);
	return size;
}
