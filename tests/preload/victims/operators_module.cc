/* SPDX-License-Identifier: Apache-2.0
 *
 * A module with operators of its own, which nobody can interpose: what a C++ run time that is
 * linked into a module brings. Optimized, so that they end in jumps.
 */
#include <cstdlib>
#include <new>

#include "operators_module.h"

#define ALONE __attribute__((noinline))

ALONE void *operator new(std::size_t size)
{
	void *block = std::malloc(size == 0 ? 1 : size);

	if (block == nullptr)
		throw std::bad_alloc();
	return block;
}

ALONE void *operator new[](std::size_t size)
{
	return ::operator new(size);
}

ALONE void operator delete(void *block) noexcept
{
	std::free(block);
}

ALONE void operator delete(void *block, std::size_t) noexcept
{
	::operator delete(block);
}

ALONE void operator delete[](void *block) noexcept
{
	::operator delete(block);
}

static int *volatile freed;

struct module_object : object {
	~module_object() override
	{
	}
};

static object *make_object()
{
	return new module_object;
}

static void delete_object(object *one)
{
	delete one; /* by its destructor */
}

static int *make_array()
{
	int *array = new int[10];

	freed = nullptr; /* no jump to new[] */
	return array;
}

static void delete_array(int *array)
{
	delete[] array;
}

static void free_array(int *array)
{
	std::free(array); /* plant: free_array */
	freed = nullptr;  /* no jump to free */
}

extern "C" functions all;
functions all = {make_object, delete_object, make_array, delete_array, free_array};
