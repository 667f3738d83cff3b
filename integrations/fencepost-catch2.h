/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaks per test for Catch2, 2 and 3: a test with this fixture fails if it leaks, and says
 * where the lost blocks were allocated.
 *
 *     TEST_CASE_METHOD(fencepost::FailOnLeaks, "names are freed") { ... }
 *
 * Start the program with `fencepost run`, or link it with libfencepost. Without Fencepost the
 * fixture says so once and does nothing. With a glibc before 2.34, link with -ldl.
 */
#ifndef FENCEPOST_CATCH2_H
#define FENCEPOST_CATCH2_H

#include <cstddef>
#include <cstdio>
#include <memory>

#include <dlfcn.h>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif

namespace fencepost
{

class FailOnLeaks
{
	static constexpr std::size_t kTextBytes = 16384;

	/* Of <fencepost/fencepost.h>; it is there when Fencepost is. A weak symbol would not
	 * find it from a program that is not position-independent. */
	static bool HasNewLeaks(char *text, std::size_t size)
	{
		static const auto ask = reinterpret_cast<bool (*)(char *, std::size_t)>(
		        dlsym(RTLD_DEFAULT, "fp_has_new_leaks"));
		static const bool is_told =
		        ask ||
		        std::fputs("fencepost: leaks are not looked for: start the tests "
		                   "with fencepost run\n",
		                   stderr) >= 0;

		return is_told && ask && ask(text, size);
	}

	/* The test's frames were here a moment ago, and what they left would keep its blocks.
	 */
	__attribute__((noinline)) static void ClearStack()
	{
		char left[8192];

		for (char volatile *at = left; at < left + sizeof(left); at++)
			*at = 0;
	}

	__attribute__((noinline)) static void Check()
	{
		std::unique_ptr<char[]> text(new char[kTextBytes]);

		if (HasNewLeaks(text.get(), kTextBytes))
			FAIL_CHECK("this test leaked\n" << text.get());
	}

      public:
	/* What was lost before is not this test's. */
	FailOnLeaks()
	{
		HasNewLeaks(nullptr, 0);
	}

	FailOnLeaks(const FailOnLeaks &) = delete;
	FailOnLeaks &operator=(const FailOnLeaks &) = delete;

	/* The members of a fixture that inherits are gone. */
	~FailOnLeaks()
	{
		ClearStack();
		Check();
	}
};

} // namespace fencepost

#endif // FENCEPOST_CATCH2_H
