# SPDX-License-Identifier: Apache-2.0
#
# The hook of Check, with the real Check, which runs each test in a process or all in one: the test that leaks
# fails and says where, those after it do not.
. "$top_srcdir/tests/integrations/manual.sh"
manual_begin check
pkg-config --exists check || { echo 'no Check here (Debian: apt-get install check)'; exit 77; }

# ---- As the manual has it
manual_program Check c >names.c
eval "$(manual_command Check 1)" || exit 99
for command in 2 3; do
	eval "$(manual_command Check $command)" >out 2>err
	status=$?
	test $status -eq 1 && grep -q '^50%: Checks: 2, Failures: 1, Errors: 0$' out || complain "command $command: $(cat out err)"
	grep -q ':test_leaks:0: this test leaked$' out || complain "command $command names no test: $(cat out)"
	grep -q '^fencepost: leak of 100 bytes in 1 block at names.c:6 in forget$' out || complain "command $command: $(cat out)"
done

# ---- More ways to leak, and not to; two files of one program
cat >other.c <<'END'
#include <fencepost-check.h>
void add_other(Suite *suite);
START_TEST(test_other)
{
}
END_TEST
void add_other(Suite *suite)
{
	TCase *tcase = tcase_create("other");
	fencepost_fail_on_leaks(tcase);
	tcase_add_test(tcase, test_other);
	suite_add_tcase(suite, tcase);
}
END
cat >more.c <<'END'
#include <stdlib.h>
#include <fencepost-check.h>
void add_other(Suite *suite);
static char *volatile kept;
static char *volatile lost;
static void forget(size_t size) { ((char *)malloc(size))[0] = 'x'; }
static void set_up(void) { }
static void tear_down(void) { lost = NULL; }
START_TEST(test_keeps) { kept = malloc(33); } END_TEST
START_TEST(test_loses_what_another_kept) { kept = NULL; } END_TEST
START_TEST(test_leaks_in_fixture) { lost = malloc(44); } END_TEST
START_TEST(test_many) { for (int i = 0; i < 5; i++) forget(55); } END_TEST
START_TEST(test_fails) { ck_abort_msg("by itself"); } END_TEST
START_TEST(test_last) { free(malloc(10)); } END_TEST
int main(void)
{
	Suite *suite = suite_create("more");
	TCase *tcase = tcase_create("more");
	SRunner *runner = srunner_create(suite);
	forget(77);
	fencepost_fail_on_leaks(tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, test_keeps);
	tcase_add_test(tcase, test_loses_what_another_kept);
	tcase_add_test(tcase, test_leaks_in_fixture);
	tcase_add_test(tcase, test_many);
	tcase_add_test(tcase, test_fails);
	tcase_add_test(tcase, test_last);
	suite_add_tcase(suite, tcase);
	add_other(suite);
	srunner_run_all(runner, CK_VERBOSE);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
END
outcomes() {
	"$fencepost" run ./more >out 2>err
	sed -nE 's/^fencepost: leak of ([0-9]+) bytes in ([0-9]+) block.*/-\1-in-\2/p
		s/^.*:more:(test_[a-z_]*):0: (Passed|this test leaked|by itself)$/ \1=\2/p
		s/^.*:other:(test_[a-z_]*):0: (Passed|this test leaked)$/ \1=\2/p' out | tr -d '\n' | sed 's/this test leaked/leaked/g; s/by itself/failed/' |
		tr ' ' '\n' | sed '/^$/d'
	echo
}
# A process for each test: nothing that one test keeps is there for another to lose.
cat >wanted.yes <<'END'
test_keeps=Passed
test_loses_what_another_kept=Passed
test_leaks_in_fixture=leaked-44-in-1
test_many=leaked-275-in-5
test_fails=failed
test_last=Passed
test_other=Passed
END
sed 's/^test_loses.*/test_loses_what_another_kept=leaked-33-in-1/' wanted.yes >wanted.no
for way in '-fPIE -pie' '-fno-pie -no-pie'; do
	gcc -g -O0 $way -I "$integrations" more.c other.c -o more $(pkg-config --cflags --libs check) || exit 99
	for fork in yes no; do
		export CK_FORK=$fork
		outcomes >found
		diff wanted.$fork found || complain "$way, CK_FORK=$fork: $(cat out err)"
		grep -q '^    #0 forget  .*more.c:6$' out || complain "$way, CK_FORK=$fork: no line: $(cat out)"
	done
done

# ---- Without Fencepost
./more >out 2>err
test $? -eq 1 && grep -q '^85%: Checks: 7, Failures: 1, Errors: 0$' out || complain "without Fencepost: $(cat out err)"
test "$(cat err)" = 'fencepost: leaks are not looked for: start the tests with fencepost run' ||
	complain "without Fencepost it said: $(cat err)"
exit $bad
