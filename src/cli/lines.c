/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of --ndjson to whoever collects them. What is sent here never waits for a receiver: a
 * line that it does not take at once is counted, and the program under test does not even know.
 * One that is gone is tried again with the next line, but not more often than once a second.
 */
#include "cli/cli.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_CURL
#include <curl/curl.h>
#endif

#include "base/proc.h"
#include "base/tool_messages.h"
#include "report/stack.h"
#include "report/writer.h"

enum {
	LABELS_MAX = 32,
	HOST_MAX = 256,
	LINES_MAX = 10000, /* of one run */
	LIVE_PER_SECOND = 100,
	LAST_CHANCE_MS = 1000, /* for a piece of what a pipe has taken half of */
	LAST_PIECES = 10,
	PRIORITY = 3, /* an error, as syslog(3) counts */
	FACILITY_USER = 1
};

enum form {
	FORM_NONE,
	FORM_FILE,
	FORM_STREAM,
	FORM_DATAGRAM,
	FORM_JOURNAL,
	FORM_SYSLOG,
	FORM_OTLP
};

static struct {
	enum form form;
	char place[FP_OPTION_PATH_MAX]; /* without the word before it */
	int fd;
	time_t tried;  /* when it was last opened, or that was tried */
	char *pending; /* the rest of a line that went half */
	size_t pending_bytes;
	bool is_torn; /* the file ends with half a line that will never be whole */
	uint64_t sent;
	uint64_t left_out;
	uint64_t told; /* of these, those that a last line of a process tells of */
	int error;     /* why the last of these was */
	time_t second;
	unsigned in_second; /* lines that were sent live */
	char host[HOST_MAX];
	char labels[FP_OPTION_PATH_MAX];
	struct fp_report_setting label[LABELS_MAX];
	struct fp_report_line line;
} sink = {.fd = -1};

/* ---- Where to -----------------------------------------------------------------------------
 */

static const struct {
	const char *word;
	enum form form;
	const char *usual; /* place where none is named */
} forms[] = {
        {"unix:", FORM_STREAM, NULL},
        {"udp:", FORM_DATAGRAM, NULL},
        {"journal:", FORM_JOURNAL, "/run/systemd/journal/socket"},
        {"syslog:", FORM_SYSLOG, "/dev/log"},
        {"otlp:", FORM_OTLP, NULL},
};

static int parse_place(const char *text)
{
	sink.form = FORM_FILE;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t size = strlen(forms[i].word);

		if (strncmp(text, forms[i].word, size) != 0)
			continue;
		sink.form = forms[i].form;
		text += size;
		if (*text == '\0' && forms[i].usual)
			text = forms[i].usual;
	}
	snprintf(sink.place, sizeof(sink.place), "%s", text);
	if (*text == '\0' || (sink.form == FORM_DATAGRAM && !strrchr(text, ':')) ||
	    (sink.form == FORM_OTLP && strncmp(text, "http", 4) != 0))
		return fp_cli_fail(FP_SAY_NDJSON_NAMES_NO);
	return 0;
}

/* "release=1.2,site=north". */
static int parse_labels(const char *text)
{
	size_t count = 0;
	char *rest = sink.labels;

	snprintf(sink.labels, sizeof(sink.labels), "%s", text);
	while (rest && *rest != '\0') {
		char *label = strsep(&rest, ",");
		char *equals = strchr(label, '=');

		if (!equals || equals == label || count == LABELS_MAX)
			return fp_cli_fail(FP_SAY_LABEL_WRITE_KEY, LABELS_MAX);
		*equals = '\0';
		sink.label[count++] = (struct fp_report_setting){fp_report_text(label),
		                                                 fp_report_text(equals + 1)};
	}
	sink.line.labels = sink.label;
	sink.line.label_count = count;
	return 0;
}

/* Whether the file PATH, which is open as FD, ends with half a line: the disk was full. */
static bool ends_torn(const char *path, int fd)
{
	struct stat status;
	char last = '\n';

	if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
	    status.st_size == 0)
		return false;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file >= 0 && pread(file, &last, 1, status.st_size - 1) < 0)
		last = '\n';
	if (file >= 0)
		close(file);
	return last != '\n';
}

/* The pipe or file that is standard output, opened once more: whoever shares it with us wants
 * it as it is. */
static int open_file(void)
{
	const char *path = strcmp(sink.place, "-") == 0 ? FP_PROC_SELF "fd/1" : sink.place;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0 && strcmp(sink.place, "-") == 0)
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	sink.is_torn = ends_torn(path, fd);
	return fd;
}

static int connect_unix(int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (strlen(sink.place) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
	} else if (fd >= 0) {
		strcpy(address.sun_path, sink.place);
		if (connect(fd, (const void *)&address, sizeof(address)) == 0)
			return fd;
	}
	int error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

static int connect_udp(void)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct addrinfo *found = NULL;
	char host[FP_OPTION_PATH_MAX];
	int fd = -1;

	snprintf(host, sizeof(host), "%s", sink.place);
	char *port = strrchr(host, ':');
	*port++ = '\0';
	/* [::1]:514 */
	char *name = host[0] == '[' ? host + 1 : host;
	if (name != host)
		name[strcspn(name, "]")] = '\0';
	if (getaddrinfo(name, port, &hints, &found) != 0) {
		errno = EHOSTUNREACH;
		return -1;
	}
	for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

static bool open_sink(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (sink.fd >= 0 || sink.form == FORM_OTLP)
		return true;
	if (sink.tried == now.tv_sec)
		return false;
	if (sink.form == FORM_FILE) {
		sink.fd = open_file();
	} else if (sink.form == FORM_DATAGRAM) {
		sink.fd = connect_udp();
	} else {
		sink.fd = connect_unix(SOCK_DGRAM);
		if (sink.fd < 0 && errno == EPROTOTYPE && sink.form != FORM_JOURNAL)
			sink.fd = connect_unix(SOCK_STREAM);
	}
	sink.error = sink.fd < 0 ? errno : 0;
	/* Whoever was asked for an address may have taken long. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	sink.tried = now.tv_sec;
	return sink.fd >= 0;
}

static void close_sink(void)
{
	if (sink.fd >= 0)
		close(sink.fd);
	sink.fd = -1;
	if (sink.pending_bytes > 0) {
		sink.left_out++;
		sink.sent--;
	}
	free(sink.pending);
	sink.pending = NULL;
	sink.pending_bytes = 0;
}

int fp_cli_lines_open(const struct fp_options *options)
{
	if (options->ndjson[0] == '\0' || sink.form != FORM_NONE)
		return 0;
	if (parse_place(options->ndjson) != 0 || parse_labels(options->label) != 0)
		return FP_CLI_FAILED;
	if (gethostname(sink.host, sizeof(sink.host) - 1) != 0)
		strcpy(sink.host, "localhost");
	sink.line.host = sink.host;
	/* A receiver may come later; a file that cannot be written never will be. */
	if (sink.form == FORM_FILE && !open_sink())
		return fp_cli_fail(FP_SAY_CANNOT_WRITE_LINES, sink.place, strerror(sink.error));
	return 0;
}

/* ---- OpenTelemetry --------------------------------------------------------------------------
 *
 * Lines as log records of OpenTelemetry, by OTLP/HTTP in JSON. libcurl is loaded when there is
 * something to send: it brings two dozen libraries along.
 */

enum {
	PATIENCE_MS = 2000,
	PAUSE_S = 10, /* after a request that failed: one that hangs costs each process its time
	               */
	SEVERITY_INFO = 9,
	SEVERITY_ERROR = 17,
	OK_FIRST = 200,
	OK_LAST = 299
};

static json_t *records;

static json_t *make_attribute(const char *key, const json_t *value)
{
	char number[32];

	if (json_is_integer(value)) {
		/* 64-bit numbers are strings in this JSON. */
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		         json_integer_value(value));
		return json_pack("{s:s, s:{s:s}}", "key", key, "value", "intValue", number);
	}
	return json_pack("{s:s, s:{s:s}}", "key", key, "value", "stringValue",
	                 json_string_value(value) ? json_string_value(value) : "");
}

static json_t *make_attributes(const json_t *line)
{
	json_t *attributes = json_array();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)line, key, value)
	{
		char name[64];

		snprintf(name, sizeof(name), "fencepost.%s", key);
		if (json_is_string(value) || json_is_integer(value))
			json_array_append_new(attributes, make_attribute(name, value));
	}
	if (json_object_get(line, "file"))
		json_array_append_new(
		        attributes,
		        make_attribute("code.file.path", json_object_get(line, "file")));
	if (json_object_get(line, "line"))
		json_array_append_new(
		        attributes,
		        make_attribute("code.line.number", json_object_get(line, "line")));
	return attributes;
}

/* Keeps TEXT, a line, for the next request. */
static bool keep_record(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	const json_t *line = json_object_get(json, "line");
	const char *type = json_string_value(json_object_get(line, "type"));
	bool is_summary = type && strcmp(type, "summary") == 0;
	struct timespec now;
	char nanoseconds[32];

	if (!records)
		records = json_array();
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(nanoseconds, sizeof(nanoseconds), "%lld%09ld", (long long)now.tv_sec,
	         now.tv_nsec);
	json_t *record =
	        json_pack("{s:s, s:i, s:s, s:{s:s}, s:o}", "timeUnixNano", nanoseconds,
	                  "severityNumber", is_summary ? SEVERITY_INFO : SEVERITY_ERROR,
	                  "severityText", is_summary ? "INFO" : "ERROR", "body", "stringValue",
	                  text, "attributes", make_attributes(line));
	json_decref(json);
	return record && json_array_append_new(records, record) == 0;
}

static char *make_body(void)
{
	json_t *body =
	        json_pack("{s:[{s:{s:[{s:s, s:{s:s}}]}, s:[{s:{s:s, s:s}, s:O}]}]}",
	                  "resourceLogs", "resource", "attributes", "key", "service.name",
	                  "value", "stringValue", "fencepost", "scopeLogs", "scope", "name",
	                  PACKAGE_NAME, "version", PACKAGE_VERSION, "logRecords", records);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	return text;
}

#ifdef HAVE_CURL

/* What is used of libcurl. */
struct curl {
	CURL *(*init)(void);
	CURLcode (*set)(CURL *, CURLoption, ...);
	CURLcode (*perform)(CURL *);
	CURLcode (*ask)(CURL *, CURLINFO, ...);
	void (*end)(CURL *);
	struct curl_slist *(*append)(struct curl_slist *, const char *);
	void (*drop)(struct curl_slist *);
};

static bool load(struct curl *curl)
{
	static const char *const names[] = {"curl_easy_init",     "curl_easy_setopt",
	                                    "curl_easy_perform",  "curl_easy_getinfo",
	                                    "curl_easy_cleanup",  "curl_slist_append",
	                                    "curl_slist_free_all"};
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	void **functions = (void **)curl;

	if (!library)
		library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && i < sizeof(names) / sizeof(names[0]); i++)
		if (!(functions[i] = dlsym(library, names[i])))
			return false;
	return library != NULL;
}

static size_t swallow(const char *bytes, size_t size, size_t count, void *user)
{
	(void)bytes;
	(void)user;
	return size * count;
}

static int post_by(const struct curl *curl, const char *url, const char *body)
{
	struct curl_slist *headers = curl->append(NULL, "Content-Type:application/json");
	CURL *request = curl->init();
	long status = 0;

	if (request) {
		curl->set(request, CURLOPT_URL, url);
		curl->set(request, CURLOPT_POSTFIELDS, body);
		curl->set(request, CURLOPT_HTTPHEADER, headers);
		curl->set(request, CURLOPT_TIMEOUT_MS, (long)PATIENCE_MS);
		curl->set(request, CURLOPT_NOSIGNAL, 1L);
		curl->set(request, CURLOPT_WRITEFUNCTION, swallow);
		if (curl->perform(request) == CURLE_OK)
			curl->ask(request, CURLINFO_RESPONSE_CODE, &status);
		curl->end(request);
	}
	curl->drop(headers);
	return status >= OK_FIRST && status <= OK_LAST ? 0
	       : status == 0                           ? ECONNREFUSED
	                                               : EPROTO;
}

/* 0 or an errno. */
static int post(const char *url, const char *body)
{
	struct curl curl;

	return load(&curl) ? post_by(&curl, url, body) : ELIBACC;
}

#else

static int post(const char *url, const char *body)
{
	(void)url;
	(void)body;
	return ELIBACC;
}

#endif

/* Sends all that was kept. Returns how many could not be sent; *ERROR says why. It takes two
 * seconds at most. */
static uint64_t post_records(const char *url, int *error)
{
	static time_t pause_end;
	static int failure;
	size_t count = json_array_size(records);
	struct timespec began, now;

	if (count == 0)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &began);
	if (began.tv_sec >= pause_end) {
		char *body = make_body();

		failure = body ? post(url, body) : ENOMEM;
		free(body);
		clock_gettime(CLOCK_MONOTONIC, &now);
		pause_end =
		        failure != 0 && now.tv_sec > began.tv_sec ? now.tv_sec + PAUSE_S : 0;
	}
	*error = failure;
	json_array_clear(records);
	return failure == 0 ? 0 : count;
}

/* ---- One line -----------------------------------------------------------------------------
 */

/* Standard output may be a socket. */
static ssize_t put(const char *bytes, size_t size)
{
	ssize_t put = send(sink.fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	return put < 0 && errno == ENOTSOCK ? write(sink.fd, bytes, size) : put;
}

/* What follows half a line has to wait for the other half. */
static bool put_pending(void)
{
	ssize_t count = sink.pending_bytes > 0 ? put(sink.pending, sink.pending_bytes) : 0;

	if (count > 0) {
		errno = EAGAIN;
		sink.pending_bytes -= (size_t)count;
		memmove(sink.pending, sink.pending + count, sink.pending_bytes);
	}
	return sink.pending_bytes == 0;
}

static bool put_whole(const char *bytes, size_t size)
{
	if (!put_pending() || (sink.is_torn && put("\n", 1) < 1))
		return false;
	sink.is_torn = false;
	ssize_t count = put(bytes, size);
	/* The last datagram told of a receiver that is gone: this one may find another. */
	if (count < 0 && errno == ECONNREFUSED)
		count = put(bytes, size);
	if (count < 0)
		return false;
	if ((size_t)count < size) {
		free(sink.pending);
		sink.pending = strndup(bytes + count, size - (size_t)count);
		sink.pending_bytes = sink.pending ? size - (size_t)count : 0;
	}
	return true;
}

static const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}

/* In one sentence. */
static void put_message(FILE *out, const json_t *json)
{
	const json_t *line = json_object_get(json, "line");
	const json_t *finding = json_array_get(json_object_get(json, "findings"), 0);
	const json_t *process = json_object_get(json, "process");

	fprintf(out, "%s: ", text_of(process, "executable"));
	if (finding)
		fprintf(out, "%s: %s", text_of(line, "kind"), text_of(finding, "description"));
	else if (strcmp(text_of(line, "type"), "leak") == 0)
		fprintf(out, FP_SAY_LINE_OF_LEAK, text_of(line, "kind"),
		        (long long)json_integer_value(json_object_get(line, "bytes")),
		        (long long)json_integer_value(json_object_get(line, "count")));
	else
		fprintf(out, FP_SAY_LINE_OF_SUMMARY,
		        (long long)json_integer_value(
		                json_object_get(json_object_get(json, "summary"), "errors")),
		        (long long)json_integer_value(json_object_get(
		                json_object_get(json, "summary"), "leaked_blocks")));
	if (text_of(line, "function")[0] != '\0')
		fprintf(out, ", in %s", text_of(line, "function"));
}

/* No text of the journal's native protocol but the last one has a newline in it. */
static void put_field(FILE *out, const char *name, const char *text)
{
	if (*text != '\0' && !strchr(text, '\n'))
		fprintf(out, "%s=%s\n", name, text);
}

static void put_journal(FILE *out, const json_t *json, const char *text)
{
	const json_t *line = json_object_get(json, "line");
	const json_t *number = json_object_get(line, "line");
	char *message = NULL;
	size_t size;
	FILE *words = open_memstream(&message, &size);

	if (words) {
		put_message(words, json);
		fclose(words);
	}
	put_field(out, "MESSAGE", message ? message : "a line");
	free(message);
	fprintf(out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=fencepost\nMESSAGE_ID=%s\n",
	        strcmp(text_of(line, "type"), "summary") == 0 ? PRIORITY + 3 : PRIORITY,
	        FP_CLI_LINES_MESSAGE_ID);
	put_field(out, "CODE_FILE", text_of(line, "file"));
	put_field(out, "CODE_FUNC", text_of(line, "function"));
	if (number)
		fprintf(out, "CODE_LINE=%lld\n", (long long)json_integer_value(number));
	put_field(out, "FENCEPOST_KIND", text_of(line, "kind"));
	put_field(out, "FENCEPOST_FINGERPRINT", text_of(line, "fingerprint"));
	put_field(out, "FENCEPOST_TYPE", text_of(line, "type"));
	put_field(out, "FENCEPOST_RUN", text_of(line, "run"));
	fprintf(out, "FENCEPOST_LINE=%s\n", text);
}

/* Rather than the bare line what the receiver's protocol has around it. */
static bool put_dressed(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	char *dressed = NULL;
	size_t size;
	FILE *out = open_memstream(&dressed, &size);

	if (!out || !json) {
		json_decref(json);
		return false;
	}
	if (sink.form == FORM_JOURNAL) {
		put_journal(out, json, text);
	} else {
		fprintf(out, "<%d>fencepost: ", FACILITY_USER * 8 + PRIORITY);
		put_message(out, json);
		fprintf(out, " @cee: %s", text);
	}
	fclose(out);
	json_decref(json);
	bool is_put = put_whole(dressed, size);
	free(dressed);
	return is_put;
}

static void count_left_out(int error)
{
	sink.left_out++;
	sink.error = error;
}

static bool is_last(const char *text)
{
	return strstr(text, "\"line\":{\"type\":\"summary\"") != NULL;
}

/* TEXT with how many lines were left out; it is freed. NULL when out of memory. */
static char *tell_left_out(char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	json_object_set_new(json_object_get(json, "line"), "left_out",
	                    json_integer((json_int_t)(sink.left_out - sink.told)));
	free(text);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return text;
}

/* TEXT is a line without its end. There are as many last lines as processes: those have room of
 * their own. */
static void send_line(char *text, size_t size)
{
	bool is_sent;

	if (sink.sent >= (is_last(text) ? 2 * LINES_MAX : LINES_MAX)) {
		count_left_out(EDQUOT);
		return;
	}
	if (!open_sink()) {
		sink.left_out++;
		return;
	}
	errno = 0;
	if (sink.form == FORM_OTLP) {
		is_sent = keep_record(text);
	} else if (sink.form == FORM_JOURNAL || sink.form == FORM_SYSLOG) {
		is_sent = put_dressed(text);
	} else {
		text[size] = '\n';
		is_sent = put_whole(text, size + 1);
	}
	if (is_sent) {
		sink.sent++;
		return;
	}
	count_left_out(errno);
	if (errno != EAGAIN && errno != EMSGSIZE && sink.form != FORM_OTLP)
		close_sink();
}

/* ---- Reports ------------------------------------------------------------------------------
 */

static struct fp_report_view view_of(const struct fp_options *options)
{
	return (struct fp_report_view){
	        .leaks = options->leak_check == FP_OPTIONS_LEAK_CHECK_NO ? FP_REPORT_LEAKS_NONE
	                                                                 : FP_REPORT_LEAKS_FULL,
	        .has_possible = options->show_possible,
	        .line = &sink.line,
	        .is_redacted = options->redact,
	};
}

/* The last line of a process tells what was left out until then, and no other line has told. */
static void send_last(const char *line)
{
	const uint64_t left_out = sink.left_out;
	char *text = strdup(line);

	if (text && left_out > sink.told)
		text = tell_left_out(text);
	if (text)
		send_line(text, strlen(text));
	else
		count_left_out(ENOMEM);
	if (sink.left_out == left_out)
		sink.told = left_out;
	free(text);
}

static void send_lines(char *lines)
{
	char *rest = lines;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (is_last(line))
			send_last(line);
		else if (*line != '\0')
			send_line(line, strlen(line));
	}
	if (sink.form == FORM_OTLP)
		sink.left_out += post_records(sink.place, &sink.error);
}

/* Findings from FIRST up to END of the one report in SET; with END 0 all of it. */
static int write_lines(const struct fp_report_set *set, const struct fp_options *options,
                       size_t first, size_t end)
{
	const struct fp_report_writer *writer = fp_report_writer_find("ndjson");
	const struct fp_report_view view = view_of(options);
	char *lines = NULL;
	size_t size;
	FILE *out = open_memstream(&lines, &size);

	if (!out)
		return -ENOMEM;
	int result = end > 0 ? fp_report_write_findings(writer, set, &view, first, end, out)
	                     : fp_report_write(writer, set, &view, out);
	if (fclose(out) == 0 && result == 0)
		send_lines(lines);
	free(lines);
	return result;
}

size_t fp_cli_lines_send_findings(const struct fp_cli_log *log, size_t first, size_t end,
                                  const struct fp_options *options)
{
	const struct fp_report *report = log->report;
	const struct fp_report_set set = {&report, 1};
	struct timespec now;

	if (sink.form == FORM_NONE)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != sink.second) {
		sink.second = now.tv_sec;
		sink.in_second = 0;
	}
	if (end - first > LIVE_PER_SECOND - sink.in_second)
		end = first + LIVE_PER_SECOND - sink.in_second;
	sink.in_second += (unsigned)(end - first);
	return end == first || write_lines(&set, options, first, end) == 0 ? end : first;
}

static const char *why(int error)
{
	switch (error) {
	case EAGAIN:
		return FP_SAY_RECEIVER_DID_NOT;
	case EDQUOT:
		return FP_SAY_RUN_SENDS_NO;
	case EHOSTUNREACH:
		return FP_SAY_ITS_HOST_NOT;
	default:
		return strerror(error);
	}
}

/* To what a receiver has taken half of. A disk that is full is ready for more, and takes
 * nothing. */
static void give_last_chance(void)
{
	struct pollfd last = {.fd = sink.fd, .events = POLLOUT};
	int pieces = LAST_PIECES;

	while (!put_pending()) {
		if (errno == EAGAIN && pieces-- > 0 && poll(&last, 1, LAST_CHANCE_MS) > 0)
			continue;
		sink.error = errno;
		close_sink();
	}
}

int fp_cli_lines_send(const struct fp_cli_log *logs, size_t count,
                      const struct fp_options *options)
{
	const uint64_t before = sink.left_out;
	int result = 0;

	if (fp_cli_lines_open(options) != 0)
		return FP_CLI_FAILED;
	if (sink.form == FORM_NONE)
		return 0;
	/* One report at a time: a million leaks are not to stand in memory at once. */
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct fp_report one = *logs[i].report;
		const struct fp_report *report = &one;
		const struct fp_report_set set = {&report, 1};

		/* They are of all processes of the run: whoever adds up lines wants them once.
		 */
		if (i > 0)
			one.suppressions = NULL;
		result = write_lines(&set, options, 0, 0);
	}
	give_last_chance();
	if (result != 0)
		return fp_cli_fail(FP_SAY_NO_MEMORY_LINES_NDJSON);
	if (sink.left_out > before)
		fp_cli_say(FP_SAY_NOTE_LINE_NOT, (unsigned long long)sink.left_out,
		           sink.left_out == 1 ? "" : "s", options->ndjson, why(sink.error));
	return 0;
}
