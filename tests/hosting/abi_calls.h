/* SPDX-License-Identifier: Apache-2.0
 *
 * The two sides of test_abi_cxx: functions of C that call an IHostMalloc through its table, and
 * an object of C that C++ calls through the abstract class.
 */
#ifndef TESTS_HOSTING_ABI_CALLS_H
#define TESTS_HOSTING_ABI_CALLS_H

#include <fencepost/hosting.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the last call on the C object was given. */
struct abi_call {
	const char *method;
	const void *self;
	SIZE_T size;
	EMemoryCriticalLevel level;
	const char *file;
	int line;
	void *pointer;
};

extern struct abi_call abi_last_call;

/* An object whose methods note their arguments, hand out `abi_last_call` as the block and
 * answer with HOST_E_ABANDONED. */
IHostMalloc *abi_c_object(void);

/* Call every method of `heap` in the order of its table, as C does. Returns 0, or which call, 1
 * being the first, was not answered like the object in test_abi_cxx does. */
int abi_call_every_slot(IHostMalloc *heap);

#ifdef __cplusplus
}
#endif

#endif
