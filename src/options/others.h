/* SPDX-License-Identifier: Apache-2.0
 *
 * Options that users of other tools write, and what to write here.
 *
 * Context: alloc.
 */
#ifndef FP_OPTIONS_OTHERS_H
#define FP_OPTIONS_OTHERS_H

#include <stddef.h>

struct fp_options_other {
	const char *key; /* with underscores */
	const char *tool;
	const char *advice; /* what to do, behind a colon */
};

/* NULL: no other tool that we know has it. '-' and '_' are the same. */
const struct fp_options_other *fp_options_find_other(const char *key, size_t key_len);

#endif
