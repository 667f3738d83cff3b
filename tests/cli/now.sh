# SPDX-License-Identifier: Apache-2.0
#
# A finding is on standard error while the program goes on, once; what is known only at the end comes then.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/now_victim
work=$FP_BUILDDIR/tests/cli/now.work
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
mkfifo go || exit 99
bad=0

complain() {
	echo "$*" | head -n 40
	bad=1
}

# run OPTIONS...: the victim makes a mistake, waits until it may go on, makes another and ends.
run() {
	"$fencepost" run "$@" "$victim" go >out 2>err &
	running=$!
}

. "$top_srcdir/tests/support/wait.sh"

# expect PATTERN
expect() {
	await grep -q "$1" err || complain "not shown: $1: $(cat err)"
}

# shown PATTERN: while the program waits.
shown() {
	expect "$1"
	kill -0 $running || complain "the program did not wait"
}

go_on() {
	echo >go
	wait $running || complain "status $?"
}

# shows COUNT PATTERN
shows() {
	test "$(grep -c "$2" err)" -eq "$1" || complain "not $1 times: $2: $(cat err)"
}

first='^fencepost: double-free of a 21-byte block at now_victim.c:[0-9]* in misuse'
second='^fencepost: double-free of a 22-byte block at now_victim.c:[0-9]* in misuse'

run
shown "$first"
shows 0 "$second"
shows 0 '^fencepost: leak'
go_on
shows 1 "$first\$"
shows 1 "$second\$"
shows 1 "happened again: double-free of a 21-byte block .* (3 times)\$"
shows 1 '^fencepost: leak of 33 bytes in 1 block'
shows 1 '^fencepost: 2 errors, 1 leak (33 bytes)'

# Whoever wants all at the end, or in a file, has it there.
run --report=end
sleep 0.5
shows 0 '^fencepost: double-free'
go_on
shows 1 "$first (3 times)\$"
run --log=log
sleep 0.5
go_on
shows 0 '^fencepost: double-free'
test "$(grep -c "$first" log)" -eq 1 || complain "not in the file: $(cat log)"

# What is suppressed is not shown first, and counts once.
printf 'double-free:misuse\n' >known
run --suppressions=known
sleep 0.5
go_on
shows 0 'double-free of a 21-byte block at'
shows 1 'no other errors, 2 suppressed'

# What others say of a death comes after the finding that it died of.
if echo '#include <stdlib.h>
int main(int argc, char **argv) { int *p = malloc(8); free(p); if (argc > 1) free(p); return argc > 1 ? 0 : *p; }' >dies.c &&
	$CC -w -g -fno-builtin -o dies dies.c 2>/dev/null; then
	for death in './dies' './dies twice'; do
		for more in '' --json=dies.json; do
			# shellcheck disable=SC2086  # none, or one
			"$fencepost" run $more --halt-on-error=yes sh -c "ulimit -c 0; $death; echo ended \$?" >err 2>&1
			awk '/^fencepost: (heap-use-after-free|double-free) of an 8-byte block at dies.c:2/ { is_found = 1 }
				/^ended 1(39|34)$/ { is_ended = is_found }
				END { exit !is_ended }' err || complain "$death: $(cat err)"
		done
	done
fi

# A snapshot is the report so far, and the program goes on.
run --report=end
has_snapshot() {
	process=$(pgrep -P $running -f now_victim) &&
		"$fencepost" snapshot --json=json "$process" >snapshot 2>snapshot.err && grep -q "$first" snapshot
}
await has_snapshot || complain "no snapshot: $(cat snapshot snapshot.err)"
grep -q '^fencepost: 1 error;.*leaks not checked' snapshot || complain "snapshot: $(cat snapshot)"
grep -q '"errors": 1' json && grep -q '"unknown": true' json || complain "snapshot in JSON: $(cat json)"
shows 0 "$first"
go_on
shows 1 '^fencepost: 2 errors, 1 leak (33 bytes)'
"$fencepost" snapshot $$ >snapshot 2>&1 && complain "a snapshot of the shell"
grep -q '^fencepost: snapshot: process [0-9]* does not run under Fencepost: ' snapshot || complain "refused otherwise: $(cat snapshot)"

# What a process that outlives the program has shown counts in the last line.
"$fencepost" run sh -c "'$victim' go & until grep -q double-free err; do sleep 0.1; done" >out 2>err
grep -q '^fencepost: 1 error, no leaks, in 1 of [0-9]* processes; exited 0; 1 process not followed to its end$' err || complain "outlived: $(cat err)"
echo >go
expect '^fencepost: 2 errors, 1 leak (33 bytes)'
shows 1 "$first\$"

# A program that is killed has shown it, and it is not said again.
run
shown "$first"
pkill -KILL -P $running -f now_victim
wait $running
test $? -eq 137 || complain "killed: not 137"
shows 1 "$first"
exit $bad
