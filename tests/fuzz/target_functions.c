/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader that looks in the files of modules for functions, in the victim. Its file is one
 * in memory, of exactly the input's size.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stack/functions.h"
#include "target.h"

static void visit(const struct fp_function *function, void *user)
{
	size_t *bytes = user;

	*bytes += strlen(function->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("module", MFD_CLOEXEC);
	char path[64];
	size_t bytes = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fuzz_must(write(fd, data, size) == (ssize_t)size);
	for (unsigned page = 0; page < 3; page++) {
		const struct fp_mapping mapping = {.path = path,
		                                   .start = (uintptr_t)16 << 20,
		                                   .end = (uintptr_t)17 << 20,
		                                   .file_offset = page * 4096};

		fp_functions_each(&mapping, visit, &bytes);
		fp_functions_hide_operators(&mapping);
	}
	fuzz_must(bytes < UINT32_MAX);
	close(fd);
	return 0;
}
