# SPDX-License-Identifier: Apache-2.0
#
# The fixture of Catch2, with the real Catch2, 2 or 3 (which pkg-config names): the test that leaks fails and says where, the
# others pass.
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS
manual_begin catch2
flags=$(pkg-config --cflags --libs catch2-with-main 2>/dev/null) || test -e /usr/include/catch2/catch.hpp ||
	{ echo 'no Catch2 here (Debian: apt-get install catch2)'; exit 77; }
echo "Catch2 $(pkg-config --modversion catch2)"
manual=$work/testing.md
sed "s|^\\(\$ g++ .* -o names\\)\$|\\1 $flags|" "$top_srcdir/doc/testing.md" >"$manual"
try Catch2 g++

# ---- Fixtures that inherit, a failure besides the leak, and what another test kept
cat >more.cc <<'END'
#define CATCH_CONFIG_MAIN
#include <cstdlib>
#include <fencepost-catch2.h>
static char *volatile kept;
struct Fixture : fencepost::FailOnLeaks {
	char *member = static_cast<char *>(malloc(11));
	~Fixture() { free(member); }
};
struct Forgetful : fencepost::FailOnLeaks {
	char *member = static_cast<char *>(malloc(22));
	~Forgetful() { member = nullptr; }
};
TEST_CASE_METHOD(Fixture, "clean") { REQUIRE(member); }
TEST_CASE_METHOD(Forgetful, "forgetful") { REQUIRE(member); }
TEST_CASE_METHOD(fencepost::FailOnLeaks, "keeps") { kept = static_cast<char *>(malloc(33)); kept[0] = 1; }
TEST_CASE_METHOD(fencepost::FailOnLeaks, "loses") { kept = nullptr; }
TEST_CASE_METHOD(fencepost::FailOnLeaks, "fails") { REQUIRE(1 == 2); }
TEST_CASE("without") { static_cast<char *volatile>(malloc(44)); }
END
g++ -g -O0 -w -I "$integrations" more.cc -o more $flags || exit 99
fencepost run ./more -r xml >out 2>err
awk -F'"' '/<TestCase/ { name = $2 } /<OverallResult / { print name, $2; }' out >outcomes
diff - outcomes <<'END' || complain "outcomes: $(cat out err)"
clean true
forgetful false
keeps true
loses false
fails false
without true
END
test "$(grep -c 'fencepost: leak of 22 bytes in 1 block at more.cc:9 ' out)" -eq 1 && grep -q 'fencepost: leak of 33 bytes in 1 block at more.cc:15 ' out ||
	complain "leaks: $(cat out err)"

# ---- Without Fencepost
./more >out 2>err
test "$(cat err)" = 'fencepost: leaks are not looked for: start the tests with fencepost run' || complain "without Fencepost it said: $(cat err)"
grep -q '^test cases: 6 | 5 passed | 1 failed$' out || complain "without Fencepost: $(cat out)"
manual_end
