# SPDX-License-Identifier: Apache-2.0
#
# fencepost run --sweep: a mistake that only one layout shows is found, once, with that layout; the
# program's input reaches every run, and its output is there once.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/sweep_victim
work=$FP_BUILDDIR/tests/cli/sweep.work
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
export XDG_CACHE_HOME="$work/cache"
bad=0

complain() {
	echo "$*"
	bad=1
}

# run STATUS OPTIONS...: standard input is ours.
run() {
	want=$1
	shift
	"$fencepost" run "$@" --log=text --json=json -- "$victim" >out 2>err
	got=$?
	# The signal of a bad access is the back end's.
	test "$got" -eq "$want" || { test "$want" -eq 139 && test "$got" -eq 135; } || complain "run $*: status $got, not $want: $(cat err text)"
}

# shown KIND PLACE LAYOUTS
shown() {
	grep -A 4 "^fencepost: $1 .* at .* in $2" text | grep -qx "  shown by the layout $3" ||
		complain "no $1 in $2, shown by $3: $(cat text)"
}
count_is() {
	test "$(grep -c "^fencepost: $1" text)" -eq "$2" || complain "not $2 times $1: $(cat text)"
}

# Each layout stops at its own mistake; a single run would have stopped at one of the three.
printf 'bpf' >three
run 139 --sweep <three
shown heap-buffer-underflow read_at placement=left
shown heap-buffer-overflow read_at align=auto
shown heap-buffer-overflow read_at placement=right
count_is heap-buffer-underflow 1
count_is heap-buffer-overflow 2
grep -q '"layout": "placement=left"' json || complain 'JSON names no layout'
tail -n 1 text | grep -q ', in 3 layouts; exited [0-9]*$\|, in 3 layouts; killed by SIG[A-Z]*\|, in 3 layouts$' || complain "summary: $(tail -n 1 text)"
test "$(cat out)" = out && test "$(cat err)" = err || complain "the program said: $(cat out err)"

# Far past the end, every layout that touches the guard sees it: one finding.
printf 'f' | run 139 --sweep
count_is heap-buffer-overflow 1
shown heap-buffer-overflow read_at 'placement=right, align=auto'

# A write that one layout stops at and the others find afterwards is one finding: the write, its line,
# and how far it went.
written=$(grep -n '/\* write \*/' "$top_srcdir/tests/cli/sweep_victim.c" | cut -d: -f1)
printf 'P' | run 3 --sweep
count_is heap-buffer-overflow 1
shown heap-buffer-overflow write_at 'placement=right, align=auto, placement=left'
grep -qx '  changed bytes, 1 past the end: 77 77 |ww|' text || complain "how far: $(cat text)"
grep -q "^  > *$written | .*block.offset + i. = 'w'" text || complain "no source: $(cat text)"
grep -q 'written between\|to see who writes' text && complain "not the write: $(cat text)"
printf 'B' | run 3 --sweep
count_is heap-buffer-underflow 1
shown heap-buffer-underflow write_at 'placement=right, align=auto, placement=left'
# Each layout stops a write that runs off the end at another byte: the first is told.
printf 'R' | run 139 --sweep
count_is heap-buffer-overflow 1
shown heap-buffer-overflow write_at 'placement=right, align=auto, placement=left'
grep -qx '  write of 1 byte, 0 bytes past the end of a block of 20 bytes' text || complain "the distance: $(cat text)"

# What the layout does not matter for is one finding with all of them, and its count is not tripled.
printf 'dl' | run 3 --sweep --leak-check=full
count_is double-free 1
shown double-free free_twice 'placement=right, align=auto, placement=left'
count_is 'double-free.*times' 0
grep -q '^fencepost: leak of 60 bytes in 2 blocks\|^fencepost: leak of 40 bytes in 1 block' text ||
	complain "leaks were added up: $(cat text)"
printf 'd' | run 7 --sweep --error-exitcode=7
printf 'p' | run 7 --sweep --error-exitcode=7
printf '' | run 3 --sweep --error-exitcode=7
grep -q '^fencepost: no errors, .*, in 3 layouts; exited [0-9]*$' text || complain "clean: $(cat text)"

# Children are part of their run.
printf 'c' | run 3 --sweep
count_is double-free 1
shown double-free free_twice 'placement=right, align=auto, placement=left'

# Input: a file is left where the first run left it, and read from where it was.
{
	read -r skipped
	run 3 --sweep
	cat >rest
} <<END
b
p
END
shown heap-buffer-overflow read_at align=auto
grep -q underflow text && complain 'the input was read from the start of the file'
test "$skipped" = b || complain "skipped $skipped"
test ! -s rest || complain "the file was not left at its end: $(cat rest)"
run 3 --sweep <&-
run 3 --sweep </dev/null
# Nothing is kept of a pipe in a directory that is not there.
printf 'b' | TMPDIR=/nonexistent/directory "$fencepost" run --sweep "$victim" >out 2>err
test $? -eq 125 && grep -qx 'fencepost: cannot keep standard input for every run: No such file or directory; give it as a file, or name a directory with TMPDIR' err ||
	complain "no temporary directory: $(cat err)"

# A program that relies on malloc's alignment says so in one run, and in no finding.
printf 'a' | run 3 --sweep
count_is heap 0
grep -q 'note: with align=auto the program died of SIGABRT, which is no finding' text || complain "unaligned: $(cat text)"

# Who is ended is not started again.
printf 'i' | run 143 --sweep
tail -n 1 text | grep -q ', in 1 layout; killed by SIGTERM' || complain "after SIGTERM: $(cat text)"

printf '' | run 125 --sweep --align=1
grep -qx 'fencepost: --sweep sets --align and --placement: leave them out' err || complain "$(cat err)"

# The report of a sweep is one like any other.
printf 'd' | run 3 --sweep
"$fencepost" report --log=again json && cmp -s again text || complain 'rendered again it differs'
exit $bad
