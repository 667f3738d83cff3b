/* SPDX-License-Identifier: Apache-2.0
 *
 * Executes a program under a seccomp filter: "filtered FILTER PROGRAM ARGUMENTS".
 */
#include <stdio.h>
#include <unistd.h>

#include "../e2e/victims/filters.h"

int main(int argc, char **argv)
{
	if (argc < 3 || filter_enter(argv[1]) != 0)
		return 99;
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 99;
}
