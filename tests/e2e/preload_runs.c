/* SPDX-License-Identifier: Apache-2.0
 *
 * Running victims under the preload library of the build tree.
 */
#include "preload_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096, OPTIONS_BYTES = 200 };

void preload_run_without(struct e2e_run *run, const char *const argv[])
{
	memset(run, 0, sizeof(*run));
	e2e_run_raw(run, "", argv);
}

static void run_preloaded(struct e2e_run *run, const char *before, int backend,
                          const char *options, const char *const argv[])
{
	char libraries[2 * PATH_BYTES];
	char all[OPTIONS_BYTES];

	memset(run, 0, sizeof(*run));
	snprintf(libraries, sizeof(libraries),
	         "%s%s%s/src/preload/.libs/libfencepost-preload.so", before,
	         before[0] != '\0' ? ":" : "", getenv("FP_BUILDDIR"));
	/* Bad accesses are what is looked for; what the victims lose is their own. */
	snprintf(all, sizeof(all), "leak_check=no:%s%s%s", e2e_backend_option(backend),
	         options != NULL ? ":" : "", options != NULL ? options : "");
	setenv("LD_PRELOAD", libraries, 1);
	e2e_run(run, all, argv);
	unsetenv("LD_PRELOAD");
}

void preload_run(struct e2e_run *run, int backend, const char *options,
                 const char *const argv[])
{
	run_preloaded(run, "", backend, options, argv);
}

void preload_run_behind(struct e2e_run *run, const char *library, int backend,
                        const char *const argv[])
{
	run_preloaded(run, library, backend, NULL, argv);
}
