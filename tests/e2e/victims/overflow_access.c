/* SPDX-License-Identifier: Apache-2.0
 *
 * An access past the end of a block. Arguments as in accesses.h.
 */
#include "accesses.h"

int main(int argc, char **argv)
{
	return make_access(argc, argv, false);
}
