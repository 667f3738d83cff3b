/* SPDX-License-Identifier: Apache-2.0
 *
 * Throws what nobody catches.
 */
#include <cstring>
#include <new>
#include <stdexcept>

namespace shop
{
struct out_of_stock : std::runtime_error {
	explicit out_of_stock(const char *what) : std::runtime_error(what)
	{
	}
};
} // namespace shop

int main(int argc, char **argv)
{
	if (argc == 2 && std::strcmp(argv[1], "derived") == 0)
		throw shop::out_of_stock("no more bananas");
	if (argc == 2 && std::strcmp(argv[1], "number") == 0)
		throw 42;
	try {
		throw std::logic_error("this one is caught");
	} catch (const std::exception &) {
		return 3;
	}
}
