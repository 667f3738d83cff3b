/* SPDX-License-Identifier: Apache-2.0
 *
 * The picture of a block: the slot with its guards to scale, and below it, to a larger scale,
 * the bytes around what was hit. Only what the log says is drawn; offsets count from the start
 * of the block.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/html/parts.h"
#include "report/stack.h"

enum {
	WIDTH = 960,
	PAGE_BYTES = 4096, /* where the log does not say */
	PADDED_SIDE = 16,  /* least padding on either side of a padded block */
	SLOT_TOP = 26,
	SLOT_HEIGHT = 30,
	LENS_HEIGHT = 26,
	BYTES_TOP = SLOT_TOP + SLOT_HEIGHT + LENS_HEIGHT,
	BYTES_HEIGHT = 34,
	TICKS_TOP = BYTES_TOP + BYTES_HEIGHT,
	MARGIN_BYTES = 24,  /* shown around what matters */
	WHOLE_BYTES = 192,  /* a block up to this size is shown whole */
	LABEL_CHARACTER = 7 /* width of a character of a label, a little too much */
};

/* A log that claims more was not written by us, and doubles would lose count of its bytes. */
#define SIZE_MAX_DRAWN ((uint64_t)1 << 47)
#define DISTANCE_MAX_DRAWN ((int64_t)1 << 48)

/* Bytes from FROM up to TO. */
struct range {
	double from;
	double to;
};

/* What is drawn, in bytes from the start of the block. */
struct scene {
	FILE *out;
	struct range all;   /* guards included */
	struct range slot;  /* block and padding */
	struct range block; /* at least one byte wide */
	struct range hit;   /* empty when nothing was hit */
	double guard;       /* bytes of each; 0 for none */
	bool is_region;
	bool is_freed;
	uint64_t size;
};

/* A strip of the picture: the bytes of RANGE over the whole width. */
struct strip {
	const struct scene *scene;
	struct range range;
	int top;
	int height;
};

static double at(const struct strip *strip, double byte)
{
	double width = strip->range.to - strip->range.from;

	return (byte - strip->range.from) / width * WIDTH;
}

static uint64_t guard_bytes(const struct fp_report *report, uint64_t page)
{
	for (size_t i = 0; i < report->setting_count; i++) {
		const struct fp_report_setting *setting = &report->settings[i];
		uint64_t pages = 0;

		if (fp_report_compare_strings(setting->key, fp_report_text("guard_pages")) != 0)
			continue;
		for (size_t j = 0; j < setting->value.size && pages < 1000; j++)
			pages = 10 * pages + (uint64_t)(setting->value.bytes[j] - '0');
		if (pages > 0 && pages <= 1024)
			return pages * page;
	}
	return page;
}

static void lay_out_slot(struct scene *scene, const struct fp_report *report,
                         const struct fp_report_block *block)
{
	uint64_t page = report->page_bytes >= 512 ? report->page_bytes : PAGE_BYTES;
	uint64_t before = block->address % page;
	uint64_t after = (page - (block->address + block->size) % page) % page;
	if (block->size == 0 && after == 0)
		after = before == 0 ? page : 0;
	scene->slot = (struct range){-(double)before, (double)block->size + (double)after};
	scene->guard = (double)guard_bytes(report, page);
	scene->all =
	        (struct range){scene->slot.from - scene->guard, scene->slot.to + scene->guard};
}

/* What the picture says about a block without guards of its own. */
static void lay_out_cell(struct scene *scene, const struct fp_report_block *block)
{
	scene->slot = (struct range){-PADDED_SIDE, (double)block->size + PADDED_SIDE};
	scene->all = scene->slot;
}

static struct range find_hit(const struct fp_report_finding *finding)
{
	double offset = (double)finding->block.offset;

	if (finding->evidence.size > 0 && !finding->is_evidence_last &&
	    llabs(finding->evidence_offset) <= DISTANCE_MAX_DRAWN) {
		offset = (double)finding->evidence_offset;
		return (struct range){offset, offset + (double)finding->evidence.size};
	}
	if (finding->access == FP_ACCESS_UNKNOWN ||
	    llabs(finding->block.offset) > DISTANCE_MAX_DRAWN ||
	    (finding->access == FP_ACCESS_FREE && finding->block.offset == 0))
		return (struct range){0, 0};
	return (struct range){offset, offset + 1};
}

static bool has_hit(const struct scene *scene)
{
	return scene->hit.to > scene->hit.from;
}

static struct scene lay_out(FILE *out, const struct fp_report *report,
                            const struct fp_report_finding *finding)
{
	const struct fp_report_block *block = &finding->block;
	struct scene scene = {
	        .out = out,
	        .is_region = finding->page.state != FP_PAGE_NONE,
	        .is_freed = block->state == FP_BLOCK_FREED,
	        .size = block->size,
	        .block = {0, block->size > 0 ? (double)block->size : 1},
	        .hit = find_hit(finding),
	};

	if (scene.is_region)
		scene.all = scene.slot = scene.block; /* a region has neither */
	else if (block->tier == FP_TIER_GUARDED)
		lay_out_slot(&scene, report, block);
	else
		lay_out_cell(&scene, block);
	/* An access may have gone past the guards. */
	if (has_hit(&scene) && scene.hit.from < scene.all.from)
		scene.all.from = scene.hit.from - MARGIN_BYTES;
	if (has_hit(&scene) && scene.hit.to > scene.all.to)
		scene.all.to = scene.hit.to + MARGIN_BYTES;
	return scene;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static double greatest(double a, double b)
{
	return a > b ? a : b;
}

/* The part of RANGE that STRIP shows. */
static struct range clip(const struct strip *strip, struct range range)
{
	return (struct range){greatest(range.from, strip->range.from),
	                      least(range.to, strip->range.to)};
}

/* The wider part of RANGE that is left beside the hit. */
static struct range beside_hit(const struct scene *scene, struct range range)
{
	struct range before = {range.from, least(range.to, scene->hit.from)};
	struct range after = {greatest(range.from, scene->hit.to), range.to};

	if (!has_hit(scene) || scene->hit.to <= range.from || scene->hit.from >= range.to)
		return range;
	return before.to - before.from > after.to - after.from ? before : after;
}

static void put_label(const struct strip *strip, struct range shown, const char *class,
                      const char *label)
{
	double width = at(strip, shown.to) - at(strip, shown.from);

	if (width < (double)(strlen(label) * LABEL_CHARACTER))
		return;
	fprintf(strip->scene->out,
	        "<text class=\"in %s\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s"
	        "</text>\n",
	        class, at(strip, shown.from) + width / 2, strip->top + strip->height / 2 + 4,
	        label);
}

static void put_part(const struct strip *strip, struct range range, const char *class,
                     const char *label)
{
	struct range shown = clip(strip, range);

	if (range.to <= range.from || shown.to <= shown.from)
		return;
	fprintf(strip->scene->out,
	        "<rect class=\"%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/>\n",
	        class, at(strip, shown.from), strip->top,
	        greatest(at(strip, shown.to) - at(strip, shown.from), 1), strip->height);
	put_label(strip, beside_hit(strip->scene, shown), class, label);
}

static void put_strip(const struct strip *strip)
{
	const struct scene *scene = strip->scene;
	char label[64];

	snprintf(label, sizeof(label), "%s%s, %" PRIu64 " byte%s",
	         scene->is_freed ? "freed " : "", scene->is_region ? "region" : "block",
	         scene->size, scene->size == 1 ? "" : "s");
	put_part(strip, (struct range){scene->slot.from - scene->guard, scene->slot.from},
	         "guard", "guard");
	put_part(strip, (struct range){scene->slot.to, scene->slot.to + scene->guard}, "guard",
	         "guard");
	put_part(strip, (struct range){scene->slot.from, 0}, "padding", "padding");
	put_part(strip, (struct range){(double)scene->size, scene->slot.to}, "padding",
	         "padding");
	put_part(strip, scene->block, scene->is_freed ? "block freed" : "block", label);
	if (has_hit(scene))
		put_part(strip, scene->hit, "hit", "");
}

static void put_marker(const struct strip *strip, const char *label)
{
	const struct scene *scene = strip->scene;
	double middle = (at(strip, scene->hit.from) + at(strip, scene->hit.to)) / 2;
	const char *anchor = middle < 200 ? "start" : middle > WIDTH - 200 ? "end" : "middle";

	fprintf(scene->out,
	        "<path class=\"marker\" d=\"M%.1f %d l-5 -8 h10 z\"/>\n"
	        "<text class=\"marker\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>\n",
	        middle, strip->top - 1, middle, strip->top - 13, anchor, label);
}

/* What the lower strip shows: the block when it is small, and in any case what was hit. */
static struct range find_window(const struct scene *scene)
{
	struct range window = has_hit(scene) ? scene->hit : scene->block;

	if (scene->size <= WHOLE_BYTES && window.to > -WHOLE_BYTES &&
	    window.from < (double)scene->size + WHOLE_BYTES) {
		window.from = least(window.from, scene->block.from);
		window.to = greatest(window.to, scene->block.to);
	}
	window.from = greatest(window.from - MARGIN_BYTES, scene->all.from);
	window.to = least(window.to + MARGIN_BYTES, scene->all.to);
	return window;
}

static bool is_worth_a_lens(const struct scene *scene, struct range window)
{
	double shown = window.to - window.from;

	return (has_hit(scene) || scene->size <= WHOLE_BYTES) &&
	       shown < (scene->all.to - scene->all.from) / 2;
}

static void put_ticks(const struct strip *strip)
{
	double step = 8;

	while ((strip->range.to - strip->range.from) / step > 16)
		step *= 2;
	for (int64_t i = (int64_t)(strip->range.from / step);; i++) {
		double tick = step * (double)i;
		double x = at(strip, tick);

		if (tick > strip->range.to)
			return;
		if (x < 8 || x > WIDTH - 8)
			continue;
		fprintf(strip->scene->out,
		        "<path class=\"tick\" d=\"M%.1f %d v5\"/><text class=\"tick\" "
		        "x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s%.0f</text>\n",
		        x, TICKS_TOP, x, TICKS_TOP + 18, tick > 0 ? "+" : "", tick);
	}
}

static void put_lens(const struct strip *slot, const struct strip *bytes)
{
	fprintf(slot->scene->out,
	        "<path class=\"lens\" d=\"M%.1f %d L0 %d H%d L%.1f %d z\"/>\n",
	        at(slot, bytes->range.from), SLOT_TOP + SLOT_HEIGHT, BYTES_TOP, WIDTH,
	        at(slot, bytes->range.to), SLOT_TOP + SLOT_HEIGHT);
}

static void print_hit(char *text, size_t size, const struct fp_report_finding *finding)
{
	double offset = find_hit(finding).from;
	double end = (double)finding->block.size;
	const char *what = finding->evidence.size > 0 && !finding->is_evidence_last
	                           ? "changed bytes"
	                           : fp_access_name(finding->access);

	if (offset < 0)
		snprintf(text, size, "%s, %.0f before the start", what, -offset);
	else if (offset >= end)
		snprintf(text, size, "%s, %.0f past the end", what, offset - end);
	else
		snprintf(text, size, "%s, %.0f inside", what, offset);
}

void fp_report_html_block(FILE *out, const struct fp_report *report,
                          const struct fp_report_finding *finding)
{
	const struct scene scene = lay_out(out, report, finding);
	const struct strip slot = {&scene, scene.all, SLOT_TOP, SLOT_HEIGHT};
	const struct strip bytes = {&scene, find_window(&scene), BYTES_TOP, BYTES_HEIGHT};
	bool has_lens = is_worth_a_lens(&scene, bytes.range);
	char hit[96] = "";

	if (finding->block.size > SIZE_MAX_DRAWN)
		return;
	if (has_hit(&scene))
		print_hit(hit, sizeof(hit), finding);
	fprintf(out,
	        "<div class=\"scroll\"><svg class=\"slot\" viewBox=\"0 0 %d %d\" role=\"img\" "
	        "aria-label=\"A block of %" PRIu64 " bytes in its slot: %.0f bytes of padding "
	        "before it, %.0f behind it%s%s\">\n",
	        WIDTH, has_lens ? TICKS_TOP + 24 : SLOT_TOP + SLOT_HEIGHT + 4, scene.size,
	        -scene.slot.from, scene.slot.to - (double)scene.size, *hit ? "; " : "", hit);
	if (has_lens)
		put_lens(&slot, &bytes);
	put_strip(&slot);
	if (has_hit(&scene))
		put_marker(&slot, hit);
	if (has_lens) {
		put_strip(&bytes);
		put_ticks(&bytes);
	}
	fputs("</svg></div>\n", out);
}
