# SPDX-License-Identifier: Apache-2.0
#
# A host of libfencepost under fencepost run: it has two reports, both whole however it ends, and they
# say that they are of one process.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/both_victim
work=$FP_BUILDDIR/tests/cli/both.work
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

# ends STATUS HOW FINDINGS PROCESSES: and nothing that one door holds is a leak of the other.
ends() {
	"$fencepost" run --json=json "$victim" "$2" >out 2>err
	got=$?
	# The signal of a bad access is the back end's.
	test $got -eq "$1" || { test "$1" -eq 139 && test $got -eq 135; } || complain "$2: status $got, not $1: $(cat err)"
	grep -q "^fencepost: $3 findings in $4\\(;\\|\$\\)" err || complain "$2: not $3 findings in $4: $(cat err)"
	test "$(grep -c 'ends early' err)" -eq 0 || complain "$2: a report is not whole: $(cat err)"
	test "$(grep -c '^fencepost: leak' err)" -eq 0 || complain "$2: held blocks are leaks: $(cat err)"
	test "$(grep -c '"schema"' json)" -eq $((${4%% *} * 2)) || complain "$2: not two JSON reports for a process"
}

ends 5 e 2 '1 of 1 process'
test "$(grep -c 'note: this process has two reports' err)" -eq 2 || complain "the reports do not say that they are two: $(cat err)"
ends 139 m 3 '1 of 1 process'
ends 139 h 3 '1 of 1 process'
ends 4 q 2 '1 of 1 process'
ends 137 k 2 '1 of 1 process'
ends 143 t 2 '1 of 1 process'
ends 134 a 2 '1 of 1 process'
ends 5 f 4 '2 of 2 processes'
exit $bad
