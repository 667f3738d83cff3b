# SPDX-License-Identifier: Apache-2.0
#
# `fencepost run --record`: a file for each process, whatever it executes and wherever it goes, and none
# that another one's overwrites; without room for it, a note and nothing else.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/record.work
rm -rf "$work" && mkdir -p "$work/elsewhere" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

is_whole() { # is_whole FILE: a recording with its last event, which is END
	test "$(head -c 8 "$1" 2>/dev/null)" = FENCEPRC || { complain "$1 is no recording"; return; }
	test "$(tail -c 8 "$1" | od -An -v -tx1 | grep -c ' 00\( [89a-f].\)* [0-7].$')" = 1 ||
		complain "$1 has no end: $(tail -c 8 "$1" | od -An -tx1)"
}

# A shell that forks for a subshell, goes elsewhere and executes another program in its place.
"$fencepost" run --quiet --record=shell.rec -- sh -c '(echo a; echo b) | cat; cd elsewhere; exec ls' >/dev/null 2>err ||
	complain "status $?: $(cat err)"
test -z "$(ls elsewhere)" || complain "elsewhere has $(ls elsewhere)"
for file in shell.rec shell.rec.*; do
	test "$(head -c 8 "$file")" = FENCEPRC || complain "$file is no recording"
done
# cat, the exec'd ls, and the shell before it.
test "$(ls shell.rec* | wc -l)" -ge 3 || complain "too few recordings: $(ls shell.rec*)"
test "$(for file in shell.rec*; do tail -c +13 "$file" | head -c 4 | od -An -tu4; done | sort -u | wc -l)" -ge 2 ||
	complain "all recordings are of one process"

# A second run replaces the file of the first, and no other program writes to it.
for i in 1 2; do
	"$fencepost" run --quiet --record=ls.rec -- ls / >/dev/null 2>err || complain "status $?: $(cat err)"
done
test "$(echo ls.rec*)" = ls.rec || complain "not one file: $(echo ls.rec*)"
is_whole ls.rec

# %p, and the same from the environment.
"$fencepost" run --quiet '--record=%p.pid' -- ls / >/dev/null 2>err
is_whole [0-9]*.pid
FENCEPOST_OPTIONS=record=environment.rec "$fencepost" run --quiet -- ls / >/dev/null 2>err
is_whole environment.rec

# No room; a name where none can be.
"$fencepost" run --record=/dev/full -- ls / >out 2>err || complain "status $? with a full disk"
ls / | cmp -s - out || complain "other output with a full disk"
grep -q 'note: the recording in /dev/full ends early: No space left' err || complain "no note: $(cat err)"
"$fencepost" run --record=none/x.rec -- ls / >out 2>err
test $? -eq 125 && grep -q 'cannot write none/x.rec: No such file' err || complain "no refusal: $(cat err)"
exit $bad
