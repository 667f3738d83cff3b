/* SPDX-License-Identifier: Apache-2.0
 *
 * The only includer of libiberty. C++ and Rust names are told apart by libiberty itself.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/names.h"

/* libiberty.h would declare its own otherwise. */
#ifndef HAVE_DECL_BASENAME
#define HAVE_DECL_BASENAME 1
#endif
#include <libiberty/demangle.h>

/* A name of a few hundred bytes may say "the one before, twice" so often that it has no end:
 * libiberty would write it, and so what it writes is counted. It keeps nothing that is to be
 * freed while it writes. */
enum { PLAIN_MAX = 1 << 16 };

struct plain {
	jmp_buf enough;
	size_t size;
	char text[PLAIN_MAX];
};

static void take(const char *piece, size_t size, void *user)
{
	struct plain *plain = user;

	if (size >= PLAIN_MAX - plain->size)
		longjmp(plain->enough, 1);
	memcpy(plain->text + plain->size, piece, size);
	plain->size += size;
}

typedef int demangler(const char *mangled, int options, demangle_callbackref take, void *user);

/* To be freed; NULL: it is none of these names, or one without an end. */
static char *demangle(demangler *of_language, const char *mangled, int options)
{
	struct plain *plain = malloc(sizeof(*plain));
	char *text = NULL;

	if (!plain)
		return NULL;
	plain->size = 0;
	if (setjmp(plain->enough) == 0 && of_language(mangled, options, take, plain))
		text = strndup(plain->text, plain->size);
	free(plain);
	return text;
}

int fp_symbol_name(struct fp_symbol_frame *frame, const char *name)
{
	enum { OPTIONS = DMGL_PARAMS | DMGL_ANSI };
	/* Symbol tables of shared libraries add the version: "memcpy@@GLIBC_2.14". */
	char *linkage = strndup(name, name[0] == '@' ? strlen(name) : strcspn(name, "@"));
	char *plain = linkage ? demangle(rust_demangle_callback, linkage, OPTIONS) : NULL;

	if (linkage && !plain)
		plain = demangle(cplus_demangle_v3_callback, linkage, OPTIONS);
	frame->function = plain ? plain : linkage;
	frame->linkage = plain ? linkage : NULL;
	return linkage ? 0 : -ENOMEM;
}

char *fp_symbol_demangle_type(const char *mangled)
{
	char *plain = demangle(cplus_demangle_v3_callback, mangled,
	                       DMGL_PARAMS | DMGL_ANSI | DMGL_TYPES);

	return plain ? plain : strdup(mangled);
}
