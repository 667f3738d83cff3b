/* SPDX-License-Identifier: Apache-2.0
 *
 * The recording that the option `record` asks for. Under `fencepost run` every process has the
 * same options, and the directory that logs are left in says that it is so: no recording may
 * overwrite another one then.
 */
#include <errno.h>
#include <string.h>

#include "base/messages.h"
#include "base/text.h"
#include "record/record.h"
#include "session/session.h"
#include "session/state.h"

void fp_session_start_recording(void)
{
	char path[FP_SESSION_PATH_MAX];
	const struct fp_record_config config = {
	        .path = path,
	        .is_kept = fp_session_is_collected(),
	        .first_serial = fp_session.first_serial,
	};

	if (fp_session.options.record[0] == '\0')
		return;
	fp_session_expand_path(fp_session.options.record, path, sizeof(path));
	if (fp_session.is_forked_child)
		fp_record_start_in_child(&config);
	else if (fp_record_start(&config) != 0)
		fp_log_note(fp_session_log(), FP_TELL_NO_RECORDING);
}

void fp_session_write_recording(void)
{
	if (fp_session_is_started())
		fp_record_flush();
}

void fp_session_log_recording(struct fp_log *tail)
{
	char line[FP_SESSION_PATH_MAX + 256];
	struct fp_text text;

	if (fp_record_failure() == 0)
		return;
	fp_text_begin(&text, line, sizeof(line));
	fp_text_print(&text, FP_TELL_RECORDING_ENDS, fp_record_path(),
	              strerrordesc_np(-fp_record_failure()));
	fp_log_note(tail, line);
}
