/* SPDX-License-Identifier: Apache-2.0
 *
 * Throws what nobody catches.
 */
#include <cstring>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

namespace shop
{
struct out_of_stock : std::runtime_error {
	explicit out_of_stock(const char *what) : std::runtime_error(what)
	{
	}
};

struct closed : std::exception {
	const char *what() const noexcept override
	{
		return "closed on sundays";
	}
};

/* With a text of its own. */
struct refused : std::exception {
	int code = 7;
	std::string text;

	explicit refused(const char *why) : text(why)
	{
	}
	const char *what() const noexcept override
	{
		return text.c_str();
	}
};

struct counter {
	virtual ~counter() = default;
	long number = 3;
};

struct sold : counter, refused {
	sold() : refused("sold to somebody else, who paid")
	{
	}
};

/* What it says cannot be known without running it. */
struct moody : refused {
	moody() : refused("never")
	{
	}
	const char *what() const noexcept override
	{
		return text.size() > 3 ? "good" : "bad";
	}
};
} // namespace shop

static void throw_it(const std::string &way)
{
	if (way == "derived")
		throw shop::out_of_stock("no more bananas");
	if (way == "literal")
		throw shop::closed();
	if (way == "stored")
		throw shop::refused("we do not serve cats");
	if (way == "several")
		throw shop::sold();
	if (way == "moody")
		throw shop::moody();
	if (way == "memory")
		throw std::bad_alloc();
	if (way == "system")
		throw std::system_error(2, std::generic_category(), "open");
	if (way == "file")
		throw std::filesystem::filesystem_error(
		        "copy", "/from", std::make_error_code(std::errc::permission_denied));
	if (way == "logic")
		(void)std::string("x").at(7);
	if (way == "number")
		throw 42;
	if (way == "text")
		throw "out of cheese";
}

int main(int argc, char **argv)
{
	if (argc == 2)
		throw_it(argv[1]);
	try {
		throw std::logic_error("this one is caught");
	} catch (const std::exception &) {
		return 3;
	}
}
