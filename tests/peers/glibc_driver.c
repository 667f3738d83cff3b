/* SPDX-License-Identifier: Apache-2.0
 *
 * What glibc's tests include last: main(), which runs the test in this process.
 */
#include "glibc_support.h"

#ifndef TEST_FUNCTION
#define TEST_FUNCTION do_test
#endif

#ifdef TEST_FUNCTION_ARGV
int main(int argc, char **argv)
{
	int status = TEST_FUNCTION_ARGV(argc, argv);
#else
int main(void)
{
#ifdef PREPARE
	PREPARE(0, NULL);
#endif
	int status = TEST_FUNCTION();
#endif
	return status != 0 ? status : support_failures > 0;
}
