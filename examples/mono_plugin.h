/* SPDX-License-Identifier: Apache-2.0
 *
 * A native plug-in that a managed program calls, and what its host tells it.
 */
#ifndef EXAMPLES_MONO_PLUGIN_H
#define EXAMPLES_MONO_PLUGIN_H

#include <stdbool.h>

#include <fencepost/hosting.h>

#define PLUGIN_EXPORT __attribute__((visibility("default")))

/* By the host, before the program runs: the heap that the plug-in is to use, and the name of
 * the mistake that its next checksum is to make, or NULL. Without a host it uses malloc. */
PLUGIN_EXPORT void mono_plugin_open(IHostMemoryManager *manager, IHostMalloc *heap,
                                    const char *plant);
typedef void mono_plugin_open_function(IHostMemoryManager *manager, IHostMalloc *heap,
                                       const char *plant);

/* By the host, at the end: whether the mistake was made. */
PLUGIN_EXPORT bool mono_plugin_has_planted(void);
typedef bool mono_plugin_has_planted_function(void);

/* By the program: a checksum of COUNT bytes. */
PLUGIN_EXPORT unsigned mono_plugin_checksum(const unsigned char *bytes, int count);

/* By the program, which frees it: a string of the C library's malloc. */
PLUGIN_EXPORT char *mono_plugin_name(void);

#endif
