/* SPDX-License-Identifier: Apache-2.0
 *
 * A plug-in with thread-local storage that does not fit into what the loader keeps in reserve,
 * so that each thread's is allocated when it is first touched.
 */
#include <stdlib.h>
#include <string.h>

static _Thread_local char scratch[8192];
static _Thread_local long uses;

__attribute__((visibility("default"))) long plugin_use(long value)
{
	char *block = malloc(100);

	memset(scratch, (int)value, sizeof(scratch));
	memcpy(block, scratch, 100);
	uses++;
	value = uses > 0 ? block[99] : -1;
	free(block);
	return value;
}
