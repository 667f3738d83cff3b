/* SPDX-License-Identifier: Apache-2.0
 *
 * The threads of crowd.h.
 */
#include "crowd.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault/fault.h"
#include "heap/heap.h"
#include "base/sys.h"
#include "session/session.h"
#include "session/state.h"
#include "stand_ins.h"
#include "support/support.h"

enum {
	LOGS = 10, /* of each process */
	NOTES = 8, /* of each log, and at a time in the main log */
	MAPS_BYTES = 1 << 20
};

struct library {
	const char *name;
	const char *function;
};

static const struct library libraries[] = {{"libresolv.so.2", "ns_name_ntop"},
                                           {"libBrokenLocale.so.1", "__ctype_get_mb_cur_max"}};

struct crowd_counts crowd_counts;

static atomic_bool is_over;

/* Whoever comes again and again lets others come, too. */
void crowd_pause(void)
{
	static const struct timespec pause = {.tv_nsec = 2000000};

	fp_sys_sleep(&pause);
}

static bool goes_on(void)
{
	crowd_pause();
	return !atomic_load(&is_over);
}

/* As the session has mapped it; a watcher's comes with the first finding. */
static struct fp_channel *await_channel(void)
{
	struct fp_channel *channel;

	while ((channel = fp_session_channel_memory()) == NULL)
		crowd_pause();
	return channel;
}

/* ---- Those that write ----------------------------------------------------------------------
 */

static void count_told(const struct fp_finding_info *info, void *user)
{
	test_must(user == &crowd_counts && strcmp(info->kind, "double-free") == 0);
	atomic_fetch_add(&crowd_counts.told, 1);
}

void crowd_listen(void)
{
	fp_session_set_callback(count_told, &crowd_counts);
}

static void find(uintptr_t finder, uintptr_t place)
{
	const uintptr_t where = 0x10000 * (place < SHARED ? 1 : finder + 2) + 16 * place;
	const uintptr_t frames[] = {where, 0x2000, 0x3000};
	const uintptr_t alloc_frames[] = {where + 8, 0x3000};
	struct fp_finding finding = {
	        .kind = FP_FINDING_DOUBLE_FREE,
	        .access = FP_ACCESS_FREE,
	        .address = where,
	        .thread = (fp_thread_id)finder + 1,
	        .thread_name = "finder",
	        .trace = stand_in_trace(frames, 3),
	        .has_block = place % 2 == 0,
	        .description = "the same block was freed twice",
	};

	if (finding.has_block)
		finding.block = (struct fp_block){
		        .address = where,
		        .size = 10,
		        .alloc_trace = stand_in_trace(alloc_frames, 2),
		        .site = (fp_site_id)place + 1,
		        .state = FP_BLOCK_FREED,
		};
	fp_session_sink(&finding, NULL);
}

/* Each begins elsewhere, so that another one is the first to find what all do. */
void crowd_find(unsigned finder, int rounds)
{
	for (int round = 0; round < rounds; round++)
		for (uintptr_t i = 0; i < SHARED + OWN; i++)
			find(finder, (i + finder) % (SHARED + OWN));
}

/* Held while a library is unloaded, which must not be while find_confined() reads its header.
 */
static pthread_mutex_t unloading = PTHREAD_MUTEX_INITIALIZER;

/* A thread in seccomp's strict mode starts no watcher, has the list of modules read for it, and
 * reads headers where they are mapped. */
static void *find_confined(void *unused)
{
	await_channel();
	fp_sys_confine(true);
	for (uintptr_t i = 0; i < CONFINED; i++) {
		test_must(pthread_mutex_lock(&unloading) == 0);
		find(FINDERS, SHARED + i);
		test_must(pthread_mutex_unlock(&unloading) == 0);
	}
	return unused;
}

/* What it executes is not there, so it goes on. */
static void *execute_in_vain(void *unused)
{
	while (goes_on()) {
		fp_session_leave_to_others();
		fp_session_note_unseen("a program (why)", false);
		fp_session_prints_elsewhere();
	}
	return unused;
}

/* Once one says that it is the last, there are no others: that is what the end tells. */
static void *look_for_leaks(void *unused)
{
	while (goes_on()) {
		size_t leaked = fp_session_check_leaks();

		test_must(leaked == STAND_IN_LEAKS || atomic_load(&is_over));
		atomic_fetch_add(&crowd_counts.checks, leaked > 0);
	}
	fp_session_check_leaks_finally();
	return unused;
}

/* A trace leads through what was loaded. */
static void meet(uintptr_t address, bool is_first)
{
	const uintptr_t frames[] = {address, 0x3000};
	const struct fp_stack_code code = {
	        .start = address, .end = address + 1, .is_first = is_first};

	stand_in_meet(&code);
	stand_in_trace(frames, 2);
}

static void *load_and_unload(void *user)
{
	const struct library *library = user;

	for (bool is_first = true; goes_on(); is_first = false) {
		void *loaded = dlopen(library->name, RTLD_NOW);
		test_must(loaded != NULL);
		meet((uintptr_t)dlsym(loaded, library->function) + 1, is_first);
		test_must(pthread_mutex_lock(&unloading) == 0);
		dlclose(loaded);
		test_must(pthread_mutex_unlock(&unloading) == 0);
	}
	return NULL;
}

static void *look_at_code(void *unused)
{
	while (goes_on())
		fp_session_look_at_code();
	return unused;
}

static void *refuse_and_grow(void *unused)
{
	for (uintptr_t i = 0; goes_on() || i < REFUSED; i++) {
		const uintptr_t frames[] = {0x9000 + i, 0x3000};

		if (i < REFUSED)
			stand_in_refuse(stand_in_trace(frames, 2));
		stand_in_look_for_growth();
		fp_session_add_root(&crowd_counts, sizeof(crowd_counts));
		fp_session_remove_root(&crowd_counts, sizeof(crowd_counts));
	}
	return unused;
}

/* Of all that write the main log only these do without the session's lock. */
static void *note_things(void *unused)
{
	while (goes_on())
		for (int note = 0; note < NOTES; note++)
			fp_session_note("somebody notes something");
	return unused;
}

static void publish_notes(struct fp_channel *channel, struct fp_channel_log *to,
                          struct fp_log *log)
{
	for (int note = 0; note < NOTES; note++) {
		fp_log_note(log, "a note of another process");
		test_must(fp_log_publish(log, channel, to));
		fp_channel_tell(channel, to);
	}
	fp_log_end(log);
	test_must(fp_log_publish(log, channel, to) && fp_channel_end(channel, to));
}

/* Other processes, as far as the channel knows. */
static void *be_processes(void *unused)
{
	static _Atomic pid_t last_pid = 1000;
	struct fp_channel *channel = await_channel();
	struct fp_log *log = calloc(1, sizeof(*log));

	test_must(log != NULL);
	for (int i = 0; i < LOGS; i++) {
		pid_t pid = atomic_fetch_add(&last_pid, 1);

		fp_channel_count(channel, pid);
		struct fp_channel_log *to = fp_channel_open_log(channel, pid);
		test_must(to != NULL);
		fp_log_open(log, false);
		publish_notes(channel, to, log);
		fp_channel_pass(channel, pid);
	}
	fp_log_discard(log);
	free(log);
	return unused;
}

/* ---- Those that read -----------------------------------------------------------------------
 */

static uint32_t number_at(const uint8_t *bytes)
{
	uint32_t number;

	memcpy(&number, bytes, sizeof(number));
	return number;
}

/* Walks the records of an event log, which must end with one and leave no finding out; how many
 * of these there are. */
static size_t walk(const uint8_t *bytes, size_t size)
{
	size_t findings = 0;
	size_t at = FP_LOG_HEADER_BYTES;

	test_must(size >= at && memcmp(bytes, FP_LOG_MAGIC, strlen(FP_LOG_MAGIC)) == 0);
	while (at < size) {
		test_must(size - at >= FP_LOG_RECORD_HEADER_BYTES);
		uint32_t type = number_at(bytes + at);
		uint32_t payload = number_at(bytes + at + 4);
		at += FP_LOG_RECORD_HEADER_BYTES;
		test_must(payload <= size - at);
		if (type == FP_LOG_FINDING)
			test_must(number_at(bytes + at) == findings++);
		at += payload;
	}
	return findings;
}

/* What `fencepost run` does with a log that has news (cli/live.c). */
static void view(struct fp_channel *channel, struct fp_channel_log *log,
                 const struct fp_channel_status *status)
{
	uint8_t *bytes = malloc(status->bytes);

	test_must(bytes != NULL);
	test_must(fp_channel_read(channel, log, bytes, status->bytes) == status->bytes);
	size_t found = walk(bytes, status->bytes);
	test_must(found >= status->shown);
	fp_channel_set_shown(log, found);
	free(bytes);
	atomic_fetch_add(&crowd_counts.views, 1);
}

static void view_news(struct fp_channel *channel, uint64_t *order)
{
	uint64_t seen = *order;
	struct fp_channel_log *log;

	for (size_t i = 0; (log = fp_channel_log_at(channel, i)) != NULL; i++) {
		const struct fp_channel_status status = fp_channel_status(log);

		test_must(status.state == FP_CHANNEL_NONE || status.pid != 0);
		if (!status.is_told || status.order <= seen)
			continue;
		view(channel, log, &status);
		if (status.order > *order)
			*order = status.order;
		/* The process waits for a watcher. */
		if (status.state == FP_CHANNEL_ENDED && status.pid == getpid())
			fp_channel_set_done(channel);
	}
}

static size_t read_maps(char maps[MAPS_BYTES])
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t got;

	test_must(fd >= 0);
	while ((got = read(fd, maps + size, MAPS_BYTES - size)) > 0)
		size += (size_t)got;
	test_must(got == 0 && size < MAPS_BYTES);
	close(fd);
	return size;
}

/* As cli/errands.c: the list is read once, and handed out in pieces. */
static void run_errand(struct fp_channel *channel)
{
	static char maps[MAPS_BYTES];
	static size_t size;
	struct fp_channel_errand errand;

	if (!fp_channel_take_errand(channel, &errand))
		return;
	test_must(errand.file == FP_PROC_FILE_MAPS);
	if (errand.offset == 0)
		size = read_maps(maps);
	test_must(errand.offset <= size);
	size_t left = size - errand.offset;
	fp_channel_answer_errand(channel, maps + errand.offset,
	                         (ssize_t)(left < errand.size ? left : errand.size));
	atomic_fetch_add(&crowd_counts.errands, 1);
}

/* The reader of `fencepost run`, or a watcher, whom somebody now and then asks for leaks. */
static void *view_all(void *unused)
{
	struct fp_channel *channel = await_channel();
	uint64_t order = 0;
	uint32_t rung = 0;

	for (uint64_t number = 1; !atomic_load(&is_over); number++) {
		fp_channel_await_bell(channel, &rung, 1);
		run_errand(channel);
		if (fp_channel_order(channel) != order)
			view_news(channel, &order);
		fp_channel_next_open(channel, 0);
		if (number % 8 == 0)
			fp_channel_ask(channel, getpid(), number);
		if (number % 64 == 0)
			fp_channel_withdraw(channel, number);
	}
	view_news(channel, &order);
	return unused;
}

/* As the thread that answers `fencepost leaks` (requests.c): all that is known up to now. */
static void answer(uintptr_t stack, void *unused)
{
	struct fp_log *tail = fp_session_make_tail(stack, FP_SESSION_CHECK_NEWS);

	(void)unused;
	test_must(tail != NULL);
	int fd = fp_session_make_events(tail);
	test_must(fd >= 0);
	size_t size = (size_t)lseek(fd, 0, SEEK_END);
	uint8_t *bytes = malloc(size);
	test_must(bytes != NULL && pread(fd, bytes, size, 0) == (ssize_t)size);
	walk(bytes, size);
	free(bytes);
	close(fd);
	fp_session_drop_tail(tail);
	atomic_fetch_add(&crowd_counts.answers, 1);
}

/* And as a host that asks for a report. */
static void *answer_requests(void *unused)
{
	struct fp_channel *channel = await_channel();

	test_must(fp_session_write_report(STDERR_FILENO, "text") == 0);
	while (goes_on())
		if (fp_channel_take_request(channel, getpid()) != 0)
			fp_leak_from_here(answer, NULL);
	return unused;
}

/* ---- All of them ---------------------------------------------------------------------------
 */

static const struct {
	void *(*run)(void *);
	const struct library *library;
} others[] = {
        {execute_in_vain, NULL},
        {view_all, NULL},
        {find_confined, NULL},
        {look_for_leaks, NULL},
        {look_for_leaks, NULL},
        {answer_requests, NULL},
        {answer_requests, NULL},
        {load_and_unload, &libraries[0]},
        {load_and_unload, &libraries[1]},
        {look_at_code, NULL},
        {refuse_and_grow, NULL},
        {note_things, NULL},
        {be_processes, NULL},
        {be_processes, NULL},
};

enum { OTHERS = sizeof(others) / sizeof(others[0]) };

static pthread_t threads[OTHERS];

void crowd_start_others(void)
{
	for (int i = 0; i < OTHERS; i++)
		test_must(pthread_create(&threads[i], NULL, others[i].run,
		                         (void *)(uintptr_t)others[i].library) == 0);
}

void crowd_end_others(void)
{
	atomic_store(&is_over, true);
	for (int i = 0; i < OTHERS; i++)
		test_must(pthread_join(threads[i], NULL) == 0);
}

/* What align=auto asks of others. */
void fp_heap_share_sites(struct fp_sites *shared)
{
	(void)shared;
}

uint64_t fp_heap_aligned_sites(void)
{
	return 0;
}

bool fp_fault_can_step(void)
{
	return true;
}

uint64_t fp_fault_carried_out(void)
{
	return 0;
}
