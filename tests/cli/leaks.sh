# SPDX-License-Identifier: Apache-2.0
#
# fencepost leaks: a program that waits in a system call is asked, and goes on; what cannot be asked
# is refused in one line with the remedy, and never gets the signal.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/e2e/victims/served
work=$FP_BUILDDIR/tests/cli/leaks.work
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
mkfifo orders || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

. "$top_srcdir/tests/support/wait.sh"

# start OPTIONS...: the victim in the background, its orders on descriptor 9; sets pid and process
start() {
	"$fencepost" run "$@" -- "$victim" serve <orders >answers 2>report &
	pid=$!
	exec 9>orders
	await pgrep -P $pid || complain "run $*: nothing started"
	process=$(pgrep -P $pid | head -n 1)
	await grep -q libfencepost "/proc/$process/maps" || complain "run $*: no library"
}

finish() {
	exec 9>&-
	wait $pid
	status=$?
	test $status -eq 0 || complain "the victim ended with $status: $(cat report)"
}

# refused PATTERN ARGUMENTS...
refused() {
	want=$1
	shift
	"$fencepost" leaks "$@" >out 2>err && complain "leaks $*: not refused"
	grep -q -e "$want" err && test "$(wc -l <err)" -eq 1 || complain "leaks $*: said '$(cat err)', not '$want'"
}

command -v pgrep >/dev/null || { echo "no pgrep: not tried"; exit 77; }

start --leak-signal=USR2
await grep -q fencepost-leaks- "/proc/$process/maps" || complain "no mark"
"$fencepost" leaks "$process" >out 2>err || complain "leaks: $(cat err)"
grep -q '^fencepost: leak of 24 bytes in 1 block at served.c' out && grep -q '^  allocated [1-9][0-9]* ' out ||
	complain "asked once: $(cat out err)"
grep -q 'last check' out && complain "asked once, and something is new: $(cat out)"
printf x >&9
await grep -q . answers || complain "the program does not go on"
"$fencepost" leaks --json=asked.json "$process" >out 2>err || complain "leaks: $(cat err)"
grep -q ' 1 new leak (24 bytes), 2 leaks (48 bytes) in all' out &&
	grep -q '^fencepost: leak of 24 bytes in 1 block at served.c' out &&
	grep -q '^  new since the last check$' out || complain "asked twice: $(cat out err)"
grep -q ' 1 block (24 bytes) that an earlier check told of' out || complain "the first again: $(cat out)"
grep -q '"leaked_bytes": 48' asked.json && grep -q '"new_leaked_bytes": 24' asked.json && grep -q '"oldest_ms": [0-9]' asked.json ||
	complain "not in JSON: $(cat asked.json)"
printf x >&9
await grep -q '\.\.' answers || complain "the program does not go on"
"$fencepost" leaks "$process" >out 2>err || complain "leaks: $(cat err)"
grep -q '^fencepost: leak of 24 bytes in 1 block at served.c' out &&
	grep -q '^  with those of earlier checks: 2 blocks (48 bytes)' out || complain "asked a third time: $(cat out err)"
kill -USR2 "$process"
await grep -q ' 3 blocks (72 bytes) that an earlier check told of' report || complain "no answer to the signal: $(cat report)"
grep -q ' no new leaks, 3 leaks (72 bytes) in all' report || complain "nothing is new: $(cat report)"
kill -STOP "$process"
refused 'gave no answer in 1 s' --timeout=1 "$process"
kill -CONT "$process"
await grep -q 'ShdPnd:.0*$' "/proc/$process/status" || complain "a signal was not taken"
kill -STOP "$process"
"$fencepost" leaks --timeout=600 "$process" >out 2>err &
asker=$!
await grep -q fencepost-leaks- /proc/net/unix || complain "nobody asked"
kill -KILL "$process"
await sh -c "! kill -0 $asker" || { complain "asks a process that is gone"; kill $asker; }
wait $asker && complain "asked a process that ended, and was content"
grep -q "process $process ended before it answered\|process $process has ended" err || complain "of one that ended: $(cat err)"
exec 9>&-
wait $pid

start
refused 'runs without leak_signal' "$process"
refused 'is fencepost run itself: ask the program that it runs; ps --ppid [0-9]* shows its number' $pid
finish

sleep 60 &
refused 'does not run under Fencepost: start it with fencepost run --leak-signal=USR2' $!
kill $!
refused 'no process 4194999' 4194999
refused 'served is no process id' served
refused 'write fencepost leaks PID'
refused 'give a number of seconds' --timeout=soon 1
# A process that executes another program while it is asked does not die of that.
cat >again.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **arguments)
{
	char left[16];
	int turns = atoi(arguments[count - 1]);
	if (turns == 0)
		return 3;
	snprintf(left, sizeof(left), "%d", turns - 1);
	execl(arguments[0], arguments[0], left, (char *)NULL);
	return 99;
}
END
${CC:-cc} again.c -o again || exit 99
"$fencepost" run --quiet --leak-signal=USR2 ./again 60 2>report &
pid=$!
questions=0
while kill -0 $pid 2>/dev/null; do
	process=$(pgrep -P $pid | head -n 1)
	test -z "$process" || "$fencepost" leaks --timeout=1 "$process" >out 2>&1
	questions=$((questions + 1))
done
wait $pid
status=$?
test $status -eq 3 && test $questions -gt 0 || complain "asked $questions times while it executes, it ends with $status: $(cat report)"

# Without fencepost run a watcher is started at the first finding, and the program answers as before.
cat >alone.c <<'END'
#include <stdio.h>
#include <stdlib.h>
static __attribute__((noinline)) void lose(void)
{
	char *volatile lost = malloc(33);
	lost = NULL;
}
/* What calls left of the pointer where the next ones do not write. */
static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char all[16384];
	for (int i = 0; i < 16384; i++)
		all[i] = 0;
}
int main(void)
{
	char *volatile block = malloc(21);
	lose();
	wipe_stack();
	if (getchar() != 'x')
		return 1;
	free(block);
	free(block);
	return getchar() == EOF ? 0 : 1;
}
END
${CC:-cc} -g alone.c -o alone || exit 99
FENCEPOST_OPTIONS=leak_signal=USR2:quiet=yes:reporter=$fencepost \
	LD_PRELOAD=$FP_BUILDDIR/src/preload/.libs/libfencepost-preload.so ./alone <orders >answers 2>report &
pid=$!
exec 9>orders
await grep -q fencepost-leaks- "/proc/$pid/maps" || complain "alone: no mark"
kill -USR2 $pid
await grep -q '^fencepost: leak of 33 bytes' report || complain "alone: no answer to the signal: $(cat report)"
printf x >&9
await grep -q '^fencepost: double-free' report || complain "alone: nothing found: $(cat report)"
kill -USR2 $pid
await grep -q ' no new leaks, 1 leak (33 bytes) in all' report || complain "alone, once something was found: $(cat report)"
"$fencepost" leaks $pid >out 2>err || complain "alone, asked once something was found: $(cat out err)"
exec 9>&-
wait $pid || complain "alone: ended with $?: $(cat report)"
exit $bad
