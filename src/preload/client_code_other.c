/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests are instructions, and those of this processor are not looked for.
 */
#include "preload/door.h"

void fp_client_start(void)
{
}
