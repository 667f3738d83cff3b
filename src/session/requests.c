/* SPDX-License-Identifier: Apache-2.0
 *
 * leak_signal: a check for leaks whenever that signal comes, or `fencepost leaks` asks: by the
 * channel where there is one, else by the signal. The handler only writes down who asks; a
 * thread of ours, which waits for that and does nothing else, looks and answers. So a program
 * that sits in a system call answers, too, and one that blocks the signal, because our thread
 * does not. No descriptor stays open: what is asked with a number is answered to the socket
 * that bears it.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/messages.h"
#include "base/meta.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/vm.h"
#include "leak/leak.h"
#include "log/channel.h"
#include "log/format.h"
#include "session/session.h"
#include "session/state.h"

enum {
	REQUESTS_MAX = 8,
	FIRST_OF_LIBC = 32,
	LAST_OF_LIBC = 33,
	STACK_BYTES = 256 << 10,
	ANSWER_SECONDS = 10 /* for a peer that does not read */
};

static const int signals[] = {
        [FP_OPTIONS_LEAK_SIGNAL_NO] = 0,           [FP_OPTIONS_LEAK_SIGNAL_HUP] = SIGHUP,
        [FP_OPTIONS_LEAK_SIGNAL_USR1] = SIGUSR1,   [FP_OPTIONS_LEAK_SIGNAL_USR2] = SIGUSR2,
        [FP_OPTIONS_LEAK_SIGNAL_PWR] = SIGPWR,     [FP_OPTIONS_LEAK_SIGNAL_URG] = SIGURG,
        [FP_OPTIONS_LEAK_SIGNAL_WINCH] = SIGWINCH,
};

/* The number of a request that a plain signal makes: the answer goes to standard error. */
static const uint64_t nobody = 1;

static uintptr_t mark;                         /* the mapping that names it, or 0 */
static _Atomic int answered_signal;            /* 0: none */
static _Atomic uint32_t asked_by_signal;       /* so far */
static _Atomic uint64_t waiting[REQUESTS_MAX]; /* their numbers; 0: a free place */

/* What the thread waits for: who asks finds it in the channel, where there is one. */
static _Atomic uint32_t *asked_in(struct fp_channel *channel)
{
	return channel != NULL ? fp_channel_asked(channel) : &asked_by_signal;
}

static void wake(_Atomic uint32_t *word)
{
	atomic_fetch_add(word, 1);
	fp_sys(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL);
}

void fp_session_leave_channel(struct fp_channel *before)
{
	wake(asked_in(before));
}

static void handle_signal(int signal, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	uint64_t number = info->si_code == SI_QUEUE ? (uintptr_t)info->si_value.sival_ptr : 0;

	(void)signal;
	(void)context;
	if (number == 0)
		number = nobody;
	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		uint64_t none = 0;

		if (atomic_compare_exchange_strong(&waiting[i], &none, number))
			break;
	}
	wake(asked_in(fp_session_channel_memory()));
	errno = saved_errno;
}

/* ---- Answers ------------------------------------------------------------------------------
 */

static socklen_t name_socket(uint64_t number, struct sockaddr_un *address)
{
	struct fp_text text;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	/* Abstract: no file, and nothing to clean up. */
	fp_text_begin(&text, address->sun_path + 1, sizeof(address->sun_path) - 1);
	fp_text_string(&text, FP_LOG_ANSWERS);
	fp_text_decimal(&text, number);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + text.used);
}

/* Who may read this process' memory anyway. */
static bool is_trusted(int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	return fp_sys(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
	       (peer.uid == 0 || peer.uid == fp_sys(SYS_geteuid));
}

static int connect_to(uint64_t number)
{
	const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	struct sockaddr_un address;
	socklen_t bytes = name_socket(number, &address);
	int fd = (int)fp_sys(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	fp_sys(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (fp_sys(SYS_connect, fd, (const struct sockaddr *)&address, bytes) == 0 &&
	    is_trusted(fd))
		return fd;
	fp_sys_close(fd);
	return -EPERM;
}

/* From a file: a slow reader keeps no lock of the log. */
static void send_events(int fd, struct fp_log *tail)
{
	int events = fp_session_make_events(tail);

	while (events >= 0 && fp_sys(SYS_sendfile, fd, events, NULL, (size_t)1 << 30) > 0)
		continue;
	if (events >= 0)
		fp_sys_close(events);
}

/* Of the address that comes over FD; NULL when none does. */
static struct fp_log *explain(int fd, uintptr_t stack)
{
	const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	struct fp_log *tail = fp_meta_alloc(sizeof(*tail));
	uint64_t address;

	if (tail == NULL)
		return NULL;
	fp_sys(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fp_sys(SYS_recvfrom, fd, &address, sizeof(address), MSG_WAITALL, NULL, NULL) !=
	    sizeof(address)) {
		fp_meta_free(tail, sizeof(*tail));
		return NULL;
	}
	fp_log_open(tail, true);
	fp_lock_acquire(&fp_session.lock);
	fp_log_modules(fp_session_log());
	fp_lock_release(&fp_session.lock);
	fp_session_log_explanation(tail, address, stack);
	fp_log_end(tail);
	return tail;
}

static void answer(uintptr_t stack, void *user)
{
	const struct fp_session_rendering text = {.format = "text", .fd = STDERR_FILENO};
	uint64_t number = *(uint64_t *)user;
	int fd = number == nobody ? -1 : connect_to(number);

	if (number != nobody && fd < 0)
		return;
	struct fp_log *tail = (number & FP_LOG_ASKS_ABOUT_ADDRESS) != 0
	                              ? explain(fd, stack)
	                              : fp_session_make_tail(stack, FP_SESSION_CHECK_NEWS);
	if (tail != NULL && fd >= 0)
		send_events(fd, tail);
	else if (tail != NULL && !fp_session_is_stderr_lost())
		fp_session_render(tail, &text);
	if (tail != NULL)
		fp_session_drop_tail(tail);
	if (fd >= 0)
		fp_sys_close(fd);
}

static void answer_one(uint64_t number)
{
	if (number != 0 && !atomic_load(&fp_session.own.is_finished))
		fp_leak_from_here(answer, &number);
}

static void *answer_requests(void *unused)
{
	pthread_setname_np(pthread_self(), "fencepost");
	fp_session_leave_thread(fp_sys_gettid());
	for (;;) {
		_Atomic uint32_t *word = asked_in(fp_session_channel_memory());
		uint32_t seen = atomic_load(word);

		/* Who asks from now on changes the word, or has made it another. */
		struct fp_channel *channel = fp_session_channel_memory();
		uint64_t number;
		for (size_t i = 0; i < REQUESTS_MAX; i++)
			answer_one(atomic_exchange(&waiting[i], 0));
		while (channel != NULL &&
		       (number = fp_channel_take_request(channel, fp_sys_getpid())) != 0)
			answer_one(number);
		fp_sys(SYS_futex, word, FUTEX_WAIT, seen, NULL);
	}
	return unused;
}

/* ---- The start ----------------------------------------------------------------------------
 */

/* All signals wait but those of faults, the one that stops threads, OPEN_SIGNAL, and those that
 * the C library keeps for itself: setuid(2) waits until every thread has taken one. */
int fp_session_start_thread(void *(*run)(void *), void *user, int open_signal)
{
	const int open[] = {SIGSEGV,       SIGBUS,       SIGFPE,           SIGILL,     SIGTRAP,
	                    FIRST_OF_LIBC, LAST_OF_LIBC, fp_leak_signal(), open_signal};
	uint64_t mask = ~(uint64_t)0;
	uint64_t before;
	pthread_attr_t attributes;
	pthread_t thread;
	int status = pthread_attr_init(&attributes);

	if (status != 0)
		return -status;
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (open[i] > 0)
			mask &= ~((uint64_t)1 << (open[i] - 1));
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	fp_sys_sigmask(SIG_SETMASK, &mask, &before);
	status = pthread_create(&thread, &attributes, run, user);
	fp_sys_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -status;
}

/* Says in /proc/PID/maps which signal to send. */
static void set_mark(int signal)
{
	char name[64];
	struct fp_text text;

	fp_text_begin(&text, name, sizeof(name));
	fp_text_string(&text, FP_LOG_ANSWERS);
	fp_text_decimal(&text, (uint64_t)signal);
	fp_vm_mark(name, &mark);
}

static bool install(int signal)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

	sigfillset(&action.sa_mask);
	action.sa_sigaction = handle_signal;
	return fp_sys_sigaction(signal, &action, NULL) == 0;
}

int fp_session_leak_signal(void)
{
	return atomic_load(&answered_signal);
}

void fp_session_yield_leak_signal(void)
{
	if (atomic_exchange(&answered_signal, 0) == 0)
		return;
	/* Nobody is to be sent it any more. */
	if (mark != 0)
		fp_vm_unmap(mark, fp_vm_page_size());
	mark = 0;
	fp_log_note(fp_session_log(), FP_TELL_SIGNAL_TAKEN);
}

void fp_session_answer(void)
{
	int signal = fp_session_is_started() ? signals[fp_session.options.leak_signal] : 0;
	int none = 0;

	if (signal == 0 || !atomic_compare_exchange_strong(&answered_signal, &none, signal))
		return;
	if (install(signal) && fp_session_start_thread(answer_requests, NULL, signal) == 0)
		set_mark(signal);
	else
		fp_log_note(fp_session_log(), FP_TELL_NO_THREAD);
}

void fp_session_answer_in_child(void)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		if (atomic_load(&waiting[i]) != 0)
			atomic_store(&waiting[i], 0);
	int signal = atomic_load(&answered_signal);

	if (signal != 0)
		fp_session_start_thread(answer_requests, NULL, signal);
}
