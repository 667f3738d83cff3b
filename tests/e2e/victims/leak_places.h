/* SPDX-License-Identifier: Apache-2.0
 *
 * What leak_places and the module that it opens share.
 */
#ifndef TESTS_E2E_LEAK_PLACES_H
#define TESTS_E2E_LEAK_PLACES_H

extern void *leak_module_place;

#endif
