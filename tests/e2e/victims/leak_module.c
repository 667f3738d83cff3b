/* SPDX-License-Identifier: Apache-2.0
 *
 * A module with a global variable.
 */
#include "leak_places.h"

void *leak_module_place;
