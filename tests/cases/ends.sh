# SPDX-License-Identifier: Apache-2.0
#
# The ways of ends.c: whoever ends the process, in whatever order, its report is whole, and told once.
fencepost=$FP_BUILDDIR/src/cli/fencepost
ends=$FP_BUILDDIR/tests/cases/ends
work=$FP_BUILDDIR/tests/cases/ends.work
test -x "$fencepost" && test -x "$ends" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*: $(cat err)"
	bad=1
}
run() { # run WORD...: with its exit status in $status
	"$fencepost" run --error-exitcode=9 --json=report.json -- "$ends" "$@" >out 2>err
	status=$?
}
line_of() { # line_of FUNCTION: where it says "here"
	awk -v name="$1(" 'index($0, name) && /^static/ { inside = 1 } inside && /\/\* here \*\// { print FNR; exit }' \
		"$top_srcdir/tests/cases/ends.c"
}

for pause in 0 100 1000 10000 50000 150000; do
	run second-end $pause
	test $status -eq 9 && grep -q "^fencepost: leak of 77 bytes in 1 block at ends.c:$(line_of lose) in lose" err ||
		complain "exit $status, ended again after $pause us"
done

for backend in move guard mprotect; do
	"$fencepost" doctor 2>/dev/null | grep -q "back end $backend: works" || continue
	"$fencepost" run "--backend=$backend" --json=report.json -- "$ends" handler-returns >out 2>err
	grep -q "^fencepost: heap-use-after-free .* at ends.c:$(line_of handler_returns) in handler_returns" err &&
		! grep -q '[0-9] times' err && test "$(grep -c '"kind": "heap-use-after-free"' report.json)" -eq 1 &&
		grep -q '"count": 1' report.json || complain "$backend: an access that happens again"
done

"$ends" refused-exec >wanted
run refused-exec
test $status -eq 0 && cmp -s wanted out || complain "exit $status, $(cat out) and not $(cat wanted)"

for distance in 4096 8192 12288 262144 1048576 4194304; do
	run far-before $distance
	grep -q "^fencepost: .* at ends.c:$(line_of far_before) in far_before" err && test $status -eq 9 ||
		complain "exit $status, a write $distance bytes before a block"
done
exit $bad
