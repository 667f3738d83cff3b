#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The victim in places that lack something: without /proc, with one that hides processes, in namespaces, where
# nothing may be executed from /tmp, on a full disk, on small stacks. Its output and status are its own, and each of
# its mistakes is told with its line; where that cannot be, the reason is said. README.md says what other tests hold.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/faults/mistaken
preload=$FP_BUILDDIR/src/preload/.libs/libfencepost-preload.so
work=$FP_BUILDDIR/tests/faults/places.work
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && chmod 1777 "$work" && cd "$work" || exit 99
unset LD_PRELOAD FENCEPOST_OPTIONS
bad=0 tried=0
"$victim" >native 2>/dev/null
native=$?

complain() {
	echo "$place: $*: $(grep '^fencepost' err)"
	bad=1
}
is_possible() { # is_possible COMMAND...: or it is said that the place is left out
	"$@" true 2>/dev/null && return
	echo "$place: not possible here"
	false
}
in_place() { # in_place PLACE COMMAND...: the rest of which is executed there
	place=$1
	shift
	is_possible "$@" || return
	rm -f json
	"$@" "$fencepost" run --json=json -- "$victim" >out 2>err
	judge
}
judge() {
	status=$?
	tried=$((tried + 1))
	test $status -eq $native && cmp -s native out || complain "status $status, $(cat out)"
	for line in $(grep -n 'plant: ' "$top_srcdir/tests/faults/mistaken.c" | cut -d: -f1); do
		grep -q "\"line\": $line\\b" json 2>/dev/null || complain "line $line is not told of"
	done
}

in_place 'user namespace' unshare --user --map-root-user
in_place 'PID namespace' unshare --pid --fork --mount-proc
in_place 'PID namespace with the /proc of the one outside' unshare --pid --fork
in_place 'noexec /tmp' unshare --mount sh -c 'mount -t tmpfs -o noexec none "$0" && TMPDIR=$0 exec "$@"' /mnt
in_place 'hidepid' unshare --mount sh -c 'mount -t proc -o hidepid=2 none /proc &&
	exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' sh
in_place 'small stacks' sh -c 'ulimit -s 64 && exec "$@"' sh

# Who makes the report has a /proc, the program has none.
place='program without /proc'
if is_possible unshare --mount sh -c 'umount -l /proc && exec "$0"'; then
	"$fencepost" run --json=json -- unshare --mount sh -c 'umount -l /proc && exec "$0"' "$victim" >out 2>err
	judge
fi
place='no /proc'
if is_possible unshare --mount sh -c 'umount -l /proc && exec "$0"'; then
	unshare --mount sh -c 'umount -l /proc && exec "$@"' sh "$fencepost" run -- "$victim" >out 2>err
	test $? -eq 125 && grep -q 'mount /proc' err || complain "no reason"
	unshare --mount sh -c 'umount -l /proc && LD_PRELOAD=$1 exec "$0"' "$victim" "$preload" >out 2>err
	test $? -eq $native && cmp -s native out || complain "another output or status"
	# Or by a program that was not installed.
	grep -q '^fencepost: 2 errors\|the event log is kept' err || complain "alone: no report"
fi
# What is not written is said, and what can be is.
place='full disk'
if is_possible unshare --mount sh -c 'mount -t tmpfs -o size=4k none /mnt && exec "$0"'; then
	unshare --mount sh -c 'mount -t tmpfs -o size=4k none /mnt && dd if=/dev/zero of=/mnt/all 2>/dev/null
		TMPDIR=/mnt exec "$@"' sh "$fencepost" run --json=/mnt/json --ndjson=/mnt/lines -- "$victim" >out 2>err
	test $? -eq 125 && cmp -s native out && grep -q '^fencepost: cannot write /mnt/json: No space left on device' err &&
		grep -q 'leak (123 bytes), in 4 of 4 processes; exited 7$' err || complain "status"
fi
test $tried -gt 0 || exit 77
exit $bad
