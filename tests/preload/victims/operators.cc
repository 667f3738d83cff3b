/* SPDX-License-Identifier: Apache-2.0
 *
 * Every form of the C++ operators, and what they do without memory. With "own" in the name of
 * the program, it has operators of its own, and the others must end in them.
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#ifdef OWN_OPERATORS
static int own_calls;

void *operator new(std::size_t size)
{
	own_calls++;
	void *block = std::malloc(size);
	if (block == nullptr)
		throw std::bad_alloc();
	return block;
}

void operator delete(void *block) noexcept
{
	own_calls++;
	std::free(block);
}
#endif

struct alignas(128) wide {
	char bytes[200];
};

#ifndef OWN_OPERATORS
static int handled;

static void give_up()
{
	if (++handled == 3)
		std::set_new_handler(nullptr);
}

static void throw_up()
{
	throw std::bad_alloc();
}

static volatile std::size_t huge = SIZE_MAX / 4;

static void without_memory()
{
	try {
		std::printf("%p\n", ::operator new(huge));
	} catch (const std::bad_alloc &) {
		std::puts("bad_alloc");
	}
	std::set_new_handler(give_up);
	try {
		std::printf("%p\n", ::operator new[](huge));
	} catch (const std::bad_alloc &) {
		std::printf("bad_alloc after %d calls of the handler\n", handled);
	}
	std::printf("nothrow: %p\n", ::operator new(huge, std::nothrow));
	std::set_new_handler(throw_up);
	std::printf("nothrow, handler throws: %p\n", ::operator new[](huge, std::nothrow));
	std::printf("aligned nothrow: %p\n",
	            ::operator new (huge, std::align_val_t{64}, std::nothrow));
	std::set_new_handler(nullptr);
}
#endif

int main()
{
	int *one = new int(1);
	int *many = new int[10]();
	wide *aligned = new wide();
	wide *aligned_many = new wide[3]();
	int *nothrow = new (std::nothrow) int(2);
	std::printf("aligned: %d %d\n", (int)((std::uintptr_t)aligned % 128),
	            (int)((std::uintptr_t)aligned_many % 128));
	delete one;
	delete[] many;
	delete aligned;
	delete[] aligned_many;
	delete nothrow;
	::operator delete(::operator new(9, std::nothrow), std::nothrow);
	::operator delete[](::operator new[](9, std::nothrow), std::nothrow);
	::operator delete (::operator new (9, std::align_val_t{64}), std::align_val_t{64});
	::operator delete[](::operator new[](9, std::align_val_t{64}), std::align_val_t{64});
	::operator delete (::operator new(9), std::size_t{9});
	::operator delete[](::operator new[](9), std::size_t{9});
	::operator delete (::operator new (9, std::align_val_t{64}), std::size_t{9},
	                   std::align_val_t{64});
	delete static_cast<int *>(nullptr);
	std::vector<std::string> words(100, std::string(50, 'x'));
	std::printf("words: %zu\n", words.size());
#ifndef OWN_OPERATORS
	without_memory();
#else
	std::printf("own operators called: %d\n", own_calls);
#endif
	return 0;
}
