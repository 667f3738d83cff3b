/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines: each is a JSON report of its own, schema fencepost-report-1, about one finding or one
 * leak, and the last one about a process as a whole. What engines count and group by stands in
 * "line". So whatever reads reports reads lines, and every field is described once.
 *
 * A line fits into a datagram: of one that is longer the least needed parts are left out.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "report/finding.h"
#include "report/json/write.h"
#include "report/leaks.h"
#include "report/names.h"
#include "report/stack.h"

enum { LINE_MAX_BYTES = 32 << 10, LONG_STACK = 12, TIME_MAX = 32, HASH_MAX = 17, MSEC = 1000 };

/* ---- What is left out ---------------------------------------------------------------------
 */

static bool is_in(const char *key, const char *const *keys)
{
	while (*keys && strcmp(key, *keys) != 0)
		keys++;
	return *keys != NULL;
}

/* Calls VISIT for each member of every object in JSON, which it may take away. */
static void each_member(json_t *json, void (*visit)(json_t *object, const char *key))
{
	const char *key;
	json_t *value;
	void *next;
	size_t i;

	json_array_foreach(json, i, value) each_member(value, visit);
	json_object_foreach_safe(json, next, key, value)
	{
		each_member(value, visit);
		visit(json, key);
	}
}

/* "c" of "/a/b/c". */
static void cut_directory(json_t *object, const char *key)
{
	const char *path = json_string_value(json_object_get(object, key));
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (slash)
		json_object_set_new(object, key, json_string(slash + 1));
}

/* Fingerprints are made without them. What ran where no module is was jumped to: its address
 * may be data. */
static void cut_path(json_t *object, const char *key)
{
	static const char *const paths[] = {"executable", "file", "module", NULL};
	const char *module = json_string_value(json_object_get(object, "module"));

	if (strcmp(key, "offset") == 0 && module && strcmp(module, "[unknown]") == 0)
		json_object_set_new(object, key, json_string("0x0"));
	else if (is_in(key, paths))
		cut_directory(object, key);
	else if (strcmp(key, "directory") == 0 || strcmp(key, "source") == 0)
		json_object_del(object, key);
}

static bool is_wild(const struct fp_report_finding *finding)
{
	return finding->signal && finding->cause == FP_CRASH_WILD_ADDRESS;
}

/* What --redact promises that nobody reads, but for paths: what the program was given, what
 * blocks and registers held, pointers to nothing, which may be such contents, and texts of
 * assertions and exceptions, which may quote all that. */
static void redact(struct fp_report *line, struct fp_report_finding *finding)
{
	line->argument_count = 0;
	line->setting_count = 0;
	line->note_count = 0;
	line->suppressions = NULL;
	if (!finding)
		return;
	finding->evidence.size = 0;
	finding->register_count = 0;
	if (finding->message.size > 0 || is_wild(finding))
		finding->description = fp_report_text(fp_finding_traits(finding->kind)->title);
	finding->message.size = 0;
	if (is_wild(finding) || (!finding->has_block && !finding->signal))
		finding->address = 0;
}

/* In this order, until the line is short enough. */
static void drop_least_needed(json_t *object, const char *key)
{
	static const char *const details[] = {"source",  "holders", "path",    "members",
	                                      "nearest", "threads", "linkage", NULL};

	if (is_in(key, details))
		json_object_del(object, key);
}

static void cut_stack(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	bool is_stack = json_object_get(json_array_get(value, 0), "module") != NULL;

	while (is_stack && json_array_size(value) > LONG_STACK)
		json_array_remove(value, json_array_size(value) - 1);
}

static void drop_registers(json_t *object, const char *key)
{
	if (strcmp(key, "registers") == 0 || strcmp(key, "settings") == 0)
		json_object_clear(json_object_get(object, key));
}

/* JSON as a line, to be freed; NULL when out of memory. */
static char *make_short(json_t *json)
{
	static void (*const steps[])(json_t *, const char *) = {drop_least_needed,
	                                                        drop_registers, cut_stack};
	char *text = json_dumps(json, JSON_COMPACT);

	for (size_t i = 0;
	     text && strlen(text) > LINE_MAX_BYTES && i < sizeof(steps) / sizeof(steps[0]);
	     i++) {
		free(text);
		each_member(json, steps[i]);
		text = json_dumps(json, JSON_COMPACT);
	}
	return text;
}

/* ---- Lines --------------------------------------------------------------------------------
 */

/* Of the program's own file. */
static struct fp_report_string find_build_id(const struct fp_report *report)
{
	for (size_t i = 0; i < report->module_count; i++)
		if (fp_report_compare_strings(report->modules[i].path, report->executable) == 0)
			return report->modules[i].build_id;
	return fp_report_text("");
}

static void put_time(char text[TIME_MAX])
{
	struct timespec now;
	struct tm parts;
	char second[TIME_MAX - 5];

	clock_gettime(CLOCK_REALTIME, &now);
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &parts));
	snprintf(text, TIME_MAX, "%s.%03uZ", second, (unsigned)(now.tv_nsec / 1000000 % 1000));
}

/* Of a process, and of what it executes: pids come again, and machines have the same ones. */
static void put_run(const struct fp_report *report, const char *host, char text[HASH_MAX])
{
	uint64_t hash = fp_hash_bytes(fp_hash_start, host, strlen(host));

	hash = fp_hash_word(hash, report->started);
	hash = fp_hash_word(hash, report->pid);
	hash = fp_hash_bytes(hash, report->executable.bytes, report->executable.size);
	snprintf(text, HASH_MAX, "%016" PRIx64, hash);
}

/* Where the mistake or the leak is. */
static void put_place(struct fp_report_line *line, const struct fp_report_stack *stack)
{
	const struct fp_report_frame *frame = fp_report_stack_place(stack);

	if (!frame)
		return;
	if (frame->symbol) {
		line->function = frame->symbol->function;
		line->file = frame->symbol->file;
		line->line = frame->symbol->line;
	}
	line->module = fp_report_module_name(frame);
	line->offset = frame->offset;
}

/* REPORT, which has LINE and no more than is of this line. */
static int write_line(struct fp_report_walk *walk, struct fp_report *report)
{
	struct fp_report_tree tree = {.sources_left = 0};
	char when[TIME_MAX], run[HASH_MAX];
	struct fp_report_line *line = &report->line;

	/* One that was read and gets names stays the line that it was. */
	if (!line->time) {
		put_time(when);
		put_run(report, line->host, run);
		line->time = when;
		line->run = run;
		line->build_id = find_build_id(report);
	}
	json_t *json = fp_report_make_report(&tree, walk->view, report);
	if (walk->view->is_redacted)
		each_member(json, cut_path);
	char *text = tree.has_failed ? NULL : make_short(json);
	int result = text ? 0 : -ENOMEM;

	if (text)
		fprintf(walk->out, "%s\n", text);
	free(text);
	json_decref(json);
	return result;
}

/* In seconds. Of a process that runs on there may be no snapshot yet. */
static uint64_t find_uptime(const struct fp_report *report)
{
	uint64_t now = (uint64_t)time(NULL);

	if (report->snapshot_count > 0)
		return report->snapshots[report->snapshot_count - 1].milliseconds / MSEC;
	return report->started > 0 && now > report->started ? now - report->started : 0;
}

/* What all lines say of the process of REPORT. What it came to is only in the last one. */
static struct fp_report begin_line(const struct fp_report_walk *walk,
                                   const struct fp_report *report, const char *type)
{
	struct fp_report line = *report;

	line.line = *walk->view->line;
	line.line.type = type;
	if (!line.line.time)
		line.line.uptime = find_uptime(report);
	line.finding_count = line.leak_count = line.failed_count = line.snapshot_count = 0;
	line.heap.context_count = 0; /* thousands, of a budget */
	line.growth.count = 0;
	line.growth.is_looked_for = false;
	line.suppressions = NULL;
	return line;
}

/* Of one finding or leak: nothing is known, and nothing unknown, of the rest. */
static struct fp_report begin_part(const struct fp_report_walk *walk,
                                   const struct fp_report *report, const char *type)
{
	struct fp_report line = begin_line(walk, report, type);

	line.protection = (struct fp_report_protection){0};
	line.heap = (struct fp_report_heap){0};
	line.is_uncounted = true;
	line.is_cut_short = line.has_check_failed = false;
	line.is_check_off = true;
	line.exit = FP_LOG_EXIT_UNKNOWN;
	line.note_count = 0;
	line.setting_count = 0;
	line.suppressed = 0;
	line.unlisted = (struct fp_report_unlisted){0};
	return line;
}

static void put_fingerprint(struct fp_report_line *line, uint64_t fingerprint,
                            char text[HASH_MAX])
{
	snprintf(text, HASH_MAX, "%016" PRIx64, fingerprint);
	line->fingerprint = text;
}

static const struct fp_report *current(const struct fp_report_walk *walk)
{
	return walk->set->reports[walk->index];
}

static int write_finding(struct fp_report_walk *walk, const struct fp_report_finding *finding)
{
	struct fp_report line = begin_part(walk, current(walk), "finding");
	struct fp_report_finding copy = *finding;
	char fingerprint[HASH_MAX];

	if (finding->index < current(walk)->sent)
		return 0;
	if (walk->view->is_redacted)
		redact(&line, &copy);
	line.findings = &copy;
	line.finding_count = 1;
	line.line.kind = fp_finding_traits(finding->kind)->name;
	line.line.count = finding->count;
	put_fingerprint(&line.line, finding->fingerprint, fingerprint);
	put_place(&line.line, fp_report_finding_stack(finding));
	line.summary = fp_report_total(&line);
	return write_line(walk, &line);
}

static int write_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	struct fp_report line = begin_part(walk, current(walk), "leak");
	struct fp_report_leak copy = *leak;
	char fingerprint[HASH_MAX], kind[32];

	if (walk->view->is_redacted)
		redact(&line, NULL);
	line.leaks = &copy;
	line.leak_count = 1;
	snprintf(kind, sizeof(kind), "leak-%s", fp_leak_class_name(leak->class));
	line.line.kind = kind;
	line.line.count = leak->blocks;
	line.line.bytes = leak->bytes;
	put_fingerprint(&line.line, leak->fingerprint, fingerprint);
	put_place(&line.line, leak->stack);
	line.is_check_off = false;
	line.summary = fp_report_total(&line);
	return write_line(walk, &line);
}

/* The sums are those of all that was found. */
static int write_summary(struct fp_report_walk *walk, const struct fp_report *report)
{
	struct fp_report line = begin_line(walk, report, "summary");

	if (walk->view->line->type && strcmp(walk->view->line->type, "summary") != 0)
		return 0;
	line.summary = fp_report_total(report);
	line.suppressions = report->suppressions;
	if (walk->view->is_redacted)
		redact(&line, NULL);
	return write_line(walk, &line);
}

const struct fp_report_writer fp_report_ndjson_writer = {
        .name = "ndjson",
        .finding = write_finding,
        .leak = write_leak,
        .end_report = write_summary,
};
