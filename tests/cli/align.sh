# SPDX-License-Identifier: Apache-2.0
#
# align=auto: a read of one byte behind a block is found at the read, and what programs expect of
# malloc's alignment works as without us; what was learned is in the profile, for the next run.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victims=$FP_BUILDDIR/tests/cli
work=$FP_BUILDDIR/tests/cli/align.work
test -x "$fencepost" && test -x "$victims/align_victim" && test -x "$victims/align_host" || exit 99
test "$(uname -m)" = x86_64 || exit 77
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
export XDG_CACHE_HOME="$work/cache"
bad=0

complain() {
	echo "$what: $*"
	bad=1
}

run() { # run STATUS PROGRAM WAY OPTIONS...
	want=$1 program=$2 way=$3
	shift 3
	what="$program $way $*"
	"$fencepost" run --align=auto --leak-check=no "$@" --log=text --json=json -- "$victims/$program" "$way" >out 2>err
	got=$?
	echo "$got" | grep -qx "$want" || complain "status $got, not $want: $(cat err text)"
}

found() { # found KIND MARK SENTENCE
	line=$(grep -n "/\* $2 \*/" "$top_srcdir/tests/cli/align_victim.c" | cut -d: -f1)
	grep -q "^fencepost: $1 of a 53-byte block at align_victim.c:$line" text || complain "no $1 at line $line: $(cat text)"
	grep -qx "  $3" text || complain "not \"$3\": $(cat text)"
}

clean() {
	grep -q '^fencepost: no errors' text || complain "findings: $(cat text)"
}

learned() { # learned SITES CARRIED-OUT
	grep -q "align=auto: call stacks that get blocks aligned to 16 bytes from now on: $1; instructions that need such blocks and were emulated: $2\$" text ||
		complain "not learned $1 $2: $(cat text)"
}

learned_nothing() {
	grep -q 'align=auto: call stacks' text && complain "learned again: $(cat text)"
}

for backend in move guard mprotect; do
	"$fencepost" run --quiet --backend=$backend --leak-check=no true 2>/dev/null || continue
	for program in align_victim align_host; do
		only="--backend=$backend --align-profile=$work/$program.$backend"
		test $program = align_host && export FENCEPOST_OPTIONS=backend=$backend
		run 139 $program overread $only
		found heap-buffer-overflow read 'read of 1 byte, 0 bytes past the end of a block of 53 bytes'
		grep -q '"offset": 53' json || complain "offset: $(cat json)"
		run 139 $program freed $only
		found heap-use-after-free freed 'read of 16 bytes, 0 bytes inside a block of 53 bytes that was freed'
		run 139 $program across $only
		found heap-buffer-overflow across 'write of 16 bytes, 11 of them behind the block, 0 bytes past the end of a block of 53 bytes'
		# The first block only is not aligned.
		run 3 $program moves $only
		clean
		learned 1 6
		run 3 $program moves $only
		clean
		learned_nothing
		run 3 $program structure $only
		learned 1 1
		run 3 $program avx $only
		clean
		unset FENCEPOST_OPTIONS
	done
	run 3 align_victim across --continue=yes --backend=$backend --align-profile=/dev/null
	found heap-buffer-overflow across 'write of 16 bytes, 11 of them behind the block, 0 bytes past the end of a block of 53 bytes'
done

# What was asked for.
run 3 align_victim asked
clean
# A thread waits for a word that the kernel wants to be aligned: the first run in which it does ends by that.
for try in 1 2 3 4 5 6 7 8 9 10; do
	run '3\|134' align_victim lock
	test "$got" -ne 134 || break
done
if test "$got" -eq 134; then
	run 3 align_victim lock
	clean
fi
# Low bits: the first run may see other bytes than the program wrote, and then says so; the next one has
# what malloc promises.
for way in free_tags keep_tags; do
	rm -rf cache
	run '[34]' align_victim $way
	run 3 align_victim $way
	clean
	learned_nothing
done
# One file for all programs, in the cache.
test -s cache/fencepost/align || complain "no profile in the cache"
grep -qvx '[0-9a-f]\{16\}' cache/fencepost/align && complain "profile: $(cat cache/fencepost/align)"
# It is data: what is no key ends it.
echo 'nonsense' >profile
run 3 align_victim moves --align-profile="$work/profile"
learned 1 6
run 3 align_victim moves --align-profile=/nonexistent/profile
grep -q 'cannot keep what align=auto learned in /nonexistent/profile: No such file or directory' err || complain "profile: $(cat err)"
# Other alignments neither learn nor need anything.
run 3 align_victim moves --align=16
learned_nothing
run 139 align_victim moves --align=1
# Who looks on with a debugger gets no signals that the program has not raised.
if command -v gdb >/dev/null; then
	what=gdb
	"$fencepost" run --align=auto --force --log=text -- gdb -batch -ex run -ex quit --args "$victims/align_victim" moves >out 2>err </dev/null
	grep -q 'exited with code 03' out || complain "$(cat out err text)"
fi
exit $bad
