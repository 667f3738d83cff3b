/* SPDX-License-Identifier: Apache-2.0
 *
 * What a SARIF log is put together from: rules, places and stacks. A place is always a file and
 * a line, for an upload without one is refused: a stack without a source file shows its module.
 * Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_SARIF_SARIF_H
#define FP_REPORT_SARIF_SARIF_H

#include "report/finding.h"
#include "report/json/write.h"
#include "report/source.h"

/* Its name is how code scanning knows the repository. */
#define FP_REPORT_SARIF_ROOT "%SRCROOT%"

/* What the parts of one log share. */
struct fp_report_sarif {
	struct fp_report_tree tree;
	struct fp_report_roots roots; /* the repository */
};

/* Where something is: the innermost frame of the repository, else of any source file. */
struct fp_report_sarif_place {
	const struct fp_report_frame *frame; /* NULL: only the site is known, or nothing */
	const struct fp_report_site *site;   /* NULL where there is none */
};

/* Rules. Their order never changes: the kinds of findings, then the classes of leaks. */
size_t fp_report_sarif_finding_rule(enum fp_finding_kind kind);
size_t fp_report_sarif_leak_rule(enum fp_leak_class class);
const char *fp_report_sarif_rule_id(size_t rule);
const char *fp_report_sarif_rule_level(size_t rule); /* "error", "warning" or "note" */
const char *fp_report_sarif_rule_title(size_t rule);
json_t *fp_report_sarif_rules(struct fp_report_sarif *sarif);
json_t *fp_report_sarif_taxonomies(struct fp_report_sarif *sarif);

/* Text in which nothing is a link or a placeholder. */
json_t *fp_report_sarif_message(struct fp_report_sarif *sarif, struct fp_report_string text);

/* TEXT escaped for what is between the links of a message. */
void fp_report_sarif_escape(FILE *out, struct fp_report_string text);

struct fp_report_sarif_place fp_report_sarif_find(const struct fp_report_sarif *sarif,
                                                  const struct fp_report_stack *stack,
                                                  const struct fp_report_site *site);

/* Whether PLACE names a source file. */
bool fp_report_sarif_has_source(const struct fp_report_sarif_place *place);

/* The URI of a directory, which ends with a slash. */
json_t *fp_report_sarif_directory(const char *path);

/* An artifactLocation: below the repository relative to it, else as it is. */
json_t *fp_report_sarif_artifact(struct fp_report_sarif *sarif, const char *directory,
                                 struct fp_report_string file);

/* A location. FALLBACK names the file of a place that knows nothing. */
json_t *fp_report_sarif_location(struct fp_report_sarif *sarif,
                                 const struct fp_report_sarif_place *place,
                                 struct fp_report_string fallback);

/* A stack, with a message that tells MOMENT. */
json_t *fp_report_sarif_stack(struct fp_report_sarif *sarif,
                              const struct fp_report_moment *moment);

/* "freed by thread 12" as a message. */
json_t *fp_report_sarif_moment(struct fp_report_sarif *sarif,
                               const struct fp_report_moment *moment);

/* A result without the properties that depend on others: how often, and its fingerprints. The
 * report's executable is the place of what has none. */
json_t *fp_report_sarif_finding(struct fp_report_sarif *sarif, const struct fp_report *report,
                                const struct fp_report_finding *finding);
json_t *fp_report_sarif_leak(struct fp_report_sarif *sarif, const struct fp_report *report,
                             const struct fp_report_leak *leak);

/* The message of a leak of so much. */
json_t *fp_report_sarif_leak_message(enum fp_leak_class class, uint64_t blocks, uint64_t bytes);

#endif
