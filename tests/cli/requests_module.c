/* SPDX-License-Identifier: Apache-2.0
 *
 * A module with requests that is loaded late, for requests_victim.
 */
#include <valgrind/valgrind.h>

int was_running;

__attribute__((constructor)) static void begin(void)
{
	was_running = RUNNING_ON_VALGRIND;
}

void module_misuse(char *block)
{
	VALGRIND_FREELIKE_BLOCK(block, 0);
	VALGRIND_FREELIKE_BLOCK(block, 0); /* twice */
}
