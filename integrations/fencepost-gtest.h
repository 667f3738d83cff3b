/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaks per test for GoogleTest: the test that leaks fails, and says where the lost blocks were
 * allocated. In main(), after testing::InitGoogleTest():
 *
 *     fencepost::FailOnLeaks();
 *
 * Start the program with `fencepost run`, or link it with libfencepost. Without Fencepost the
 * listener says so once and does nothing. With a glibc before 2.34, link with -ldl.
 */
#ifndef FENCEPOST_GTEST_H
#define FENCEPOST_GTEST_H

#include <cstddef>
#include <cstdio>
#include <memory>

#include <dlfcn.h>

#include <gtest/gtest.h>

namespace fencepost
{

class LeakListener : public testing::EmptyTestEventListener
{
	static constexpr size_t kTextBytes = 16384;
	std::unique_ptr<char[]> text_{new char[kTextBytes]};

	/* Of <fencepost/fencepost.h>; it is there when Fencepost is. A weak symbol would not
	 * find it from a program that is not position-independent. */
	bool (*const has_new_leaks_)(char *text, size_t size) =
	        reinterpret_cast<bool (*)(char *, size_t)>(dlsym(RTLD_DEFAULT,
	                                                         "fp_has_new_leaks"));

	void OnTestProgramStart(const testing::UnitTest &) override
	{
		if (!has_new_leaks_)
			std::fputs("fencepost: leaks are not looked for: start the tests with "
			           "fencepost run\n",
			           stderr);
	}

	/* What was lost before is not this test's. */
	void OnTestStart(const testing::TestInfo &) override
	{
		if (has_new_leaks_)
			has_new_leaks_(nullptr, 0);
	}

	/* The fixture is torn down and deleted. */
	void OnTestEnd(const testing::TestInfo &test) override
	{
		if (has_new_leaks_ && has_new_leaks_(text_.get(), kTextBytes))
			ADD_FAILURE_AT(test.file(), test.line()) << "this test leaked\n"
			                                         << text_.get();
	}
};

/* From now on tests that leak fail. Call it once, and after listeners of your own that handle
 * OnTestPartResult(). GoogleTest owns the listener. */
inline void FailOnLeaks()
{
	testing::UnitTest::GetInstance()->listeners().Append(new LeakListener);
}

} // namespace fencepost

#endif // FENCEPOST_GTEST_H
