/* SPDX-License-Identifier: Apache-2.0
 *
 * The events of a process go into the channel, which is mapped before the program can restrict
 * itself, and are reported from there: by `fencepost run`, which made it, or by a watcher that
 * this process starts. What the process has to say is there before the program goes on, so it
 * outlives every way to end.
 *
 * Context: alloc and fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/messages.h"
#include "base/meta.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/vm.h"
#include "heap/heap.h"
#include "log/channel.h"
#include "session/session.h"
#include "session/state.h"

/* These are written at the start or with the session's lock. Who reads them without it reads
 * each once: the child of a fork may lose its channel for another. */
static struct fp_channel *_Atomic channel; /* NULL: nobody reads, or it is out of reach */
static struct fp_channel *forked_in;       /* that has been told of the fork in progress */

/* The log of this process, once there is one. In memory that is zero in the child of any fork,
 * also one that no handler sees: two processes may not write one log. A child of vfork has its
 * parent's. */
struct own {
	struct fp_channel_log *_Atomic log;
};
static struct own *_Atomic own;

static _Atomic pid_t watcher; /* that this process, or the one that forked it, started; or 0 */
static _Atomic pid_t watched; /* whose end that waits for */
static _Atomic int failure;   /* why the process reports by itself, or 0 */
static int first_mode;        /* of seccomp, when the session started */

static struct own *map_own(void)
{
	uintptr_t page;

	if (fp_vm_map(fp_vm_page_size(), PROT_READ | PROT_WRITE, &page) != 0)
		return NULL;
	fp_vm_advise(page, fp_vm_page_size(), MADV_WIPEONFORK);
	return (struct own *)page;
}

static struct fp_channel_log *own_log(void)
{
	struct own *page = own;

	return page == NULL ? NULL : page->log;
}

static ssize_t read_elsewhere(enum fp_proc_file file, size_t offset, char *bytes, size_t size)
{
	struct fp_channel *reached = channel;

	return reached == NULL
	               ? -ENOENT
	               : fp_channel_fetch(reached, fp_sys_getpid(), file, offset, bytes, size);
}

static int seccomp_mode(void)
{
	return (int)fp_sys(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0);
}

void fp_session_open_channel(void)
{
	const char *address = fp_session.options.channel;
	int status = -ENOMEM;

	first_mode = seccomp_mode();
	if (address[0] == '\0')
		return;
	own = map_own();
	if (own != NULL)
		channel = fp_channel_attach(address, fp_session_affordable(fp_channel_bytes()),
		                            &status);
	failure = status;
	if (channel != NULL) {
		fp_channel_count(channel, fp_sys_getpid());
		fp_proc_set_reader(read_elsewhere);
		fp_heap_share_sites(fp_channel_sites(channel));
	}
}

/* The thread that answers may wait in the one before, or in none. */
static void set_channel(struct fp_channel *next)
{
	struct fp_channel *before = channel;

	channel = next;
	fp_session_leave_channel(before);
}

/* Other threads have it once it is there to stay. */
static void make_channel(void)
{
	char address[FP_CHANNEL_ADDRESS_MAX];
	int status;
	int fd;

	/* Where address space is so short that even a small one is a large share of it, the
	 * program needs that. */
	if (fp_session_affordable(fp_channel_fewest_bytes()) < fp_channel_fewest_bytes() / 2)
		return;
	if (own == NULL)
		own = map_own();
	else
		own->log = NULL;
	struct fp_channel *made =
	        own == NULL ? NULL
	                    : fp_channel_make(fp_session_affordable(fp_channel_bytes()), &fd,
	                                      address, &status);
	if (made == NULL) {
		set_channel(NULL);
		return;
	}
	/* Nobody but the watcher is to inherit it. It stays open for who wants a snapshot. */
	if (fd >= 0)
		fp_sys_fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* One that prints elsewhere says what ends it in its own words, too. */
	struct stat output;
	if (fp_session.options.log[0] == '\0' && fp_sys_fstat(STDERR_FILENO, &output) == 0)
		fp_channel_set_output(made, output.st_dev, output.st_ino);
	fp_channel_set_showing(made, fp_options_show_at_once(&fp_session.options));
	pid_t started = fp_session_run_watcher(address, fd);
	if (started > 0) {
		fp_channel_set_reader(made, started);
		fp_channel_count(made, fp_session.pid);
		watched = fp_session.pid;
		watcher = started;
		set_channel(made);
		fp_proc_set_reader(read_elsewhere);
		fp_heap_share_sites(fp_channel_sites(made));
		return;
	}
	/* The report is made at the end, and says what stands in the way. */
	watcher = 0;
	set_channel(NULL);
	fp_channel_drop(made, fd);
}

/* A filter that the program has installed may kill whoever starts a program. */
void fp_session_start_watcher(void)
{
	static pid_t tried;

	/* A child may outlive the process that forked it, whose watcher is done then:
	 * daemon(3). */
	if ((fp_session.options.report != FP_OPTIONS_REPORT_NOW &&
	     fp_session.options.events[0] == '\0') ||
	    fp_session_is_collected() || fp_sys_getpid() != fp_session.pid ||
	    atomic_load(&fp_session.own.is_finished) || tried == fp_session.pid ||
	    (channel != NULL &&
	     (watched == fp_session.pid || fp_channel_has_reader(channel))) ||
	    seccomp_mode() > first_mode)
		return;
	tried = fp_session.pid;
	failure = 0;
	make_channel();
}

void fp_session_await_shown(void)
{
	struct fp_channel *reached = channel;
	struct fp_channel_log *log = own_log();

	if (reached != NULL && log != NULL && fp_channel_has_reader(reached))
		fp_channel_await_shown(reached, log, fp_session_finding_count());
}

bool fp_session_await_watcher(void)
{
	struct fp_channel *reached = channel;
	pid_t reader = watcher;

	return reached == NULL || reader == 0 || fp_sys_getpid() != watched ||
	       fp_channel_await_reader(reached, reader);
}

size_t fp_session_shown_by_reader(void)
{
	const struct fp_channel_log *log = own_log();

	return log != NULL ? fp_channel_status(log).shown : 0;
}

struct fp_channel *fp_session_channel_memory(void)
{
	return channel;
}

bool fp_session_is_collected(void)
{
	return fp_session.options.channel[0] != '\0';
}

/* Whoever executed this program took the channel away from it; or `fencepost run` is no more,
 * or did not wait. Nobody counts on what there is to say but who reads standard error. */
bool fp_session_is_on_its_own(void)
{
	return failure != 0 && failure != -ENOSPC;
}

/* The reader did not end as it should. */
static bool is_abandoned(void)
{
	return !fp_channel_has_reader(channel) && !fp_channel_is_closed(channel);
}

/* Once: from now on the process reports by itself. */
static void explain(void)
{
	unsigned pid = (unsigned)fp_sys_getpid();

	if (fp_session_is_stderr_lost())
		return;
	if (failure == -ENOSPC)
		fp_say(FP_TELL_CHANNEL_FULL, pid);
	else if (failure != -ESRCH)
		fp_say(FP_TELL_CHANNEL_LOST, pid);
	else if (watcher != 0)
		fp_say(FP_TELL_PARENT_ENDED, pid);
	else
		fp_say(is_abandoned() ? FP_TELL_RUN_DIED : FP_TELL_RUN_ENDED, pid);
}

static int give_up(int reason_for_it)
{
	failure = reason_for_it;
	if (!fp_session.own.is_explained &&
	    (!fp_session_is_on_its_own() || fp_session_finding_count() > 0)) {
		fp_session.own.is_explained = true;
		explain();
	}
	return failure;
}

static struct fp_channel_log *find_log(void)
{
	if (own->log != NULL)
		return own->log;
	own->log = fp_channel_open_log(channel, fp_sys_getpid());
	fp_session.log.published = 0;
	return own->log;
}

/* Appends what the log has and TAIL, if there is one. */
static bool append(struct fp_log *tail)
{
	struct fp_channel_log *log = find_log();

	return log != NULL && fp_log_publish(fp_session_log(), channel, log) &&
	       (tail == NULL || fp_log_publish(tail, channel, log));
}

void fp_session_publish_beginning(void)
{
	if (channel != NULL)
		append(NULL);
}

int fp_session_publish(struct fp_log *tail)
{
	if (channel == NULL && !fp_session_is_collected())
		return -ENOENT;
	if (failure != 0)
		return channel == NULL ? give_up(failure) : failure;
	if (!append(tail))
		return give_up(-ENOSPC);
	if (tail == NULL)
		fp_channel_tell(channel, own->log);
	else if (!fp_channel_has_reader(channel) || !fp_channel_end(channel, own->log))
		return give_up(-ESRCH);
	return 0;
}

bool fp_session_is_orphan(void)
{
	return fp_session_is_collected() && failure == -ESRCH && channel != NULL &&
	       is_abandoned();
}

bool fp_session_has_told(void)
{
	const struct fp_channel_log *log = own_log();

	return log != NULL && fp_channel_status(log).is_told;
}

bool fp_session_is_guest(void)
{
	return own_log() != NULL && fp_session_is_started() && !fp_session_is_here() &&
	       !atomic_load(&fp_session.own.is_finished);
}

bool fp_session_announce(pid_t pid)
{
	struct fp_channel *reached = channel;

	return reached != NULL && fp_channel_announce(reached, pid);
}

void fp_session_withdraw(pid_t pid)
{
	struct fp_channel *reached = channel;

	if (reached != NULL)
		fp_channel_pass(reached, pid);
}

void fp_session_tell_death(pid_t pid, int status)
{
	struct fp_channel *reached = channel;
	const struct fp_channel_death death = {
	        .pid = pid, .parent = fp_sys_getpid(), .status = status};

	if (reached != NULL)
		fp_channel_note_death(reached, &death);
}

/* In a child of vfork it is its parent that has a log. */
void fp_session_leave_to_others(void)
{
	struct fp_channel_log *log = own_log();

	if (log != NULL && fp_channel_status(log).pid == fp_sys_getpid())
		fp_channel_replace(log);
	fp_session_withdraw(fp_sys_getpid());
}

static bool collects_unseen(const char *line)
{
	struct fp_channel *reached = channel;

	if (reached != NULL)
		fp_channel_note_unseen(reached, line);
	return fp_session_is_collected();
}

bool fp_session_prints_elsewhere(void)
{
	const struct fp_channel *reached = channel;
	struct stat status;

	return reached != NULL && fp_sys_fstat(STDERR_FILENO, &status) == 0 &&
	       fp_channel_prints_elsewhere(reached, status.st_dev, status.st_ino);
}

void fp_session_begin_fork(void)
{
	forked_in = channel;
	if (forked_in != NULL)
		fp_channel_begin_fork(forked_in);
}

void fp_session_end_fork(void)
{
	if (forked_in != NULL)
		fp_channel_end_fork(forked_in);
}

void fp_session_forget_published(void)
{
	/* Its own log it has none: that page is empty in a child, unless the kernel refused
	 * that. */
	if (own != NULL)
		own->log = NULL;
	if (channel != NULL) {
		failure = 0;
		fp_channel_note_child(channel);
		fp_channel_count(channel, fp_sys_getpid());
	}
	fp_session_end_fork();
}

/* ---- Programs that nobody watches ----------------------------------------------------------
 *
 * Programs that this one executes and nobody watches. `fencepost run` collects them; without it
 * each is said on standard error, once by a process and all that it forks.
 *
 * Context: alloc and fault.
 */

/* Hashes of what was said, in memory that forked processes share. */
enum { SAID_MAX = 512 };
static _Atomic uint64_t *said;

void fp_session_watch_unseen(void)
{
	uintptr_t memory;
	size_t bytes = SAID_MAX * sizeof(*said);

	if (fp_session_is_collected() || fp_vm_map(bytes, PROT_READ, &memory) != 0)
		return;
	if (fp_vm_remap_shared(memory, bytes, PROT_READ | PROT_WRITE) == 0)
		said = (_Atomic uint64_t *)memory;
}

/* Two lines of one place: the later one stays unsaid, where the table is full too. */
static bool is_new(const char *line)
{
	uint64_t hash = fp_hash_bytes(fp_hash_start, line, strlen(line)) | 1;

	for (size_t i = 0; i < SAID_MAX; i++) {
		uint64_t seen = 0;

		if (atomic_compare_exchange_strong(&said[i], &seen, hash))
			return true;
		if (seen == hash)
			return false;
	}
	return false;
}

static void say(const char *line)
{
	if (!fp_session.options.quiet && !fp_session_is_stderr_lost() && is_new(line))
		fp_say(FP_TELL_NOT_SEEN, line);
}

void fp_session_note_unseen(const char *line, bool is_in_place)
{
	if (!fp_session_is_started())
		return;
	if (is_in_place)
		fp_session_leave_to_others();
	if (!collects_unseen(line) && said != NULL)
		say(line);
}
