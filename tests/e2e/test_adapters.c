/* SPDX-License-Identifier: Apache-2.0
 *
 * The hosts for Expat and libcurl on real input: a document of 10 MB, and fifty downloads over
 * loopback at the same time, from a server of our own. Right output, no finding, no leak; and a
 * mistake of the host's is found in them as in any other.
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

enum { DOCUMENT_BYTES = 10 << 20, DOWNLOADS = 50 };

/* Whether the host was built: configure says aloud when its library is missing. */
static bool is_built(const char *program)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", getenv("FP_BUILDDIR"), program);
	if (access(path, X_OK) == 0)
		return true;
	printf("SKIPPED: %s was not built, because its library is not installed\n", program);
	return false;
}

static void check_clean(const struct e2e_run *run, long allocations)
{
	const json_t *heap = e2e_get(run->report, "heap");

	e2e_check_exit(run, 0);
	e2e_check_counts(run, 0, 0);
	ck_assert_int_eq(e2e_get_integer(heap, "live_blocks"), 0);
	ck_assert_int_eq(e2e_get_integer(heap, "allocations"), e2e_get_integer(heap, "frees"));
	ck_assert_int_ge(e2e_get_integer(heap, "allocations"), allocations);
}

/* ---- Expat ------------------------------------------------------------------------------- */

struct document {
	char *text;
	size_t length;
	unsigned long rows;
	unsigned long characters;
};

static void make_document(struct document *document)
{
	document->text = malloc(DOCUMENT_BYTES + 1000);
	ck_assert_ptr_nonnull(document->text);
	document->length = (size_t)sprintf(document->text, "<?xml version=\"1.0\"?><rows>");
	while (document->length < DOCUMENT_BYTES) {
		unsigned long row = document->rows++;

		/* Names that are new all the time make Expat allocate. */
		document->length += (size_t)sprintf(
		        document->text + document->length,
		        "<row%lu id=\"%lu\" kind=\"a&amp;b\">text %06lu</row%lu>", row % 5000,
		        row, row % 1000000, row % 5000);
		document->characters += 11;
	}
	document->length += (size_t)sprintf(document->text + document->length, "</rows>");
}

START_TEST(test_expat_parses_ten_megabytes)
{
	static const char *const argv[] = {"examples/expat_host", "-", NULL};
	struct document document = {0};
	struct e2e_run run = {0};
	char expected[200];

	if (!is_built(argv[0]) || !e2e_can_run(_i))
		return;
	make_document(&document);
	run.input = document.text;
	e2e_run(&run, e2e_backend_option(_i), argv);
	snprintf(expected, sizeof(expected),
	         "%lu elements, %lu attributes, %lu characters, 2 deep\n", document.rows + 1,
	         2 * document.rows, document.characters);
	ck_assert_str_eq(run.out, expected);
	check_clean(&run, 5000);
	free(document.text);
	e2e_release(&run);
}
END_TEST

START_TEST(test_expat_tells_of_a_bad_document)
{
	static const char *const argv[] = {"examples/expat_host", "-", NULL};
	struct e2e_run run = {.input = "<a>\n<b></a>\n"};

	if (!is_built(argv[0]))
		return;
	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 1);
	ck_assert_str_eq(run.out, "");
	ck_assert_ptr_nonnull(strstr(run.err, "expat_host: -:2: mismatched tag\n"));
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

/* ---- libcurl ----------------------------------------------------------------------------- */

static size_t body_bytes(unsigned number)
{
	return (size_t)number * number * 101;
}

static uint8_t body_byte(unsigned number, size_t at)
{
	return (uint8_t)(at * 31 + number);
}

static void send_all(int connection, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t sent = send(connection, bytes, count, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		count -= (size_t)sent;
	}
}

/* GET /NUMBER gets the body of that number. */
static void answer(int connection)
{
	char request[4096] = "";
	char head[200];
	unsigned number = 0;

	for (size_t used = 0;
	     strstr(request, "\r\n\r\n") == NULL && used < sizeof(request) - 1;) {
		ssize_t got = recv(connection, request + used, sizeof(request) - 1 - used, 0);

		if (got <= 0)
			return;
		used += (size_t)got;
	}
	if (sscanf(request, "GET /%u ", &number) != 1)
		return;
	char *body = malloc(body_bytes(number) + 1);
	if (body == NULL)
		return;
	for (size_t i = 0; i < body_bytes(number); i++)
		body[i] = (char)body_byte(number, i);
	send_all(connection, head,
	         (size_t)snprintf(
	                 head, sizeof(head),
	                 "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
	                 number == 0 ? "404 Not Found" : "200 OK", body_bytes(number)));
	send_all(connection, body, body_bytes(number));
	free(body);
}

static void serve(int listener)
{
	for (;;) {
		int connection = accept(listener, NULL, NULL);

		if (connection < 0)
			_exit(1);
		answer(connection);
		close(connection);
	}
}

/* The server's process; *PORT is where it listens. */
static pid_t start_server(unsigned *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert(listener >= 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(listen(listener, 2 * DOWNLOADS), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		serve(listener);
	close(listener);
	return pid;
}

static void stop_server(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static uint32_t checksum_of(unsigned number)
{
	uint32_t checksum = 2166136261;

	for (size_t i = 0; i < body_bytes(number); i++)
		checksum = (checksum ^ body_byte(number, i)) * 16777619;
	return checksum;
}

START_TEST(test_curl_downloads_fifty_at_once)
{
	static const char *const argv[] = {"examples/curl_host", "-", NULL};
	char list[DOWNLOADS * 60] = "";
	char expected[DOWNLOADS * 100] = "";
	struct e2e_run run = {.input = list};
	unsigned port;
	pid_t server;

	if (!is_built(argv[0]) || !e2e_can_run(_i))
		return;
	server = start_server(&port);
	for (unsigned i = 1; i <= DOWNLOADS; i++) {
		sprintf(list + strlen(list), "http://127.0.0.1:%u/%u\n", port, i);
		sprintf(expected + strlen(expected), "http://127.0.0.1:%u/%u 200 %zu %08x\n",
		        port, i, body_bytes(i), (unsigned)checksum_of(i));
	}
	e2e_run(&run, e2e_backend_option(_i), argv);
	stop_server(server);
	ck_assert_str_eq(run.out, expected);
	check_clean(&run, 1000);
	e2e_release(&run);
}
END_TEST

START_TEST(test_curl_tells_of_a_failed_download)
{
	static const char *const argv[] = {"examples/curl_host", "-", NULL};
	struct e2e_run run = {.input = "http://127.0.0.1:1/\n"};

	if (!is_built(argv[0]))
		return;
	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "curl_host: http://127.0.0.1:1/: "));
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

/* ---- Mistakes ---------------------------------------------------------------------------- */

static const struct {
	const char *program;
	const char *input;
} hosts[] = {
        {"examples/expat_host", "<a/>"},
        {"examples/curl_host", ""},
};

START_TEST(test_a_planted_mistake_is_found)
{
	const char *const argv[] = {hosts[_i].program, "--plant=double-free", "-", NULL};
	static const struct e2e_finding expected = {
	        .kind = "double-free",
	        .access = "free",
	        .source = "examples/plant.c",
	        .call = "double-free second free",
	        .allocation = "double-free allocation",
	        .first_free = "double-free first free",
	        .size = 48,
	        .is_refused = true,
	};
	struct e2e_run run = {.input = hosts[_i].input};

	if (!is_built(argv[0]))
		return;
	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 1, 0);
	e2e_check_finding(&run, &expected);
	e2e_release(&run);
}
END_TEST

START_TEST(test_a_planted_leak_is_found)
{
	const char *const argv[] = {hosts[_i].program, "--plant=leak", "-", NULL};
	struct e2e_run run = {.input = hosts[_i].input};

	if (!is_built(argv[0]))
		return;
	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_take_findings(&run, "heap-released-in-use");
	e2e_check_counts(&run, 0, 1);
	const json_t *leak = json_array_get(e2e_get(run.report, "leaks"), 0);
	ck_assert_int_eq(e2e_get_integer(leak, "bytes"), 1234);
	e2e_check_stack(e2e_get(leak, "alloc_stack"), "examples/plant.c", "leak allocation");
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adapters");
	TCase *tcase = tcase_create("adapters");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tcase, test_expat_parses_ten_megabytes, 1, E2E_BACKEND_COUNT);
	tcase_add_test(tcase, test_expat_tells_of_a_bad_document);
	e2e_add_shared_test(tcase, test_curl_downloads_fifty_at_once, 1, E2E_BACKEND_COUNT);
	tcase_add_test(tcase, test_curl_tells_of_a_failed_download);
	tcase_add_loop_test(tcase, test_a_planted_mistake_is_found, 0, 2);
	tcase_add_loop_test(tcase, test_a_planted_leak_is_found, 0, 2);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
