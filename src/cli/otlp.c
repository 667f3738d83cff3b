/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/otlp.h"

#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_CURL
#include <curl/curl.h>
#endif

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

bool fp_cli_otlp_add(const char *text)
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
	struct curl_slist *headers = curl->append(NULL, "Content-Type: application/json");
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

uint64_t fp_cli_otlp_send(const char *url, int *error)
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
