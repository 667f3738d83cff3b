/* SPDX-License-Identifier: Apache-2.0
 *
 * Compresses as gzip does by default, and keeps nothing of it but the size.
 */
#include "report/sarif/size.h"

#include <stdlib.h>
#include <zlib.h>

enum { OUT_BYTES = 64 << 10 };

struct fp_report_sarif_size {
	z_stream stream;
	Bytef out[OUT_BYTES];
};

struct fp_report_sarif_size *fp_report_sarif_size_new(void)
{
	struct fp_report_sarif_size *size = calloc(1, sizeof(*size));

	if (size && deflateInit(&size->stream, Z_DEFAULT_COMPRESSION) != Z_OK) {
		free(size);
		return NULL;
	}
	return size;
}

void fp_report_sarif_size_free(struct fp_report_sarif_size *size)
{
	if (!size)
		return;
	deflateEnd(&size->stream);
	free(size);
}

/* As json_dump_callback() wants it. */
static int compress_text(const char *text, size_t bytes, void *user)
{
	struct fp_report_sarif_size *size = user;

	size->stream.next_in = (Bytef *)(uintptr_t)text;
	size->stream.avail_in = (uInt)bytes;
	while (size->stream.avail_in > 0) {
		size->stream.next_out = size->out;
		size->stream.avail_out = sizeof(size->out);
		if (deflate(&size->stream, Z_NO_FLUSH) != Z_OK)
			return -1;
	}
	return 0;
}

uint64_t fp_report_sarif_size_add(struct fp_report_sarif_size *size, const json_t *part)
{
	unsigned pending = 0;
	int bits = 0;

	if (json_dump_callback(part, compress_text, size, JSON_INDENT(1)) != 0)
		return UINT64_MAX;
	deflatePending(&size->stream, &pending, &bits);
	return size->stream.total_out + pending;
}
