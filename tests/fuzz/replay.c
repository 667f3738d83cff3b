/* SPDX-License-Identifier: Apache-2.0
 *
 * A target without libFuzzer: every file named on the command line is one input.
 */
#include <stdio.h>
#include <stdlib.h>

#include "target.h"

enum { INPUT_MAX = 1 << 20 };

int main(int count, char **names)
{
	uint8_t *input = malloc(INPUT_MAX);

	for (int i = 1; i < count; i++) {
		FILE *file = fopen(names[i], "rb");
		size_t size = file && input ? fread(input, 1, INPUT_MAX, file) : 0;
		/* At its own size, so that reading beyond it is seen. */
		uint8_t *data = malloc(size > 0 ? size : 1);

		if (!file || !data) {
			perror(names[i]);
			return 99;
		}
		for (size_t j = 0; j < size; j++)
			data[j] = input[j];
		printf("%s\n", names[i]);
		fflush(stdout);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
		fclose(file);
	}
	free(input);
	return 0;
}
