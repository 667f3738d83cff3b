/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks made by one family and freed by another: the case named by the argument.
 */
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <malloc.h>
#include <new>

#pragma GCC optimize("O0")

namespace
{
constexpr std::align_val_t wide{64};
constexpr std::align_val_t narrow{32};
constexpr std::size_t size{24};

using free_aligned = void (*)(void *, std::size_t, std::size_t);

/* C23's, which this libc need not have. */
free_aligned find_free_aligned_sized()
{
	return reinterpret_cast<free_aligned>(dlsym(RTLD_DEFAULT, "free_aligned_sized"));
}

void *made_by(const char *name)
{
	if (std::strcmp(name, "malloc") == 0)
		return std::malloc(24); /* plant: malloc */
	if (std::strcmp(name, "memalign") == 0)
		return memalign(64, 24); /* plant: memalign */
	if (std::strcmp(name, "new") == 0)
		return ::operator new(24); /* plant: new */
	if (std::strcmp(name, "new_nothrow") == 0)
		return ::operator new(24, std::nothrow); /* plant: new_nothrow */
	if (std::strcmp(name, "new_array") == 0)
		return ::operator new[](24); /* plant: new_array */
	if (std::strcmp(name, "new_aligned") == 0)
		return ::operator new(24, wide); /* plant: new_aligned */
	if (std::strcmp(name, "new_array_aligned") == 0)
		return ::operator new[](24, wide); /* plant: new_array_aligned */
	std::abort();
}

void free_by(const char *name, void *block)
{
	if (std::strcmp(name, "free") == 0)
		std::free(block); /* plant: free */
	else if (std::strcmp(name, "realloc") == 0)
		std::free(std::realloc(block, 10)); /* plant: realloc */
	else if (std::strcmp(name, "delete") == 0)
		::operator delete(block); /* plant: delete */
	else if (std::strcmp(name, "delete_sized") == 0)
		::operator delete (block, std::size_t{24}); /* plant: delete_sized */
	else if (std::strcmp(name, "delete_wrong_size") == 0)
		::operator delete (block, std::size_t{16}); /* plant: delete_wrong_size */
	else if (std::strcmp(name, "delete_array") == 0)
		::operator delete[](block); /* plant: delete_array */
	else if (std::strcmp(name, "delete_aligned") == 0)
		::operator delete(block, wide); /* plant: delete_aligned */
	else if (std::strcmp(name, "delete_aligned_to_32") == 0)
		::operator delete(block, narrow); /* plant: delete_aligned_to_32 */
	else if (std::strcmp(name, "delete_aligned_sized") == 0)
		::operator delete(block, size, wide); /* plant: delete_aligned_sized */
	else if (std::strcmp(name, "free_aligned_sized") == 0)
		find_free_aligned_sized()(block, 64, 24); /* plant: free_aligned_sized */
	else if (std::strcmp(name, "free_aligned_to_128") == 0)
		find_free_aligned_sized()(block, 128, 24); /* plant: free_aligned_to_128 */
	else if (std::strcmp(name, "delete_array_aligned") == 0)
		::operator delete[](block, wide); /* plant: delete_array_aligned */
	else
		std::abort();
}
} // namespace

int main(int, char **argv)
{
	free_by(argv[2], made_by(argv[1]));
	return 0;
}
