/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends of a linked host that exit handlers are not told of. Private to hosting.
 *
 * Context: report.
 */
#ifndef FP_HOSTING_ENDS_H
#define FP_HOSTING_ENDS_H

/* After the session has started; once, later calls do nothing. */
void fp_ends_watch(void);

#endif
