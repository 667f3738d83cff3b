/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for Expat: parses an XML document, with all of the parser's memory from an
 *IHostMalloc, and says what is in it.
 *
 *	expat_host [--plant=MISTAKE] DOCUMENT|-
 *
 * Exit status: 0, 1 when the document is not well-formed or the heap failed, 2 for a wrong
 * command line. Fencepost's options: FENCEPOST_OPTIONS.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <expat.h>

#include "host.h"

enum { PIECE_BYTES = 65536 };

/* Expat gives its allocator no argument, so the heap is global. */
static struct host host;

struct summary {
	unsigned long elements;
	unsigned long attributes;
	unsigned long characters;
	unsigned long depth;
	unsigned long depth_max;
};

/* ---- Expat's memory ---------------------------------------------------------------------- */

static void *memory_malloc(size_t size)
{
	return host_allocate(&host, size);
}

static void *memory_realloc(void *memory, size_t size)
{
	return host_reallocate(&host, memory, size);
}

static void memory_free(void *memory)
{
	host_free(&host, memory);
}

static const XML_Memory_Handling_Suite memory_suite = {
        .malloc_fcn = memory_malloc,
        .realloc_fcn = memory_realloc,
        .free_fcn = memory_free,
};

/* ---- The document ------------------------------------------------------------------------ */

static void XMLCALL start_element(void *user, const XML_Char *name, const XML_Char **attributes)
{
	struct summary *summary = user;

	(void)name;
	summary->elements++;
	for (; *attributes != NULL; attributes += 2)
		summary->attributes++;
	if (++summary->depth > summary->depth_max)
		summary->depth_max = summary->depth;
}

static void XMLCALL end_element(void *user, const XML_Char *name)
{
	struct summary *summary = user;

	(void)name;
	summary->depth--;
}

static void XMLCALL take_characters(void *user, const XML_Char *text, int length)
{
	struct summary *summary = user;

	(void)text;
	summary->characters += (unsigned long)length;
}

/* In pieces, as from a network. */
static bool parse(XML_Parser parser)
{
	size_t at = 0;
	bool is_last;

	do {
		size_t left = host.length - at;
		int size = (int)(left < PIECE_BYTES ? left : PIECE_BYTES);

		is_last = (size_t)size == left;
		if (XML_Parse(parser, host.text + at, size, is_last) != XML_STATUS_OK) {
			fprintf(stderr, "%s: %s:%lu: %s\n", host.program, host.script,
			        (unsigned long)XML_GetCurrentLineNumber(parser),
			        XML_ErrorString(XML_GetErrorCode(parser)));
			return false;
		}
		at += (size_t)size;
	} while (!is_last);
	return true;
}

static bool run(void)
{
	struct summary summary = {0};
	XML_Parser parser = XML_ParserCreate_MM(NULL, &memory_suite, NULL);
	bool done;

	if (parser == NULL) {
		fprintf(stderr, "%s: no memory for a parser\n", host.program);
		return false;
	}
	XML_SetUserData(parser, &summary);
	XML_SetElementHandler(parser, start_element, end_element);
	XML_SetCharacterDataHandler(parser, take_characters);
	done = parse(parser);
	XML_ParserFree(parser);
	if (done)
		printf("%lu elements, %lu attributes, %lu characters, %lu deep\n",
		       summary.elements, summary.attributes, summary.characters,
		       summary.depth_max);
	return done;
}

int main(int argc, char **argv)
{
	bool done;

	(void)argc;
	host_open(&host, argv);
	done = run();
	host_plant(&host);
	host_close(&host);
	if (fflush(stdout) != 0) {
		perror(host.program);
		done = false;
	}
	return done ? EXIT_SUCCESS : HOST_EXIT_FAILURE;
}
