# SPDX-License-Identifier: Apache-2.0
#
# Names that somebody means harm with: no control character of a path, an argument or a thread's name
# reaches a terminal, a log or a report for people as such, whichever command it is that tells it.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cases/names.work
test -x "$fencepost" && test -x "$FP_BUILDDIR/tests/cases/ends" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
evil=$(printf 'st\033]0;pwn\007\nfencepost: no errors')
cp "$FP_BUILDDIR/tests/cases/ends" "./$evil" || exit 99
bad=0 count=0

try() { # try COMMAND...: what it writes has control characters at ends of lines only, and names the file
	"$@" >out 2>err
	for file in out err log; do
		test -f $file || continue
		if tr -d '\n\t' <$file | LC_ALL=C grep -q '[[:cntrl:]]' || grep -q '^fencepost: no errors' $file; then
			echo "$*: $(cat -v $file)"
			bad=1
		fi
	done
	cat out err log 2>/dev/null | grep -q 'st\(\\x1b\|?\)]0;pwn\(\\x07\|?\)' || { echo "$*: no name: $(cat -v out err)"; bad=1; }
	count=$((count + 1))
	rm -f log
}

try "$fencepost" run --json=report.json --events=events -- "./$evil" handler-returns "$evil"
try "$fencepost" run --log=log --style=asan -- "./$evil" handler-returns
try "$fencepost" run -- "./no-$evil"
try "$fencepost" report report.json
try "$fencepost" report events
try "$fencepost" report "no-$evil"
try "$fencepost" report "./$evil"
try "$fencepost" diff report.json "no-$evil"
try "$fencepost" explain 0x1000 "no-$evil"
try "$fencepost" doctor "./$evil"
try "$fencepost" run "--suppressions=no-$evil" -- true
try "$fencepost" run "--$evil=1" -- true
test $count -eq 12 || bad=1
exit $bad
