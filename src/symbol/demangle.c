/* SPDX-License-Identifier: Apache-2.0
 *
 * The only includer of libiberty. C++, Rust and D names are told apart by libiberty itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/names.h"

/* libiberty.h would declare its own otherwise. */
#ifndef HAVE_DECL_BASENAME
#define HAVE_DECL_BASENAME 1
#endif
#include <libiberty/demangle.h>

int fp_symbol_name(struct fp_symbol_frame *frame, const char *name)
{
	/* Symbol tables of shared libraries add the version: "memcpy@@GLIBC_2.14". */
	char *linkage = strndup(name, name[0] == '@' ? strlen(name) : strcspn(name, "@"));
	char *plain =
	        linkage ? cplus_demangle(linkage, DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI) : NULL;

	frame->function = plain ? plain : linkage;
	frame->linkage = plain ? linkage : NULL;
	return linkage ? 0 : -ENOMEM;
}

char *fp_symbol_demangle_type(const char *mangled)
{
	char *plain = cplus_demangle_v3(mangled, DMGL_PARAMS | DMGL_ANSI | DMGL_TYPES);

	return plain ? plain : strdup(mangled);
}
