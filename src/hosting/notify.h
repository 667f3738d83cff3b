/* SPDX-License-Identifier: Apache-2.0
 *
 * Telling the runtime when memory gets scarce, from a thread of our own.
 *
 * Context: report.
 */
#ifndef FP_HOSTING_NOTIFY_H
#define FP_HOSTING_NOTIFY_H

#include "hosting/object.h"

/* CALLBACK instead of the one before; NULL for none. S_OK, or E_OUTOFMEMORY and the one before
 * stays. */
HRESULT fp_notify_register(ICLRMemoryNotificationCallback *callback);

/* In the child of a fork: the thread stayed behind, and a new one is made. Cheap elsewhere. */
void fp_notify_resume(void);

#endif
