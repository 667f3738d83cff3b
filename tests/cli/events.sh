# SPDX-License-Identifier: Apache-2.0
#
# The event logs of --events=FILE come from the channel: of a program that restricts itself, or is ended without a
# word, and of each process of a run, they have all that the report has, and fencepost report makes it again.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/restricted_victim
host=$FP_BUILDDIR/tests/cli/restricted_host
line=$(grep -n 'plant: double-free \*/' "$top_srcdir/tests/cli/restricted_victim.c" | cut -d: -f1)
work=$FP_BUILDDIR/tests/cli/events.work
test -x "$fencepost" && test -x "$victim" && test -x "$host" && test -n "$line" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
bad=0 tried=0

complain() {
	echo "$*"
	bad=1
}
. "$top_srcdir/tests/support/wait.sh"
again() { # again WHAT TIMES: the file has so many processes with that finding
	"$fencepost" report --log=text --json=json events || complain "$1: cannot be read: status $?"
	test "$(grep -c "^fencepost: double-free of .* at restricted_victim.c:$line in " text)" -eq "$2" ||
		complain "$1: not $2 times what was found: $(cat text)"
	test "$(grep -c '"pid"' json)" -eq "$2" || complain "$1: other processes: $(grep '"pid"' json)"
	rm -f events text json
}

for way in plain chroot private-tmp setuid landlock seccomp closed no-descriptors file-size killed raw-exit; do
	for program in "$victim" "$host"; do
		"$fencepost" run --events=events -- "$program" $way double-free >out 2>err
		test $? -ne 77 || { rm -f events; continue; }
		tried=$((tried + 1))
		again "$way, ${program##*/}" 1
	done
	# Who waits for the host does not wait for its watcher.
	FENCEPOST_OPTIONS=events=events "$host" $way double-free >out 2>err
	test $? -ne 77 || { rm -f events; continue; }
	tried=$((tried + 1))
	await test -e events
	again "$way, alone" 1
done
test "$tried" -gt 10 || complain "only $tried of them could be tried"

# A file for all processes of a run, or one for each.
twice='"$0" plain double-free; "$0" killed double-free; exit 0'
"$fencepost" run --events=events -- sh -c "$twice" "$victim" >out 2>err
grep -c '^fencepost: double-free' err >/dev/null || complain "nothing was found: $(cat err)"
"$fencepost" report --log=text events
test "$(grep -c "^fencepost: double-free of .* at restricted_victim.c:$line in " text)" -eq 2 ||
	complain "two processes: $(cat text)"
"$fencepost" run --events=each.%p -- sh -c "$twice" "$victim" >out 2>err
found=0
for file in each.*; do
	"$fencepost" report --log=text "$file" || complain "$file cannot be read"
	found=$((found + $(grep -c '^fencepost: double-free of ' text)))
done
test "$found" -eq 2 || complain "files for each process have $found findings"

# What has no event log says so.
"$fencepost" run --json=json -- "$victim" plain double-free >out 2>err
"$fencepost" report --log=text --events=none json 2>err && complain 'JSON became an event log'
grep -q 'has no event log: leave --events out$' err || complain "no reason: $(cat err)"
test ! -e none || complain 'an empty event log was written'
"$fencepost" run --sweep --events=none -- "$victim" plain double-free 2>err && complain 'a sweep has an event log'
grep -q 'leave --events out$' err || complain "no reason: $(cat err)"
exit $bad
