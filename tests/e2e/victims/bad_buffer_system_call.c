/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes the calls of system_calls.def, all or the one that is named, and prints what came of
 * each. Arguments: how the buffers are ("short": half of them or less is there, "exact",
 * "freed", "null", "stack", "zero": exact, and the call is told 0, "low": at address 5,
 * "unmapped"), and a name.
 */
/* libc's headers define getline where they may. */
#define __NO_INLINE__ 1
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <mqueue.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

enum { STAT_BYTES = sizeof(struct stat), BYTES_MAX = 512, SHORT_MAX = 16 };

static const char *variant;
static const char *only; /* NULL: all calls */
static char bytes[BYTES_MAX];
static const struct timespec no_time;
static struct timeval no_wait;
static const struct itimerval no_timer;
static const struct itimerspec no_timer_spec;
static const sigset_t no_signals;
static size_t line_size;

static int is_variant(const char *name)
{
	return strcmp(variant, name) == 0;
}

/* ---- Buffers ------------------------------------------------------------------------------
 */

static void *heap_buffer(size_t size)
{
	char *block = malloc(size); /* plant: allocation */

	memset(block, 0, size);
	/* What a call writes behind a block that is too short must hit nobody. */
	if (is_variant("short"))
		malloc(2 * BYTES_MAX);
	if (is_variant("freed"))
		free(block); /* plant: free */
	return block;
}

static void *unmapped(void)
{
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(page, 4096);
	return page;
}

static void *buffer(size_t size)
{
	if (is_variant("null"))
		return NULL;
	if (is_variant("low"))
		return (void *)5;
	if (is_variant("unmapped"))
		return unmapped();
	if (is_variant("stack"))
		return memset(bytes, 0, size);
	if (is_variant("short"))
		return heap_buffer(size > SHORT_MAX ? SHORT_MAX : size / 2);
	return heap_buffer(size);
}

#define BUFFER(size) buffer(size)

/* One that ends with its buffer; a short one has no end. */
static char *TEXT(size_t size)
{
	char *text = buffer(size);

	if (is_variant("short"))
		memset(text, 'x', size > SHORT_MAX ? SHORT_MAX : size / 2);
	else if (is_variant("exact") || is_variant("stack") || is_variant("zero"))
		memset(text, 'x', size - 1);
	return text;
}

#define SIZE(size) (is_variant("zero") ? 0 : (size))

static socklen_t *LENGTH(socklen_t size)
{
	static socklen_t length;

	length = SIZE(size);
	return &length;
}

static char **LINE(size_t size)
{
	static char *line;

	line_size = SIZE(size);
	line = buffer(size);
	return &line;
}

/* The bad part is the second of three. */
static struct iovec *PARTS(size_t size)
{
	static struct iovec parts[3];

	parts[0] = (struct iovec){bytes, 4};
	parts[1] = (struct iovec){buffer(size), SIZE(size)};
	parts[2] = (struct iovec){bytes + 8, 8};
	return parts;
}

static struct iovec *good_parts(void)
{
	static struct iovec parts[3];

	for (int i = 0; i < 3; i++)
		parts[i] = (struct iovec){bytes, 4};
	return parts;
}
#define GOOD_PARTS good_parts()

static struct msghdr *MESSAGE(void *name, void *control, struct iovec *parts)
{
	static struct msghdr message;

	message = (struct msghdr){.msg_iov = parts, .msg_iovlen = 3};
	message.msg_name = name;
	message.msg_namelen = name != NULL ? SIZE(110) : 0;
	message.msg_control = control;
	message.msg_controllen = control != NULL ? SIZE(64) : 0;
	return &message;
}

/* The second one has the bad part. */
static struct mmsghdr *MESSAGES(struct iovec *parts)
{
	static struct mmsghdr messages[2];

	messages[0].msg_hdr = (struct msghdr){.msg_iov = good_parts(), .msg_iovlen = 1};
	messages[1].msg_hdr = (struct msghdr){.msg_iov = parts, .msg_iovlen = 3};
	return messages;
}

/* ---- What no header declares --------------------------------------------------------------
 */

#ifdef __x86_64__
enum { STAT_VERSION = 1 };
#else
enum { STAT_VERSION = 0 };
#endif
#define UNKNOWN ((size_t)-1)

struct pollfd;
#define FP_CALL(result, name, parameters, arguments, checks) result name parameters;
#include "preload/undeclared_calls.def"
#undef FP_CALL

/* ---- Files --------------------------------------------------------------------------------
 */

static const char eight[] = "1234567\n";

static int pipe_to_fill(void)
{
	int ends[2];

	pipe(ends);
	return ends[1];
}

static int pipe_with_8(void)
{
	int ends[2];

	pipe(ends);
	write(ends[1], eight, 8);
	return ends[0];
}

static int file_with_8(void)
{
	int fd = memfd_create("eight", 0);

	write(fd, eight, 8);
	return fd;
}

static int null_device(void)
{
	return open("/dev/null", O_WRONLY);
}

static FILE *stream_with_8(void)
{
	int fd = file_with_8();

	lseek(fd, 0, SEEK_SET);
	return fdopen(fd, "r");
}

static FILE *null_stream(void)
{
	FILE *stream = fopen("/dev/null", "w");

	setvbuf(stream, NULL, _IONBF, 0);
	return stream;
}

static int terminal(void)
{
	return open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

static int epoll_with_1(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, pipe_with_8(), &event);
	return fd;
}

static void *pages(void)
{
	return mmap(NULL, 64 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int semaphores(void)
{
	static int set = -1;

	if (set == -1)
		set = semget(IPC_PRIVATE, 32, 0600);
	return set;
}

static void remove_semaphores(void)
{
	semctl(semaphores(), 0, IPC_RMID, 0);
}

static struct ifconf *INTERFACES(size_t size)
{
	static struct ifconf interfaces;

	interfaces = (struct ifconf){.ifc_len = SIZE(size), .ifc_buf = buffer(size)};
	return &interfaces;
}

static const void *FILTER(size_t size)
{
	static struct sock_fprog filter;

	filter = (struct sock_fprog){.len = SIZE(size / 8), .filter = buffer(size)};
	return &filter;
}

static char **ONE_TEXT(char *text)
{
	static char *texts[2];

	texts[0] = text;
	return texts;
}

/* ---- Sockets ------------------------------------------------------------------------------
 */

/* The kernel chooses names of 8 bytes. */
static void name_socket(int fd)
{
	const struct sockaddr_un any = {.sun_family = AF_UNIX};

	bind(fd, (const struct sockaddr *)&any, sizeof(any.sun_family));
}

static int socket_to_fill(void)
{
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	return ends[0];
}

static int socket_with_8(void)
{
	int ends[2];

	socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
	name_socket(ends[1]);
	send(ends[1], eight, 8, 0);
	return ends[0];
}

static int socket_with_name(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	name_socket(fd);
	return fd;
}

static int call_socket(int listener)
{
	struct sockaddr_un name;
	socklen_t length = sizeof(name);
	int caller = socket_with_name();

	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&name, &length);
	connect(caller, (struct sockaddr *)&name, length);
	return caller;
}

static int socket_with_caller(void)
{
	int listener = socket_with_name();

	call_socket(listener);
	return listener;
}

static int socket_with_peer(void)
{
	return call_socket(socket_with_name());
}

/* ---- Calls --------------------------------------------------------------------------------
 */

#define CALL(name, access, size, if_short, if_freed, result) {name, #if_freed},
static const struct {
	const char *name;
	const char *if_freed;
} calls[] = {
#include "../system_calls.def"
};
#undef CALL

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

/* libc's own code dies of a buffer that is not there. */
static int is_to_be_made(int i)
{
	if (only != NULL)
		return strcmp(only, calls[i].name) == 0;
	return strcmp(calls[i].if_freed, "IN_LIBC") != 0 ||
	       (!is_variant("freed") && !is_variant("null") && !is_variant("low") &&
	        !is_variant("unmapped"));
}

static void say(const char *name, long result)
{
	int saved_errno = errno;

	printf("%s: %ld %d\n", name, result, result == -1 ? saved_errno : 0);
	fflush(stdout);
}

#define CALL(name, access, size, if_short, if_freed, result)                                   \
	if (is_to_be_made(__COUNTER__))                                                        \
		say(name, (long)(result));

static void make_calls(void)
{
#include "../system_calls.def"
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	variant = argv[1];
	only = argc > 2 ? argv[2] : NULL;
	/* getcwd says the same wherever this was built. */
	if (chdir("/") != 0)
		return 2;
	make_calls();
	remove_semaphores();
	return 0;
}
