# SPDX-License-Identifier: Apache-2.0
#
# Of a run whose fencepost is killed nothing is lost: the next command says what still runs, what that has
# found is shown on request, it reports by itself when it ends, and keeps its events.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/now_victim
work=$FP_BUILDDIR/tests/cli/orphan.work
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
mkfifo go || exit 99
export TMPDIR="$work"
bad=0

complain() {
	echo "$*" | head -n 40
	bad=1
}
. "$top_srcdir/tests/support/wait.sh"
expect() { # expect COMMAND...
	await "$@" || complain "in vain: $*: $(cat err)"
}

first='^fencepost: double-free of a 21-byte block at now_victim.c:[0-9]* in misuse'
"$fencepost" run "$victim" go >out 2>err &
running=$!
expect grep -q "$first" err
process=$(pgrep -P $running -f now_victim)
ls fencepost.$running.run >/dev/null || complain "no mark of a run: $(ls)"
kill -KILL $running
wait $running 2>/dev/null

"$fencepost" run true >out 2>next
grep -q "^fencepost: fencepost run (process $running) was killed, and .*now_victim still runs: fencepost snapshot $process shows" next ||
	complain "not said: $(cat next)"
"$fencepost" snapshot "$process" >snapshot 2>&1
grep -q "$first" snapshot || complain "no snapshot: $(cat snapshot)"
# Where somebody laid a link, another name is taken.
ln -s victim "fencepost.$process.orphan"
echo >go
expect grep -q 'the event log is kept: fencepost report ' err
gone() {
	! kill -0 "$process" 2>/dev/null
}
expect gone
grep -q '^fencepost: process .* was still running when fencepost run was killed' err || complain "no reason: $(cat err)"
test "$(grep -c "$first" err)" -eq 1 || complain "not shown once: $(cat err)"
grep -q '^fencepost: leak of 33 bytes in 1 block' err || complain "no leak: $(cat err)"

test ! -e victim && rm "fencepost.$process.orphan" || complain "written through a link: $(ls -l)"
case $(stat -c %a fencepost.*.orphan) in
600) ;;
*) complain "others may read it: $(ls -l)" ;;
esac

"$fencepost" run true >out 2>next
grep -q '^fencepost: a process ended after its fencepost run was killed: fencepost report ' next || complain "not said at its end: $(cat next)"
"$fencepost" report fencepost.*.orphan >out 2>report
grep -q "$first" report && grep -q '^fencepost: 2 errors, 1 leak (33 bytes)' report || complain "its log: $(cat report)"
"$fencepost" run true >out 2>next
grep -q 'killed' next && complain "said twice: $(cat next)"
ls fencepost.*.run 2>/dev/null && complain "a mark was left"
# Its number may be another process' by now, and in a container numbers are others'.
echo "$$ 5 $(readlink /proc/self/ns/pid) ./other" >fencepost.4194301.run
echo "$$ $(awk '{ print $22 }' /proc/$$/stat) pid:[1] ./other" >fencepost.4194302.run
"$fencepost" run true >out 2>next
grep -q 'killed' next && complain "said of others: $(cat next)"
test "$(ls fencepost.*.run)" = fencepost.4194302.run || complain "marks: $(ls fencepost.*.run)"
rm -f fencepost.*.run

# A run that has ended was not killed: who outlives it says so, and keeps nothing. Of the process that daemon(3)
# ends nobody sees the end.
cat >background.c <<'END'
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
	char *block = malloc(21);
	if (daemon(1, 1) != 0)
		return 1;
	while (access("finish", F_OK) != 0)
		usleep(10000);
	free(block);
	free(block);
	return 0;
}
END
rm -f fencepost.*.orphan
if ${CC:-cc} -g -O0 -w -o background background.c; then
	"$fencepost" run ./background >out 2>err
	grep -q 'note: the process ended by a system call that Fencepost does not see' err || complain "no reason: $(cat err)"
	grep -q '1 process still runs' err || complain "not said to run: $(cat err)"
	: >finish
	expect grep -q '^fencepost: 1 error' err
	grep -q 'was still running when fencepost run ended; it reports by itself' err || complain "no reason: $(cat err)"
	ls fencepost.*.orphan 2>/dev/null && complain "events were kept as of a run that was killed"
fi

# A host's own watcher.
FENCEPOST_OPTIONS=json=json "$FP_BUILDDIR/tests/cli/restricted_host" plain double-free >out 2>err
test -s json && grep -q '^fencepost: double-free of ' err || complain "a host: $(cat err)"
exit $bad
