/* SPDX-License-Identifier: Apache-2.0
 *
 * Deletes what operators_module made with operators of its own, and the other way round: the
 * case named by the first argument; the second is the module. Nothing is wrong unless the name
 * says so.
 */
#include <cstdio>
#include <cstring>
#include <dlfcn.h>

#include "operators_module.h"

struct host_object : object {
	~host_object() override
	{
	}
};

int main(int, char **argv)
{
	auto all = static_cast<functions *>(dlsym(dlopen(argv[2], RTLD_NOW), "all"));

	if (std::strcmp(argv[1], "pairs") == 0) {
		delete all->make_object();
		delete[] all->make_array();
		all->delete_object(all->make_object());
		all->delete_object(new host_object);
		all->delete_array(new int[10]);
	} else if (std::strcmp(argv[1], "wrong-form") == 0) {
		delete all->make_array(); /* plant: delete */
	} else if (std::strcmp(argv[1], "wrong-free") == 0) {
		all->free_array(new int[10]); /* plant: new */
	}
	std::puts("done");
	return 0;
}
