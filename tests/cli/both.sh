# SPDX-License-Identifier: Apache-2.0
#
# A host of libfencepost under fencepost run: one session and one report, in which its heaps' blocks and
# malloc's stand side by side, however it ends.
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

# ends STATUS HOW FINDINGS REPORTS: and nothing that one door holds is a leak of the other.
ends() {
	"$fencepost" run --json=json "$victim" "$2" >out 2>err
	got=$?
	test $got -eq "$1" || complain "$2: status $got, not $1: $(cat err)"
	grep -q "^fencepost: $3 errors" err || complain "$2: not $3 findings: $(cat err)"
	test "$(grep -c '^fencepost: double-free of a 20-byte block at both_victim.c:' err)" -eq "$4" || complain "$2: malloc's block: $(cat err)"
	test "$(grep -c '^fencepost: double-free of a 100-byte block at both_victim.c:' err)" -eq "$4" || complain "$2: the host's block: $(cat err)"
	test "$(grep -c 'ends early' err)" -eq 0 || complain "$2: a report is not whole: $(cat err)"
	test "$(grep -c '^fencepost: leak' err)" -eq 0 || complain "$2: held blocks are leaks: $(cat err)"
	test "$(grep -c '"schema"' json)" -eq "$4" || complain "$2: not $4 JSON reports"
}

ends 5 e 2 1
ends 139 m 3 1
ends 139 h 3 1
ends 4 q 2 1
ends 137 k 2 1
ends 143 t 2 1
ends 134 a 3 1
ends 5 f 4 2

# Who frees a block where it does not belong is told where it belongs.
"$fencepost" run --json=json "$victim" w >out 2>err || complain "w: $(cat err)"
test "$(grep -c '^fencepost: wrong-heap of a 30-byte block at both_victim.c:[0-9]* in mix_up$' err)" -eq 1 || complain "free of a host's block: $(cat err)"
test "$(grep -c '^fencepost: wrong-heap of a 31-byte block at both_victim.c:[0-9]* in mix_up$' err)" -eq 1 || complain "Free of malloc's block: $(cat err)"

# The heap knows a block of malloc's as another heap's.
"$fencepost" run --json=json "$victim" i >out 2>err || complain "i: status $?: $(cat err)"

# A signal's handler calls malloc wherever it comes.
"$fencepost" run --json=json "$victim" s >out 2>err || complain "s: status $?: $(cat err)"
grep -q '^fencepost: 2 errors' err || complain "s: $(cat err)"

# One that stops a thread wherever it is finds malloc usable meanwhile.
"$fencepost" run --json=json "$victim" d >out 2>err || complain "d: status $?: $(cat err)"

# A block that the program holds by what it gave to Fencepost is no leak.
"$fencepost" run --json=json "$victim" c >out 2>err || complain "c: status $?: $(cat err)"
grep -q 'leak of 77 bytes' err && complain "c: $(cat err)"

# The options of fencepost run are in force, and the host's are read all the same.
"$fencepost" run "$victim" e align=8 >out 2>err
grep -q '^fencepost: note: fencepost run started this process, so the host.s own options are ignored' err || complain "options: $(cat err)"
"$fencepost" run "$victim" e align=x >out 2>err && complain "wrong options are taken"
grep -q '^fencepost: options of the host: align' err || complain "wrong options: $(cat err)"
exit $bad
