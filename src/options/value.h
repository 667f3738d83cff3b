/* SPDX-License-Identifier: Apache-2.0
 *
 * One value: text to field, field to text, and the refusal of a text that fits no field.
 * Private to the options module.
 *
 * Context: alloc.
 */
#ifndef FP_OPTIONS_VALUE_H
#define FP_OPTIONS_VALUE_H

#include "options/options.h"

/* Stores ITEM's value in OPTION's field of OPTIONS. False, and nothing stored, when it does not
 * fit. */
bool fp_options_value_read(struct fp_options *options, const struct fp_option *option,
                           const struct fp_options_item *item);

/* Puts OPTION's value in TEXT, which holds FP_OPTION_PATH_MAX bytes. */
void fp_options_value_show(const struct fp_options *options, const struct fp_option *option,
                           char *text);

/* What would have fitted: "use a whole number from 1 to 256". */
struct fp_text;
void fp_options_value_explain(struct fp_text *text, const struct fp_option *option);

#endif
