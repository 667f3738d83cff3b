/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for libcurl: downloads what a list of URLs, one a line, names, all at the same time,
 * with libcurl's memory from an IHostMalloc.
 *
 *	curl_host [--plant=MISTAKE] LIST|-
 *
 * For each URL, in the order of the list: its status, its bytes and their FNV-1a checksum. Exit
 * status: 0, 1 when a download or the heap failed, 2 for a wrong command line. Fencepost's
 * options: FENCEPOST_OPTIONS.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "host.h"

enum { WAIT_MS = 1000 };

/* libcurl gives its allocator no argument, so the heap is global. */
static struct host host;

struct download {
	CURL *easy;
	const char *url;
	size_t bytes;
	uint32_t checksum;
	CURLcode result;
};

/* ---- libcurl's memory -------------------------------------------------------------------- */

static void *memory_malloc(size_t size)
{
	return host_allocate(&host, size);
}

static void *memory_realloc(void *memory, size_t size)
{
	return host_reallocate(&host, memory, size);
}

static void memory_free(void *memory)
{
	host_free(&host, memory);
}

static void *memory_calloc(size_t count, size_t size)
{
	size_t bytes;
	void *memory;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	memory = host_allocate(&host, bytes);
	return memory == NULL ? NULL : memset(memory, 0, bytes);
}

static char *memory_strdup(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = host_allocate(&host, bytes);

	return copy == NULL ? NULL : memcpy(copy, text, bytes);
}

/* ---- The downloads ----------------------------------------------------------------------- */

static size_t take(char *data, size_t size, size_t count, void *user)
{
	struct download *download = user;

	for (size_t i = 0; i < size * count; i++)
		download->checksum = (download->checksum ^ (uint8_t)data[i]) * 16777619;
	download->bytes += size * count;
	return size * count;
}

static size_t count_lines(void)
{
	size_t count = 0;

	for (const char *at = host.text; at != NULL && *at != '\0'; at = strchr(at + 1, '\n'))
		count++;
	return count;
}

static bool start(CURLM *multi, struct download *download)
{
	download->easy = curl_easy_init();
	download->checksum = 2166136261;
	return download->easy != NULL &&
	       curl_easy_setopt(download->easy, CURLOPT_URL, download->url) == CURLE_OK &&
	       curl_easy_setopt(download->easy, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	       curl_easy_setopt(download->easy, CURLOPT_WRITEDATA, download) == CURLE_OK &&
	       curl_easy_setopt(download->easy, CURLOPT_PRIVATE, download) == CURLE_OK &&
	       curl_multi_add_handle(multi, download->easy) == CURLM_OK;
}

/* The lines of the list become strings of their own. */
static bool start_all(CURLM *multi, struct download *downloads, size_t *count)
{
	for (char *url = strtok(host.text, "\n"); url != NULL; url = strtok(NULL, "\n")) {
		downloads[*count].url = url;
		if (!start(multi, &downloads[(*count)++]))
			return false;
	}
	return true;
}

static void take_results(CURLM *multi)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi, &left)) != NULL) {
		struct download *download = NULL;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&download);
		download->result = message->data.result;
	}
}

static bool transfer(CURLM *multi)
{
	int running;

	do {
		if (curl_multi_perform(multi, &running) != CURLM_OK ||
		    curl_multi_poll(multi, NULL, 0, WAIT_MS, NULL) != CURLM_OK)
			return false;
		take_results(multi);
	} while (running > 0);
	return true;
}

static bool print(const struct download *download)
{
	long status = 0;

	if (download->result != CURLE_OK) {
		fprintf(stderr, "%s: %s: %s\n", host.program, download->url,
		        curl_easy_strerror(download->result));
		return false;
	}
	curl_easy_getinfo(download->easy, CURLINFO_RESPONSE_CODE, &status);
	printf("%s %ld %zu %08x\n", download->url, status, download->bytes,
	       (unsigned)download->checksum);
	return true;
}

static bool finish(CURLM *multi, struct download *downloads, size_t count)
{
	bool done = true;

	for (size_t i = 0; i < count; i++) {
		done = print(&downloads[i]) && done;
		curl_multi_remove_handle(multi, downloads[i].easy);
		curl_easy_cleanup(downloads[i].easy);
	}
	return done;
}

static bool run(void)
{
	struct download *downloads = calloc(count_lines() + 1, sizeof(*downloads));
	size_t count = 0;
	CURLM *multi = NULL;
	bool done = downloads != NULL &&
	            curl_global_init_mem(CURL_GLOBAL_DEFAULT, memory_malloc, memory_free,
	                                 memory_realloc, memory_strdup,
	                                 memory_calloc) == CURLE_OK &&
	            (multi = curl_multi_init()) != NULL;

	if (!done)
		fprintf(stderr, "%s: cannot start libcurl: no memory\n", host.program);
	done = done && start_all(multi, downloads, &count) && transfer(multi);
	done = finish(multi, downloads, count) && done;
	curl_multi_cleanup(multi);
	curl_global_cleanup();
	free(downloads);
	return done;
}

int main(int argc, char **argv)
{
	bool done;

	(void)argc;
	host_open(&host, argv);
	done = run();
	host_plant(&host);
	host_close(&host);
	if (fflush(stdout) != 0) {
		perror(host.program);
		done = false;
	}
	return done ? EXIT_SUCCESS : HOST_EXIT_FAILURE;
}
