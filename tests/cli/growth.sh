# SPDX-License-Identifier: Apache-2.0
#
# What grows, under fencepost run: in a program that is killed, in a child, merged, drawn, quiet,
# and without a part in the exit status.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/e2e/victims/grows
work=$FP_BUILDDIR/tests/cli/growth.work
test -x "$fencepost" || exit 99
test -x "$victim" || { echo "tests/e2e/victims/grows was not built: that takes Check"; exit 77; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
bad=0

run() {
	"$fencepost" run --leak-growth --leak-check=no "$@"
}

has() { # has FILE PATTERN TIMES
	test "$(grep -c -- "$2" "$1")" -eq "$3" || { echo "$1: not $3 times '$2':"; cat "$1"; bad=1; }
}

ended() { # ended WITH STATUS WANTED
	test "$1" -eq "$2" || { echo "a run ended with $1, not $2"; bad=1; }
}

run --log=killed --events=killed.events "$victim" kill
ended $? 137
has killed '^fencepost: growth of .* at grows.c:[0-9]* in remember$' 1
has killed '^fencepost: growth of ' 1
has killed ', 1 stack that only grows; killed by SIGKILL; leaks not checked$' 1
"$fencepost" report --log=again killed.events
has again '^fencepost: growth of .* in remember$' 1

# The parent does nothing and is not heard; the child is, though it forked.
run 2>sums --log=forked --json=forked.json --html=forked.html --folded=forked.folded --error-exitcode=7 "$victim" fork
ended $? 0
has forked '^fencepost: growth of .* in remember$' 1
has forked '^fencepost: growth of ' 1
has sums '^fencepost: no errors, in 2 processes, 1 stack that only grows; exited 0; leaks not checked$' 1
has forked.folded '^growth;.*;remember [0-9]*$' 1
has forked.html '^"grown_bytes": ' 1
has forked.html '^fencepost: growth of .* in remember$' 1

# Of one process with itself: once.
"$fencepost" report --log=merged --json=merged.json killed.events forked.json
has merged '^fencepost: growth of .* in remember$' 1
has merged '^  in 2 of [0-9]* reports: ' 1

printf 'leak:remember\n' >supp
run --quiet --log=suppressed --suppressions=supp "$victim" leak
has suppressed . 0
exit $bad
