/* SPDX-License-Identifier: Apache-2.0
 *
 * The runtime under the hosts of this folder, each of which is written as a host published for
 * Windows is.
 */
#ifndef IDIOMS_RUNTIME_H
#define IDIOMS_RUNTIME_H

/* idioms.sh has them compiled beside the headers of others, in either order. */
#ifdef IDIOMS_BEFORE
#include IDIOMS_BEFORE
#endif
#include <fencepost/fencepost.h>
#ifdef IDIOMS_AFTER
#include IDIOMS_AFTER
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Uses the host as the published runtime does; 0, or the line of runtime.c that was wrong. */
int runtime_run(IHostControl *control);

/* Fencepost's manager, where the hosts call Windows; ends the program without one. */
IHostMemoryManager *runtime_memory(void);

#ifdef __cplusplus
}
#endif

#endif
