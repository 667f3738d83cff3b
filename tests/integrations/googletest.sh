# SPDX-License-Identifier: Apache-2.0
#
# The GoogleTest listener, with the real GoogleTest: the test that leaks fails and says where, also when it
# loses what another allocated; others do not, whatever was lost before them.
. "$top_srcdir/tests/integrations/manual.sh"
manual_begin googletest
echo '#include <gtest/gtest.h>' >there.cc
g++ -fsyntax-only there.cc 2>/dev/null || { echo 'no GoogleTest here (Debian: apt-get install libgtest-dev)'; exit 77; }

# ---- As the manual has it
manual_program GoogleTest c++ >names.cc
eval "$(manual_command GoogleTest 1)" || exit 99
eval "$(manual_command GoogleTest 2)" >out 2>err
status=$?
test $status -eq 1 && grep -q '1 FAILED TEST' out || complain "the manual's: status $status: $(cat out err)"
manual_program GoogleTest text | while IFS= read -r line; do
	grep -qxF -- "$line" out || echo "$line"
done >missing
test -s missing && complain "the manual shows what was not printed: $(cat missing out)"

# ---- More ways to leak, and not to
cat >more.cc <<'END'
#include <cstdlib>
#include <fencepost-gtest.h>
static char *volatile kept;
static char *allocate(size_t size) { return static_cast<char *>(malloc(size)); }
static void forget(size_t size) { allocate(size)[0] = 'x'; }
class Fixture : public testing::Test {
protected:
	static void SetUpTestSuite() { forget(11); }
	~Fixture() override { if (HasFailure()) return; if (loses) forget(22); }
	bool loses = false;
};
TEST_F(Fixture, Clean) { free(allocate(10)); }
TEST_F(Fixture, LeaksWhenDeleted) { loses = true; }
TEST(More, Keeps) { kept = allocate(33); }
TEST(More, LosesWhatAnotherKept) { kept = nullptr; }
TEST(More, LosesMany) { for (int i = 0; i < 5; i++) forget(44); }
TEST(More, KnownLeak) { forget(55); }
TEST(More, FailsAndLeaks) { forget(66); FAIL() << "by itself"; }
TEST(More, Skipped) { GTEST_SKIP(); }
TEST(More, Last) { free(allocate(10)); }
int main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
	fencepost::FailOnLeaks();
	return RUN_ALL_TESTS();
}
END
printf 'leak:More_KnownLeak_Test\n' >known.supp

# outcomes BINARY: each test with its outcome, and the sizes of what it leaked.
outcomes() {
	"$fencepost" run --suppressions=known.supp "$1" >out 2>err
	sed -nE 's/^\[ RUN +\] //p; s/^fencepost: leak of ([0-9]+) bytes in ([0-9]+) block.*/-\1-in-\2/p
		s/^\[ +(OK|FAILED|SKIPPED) +\] [A-Za-z]+\.[A-Za-z]+ \(.*/=\1 /p' out | tr -d '\n' | tr ' ' '\n'
}
cat >wanted <<'END'
Fixture.Clean=OK
Fixture.LeaksWhenDeleted-22-in-1=FAILED
More.Keeps=OK
More.LosesWhatAnotherKept-33-in-1=FAILED
More.LosesMany-220-in-5=FAILED
More.KnownLeak=OK
More.FailsAndLeaks-66-in-1=FAILED
More.Skipped=SKIPPED
More.Last=OK
END
# A weak symbol would be missed where code is not position-independent.
for way in '-fPIE -pie' '-fno-pie -no-pie'; do
	g++ -g -O0 $way -I "$integrations" more.cc -o more -lgtest -pthread || exit 99
	outcomes ./more >found
	diff wanted found || complain "$way: $(cat out err)"
	grep -qx '    #1 forget  .*more.cc:5' out || complain "$way: no line of the leak: $(cat out)"
done

# ---- Without Fencepost
./more >out 2>err
test $? -eq 1 && test "$(grep -c '^\[  FAILED  \] More.FailsAndLeaks$' out)" -eq 1 && grep -q '^ 1 FAILED TEST$' out ||
	complain "without Fencepost: $(cat out err)"
test "$(cat err)" = 'fencepost: leaks are not looked for: start the tests with fencepost run' ||
	complain "without Fencepost it said: $(cat err)"
exit $bad
