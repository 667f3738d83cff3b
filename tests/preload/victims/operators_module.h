/* SPDX-License-Identifier: Apache-2.0
 *
 * What operators_module has for its host.
 */
#ifndef TESTS_PRELOAD_OPERATORS_MODULE_H
#define TESTS_PRELOAD_OPERATORS_MODULE_H

struct object {
	virtual ~object()
	{
	}
};

/* The functions by which blocks are exchanged. */
struct functions {
	object *(*make_object)();
	void (*delete_object)(object *one);
	int *(*make_array)();
	void (*delete_array)(int *array);
	void (*free_array)(int *array);
};

#endif
