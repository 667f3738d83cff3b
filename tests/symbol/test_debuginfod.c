/* SPDX-License-Identifier: Apache-2.0
 *
 * Debug information from a real debuginfod server on the loopback interface: fetched when that
 * is allowed, and never otherwise.
 */
#include <arpa/inet.h>
#include <check.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "images.h"
#include "plant.h"

enum { ATTEMPTS = 150, ATTEMPT_MICROSECONDS = 200000 };

static pid_t server;

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void start_server(void)
{
	char port[16];
	char urls[64];
	char path[128];

	setup();
	snprintf(port, sizeof(port), "%d", free_port());
	snprintf(urls, sizeof(urls), "http://127.0.0.1:%s", port);
	setenv("DEBUGINFOD_URLS", urls, 1);
	run("mkdir %s/served", directory);
	derive("objcopy --only-keep-debug $self $made", "served/plant.debug");
	snprintf(path, sizeof(path), "%s/served", directory);
	server = fork();
	if (server == 0) {
		int null = open("/dev/null", O_RDWR);

		/* It would ask itself. */
		unsetenv("DEBUGINFOD_URLS");
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execlp("debuginfod", "debuginfod", "-d", ":memory:", "-p", port, "-F", path,
		       NULL);
		_exit(127);
	}
	ck_assert_int_gt(server, 0);
}

static void stop_server(void)
{
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	teardown();
}

/* Every attempt has an empty cache: the client remembers what it did not get. */
static bool fetch(size_t attempt)
{
	char cache[128];
	struct plant_call call = plant_call();

	snprintf(cache, sizeof(cache), "%s/cache.%zu", directory, attempt);
	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
	fp_symbol_close(image);
	open_file(derive("objcopy --strip-all $self $made", "stripped"), directory);
	return look_up(call.return_address, false)->count > 0;
}

START_TEST(debug_information_is_fetched_when_allowed)
{
	size_t attempt = 0;

	fp_symbol_allow_fetching();
	ck_assert_ptr_null(fp_symbol_fetch_obstacle());
	while (!fetch(attempt) && attempt < ATTEMPTS) {
		usleep(ATTEMPT_MICROSECONDS);
		attempt++;
	}
	expect_whole_place();
}
END_TEST

/* As long as it takes to be served above. */
START_TEST(nothing_is_fetched_otherwise)
{
	for (size_t attempt = 0; attempt < 8; attempt++) {
		ck_assert(!fetch(attempt));
		usleep(ATTEMPT_MICROSECONDS);
	}
	ck_assert_ptr_null(fp_symbol_fetch_obstacle());
}
END_TEST

START_TEST(no_server_is_an_obstacle)
{
	struct plant_call call = plant_call();

	fp_symbol_allow_fetching();
	setenv("DEBUGINFOD_URLS", " ", 1);
	ck_assert_ptr_nonnull(strstr(fp_symbol_fetch_obstacle(), "DEBUGINFOD_URLS"));
	unsetenv("DEBUGINFOD_URLS");
	ck_assert_ptr_nonnull(strstr(fp_symbol_fetch_obstacle(), "DEBUGINFOD_URLS"));
	open_file(derive("objcopy --strip-all $self $made", "stripped"), directory);
	ck_assert_uint_eq(look_up(call.return_address, false)->count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("debuginfod");
	TCase *tests = tcase_create("debuginfod");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (system("debuginfod --version >/dev/null 2>&1") != 0 ||
	    !dlopen("libdebuginfod.so.1", RTLD_NOW)) {
		puts("skipped: debuginfod is not installed; apt-get install debuginfod");
		return 77;
	}
	tcase_add_checked_fixture(tests, start_server, stop_server);
	tcase_add_test(tests, debug_information_is_fetched_when_allowed);
	tcase_add_test(tests, nothing_is_fetched_otherwise);
	tcase_add_test(tests, no_server_is_an_obstacle);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
