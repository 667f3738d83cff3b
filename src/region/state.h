/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of region share beside the table. Private to the module.
 */
#ifndef FP_REGION_STATE_H
#define FP_REGION_STATE_H

#include "base/lock.h"

/* Of all writers; readers take none. */
extern struct fp_lock fp_region_lock;

#endif
