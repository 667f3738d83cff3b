/* SPDX-License-Identifier: Apache-2.0
 *
 * The only includer of libiberty. C++, Rust and D names are told apart by libiberty itself.
 */
#include "symbol/demangle.h"

#include <string.h>

/* libiberty.h would declare its own otherwise. */
#ifndef HAVE_DECL_BASENAME
#define HAVE_DECL_BASENAME 1
#endif
#include <libiberty/demangle.h>

char *fp_symbol_demangle(const char *name)
{
	char *plain = cplus_demangle(name, DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI);

	return plain ? plain : strdup(name);
}
