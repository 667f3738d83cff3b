# SPDX-License-Identifier: Apache-2.0
#
# fencepost on a terminal: what Ctrl-C does to a run, and the line that is shown while symbols are read.
fencepost=$FP_BUILDDIR/src/cli/fencepost
terminal=$FP_BUILDDIR/tests/cli/terminal
make_log=$FP_BUILDDIR/tests/cli/make_log
work=$FP_BUILDDIR/tests/cli/terminal.work
test -x "$fencepost" && test -x "$terminal" && test -x "$make_log" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
"$make_log" >log || exit 99
"$terminal" x '' true </dev/null
test $? -ne 77 || { echo 'no terminals here'; exit 77; }
interrupt=$(printf '\003')
quit=$(printf '\034')
NO_COLOR=1
export NO_COLOR
bad=0

complain() {
	echo "$*"
	bad=1
}
. "$top_srcdir/tests/support/wait.sh"

# shows STATUS PATTERN KEYS COMMAND...: types KEYS when "ready" is shown.
shows() {
	status=$1 want=$2 keys=$3
	shift 3
	"$terminal" ready "$keys" "$@" >shown </dev/null
	got=$?
	test "$got" -eq "$status" || complain "$*: status $got, not $status: $(cat shown)"
	grep -q -e "$want" shown || complain "$*: no '$want': $(cat shown)"
}

# ---- Ctrl-C reaches the program, once, and the report still comes
cat >handles <<'END'
count=0
trap 'count=$((count + 1))' INT
echo ready
i=0
for i in $(seq 40); do sleep 0.05; done
echo "interrupted $count"
exit 5
END
shows 5 'interrupted 1' "$interrupt" "$fencepost" run sh ./handles
grep -q 'fencepost: no errors, no leaks, in [0-9]* processes' shown || complain "no report: $(cat shown)"
shows 130 'fencepost: no errors, no leaks; killed by SIGINT' "$interrupt" "$fencepost" run sh -c 'echo ready; while :; do :; done'
shows 131 'fencepost: no errors' "$quit" "$fencepost" run sh -c 'ulimit -c 0; echo ready; while :; do :; done'
test "$(grep -c 'no errors' shown)" -le 1 || complain "two reports: $(cat shown)"
if echo '#include <stdio.h>
#include <stdlib.h>
int main(void) { char *p = malloc(8); free(p); free(p); puts("ready"); fflush(stdout); for (;;); }' >twice.c &&
	$CC -w -g -fno-builtin -o twice twice.c 2>/dev/null; then
	shows 130 'fencepost: double-free of an 8-byte block' "$interrupt" "$fencepost" run ./twice
	test "$(grep -c 'fencepost: double-free' shown)" -eq 1 || complain "not one report: $(cat shown)"
	grep -q '1 error, no leaks; killed by SIGINT' shown || complain "no sum: $(cat shown)"
	# What ends fencepost ends the program, too.
	"$fencepost" run ./twice >out 2>err &
	pid=$!
	await grep -q ready out
	kill -TERM $pid
	wait $pid
	got=$?
	test "$got" -eq 143 && grep -q 'fencepost: double-free of an 8-byte block' err ||
		complain "SIGTERM: status $got, '$(cat err)'"
	! pgrep -P $pid >/dev/null 2>&1 || complain "the program of $pid lives on"
else
	echo "no $CC: a program with a finding is left out"
fi

# ---- While reading takes longer than a second a terminal says so, and is clean again afterwards
(sleep 2; cat log) | "$terminal" x '' "$fencepost" report - >slow
grep -q 'fencepost: reading events and symbols' slow || complain "nothing was shown: $(cat slow)"
erase=$(printf '\r\033\[K')
tr '\n' '@' <slow | grep -q "reading events and symbols .$erase.*fencepost: .*double-free of a 24-byte block" ||
	complain "not erased before the report: $(cat -v slow)"
test "$(tr '\r' '\n' <slow | grep -c 'reading events')" -ge 2 || complain "nothing moved: $(cat -v slow)"
(sleep 2; echo no log) | "$terminal" x '' "$fencepost" report - >slow
tr '\n' '@' <slow | grep -q "symbols .${erase}fencepost: standard input is no event log" ||
	complain "not erased before an error: $(cat -v slow)"
"$terminal" x '' "$fencepost" report log >fast </dev/null
! grep -q 'reading' fast || complain "shown for nothing: $(cat -v fast)"
(sleep 1.5; cat log) | "$fencepost" report - 2>file
! grep -q 'reading' file || complain "shown without a terminal: $(cat -v file)"
exit $bad
