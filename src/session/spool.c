/* SPDX-License-Identifier: Apache-2.0
 *
 * Under `fencepost run` the events of every process are left in a directory, one file for each
 * program that the process executes, and reported from there. Nothing is kept open: whatever
 * the program does to its descriptors, it cannot meet ours. A finding is in its file before the
 * program goes on, so it outlives every way to end.
 *
 * Context: alloc and fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/text.h"
#include "base/write.h"
#include "log/format.h"
#include "session/session.h"
#include "session/state.h"

enum { IMAGES_MAX = 10000 }; /* programs that one process executes */

static char file[FP_OPTION_PATH_MAX + 64];
static bool is_made;
static int failure;   /* why the file does not have the events, or 0 */
static size_t copied; /* bytes of the main log that are in the file */

/* What tells one program that this process executes from the next. */
static uint64_t image_id(void)
{
	uint32_t id = 0;

	if (getauxval(AT_RANDOM) != 0)
		memcpy(&id, (const void *)getauxval(AT_RANDOM), sizeof(id));
	return id;
}

/* PID-IMAGE-NUMBER: a program may have two sessions. */
static void name_file(unsigned number)
{
	struct fp_text text;

	fp_text_begin(&text, file, sizeof(file));
	fp_text_string(&text, fp_session.options.spool);
	fp_text_string(&text, "/");
	fp_text_decimal(&text, (uint64_t)fp_sys_getpid());
	fp_text_string(&text, "-");
	fp_text_decimal(&text, image_id());
	fp_text_string(&text, "-");
	fp_text_decimal(&text, number);
}

/* The programs this process executed before have files of their own. */
static int make_file(void)
{
	int fd = -1;

	for (unsigned number = 0; fd < 0 && number < IMAGES_MAX; number++) {
		name_file(number);
		fd = fp_sys_open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && fd != -EEXIST)
			break;
	}
	is_made = fd >= 0;
	return fd;
}

static int append(int fd, struct fp_log *tail)
{
	int status = fp_log_copy_from(&fp_session.log, &copied, fd);

	if (status == 0 && tail != NULL)
		status = fp_log_copy(tail, fd);
	/* A file that is there and empty says that this process was, and not what it did. */
	if (status != 0 && fp_sys(SYS_ftruncate, fd, 0) != 0)
		fp_sys_unlink(file);
	return status;
}

static const char *remedy(void)
{
	switch (-failure) {
	case EFBIG:
		return "raise the limit of files (ulimit -f)";
	case ENOSPC:
	case EDQUOT:
		return "name a directory with more room with TMPDIR";
	default:
		return "name a directory that it may write to with TMPDIR";
	}
}

/* A process in a sandbox, or of another user: what it has to say is all that matters. */
bool fp_session_is_spool_out_of_reach(void)
{
	return failure != 0 && failure != -EFBIG && failure != -ENOSPC && failure != -EDQUOT;
}

/* Once: from now on the process reports by itself. */
static void explain(void)
{
	char line[FP_OPTION_PATH_MAX + 256];
	struct fp_text text;

	if (fp_session_is_stderr_lost())
		return;
	fp_text_begin(&text, line, sizeof(line));
	fp_text_string(&text, "process ");
	fp_text_decimal(&text, (uint64_t)fp_sys_getpid());
	fp_text_string(&text, " cannot leave its events in ");
	fp_text_string(&text, fp_session.options.spool);
	fp_text_string(&text, " (");
	fp_text_string(&text, strerrordesc_np(-failure));
	fp_text_string(&text, "), and reports at its end as text, and nowhere else; ");
	fp_say(line, remedy());
}

int fp_session_spool(struct fp_log *tail)
{
	if (fp_session.options.spool[0] == '\0')
		return -ENOENT;
	if (failure != 0)
		return failure;
	int fd = is_made ? fp_sys_open(file, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0)
	                 : make_file();
	failure = fd < 0 ? fd : append(fd, tail);
	if (fd >= 0)
		fp_sys_close(fd);
	if (failure != 0 &&
	    (!fp_session_is_spool_out_of_reach() || fp_session_finding_count() > 0))
		explain();
	return failure;
}

/* "DEVICE:INODE" of standard error. */
static bool name_stderr(struct fp_text *text)
{
	struct stat status;

	if (fp_sys_fstat(STDERR_FILENO, &status) != 0)
		return false;
	fp_text_decimal(text, status.st_dev);
	fp_text_string(text, ":");
	fp_text_decimal(text, status.st_ino);
	return true;
}

bool fp_session_prints_elsewhere(void)
{
	char path[FP_OPTION_PATH_MAX + sizeof("/" FP_LOG_STDERR)];
	char theirs[64] = "";
	char ours[64];
	struct fp_text text;

	fp_text_begin(&text, path, sizeof(path));
	fp_text_string(&text, fp_session.options.spool);
	fp_text_string(&text, "/" FP_LOG_STDERR);
	if (fp_sys_readlink(path, theirs, sizeof(theirs) - 1) <= 0)
		return false;
	fp_text_begin(&text, ours, sizeof(ours));
	return name_stderr(&text) && strcmp(ours, theirs) != 0;
}

void fp_session_forget_spool(void)
{
	is_made = false;
	failure = 0;
	copied = 0;
}
