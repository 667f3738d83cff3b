/* SPDX-License-Identifier: Apache-2.0
 *
 * Names for code that a runtime made while it ran. They are in a file that belongs to the
 * process and is lost with it; so what the stacks of a log need of them goes into the log.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/trace.h"
#include "report/report.h"
#include "report/stack.h"

/* What stands in the stacks of a report, as addresses of code. */
struct wanted {
	uint64_t *addresses; /* sorted */
	size_t count;
	FILE *out; /* the records */
};

/* A runtime that has its code mapped twice, to write and to execute, has it in a file that it
 * has deleted. */
static bool is_made(const struct fp_report *report, const struct fp_report_address *address)
{
	static const char ending[] = " (deleted)";
	const size_t size = sizeof(ending) - 1;
	struct fp_report_string path;

	if (address->module < 0)
		return address->address > FP_TRACE_LEFT_OUT;
	path = report->modules[address->module].path;
	return path.size >= size && memcmp(path.bytes + path.size - size, ending, size) == 0;
}

static int want(struct wanted *wanted, uint64_t address)
{
	uint64_t *addresses =
	        fp_report_grow(wanted->addresses, wanted->count, sizeof(*addresses));

	if (!addresses)
		return -ENOMEM;
	wanted->addresses = addresses;
	wanted->addresses[wanted->count++] = address;
	return 0;
}

static int compare(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;

	return (*a > *b) - (*a < *b);
}

static int collect(const struct fp_report *report, struct wanted *wanted)
{
	for (size_t i = 0; i < report->trace_count; i++) {
		const struct fp_report_trace *trace = &report->traces[i];

		for (size_t j = 0; j < trace->count; j++)
			if (is_made(report, &trace->addresses[j]) &&
			    want(wanted, trace->addresses[j].address) != 0)
				return -ENOMEM;
	}
	if (wanted->count > 0)
		qsort(wanted->addresses, wanted->count, sizeof(wanted->addresses[0]), compare);
	return 0;
}

/* Whether a stack has an address in PIECE, or right behind it: a call may be its end. */
static bool is_wanted(const struct wanted *wanted, const struct fp_symbol_piece *piece)
{
	size_t low = 0;
	size_t high = wanted->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (wanted->addresses[middle] < piece->start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < wanted->count && wanted->addresses[low] - piece->start <= piece->size;
}

static void put(FILE *out, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		putc((int)(value >> 8 * i & 0xff), out);
}

static void visit(const struct fp_symbol_piece *piece, void *user)
{
	const struct wanted *wanted = user;

	if (!is_wanted(wanted, piece))
		return;
	put(wanted->out, FP_LOG_MADE, 2);
	put(wanted->out, 0, 2);
	put(wanted->out, 8 + 8 + 4 + piece->name_size, 4);
	put(wanted->out, piece->start, 8);
	put(wanted->out, piece->size, 8);
	put(wanted->out, piece->name_size, 4);
	fwrite(piece->name, 1, piece->name_size, wanted->out);
}

/* The log with the records behind its header; NULL when out of memory. */
static char *rewrite(const struct fp_report *report, struct wanted *wanted, const char *data,
                     size_t *size)
{
	char *named = NULL;
	size_t named_size;

	wanted->out = open_memstream(&named, &named_size);
	if (!wanted->out)
		return NULL;
	fwrite(data, 1, FP_LOG_HEADER_BYTES, wanted->out);
	fp_symbol_each_made(report->pid, report->started, visit, wanted);
	fwrite(data + FP_LOG_HEADER_BYTES, 1, *size - FP_LOG_HEADER_BYTES, wanted->out);
	if (fclose(wanted->out) != 0) {
		free(named);
		return NULL;
	}
	*size = named_size;
	return named;
}

int fp_report_name_made(const struct fp_report *report, const char *data, size_t *size,
                        char **named)
{
	struct wanted wanted = {0};
	size_t before = *size;
	int result = collect(report, &wanted);

	*named = NULL;
	if (result == 0 && wanted.count > 0) {
		*named = rewrite(report, &wanted, data, size);
		result = *named ? 0 : -ENOMEM;
	}
	if (*named && *size == before) {
		free(*named);
		*named = NULL;
	}
	free(wanted.addresses);
	return result;
}

int fp_report_find_made(struct fp_report *report, const struct fp_report_address *address,
                        bool is_exact, const struct fp_symbol_place **place)
{
	int result = 0;

	*place = NULL;
	if (report->made_count == 0 || !is_made(report, address))
		return 0;
	if (!report->made_image)
		result = fp_symbol_open_made(report->made, report->made_count,
		                             &report->made_image);
	if (result == 0)
		*place = fp_symbol_lookup(report->made_image, address->address, is_exact);
	return *place ? 0 : -ENOMEM;
}
