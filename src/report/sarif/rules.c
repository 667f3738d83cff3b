/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of SARIF: one for each kind of finding and each class of leaks, with the weakness
 * that it is in the Common Weakness Enumeration (CWE), in the properties that code scanning
 * reads.
 */
#include <ctype.h>
#include <string.h>

#include "report/names.h"
#include "report/sarif/parts.h"

enum { RULES = FP_FINDING_COUNT + FP_LEAK_CLASS_COUNT, CWE_LEAK = 401 };

static const struct {
	const char *id;
	const char *level;
	const char *title;
} leak_rules[FP_LEAK_CLASS_COUNT] = {
        [FP_LEAK_DEFINITE] = {"leak-definite", "warning",
                              "memory that was never freed and that nothing points to"},
        [FP_LEAK_INDIRECT] = {"leak-indirect", "warning",
                              "memory that was never freed and that only lost memory points "
                              "to"},
        [FP_LEAK_POSSIBLE] = {"leak-possible", "note",
                              "memory that was never freed and that is pointed into, not to"},
        [FP_LEAK_REACHABLE] = {"leak-reachable", "note",
                               "memory that was still in use when the process ended"},
};

static bool is_leak_rule(size_t rule)
{
	return rule >= FP_FINDING_COUNT;
}

size_t fp_report_sarif_finding_rule(enum fp_finding_kind kind)
{
	return kind;
}

size_t fp_report_sarif_leak_rule(enum fp_leak_class class)
{
	return FP_FINDING_COUNT + (size_t) class;
}

const char *fp_report_sarif_rule_id(size_t rule)
{
	return is_leak_rule(rule) ? leak_rules[rule - FP_FINDING_COUNT].id
	                          : fp_finding_traits((enum fp_finding_kind)rule)->name;
}

const char *fp_report_sarif_rule_level(size_t rule)
{
	return is_leak_rule(rule) ? leak_rules[rule - FP_FINDING_COUNT].level
	                          : fp_finding_traits((enum fp_finding_kind)rule)->severity;
}

const char *fp_report_sarif_rule_title(size_t rule)
{
	return is_leak_rule(rule) ? leak_rules[rule - FP_FINDING_COUNT].title
	                          : fp_finding_traits((enum fp_finding_kind)rule)->title;
}

static int rule_cwe(size_t rule)
{
	return is_leak_rule(rule) ? CWE_LEAK
	                          : fp_finding_traits((enum fp_finding_kind)rule)->cwe;
}

/* How bad the weakness is when somebody exploits it, from 0.1 to 10; NULL when nobody can say.
 */
static const char *security_severity(int cwe)
{
	static const struct {
		int cwe;
		const char *score;
	} scores[] = {
	        {122, "9.3"}, {124, "9.3"}, {362, "6.5"}, {401, "5.3"}, {415, "9.3"},
	        {416, "9.3"}, {590, "8.1"}, {762, "7.5"}, {763, "7.5"}, {825, "9.3"},
	};

	for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]); i++) {
		if (scores[i].cwe == cwe)
			return scores[i].score;
	}
	return NULL;
}

static json_t *make_multiformat(const char *text)
{
	return json_pack("{s:s}", "text", text);
}

static size_t first_rule_of(int cwe)
{
	size_t rule = 0;

	while (rule_cwe(rule) != cwe)
		rule++;
	return rule;
}

/* Where RULE's weakness stands among the different ones of all rules. */
static size_t taxon_index(size_t rule)
{
	size_t first = first_rule_of(rule_cwe(rule));
	size_t index = 0;

	for (size_t i = 0; i < first; i++)
		index += first_rule_of(rule_cwe(i)) == i;
	return index;
}

/* "HeapUseAfterFree": an identifier's name may not be the identifier. */
static json_t *make_name(size_t rule)
{
	const char *id = fp_report_sarif_rule_id(rule);
	char name[64];
	size_t size = 0;

	for (bool is_start = true; *id != '\0' && size + 1 < sizeof(name); id++) {
		if (*id != '-')
			name[size++] = (char)(is_start ? toupper(*id) : *id);
		is_start = *id == '-';
	}
	name[size] = '\0';
	return json_string(name);
}

/* The weakness's own page. */
static json_t *make_page(size_t rule)
{
	return json_sprintf("https://cwe.mitre.org/data/definitions/%d.html", rule_cwe(rule));
}

static json_t *make_properties(size_t rule)
{
	const char *score = security_severity(rule_cwe(rule));
	bool is_note = strcmp(fp_report_sarif_rule_level(rule), "note") == 0;
	json_t *properties = json_pack("{s:[s,o],s:s}", "tags", "correctness",
	                               json_sprintf("external/cwe/cwe-%03d", rule_cwe(rule)),
	                               "precision", is_note ? "medium" : "very-high");

	if (!score || is_note || !properties)
		return properties;
	if (json_array_append_new(json_object_get(properties, "tags"),
	                          json_string("security")) != 0 ||
	    json_object_set_new(properties, "security-severity", json_string(score)) != 0) {
		json_decref(properties);
		return NULL;
	}
	return properties;
}

static json_t *make_rule(struct fp_report_sarif *sarif, size_t rule)
{
	struct fp_report_tree *tree = &sarif->tree;
	const char *title = fp_report_sarif_rule_title(rule);
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "id", json_string(fp_report_sarif_rule_id(rule)));
	fp_report_tree_put(tree, json, "name", make_name(rule));
	fp_report_tree_put(tree, json, "shortDescription", make_multiformat(title));
	fp_report_tree_put(tree, json, "fullDescription", make_multiformat(title));
	fp_report_tree_put(
	        tree, json, "help",
	        json_pack("{s:o}", "text",
	                  json_sprintf("%s: %s (CWE-%d). Seen while the program "
	                               "ran; the stacks of the result lead there.",
	                               fp_report_sarif_rule_id(rule), title, rule_cwe(rule))));
	fp_report_tree_put(tree, json, "helpUri", make_page(rule));
	fp_report_tree_put(tree, json, "defaultConfiguration",
	                   json_pack("{s:s}", "level", fp_report_sarif_rule_level(rule)));
	fp_report_tree_put(tree, json, "relationships",
	                   json_pack("[{s:{s:o,s:I,s:{s:s,s:i}},s:[s]}]", "target", "id",
	                             json_sprintf("%d", rule_cwe(rule)), "index",
	                             (json_int_t)taxon_index(rule), "toolComponent", "name",
	                             "CWE", "index", 0, "kinds", "superset"));
	fp_report_tree_put(tree, json, "properties", make_properties(rule));
	return json;
}

json_t *fp_report_sarif_rules(struct fp_report_sarif *sarif)
{
	json_t *rules = json_array();

	for (size_t rule = 0; rule < RULES; rule++)
		fp_report_tree_append(&sarif->tree, rules, make_rule(sarif, rule));
	return rules;
}

json_t *fp_report_sarif_taxonomies(struct fp_report_sarif *sarif)
{
	json_t *taxa = json_array();

	for (size_t rule = 0; rule < RULES; rule++) {
		if (first_rule_of(rule_cwe(rule)) != rule)
			continue;
		fp_report_tree_append(&sarif->tree, taxa,
		                      json_pack("{s:o,s:o}", "id",
		                                json_sprintf("%d", rule_cwe(rule)), "helpUri",
		                                make_page(rule)));
	}
	return json_pack("[{s:s,s:s,s:s,s:{s:s},s:b,s:o}]", "name", "CWE", "organization",
	                 "MITRE", "informationUri", "https://cwe.mitre.org/",
	                 "shortDescription", "text", "Common Weakness Enumeration",
	                 "isComprehensive", 0, "taxa", taxa);
}
