/* SPDX-License-Identifier: Apache-2.0
 *
 * dlclose, which takes away the code that traces point into.
 */
#include <dlfcn.h>

#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"
#include "stack/stack.h"

static int (*libc_dlclose)(void *handle);

void fp_preload_find_unload(void)
{
	libc_dlclose = (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
}

FP_EXPORT int dlclose(void *handle)
{
	if (libc_dlclose == NULL)
		fp_preload_find_unload();
	int result = fp_session_unload(libc_dlclose, handle);
	fp_stack_forget_code();
	return result;
}
