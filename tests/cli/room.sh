# SPDX-License-Identifier: Apache-2.0
#
# Files that take no more: beyond the limit of a file's size, on a full disk, into a pipe that nobody
# reads, and under the number of a standard stream that is closed. Nobody dies of it: one line says
# so, and the program goes on.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/sweep_victim
host=$FP_BUILDDIR/examples/sqlite_host
work=$FP_BUILDDIR/tests/cli/room.work
test -x "$fencepost" && test -x "$victim" && test -x "$host" || exit 99
rm -rf "$work" && mkdir -p "$work/tmp" && cd "$work" || exit 99
TMPDIR=$work/tmp
export TMPDIR
bad=0

complain() {
	echo "$*"
	bad=1
}

# limited BLOCKS OPTIONS...: under a limit of file sizes, which is not that of the files with what
# comes out of it.
limited() {
	blocks=$1
	shift
	{
		printf d | (ulimit -f "$blocks" && exec "$fencepost" run "$@" -- "$victim") 2>&1
		echo "status $?"
	} | cat >out
}
says() { # says COUNT PATTERN
	test "$(grep -c -e "$2" out)" -eq "$1" || complain "not $1 times '$2': $(cat out)"
}

# ---- A limit of file sizes
for blocks in 0 1 2; do
	limited $blocks
	says 1 '^status 3$'
	says 1 '^fencepost: double-free '
	says 1 '^fencepost: 1 error'
done
limited 1 --quiet --error-exitcode=7
says 1 '^status 7$'
limited 64 --json=small.json --record=small.rec
says 1 '^status 3$'
# The program limits itself, and has no room for a recording.
{
	printf d | "$fencepost" run --json=limited.json --log=text -- sh -c 'ulimit -f 0; exec "$0"' "$victim" 2>&1
	echo "status $?"
} | cat >out
says 1 '^status 3$'
grep -q '"double-free"' limited.json || complain "limited later: $(cat out text)"
rm -f limited.json text
limited 16 --html=large.html
says 1 '^status 125$'
says 1 'cannot write large.html: File too large; name another file with --html=FILE$'
test ! -e large.html || complain 'half a file'
{
	FENCEPOST_OPTIONS=record=host.rec:events=host.log sh -c 'ulimit -f 1; exec "$0" --plant=double-free "$1"' \
		"$host" "$top_srcdir/examples/demo.sql" 2>&1
	echo "status $?"
} | cat >out
says 1 '^status 0$'
says 1 '^fencepost: double-free '
says 1 'note: the recording in .*host.rec ends early: File too large'

# ---- A full disk
if test -w /dev/full; then
	printf d | "$fencepost" run --json=/dev/full --xml=/dev/full "$victim" >out 2>&1
	test $? -eq 125 || complain 'a JSON report on a full disk is no failure'
	says 1 'cannot write /dev/full: No space left on device; name another file with --json=FILE$'
	says 1 'cannot write /dev/full: No space left on device; name another file with --xml=FILE$'
	says 1 '^fencepost: double-free '
	printf d | "$fencepost" run --log=/dev/full --json=full.json "$victim" >out 2>&1
	test $? -eq 125 || complain 'a text on a full disk is no failure'
	says 1 'cannot write /dev/full: No space left on device; name another file with --log=FILE$'
	says 1 '^fencepost: double-free '
	grep -q '"kind": "double-free"' full.json || complain 'no JSON beside a text on a full disk'
	printf d | "$fencepost" run --record=/dev/full "$victim" >out 2>&1
	test $? -eq 3 || complain 'a recording on a full disk ends the program'
	says 1 'note: the recording in /dev/full ends early: No space left'
	printf d | FENCEPOST_OPTIONS=events=/dev/full "$fencepost" run "$victim" >out 2>&1
	test $? -eq 125 || complain 'events on a full disk are no failure'
	says 1 'cannot write /dev/full: No space left on device; name another file with --events=FILE$'
	says 1 '^fencepost: double-free '
	printf d | "$fencepost" run "$victim" >/dev/full 2>/dev/full
	test $? -eq 125 || complain 'no report at all is no failure'
else
	echo 'no /dev/full: left out'
fi
if mkdir full && mount -t tmpfs -o size=16k none full 2>/dev/null; then
	dd if=/dev/zero of=full/taken bs=4k count=4 2>/dev/null
	printf d | TMPDIR=$work/full "$fencepost" run "$victim" >out 2>&1
	test $? -eq 3 || complain 'events need a disk'
	says 1 '^fencepost: double-free '
	printf d | "$fencepost" run --json=full/json --html=full/html "$victim" >out 2>&1
	test $? -eq 125 || complain 'outputs on a full disk are no failure'
	says 2 'cannot write full/.*: No space left on device; name another file'
	test "$(ls full)" = taken || complain "left behind: $(ls full)"
	printf d | "$fencepost" run --log=full/%p.log "$victim" >out 2>&1
	test $? -eq 125 || complain 'a text for each process on a full disk is no failure'
	says 1 'cannot write full/[0-9]*.log: No space left on device; name another file'
	says 1 '^fencepost: double-free '
	umount full
else
	echo 'nothing can be mounted here: the full disk is left out'
fi

# ---- A process of another user, and one to which nothing was left
if test "$(id -u)" -eq 0 && command -v setpriv >/dev/null && setpriv --reuid=65534 --clear-groups test -x "$victim"; then
	printf d | "$fencepost" run --leak-check=no setpriv --reuid=65534 --clear-groups "$victim" >out 2>&1
	test $? -eq 3 || complain "another user: status $?"
	says 1 '^fencepost: double-free '
	says 1 '^fencepost: 1 error;.*leaks not checked'
	printf d | "$fencepost" run --leak-check=no bash -c 'for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd < 3)) || eval "exec $fd>&-"; done
		exec "$0"' "$victim" >out 2>&1
	test $? -eq 3 || complain "no descriptor: status $?"
	says 1 '^fencepost: 1 error;.*leaks not checked'
	printf d | "$fencepost" run --leak-check=no setpriv --reuid=65534 --clear-groups bash -c '
		for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd < 3)) || eval "exec $fd>&-"; done; exec "$0"' "$victim" >out 2>&1
	says 1 'cannot reach fencepost run: the descriptor .*; it reports by itself when it ends, as text$'
	says 1 '^fencepost: double-free '
else
	echo 'not root, or no setpriv: another user is left out'
fi

# ---- Pipes that nobody reads
{
	printf d | "$fencepost" run "$victim"
	echo "status $?" >out
} 2>&1 | true
says 1 '^status 125$'
{
	"$host" --plant=double-free "$top_srcdir/examples/demo.sql" >/dev/null
	echo "status $?" >out
} 2>&1 | true
says 1 '^status 0$'
for command in --help doctor; do
	{
		sleep 0.2
		"$fencepost" $command
		echo "status $?" >>out
	} 2>out | true
	says 1 '^status 125$'
	says 1 '^fencepost: cannot write to standard output: direct it elsewhere$'
done
# The program dies of such a pipe as ever, and may have it ignored.
"$fencepost" run --log=text -- sh -c 'kill -PIPE $$'
test $? -eq 141 || complain 'SIGPIPE is ignored in the program'
(trap '' PIPE && exec "$fencepost" run --log=text -- sh -c 'kill -PIPE $$')
test $? -eq 0 || complain 'SIGPIPE is not ignored in the program'
"$fencepost" run -- sh -c 'kill -XFSZ $$' 2>err
test $? -eq 153 || complain 'SIGXFSZ is ignored in the program'

# ---- Standard streams that are closed: no file gets their numbers
printf d | "$fencepost" run --json=json --log=text "$victim" >&- 2>&-
test $? -eq 3 || complain 'without standard streams: another status'
test "$(head -c 1 json)" = '{' && grep -q '^fencepost: double-free ' text || complain "closed: $(cat json text)"
rm json text
"$fencepost" run --json=json -- sh -c 'for i in 0 1 2; do test ! -e /proc/self/fd/$i || exit 9; done; exit 3' <&- >&- 2>&-
test $? -eq 3 || complain "the program has other streams: status $?"
test "$(head -c 1 json)" = '{' || complain "closed: $(cat json)"
rm json
"$fencepost" run --json=json --no-such <&- >&- 2>&-
test $? -eq 125 && test ! -e json || complain 'a refusal nobody hears'

test -z "$(ls tmp)" || complain "left behind: $(ls tmp)"
exit $bad
