# SPDX-License-Identifier: Apache-2.0
#
# Suppressions from outside: what is suppressed is in no output and no exit status, and a mistake in a
# file is told before anything runs. What matches what is the business of tests/report/test_suppress.
fencepost=$FP_BUILDDIR/src/cli/fencepost
make_log=$FP_BUILDDIR/tests/cli/make_log
work=$FP_BUILDDIR/tests/cli/suppressions.work
test -x "$fencepost" && test -x "$make_log" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
"$make_log" >log || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

# expect STATUS PATTERN-ON-STDERR ARGUMENTS...
expect() {
	status=$1 want=$2
	shift 2
	"$fencepost" "$@" >out 2>err <log
	got=$?
	test "$got" -eq "$status" || complain "fencepost $*: status $got, not $status: $(cat err)"
	grep -q -e "$want" err || complain "fencepost $*: said '$(cat err)', not '$want'"
}

printf 'leak:engine\ndouble-free:never\n' >lines
printf '{\n known\n Fencepost:double-free\n obj:[engine]\n ...\n until=2001-01-31\n}\n' >old
printf '\nlaek:x\n' >wrong

# ---- Reports
expect 0 '^fencepost: 2 errors, .*3 suppressed; ' report --suppressions=lines log
grep -q '^fencepost: 3 suppressed by "leak:engine" (lines:1)$' err || complain "no use: $(cat err)"
grep -q '^fencepost: note: never used: "double-free:never" (lines:2)$' err || complain "not unused: $(cat err)"
expect 0 'expired after 2001-01-31: the 1 that it matches are reported$' report --suppressions=lines,old log
expect 0 . report --suppressions=lines,old --json=json log
grep -q '"suppressed": 3$' json && grep -q '"state": "expired"' json || complain "JSON: $(tail -n 40 json)"
expect 0 '3 suppressed' report json
"$fencepost" report --log=pasted --gen-suppressions=yes log || complain "no suppressions made"
sed -n '/^{$/,/^}$/p' pasted >blocks
test "$(grep -c '^}$' blocks)" -ge 4 || complain "too few blocks: $(cat pasted)"
expect 0 '^fencepost: no errors, .*5 suppressed; ' report --suppressions=blocks log

# What they did is in HTML as it is in JSON, and in its text.
expect 0 . report --suppressions=lines,old --json=json --html=html log
sed -n '/"suppressions"/,/]/s/^ *//p' json >lines.json
test "$(grep -c . lines.json)" -gt 20 && tr '\n' '\1' <html | grep -qF "$(tr '\n' '\1' <lines.json)" ||
	complain "HTML lacks what is in JSON: $(cat lines.json)"
grep -qx '"until": "2001-01-31"' html || complain 'HTML lacks the last day of a suppression'
grep -qx 'fencepost: 3 suppressed by "leak:engine" (lines:1)' html || complain 'its text lacks the uses'
expect 0 . report --html=html log
grep -q '^"suppressions": ' html && complain 'HTML has suppressions when there are none'

# ---- Mistakes
expect 125 '^fencepost: wrong:2: "laek:x" is no suppression; write leak:PATTERN' report --suppressions=wrong log
grep -q '^fencepost: [0-9n].* errors\?[,;]' err && complain "reported in spite of a mistake: $(cat err)"
expect 125 '^fencepost: cannot read gone: No such file' report --suppressions=lines,gone log
# Nobody can read that a second time.
expect 125 '^fencepost: 2 errors' report --suppressions=wrong -
expect 125 '^fencepost: wrong:2: ' run --suppressions=wrong touch ran
test ! -e ran || complain 'the program ran in spite of a mistake'

# ---- A run
cat >plant.c <<'END'
#include <stdlib.h>
int main(void)
{
	char *volatile block = malloc(32);

	free(block);
	free(block);
	return 3;
}
END
$CC -g -O0 -fno-builtin -w -o plant plant.c || exit 99
expect 9 '^fencepost: 1 error' run --error-exitcode=9 ./plant
echo 'double-free:^main$' >main
expect 3 '^fencepost: no errors, .*1 suppressed' run --error-exitcode=9 --suppressions=main ./plant
mkdir -p elsewhere
expect 3 '^fencepost: no errors, .*1 suppressed' \
	run --error-exitcode=9 --suppressions=lines,main sh -c 'cd elsewhere && exec ../plant'
exit $bad
