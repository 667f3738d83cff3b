# SPDX-License-Identifier: Apache-2.0
#
# More distinct findings than anybody wants: the log and the reports stay bounded, the first ones are
# whole, the others are counted, and what is known goes on being counted.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/crowd_victim
work=$FP_BUILDDIR/tests/cli/crowd.work
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

"$fencepost" run --stack-depth=64 --events=log --log=text -- "$victim" 100000 >out 2>err ||
	complain "status $?: $(cat err)"
test "$(grep -c '^fencepost: double-free' text)" -eq 2048 ||
	complain "$(grep -c '^fencepost: double-free' text) findings"
grep -qx 'fencepost: note: 97952 findings beyond the first 2048 distinct ones were only counted; mend those and run again' text ||
	complain "no count of the others: $(grep note: text)"
test "$(grep -c '^fencepost: double-free.*(2 times)$' text)" -eq 1 ||
	complain 'what was known was not counted any more'
test "$(wc -c <log)" -lt 4000000 || complain "the log has $(wc -c <log) bytes"
if (ulimit -v 1000000 && "$fencepost" --version) >/dev/null 2>&1; then
	(ulimit -v 1000000 && "$fencepost" report --log=/dev/null --json=json log) ||
		complain 'the report does not fit in 1 GB'
fi
test "$(grep -c '"kind": "double-free"' json)" -eq 2048 || complain 'findings are missing in the JSON'
exit $bad
