/* SPDX-License-Identifier: Apache-2.0
 *
 * An access to a block that was freed. Arguments as in accesses.h.
 */
#include "accesses.h"

int main(int argc, char **argv)
{
	return make_access(argc, argv, true);
}
