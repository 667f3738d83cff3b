/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost leaks PID`: a process that answers says so by the name of a mapping. It is given a
 * number, and sends its events to the socket that bears that number. Under `fencepost run` the
 * number stands in the channel: a process that executes another program meanwhile cannot die of
 * a signal that this one does not know. Elsewhere it comes with the signal of the mapping.
 * Nothing is traced, and a process that does not answer never gets the signal.
 *
 * `fencepost snapshot PID` does the same, and takes what a process that does not answer has
 * left in its channel so far.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/tool_messages.h"
#include "cli/cli.h"
#include "log/channel.h"
#include "log/format.h"
#include "report/text/page.h"

enum { PATIENCE_SECONDS = 30, ARGUMENTS_MAX = 256, CHUNK = 64 << 10 };

struct asking {
	const char *command;
	long pid;
	const char *core; /* a core file instead of a process; or NULL */
	long seconds;
	int signal;              /* 0: it answers none */
	const uint64_t *address; /* that is asked about, or NULL */
	bool is_under_fencepost;
	bool is_gone;
	char *arguments[ARGUMENTS_MAX]; /* of report */
	size_t count;
};

static int take_argument(struct asking *asking, char *argument)
{
	static const char timeout[] = "--timeout=";
	char *end = NULL;

	if (strncmp(argument, timeout, strlen(timeout)) == 0) {
		asking->seconds = strtol(argument + strlen(timeout), &end, 10);
		return *end == '\0' && asking->seconds > 0
		               ? 0
		               : fp_cli_fail(FP_SAY_NOT_SECONDS, asking->command, argument);
	}
	if (argument[0] == '-') {
		if (asking->count == ARGUMENTS_MAX - 2)
			return fp_cli_fail(FP_SAY_TOO_MANY_OPTIONS, asking->command);
		asking->arguments[asking->count++] = argument;
		return 0;
	}
	if (asking->pid != 0 || asking->core)
		return fp_cli_fail(FP_SAY_ONE_PROCESS_ONLY, asking->command, argument);
	if (fp_remains_is_core(argument)) {
		asking->core = argument;
		return 0;
	}
	asking->pid = strtol(argument, &end, 10);
	if (*end != '\0' || asking->pid <= 0)
		return fp_cli_fail(FP_SAY_NO_PROCESS_ID, asking->command, argument);
	return 0;
}

/* What the mappings of the process say. */
static void read_line(struct asking *asking, const char *line)
{
	const char *mark = strstr(line, "/memfd:" FP_LOG_ANSWERS);

	asking->is_gone = false;
	if (mark)
		asking->signal = atoi(mark + strlen("/memfd:" FP_LOG_ANSWERS));
	if (strstr(line, "/libfencepost"))
		asking->is_under_fencepost = true;
}

static int read_maps(struct asking *asking, FILE *maps)
{
	char *line = NULL;
	size_t size = 0;

	errno = 0;
	while (getline(&line, &size, maps) >= 0)
		read_line(asking, line);
	int status = -errno;
	free(line);
	fclose(maps);
	return status;
}

/* The mappings as thread TASK of the process has them; 0, or why they cannot be read. */
static int look_at_task(struct asking *asking, const char *task)
{
	char path[300];

	snprintf(path, sizeof(path), "/proc/%ld/task/%s/maps", asking->pid, task);
	FILE *maps = fopen(path, "re");
	return maps ? read_maps(asking, maps) : -errno;
}

/* A thread that has ended, as the main one may have, has no mappings any more. */
static int look_at_tasks(struct asking *asking)
{
	char path[64];
	struct dirent *task;
	int status = 0;

	snprintf(path, sizeof(path), "/proc/%ld/task", asking->pid);
	DIR *tasks = opendir(path);
	if (!tasks)
		return -errno;
	asking->is_gone = true;
	while (asking->is_gone && (task = readdir(tasks)))
		if (task->d_name[0] != '.')
			status = look_at_task(asking, task->d_name);
	closedir(tasks);
	return status;
}

/* Whoever runs a program under Fencepost can look at it. */
static int refuse_unseen(const struct asking *asking, int reason)
{
	char path[64];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%ld", asking->pid);
	if (geteuid() != 0 && stat(path, &status) == 0 && status.st_uid != geteuid())
		return fp_cli_fail(FP_SAY_PROCESS_BELONGS_USER, asking->command, asking->pid,
		                   (unsigned long)status.st_uid);
	return fp_cli_fail(FP_SAY_NOT_UNDER_US_MAPS, asking->command, asking->pid, path,
	                   strerror(-reason));
}

static int look_at(struct asking *asking)
{
	int status = look_at_tasks(asking);

	if (status == -EACCES || status == -EPERM)
		return refuse_unseen(asking, status);
	if (status == -ENOENT && !asking->is_gone)
		return fp_cli_fail(FP_SAY_NO_PROCESS_PS, asking->command, asking->pid);
	if (asking->is_gone)
		return fp_cli_fail(FP_SAY_PROCESS_HAS_ENDED, asking->command, asking->pid);
	return 0;
}

static int listen_for(uint64_t number)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s%llu",
	                      FP_LOG_ANSWERS, (unsigned long long)number);
	socklen_t bytes =
	        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, bytes) != 0 ||
	    listen(fd, 4) != 0)
		return -errno;
	return fd;
}

/* The connection of the process that was asked; others may know the number, too. -ESRCH when
 * ENDED, a descriptor of it, says that it has ended. */
static int accept_from(const struct asking *asking, int listener, int ended)
{
	struct pollfd waiting[] = {{.fd = listener, .events = POLLIN},
	                           {.fd = ended, .events = POLLIN}};

	while (poll(waiting, 2, (int)asking->seconds * 1000) > 0) {
		struct ucred peer;

		if (waiting[0].revents == 0)
			return -ESRCH;
		socklen_t bytes = sizeof(peer);
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
		    peer.pid == asking->pid)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ETIMEDOUT;
}

/* All that comes, as a file in memory. */
static int receive(int fd)
{
	static char chunk[CHUNK];
	int events = memfd_create("fencepost-events", 0);
	ssize_t count;

	while (events >= 0 && (count = read(fd, chunk, sizeof(chunk))) > 0)
		if (write(events, chunk, (size_t)count) != count)
			break;
	return events;
}

/* Where the environment of the process says that its channel is. */
static bool find_address(const char *variables, size_t size, char *address)
{
	static const char name[] = "FENCEPOST_OPTIONS=";
	static const char key[] = "channel=";
	const char *found = NULL;

	for (const char *at = variables; at < variables + size; at += strlen(at) + 1)
		if (strncmp(at, name, strlen(name)) == 0)
			for (const char *next = at; (next = strstr(next, key)); next += 1)
				found = next;
	if (!found)
		return false;
	found += strlen(key);
	found += *found == '\'' || *found == '"';
	size_t length = strspn(found, "0123456789.");
	if (length == 0 || length >= FP_CHANNEL_ADDRESS_MAX)
		return false;
	memcpy(address, found, length);
	address[length] = '\0';
	return true;
}

/* Whether the process has the number by which it is asked for itself, too. */
static bool is_in_our_namespace(const struct asking *asking)
{
	char path[64];
	char ours[64] = "";
	char theirs[64] = "";

	snprintf(path, sizeof(path), "/proc/%ld/ns/pid", asking->pid);
	return readlink(FP_PROC_SELF "ns/pid", ours, sizeof(ours) - 1) > 0 &&
	       readlink(path, theirs, sizeof(theirs) - 1) > 0 && strcmp(ours, theirs) == 0;
}

/* A channel that the process has open, also when whoever made it is no more. */
static bool find_descriptor(const struct asking *asking, char *address, int *fd)
{
	static const char name[] = "/memfd:" FP_CHANNEL_NAME;
	char path[320];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%ld/fd", asking->pid);
	DIR *directory = opendir(path);
	for (const struct dirent *entry;
	     *fd < 0 && directory && (entry = readdir(directory));) {
		char link[sizeof(name)] = "";

		snprintf(path, sizeof(path), "/proc/%ld/fd/%s", asking->pid, entry->d_name);
		if (readlink(path, link, sizeof(link) - 1) == sizeof(link) - 1 &&
		    strcmp(link, name) == 0)
			*fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (directory)
		closedir(directory);
	if (*fd < 0 || fstat(*fd, &status) != 0)
		return false;
	snprintf(address, FP_CHANNEL_ADDRESS_MAX, "%d.0.%ju", *fd, (uintmax_t)status.st_ino);
	return true;
}

static bool find_in_environment(const struct asking *asking, char *address)
{
	char path[64];
	size_t size = 0;

	snprintf(path, sizeof(path), "/proc/%ld/environ", asking->pid);
	FILE *in = fopen(path, "re");
	/* Ends with a zero, even where the last variable has none. */
	char *variables = in ? fp_cli_read_stream(in, &size) : NULL;
	if (in)
		fclose(in);
	bool is_found = variables && size > 0 && variables[size - 1] == '\0' &&
	                find_address(variables, size, address);
	free(variables);
	return is_found;
}

/* The channel of the process, or NULL: it cannot be asked there. */
static struct fp_channel *find_channel(const struct asking *asking)
{
	char address[FP_CHANNEL_ADDRESS_MAX];
	struct fp_channel *channel = NULL;
	int status;
	int fd = -1;

	if (is_in_our_namespace(asking) &&
	    (find_descriptor(asking, address, &fd) || find_in_environment(asking, address)))
		channel = fp_channel_attach(address, fp_channel_bytes(), &status);
	if (fd >= 0)
		close(fd);
	return channel;
}

/* 0, or FP_CLI_FAILED after saying why. */
static int send_number(const struct asking *asking, struct fp_channel *channel, uint64_t number)
{
	const union sigval value = {.sival_ptr = (void *)(uintptr_t)number};

	if (channel)
		return fp_channel_ask(channel, (pid_t)asking->pid, number)
		               ? 0
		               : fp_cli_fail(FP_SAY_TOO_MANY_ASK, asking->command);
	if (sigqueue((pid_t)asking->pid, asking->signal, value) == 0)
		return 0;
	return fp_cli_fail(FP_SAY_PROCESS_CANNOT_ASKED, asking->command, asking->pid,
	                   strerror(errno));
}

static int refuse_ended(const struct asking *asking)
{
	return fp_cli_fail(FP_SAY_ENDED_BEFORE_ANSWER, asking->command, asking->pid);
}

static int ask(const struct asking *asking, struct fp_channel *channel)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return fp_cli_fail(FP_SAY_SYSTEM_NO_RANDOM, asking->command);
	number = number >> 8 | 2 | (asking->address ? FP_LOG_ASKS_ABOUT_ADDRESS : 0);
	/* Before the process may end; on a kernel without, the answer is waited for in vain. */
	int ended = (int)syscall(SYS_pidfd_open, asking->pid, 0);
	int listener = listen_for(number);
	if (listener < 0)
		return fp_cli_fail(FP_SAY_NO_SOCKET_CAN, asking->command, strerror(-listener));
	if (send_number(asking, channel, number) != 0)
		return FP_CLI_FAILED;
	int fd = accept_from(asking, listener, ended);
	if (channel)
		fp_channel_withdraw(channel, number);
	close(listener);
	close(ended);
	if (fd == -ESRCH)
		return refuse_ended(asking);
	if (fd < 0)
		return fp_cli_fail(FP_SAY_PROCESS_GAVE_NO, asking->command, asking->pid,
		                   asking->seconds);
	/* When nobody takes it, no answer comes either. */
	if (asking->address)
		send(fd, asking->address, sizeof(*asking->address), MSG_NOSIGNAL);
	int events = receive(fd);
	close(fd);
	if (events < 0)
		return fp_cli_fail(FP_SAY_LEAKS_NO_MEMORY, asking->command);
	if (lseek(events, 0, SEEK_END) > 0)
		return -events;
	close(events);
	return refuse_ended(asking);
}

/* Who starts a program in the background, and systemd, know its number and not the program's.
 */
static bool is_fencepost_run(const struct asking *asking)
{
	char path[64];
	struct stat theirs;
	struct stat ours;

	snprintf(path, sizeof(path), "/proc/%ld/exe", asking->pid);
	return stat(path, &theirs) == 0 && stat(FP_PROC_SELF "exe", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

static int refuse(const struct asking *asking)
{
	if (is_fencepost_run(asking))
		return fp_cli_fail(FP_SAY_PROCESS_FENCEPOST_RUN, asking->command, asking->pid,
		                   asking->pid);
	if (asking->is_under_fencepost)
		return fp_cli_fail(FP_SAY_PROCESS_RUNS_WITHOUT, asking->command, asking->pid);
	return fp_cli_fail(FP_SAY_NOT_UNDER_US, asking->command, asking->pid);
}

/* The log of the program that the process runs now, or NULL. */
static struct fp_channel_log *find_log(const struct asking *asking, struct fp_channel *channel)
{
	struct fp_channel_log *found = NULL;
	struct fp_channel_log *log;

	for (size_t i = 0; (log = fp_channel_log_at(channel, i)); i++)
		if (fp_channel_status(log).pid == asking->pid)
			found = log;
	return found;
}

/* What the process left in its channel so far, without asking it; as ask() returns it. */
static int take_events(const struct asking *asking, struct fp_channel *channel)
{
	struct fp_channel_log *log = channel ? find_log(asking, channel) : NULL;

	if (!log)
		return refuse(asking);
	size_t size = fp_channel_status(log).bytes;
	uint8_t *bytes = malloc(size + 1);
	int events = memfd_create("fencepost-events", 0);
	size = bytes ? fp_channel_read(channel, log, bytes, size) : 0;
	if (!bytes || events < 0 || write(events, bytes, size) != (ssize_t)size)
		return fp_cli_fail(FP_SAY_NO_MEMORY_EVENTS, asking->command);
	free(bytes);
	return -events;
}

static int take_nothing(const struct asking *asking, struct fp_channel *channel)
{
	(void)channel;
	return refuse(asking);
}

/* The events of the process, or of its core file, at PATH. 0, or FP_CLI_FAILED. */
static int find_events(struct asking *asking,
                       int (*take)(const struct asking *, struct fp_channel *),
                       char path[FP_CLI_EVENTS_PATH_MAX])
{
	if (asking->core) {
		const struct fp_remains_question question = {
		        .wants_leaks = take == take_nothing, .wants_blocks = true};

		return fp_cli_read_core(asking->core, &question, path);
	}
	if (asking->pid == 0)
		return fp_cli_fail(FP_SAY_NO_PROCESS_WRITE, asking->command, asking->command);
	if (look_at(asking) != 0)
		return FP_CLI_FAILED;
	struct fp_channel *channel = find_channel(asking);
	int events = asking->signal != 0 ? ask(asking, channel) : take(asking, channel);
	if (events > 0)
		return events;
	snprintf(path, FP_CLI_EVENTS_PATH_MAX, FP_PROC_SELF "fd/%d", -events);
	return 0;
}

static int report_on(struct asking *asking, char **arguments,
                     int (*take)(const struct asking *, struct fp_channel *))
{
	char path[FP_CLI_EVENTS_PATH_MAX];

	asking->arguments[asking->count++] = (char *)(uintptr_t) "--log=/dev/stdout";
	for (; *arguments; arguments++)
		if (take_argument(asking, *arguments) != 0)
			return FP_CLI_FAILED;
	if (find_events(asking, take, path) != 0)
		return FP_CLI_FAILED;
	asking->arguments[asking->count] = path;
	return fp_cli_report(asking->arguments);
}

int fp_cli_leaks(char **arguments)
{
	struct asking asking = {.command = "leaks", .seconds = PATIENCE_SECONDS};

	return report_on(&asking, arguments, take_nothing);
}

int fp_cli_snapshot(char **arguments)
{
	struct asking asking = {.command = "snapshot", .seconds = PATIENCE_SECONDS};

	return report_on(&asking, arguments, take_events);
}

/* ---- Explain
 * ---------------------------------------------------------------------------------
 *
 * `fencepost explain ADDRESS`: a running process is asked, and answers with all that it knows
 * now; an event log or a report knows what its findings and leaks have said.
 */

static bool is_in(const struct fp_report_block *block, uint64_t address)
{
	return block->address != 0 && address >= block->address &&
	       address - block->address <= block->size;
}

/* The part of a report that says most of the address. */
struct answer {
	struct fp_report_explanation explanation;
	const struct fp_report_finding *finding; /* that it is of, or NULL */
};

static void take_block(struct answer *answer, const struct fp_report_block *block,
                       uint64_t address)
{
	if (answer->explanation.block.address != 0 || !is_in(block, address))
		return;
	answer->explanation.block = *block;
	answer->explanation.block.offset = (int64_t)(address - block->address);
}

static void take_finding(struct answer *answer, const struct fp_report_finding *finding,
                         uint64_t address)
{
	struct fp_report_explanation *explanation = &answer->explanation;

	if (finding->has_block &&
	    (is_in(&finding->block, address) || finding->address == address)) {
		answer->finding = finding;
		explanation->block = finding->block;
		explanation->block.offset = (int64_t)(address - finding->block.address);
		explanation->holders = finding->holders;
		explanation->holder_count = finding->holder_count;
		explanation->census = finding->census;
		return;
	}
	for (size_t i = 0; i < finding->nearest_count; i++)
		take_block(answer, &finding->nearest[i], address);
	for (size_t i = 0; i < finding->holder_count; i++)
		take_block(answer, &finding->holders[i].block, address);
}

static bool find(const struct fp_report *report, uint64_t address, struct answer *answer)
{
	*answer = (struct answer){.explanation = {.address = address}};
	if (report->explanation) {
		answer->explanation = *report->explanation;
		return true;
	}
	for (size_t i = 0; i < report->finding_count && !answer->finding; i++)
		take_finding(answer, &report->findings[i], address);
	for (size_t i = 0; i < report->leak_count; i++)
		for (size_t j = 0; j < report->leaks[i].holder_count; j++)
			take_block(answer, &report->leaks[i].holders[j].block, address);
	return answer->explanation.block.address != 0;
}

static int explain_logs(const struct fp_cli_logs *logs, uint64_t address)
{
	const struct fp_report_page page = {.out = stdout};
	bool is_found = false;

	for (size_t i = 0; i < logs->count; i++) {
		struct answer answer;

		if (!find(logs->logs[i].report, address, &answer))
			continue;
		is_found = true;
		fp_report_print_explanation(&page, &answer.explanation);
		if (answer.finding) {
			fputs(FP_SAY_AS_OF_FINDING, stdout);
			fp_report_print_title(&page, answer.finding);
			fputc('\n', stdout);
		}
	}
	return is_found ? 0 : fp_cli_fail(FP_SAY_EXPLAIN_NO_FINDING, address);
}

static int take_address(const char *argument, uint64_t *address)
{
	char *end = NULL;

	*address = 0;
	if (!argument)
		return fp_cli_fail(FP_SAY_EXPLAIN_NO_ADDRESS);
	errno = 0;
	*address = strtoull(argument, &end, 16);
	return *argument != '\0' && *end == '\0' && errno == 0
	               ? 0
	               : fp_cli_fail(FP_SAY_EXPLAIN_NOT_ADDRESS, argument);
}

/* A core file, a process by its number, or another file. */
static int read_source(struct fp_cli_logs *logs, const char *source, uint64_t address)
{
	const struct fp_remains_question question = {.address = &address};
	char path[FP_CLI_EVENTS_PATH_MAX];
	char *end = NULL;
	struct asking asking = {.command = "explain",
	                        .pid = strtol(source, &end, 10),
	                        .seconds = PATIENCE_SECONDS,
	                        .address = &address};
	bool is_process = *end == '\0' && asking.pid > 0;
	int result = 0;

	if (fp_remains_is_core(source))
		result = fp_cli_read_core(source, &question, path);
	else if (is_process)
		result = find_events(&asking, take_nothing, path);
	else
		return fp_cli_logs_read(logs, source);
	return result == 0 ? fp_cli_logs_read(logs, path) : FP_CLI_FAILED;
}

int fp_cli_explain(char **arguments)
{
	struct fp_cli_logs logs = {0};
	uint64_t address;
	int status = take_address(arguments[0], &address);

	if (status == 0 && !arguments[1])
		status = fp_cli_fail(FP_SAY_EXPLAIN_WHERE_NAME);
	for (size_t i = 1; status == 0 && arguments[i]; i++)
		status = read_source(&logs, arguments[i], address);
	if (status == 0)
		status = explain_logs(&logs, address);
	fp_cli_logs_free(&logs);
	return status;
}
