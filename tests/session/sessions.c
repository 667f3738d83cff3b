/* SPDX-License-Identifier: Apache-2.0
 *
 * The scaffold of sessions.h.
 */
#include "sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/format.h"
#include "session/session.h"

const char *reporter_path;
const char *copy_path;
const char *arguments_path;

/* A report asked for goes to descriptor 3; whatever it says on standard error is noise. */
static const char script[] =
        "#!/bin/sh\n"
        "printf '%s\\n' \"$@\" \"preload=$LD_PRELOAD\" >\"$FP_TEST_ARGUMENTS\"\n"
        "cat >\"$FP_TEST_COPY\"\n"
        "echo noise >&2\n"
        "case \"$*\" in */dev/fd/3*) echo asked for >&3 ;; esac\n"
        "test -z \"$FP_TEST_KILL\" || kill -KILL $$\n"
        "exit ${FP_TEST_STATUS:-0}\n";

void make_reporter(void)
{
	static char paths[3][300];

	reporter_path = strcpy(paths[0], test_path("reporter"));
	copy_path = strcpy(paths[1], test_path("copy"));
	arguments_path = strcpy(paths[2], test_path("arguments"));
	FILE *file = fopen(reporter_path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(script, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(reporter_path, 0700), 0);
	setenv("FP_TEST_COPY", copy_path, 1);
	setenv("FP_TEST_ARGUMENTS", arguments_path, 1);
}

void remove_reporter(void)
{
	unlink(reporter_path);
	unlink(copy_path);
	unlink(arguments_path);
}

void must_start(const char *options)
{
	char text[2048];

	snprintf(text, sizeof(text), "report=end:reporter=%s:%s", reporter_path, options);
	test_must(fp_session_start(text) == 0);
}

static void play(void *user)
{
	const struct scenario *scenario = user;

	/* Registered before the session's own handler, so it runs after that one. */
	if (scenario->ends_by_exit)
		test_must(atexit(fp_session_finish) == 0);
	must_start(scenario->options);
	scenario->body();
	fp_session_finish();
}

void run_scenario(const struct scenario *scenario, struct test_child *child)
{
	test_run_child(play, (void *)(uintptr_t)scenario, child);
}

struct fp_heap *must_create_heap(void)
{
	static const struct fp_heap_traits traits = {
	        .error_codes = {.has_hresult = true, .misuse = -1}};
	struct fp_heap *heap;

	test_must(fp_heap_create(&traits, &heap) == 0);
	return heap;
}

char *must_alloc(struct fp_heap *heap, size_t size)
{
	const struct fp_heap_request request = {.size = size, .file = "s.c", .line = 3};
	void *block;

	test_must(fp_heap_alloc(heap, &request, &block) == 0);
	return block;
}

void must_double_free(struct fp_heap *heap)
{
	char *block = must_alloc(heap, 10);

	test_must(fp_heap_free(heap, block) == 0);
	test_must(fp_heap_free(heap, block) != 0);
}

bool has_reporter_run(void)
{
	return access(copy_path, F_OK) == 0;
}

void open_given(struct test_events *events)
{
	size_t size;
	char *bytes = test_read_file(copy_path, &size);

	test_events_open(events, bytes, size);
}

const char *setting_of(const struct test_events *events, const char *key)
{
	struct test_events rest = *events;
	struct test_event event;

	while (test_events_find(&rest, FP_LOG_SETTING, &event))
		if (strcmp(test_event_string(&event), key) == 0)
			return test_event_string(&event);
	ck_abort_msg("no setting %s", key);
}
