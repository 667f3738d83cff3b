/* SPDX-License-Identifier: Apache-2.0
 *
 * What the child of a fork writes as it starts stands together, whatever module it is of: each
 * page that a child writes is copied for it, which costs more than all that is written there.
 */
#ifndef FP_BASE_CHILD_H
#define FP_BASE_CHILD_H

/* Of a variable with static storage. */
#define FP_CHILD_WRITES __attribute__((section("fp_child_writes")))

#endif
