/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings that are shown when they are made: whoever reads the log of a server has them while
 * it runs. The program does not wait for it, unless it dies of what it did: what others say of
 * its death comes after the finding. The logs are read again from their beginning each
 * time that something came; a program that makes very many findings has the rest at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/messages.h"
#include "base/tool_messages.h"
#include "cli/cli.h"
#include "log/format.h"

enum { SHOWN_MAX = 1000 };

void fp_cli_live_begin(struct fp_cli_live *live, struct fp_channel *channel,
                       const struct fp_options *options,
                       struct fp_report_suppressions *suppressions)
{
	*live = (struct fp_cli_live){.options = options, .suppressions = suppressions};
	if (fp_options_show_at_once(options) || options->ndjson[0] != '\0')
		live->channel = channel;
	if (channel)
		fp_channel_set_showing(channel, fp_options_show_at_once(options));
}

/* Who may want to start anew is told at once. */
static void show_suggestion(struct fp_cli_live *live)
{
	static const char suggestion[] = FP_TELL_SUGGESTION;
	const struct fp_report *report = live->logs.logs[0].report;

	for (size_t i = 0; i < report->note_count && !live->has_suggested; i++) {
		if (report->notes[i].size != sizeof(suggestion) - 1 ||
		    memcmp(report->notes[i].bytes, suggestion, sizeof(suggestion) - 1) != 0)
			continue;
		live->has_suggested = true;
		if (!live->options->quiet && fp_options_show_at_once(live->options))
			fprintf(stderr, FP_SAY_NOTE, suggestion);
	}
}

/* The one log of LIVE, which has FOUND findings. What is suppressed counts as shown. */
static void show(struct fp_cli_live *live, struct fp_channel_log *log, size_t shown,
                 size_t found)
{
	if (found <= shown || !fp_options_show_at_once(live->options) ||
	    live->shown >= SHOWN_MAX ||
	    fp_cli_render_findings(live->logs.logs, shown, found, live->options) != 0)
		return;
	live->shown += found - shown;
	fp_channel_set_shown(log, found);
	if (live->shown >= SHOWN_MAX)
		fp_channel_set_showing(live->channel, false);
}

static void look_at(struct fp_cli_live *live, struct fp_channel_log *log,
                    const struct fp_channel_status *status)
{
	char *data = status->bytes <= fp_channel_bytes() ? malloc(status->bytes + 1) : NULL;

	if (!data)
		return;
	size_t size = fp_channel_read(live->channel, log, (uint8_t *)data, status->bytes);
	if (fp_cli_logs_add(&live->logs, data, size) == 0) {
		size_t found = live->logs.logs[0].report->finding_count;

		show_suggestion(live);
		if (fp_cli_suppress(live->logs.logs, 1, live->suppressions) == 0) {
			show(live, log, status->shown, found);
			/* A process that dies waits for what is shown, not for this. */
			if (found > status->sent && status->sent < SHOWN_MAX)
				fp_channel_set_sent(log, fp_cli_lines_send_findings(
				                                 live->logs.logs, status->sent,
				                                 found, live->options));
		}
	} else {
		free(data);
	}
	fp_cli_logs_clear(&live->logs);
}

/* What is being published while this looks has its place in the order already, and is met the
 * next time. */
void fp_cli_live_look(struct fp_cli_live *live)
{
	uint64_t seen = live->order;
	struct fp_channel_log *log;

	if (fp_channel_order(live->channel) == seen ||
	    (live->shown >= SHOWN_MAX && live->options->ndjson[0] == '\0'))
		return;
	for (size_t i = 0; (log = fp_channel_log_at(live->channel, i)); i++) {
		const struct fp_channel_status status = fp_channel_status(log);

		if (!status.is_told || status.order <= seen)
			continue;
		look_at(live, log, &status);
		if (status.order > live->order)
			live->order = status.order;
	}
}

void fp_cli_live_end(struct fp_cli_live *live)
{
	if (live->channel)
		fp_channel_set_showing(live->channel, false);
	live->channel = NULL;
	/* They count in the report. */
	for (size_t i = 0; live->suppressions && i < live->suppressions->count; i++)
		live->suppressions->items[i].used = 0;
	fp_cli_logs_free(&live->logs);
}
