/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements of Valgrind's XML. Everything that comes from the log is escaped, and what XML 1.0
 * cannot hold at all (controls, bytes that are no UTF-8) is written as \x1b. Private to the
 * report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_XML_PARTS_H
#define FP_REPORT_XML_PARTS_H

#include <stdio.h>

#include "report/report.h"

/* Where elements go, and how many they stand in. */
struct fp_report_xml {
	FILE *out;
	int depth;
};

void fp_report_xml_open(struct fp_report_xml *xml, const char *name);
void fp_report_xml_close(struct fp_report_xml *xml, const char *name);

/* <name>...</name> on one line. */
void fp_report_xml_string(const struct fp_report_xml *xml, const char *name,
                          struct fp_report_string string);
void fp_report_xml_print(const struct fp_report_xml *xml, const char *name, const char *format,
                         ...) __attribute__((format(printf, 3, 4)));

/* A stack down to main, which by the rules has at least one frame. 0 or -ENOMEM. */
int fp_report_xml_stack(struct fp_report_xml *xml, const struct fp_report_stack *stack);

#endif
