/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the sample event log of tests/report to standard output, for the scripts.
 */
#include <stdio.h>

#include "../report/sample.h"

int main(void)
{
	static struct encoder encoder;

	encode_sample(&encoder);
	return fwrite(encoder.bytes, 1, encoder.size, stdout) != encoder.size ||
	       fflush(stdout) != 0;
}
