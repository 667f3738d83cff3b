#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# "faults.sh" has some system calls of ours refused, "faults.sh all" each of them: README.md says what has to
# come of that. "faults.sh --only=PATTERN" takes the cells of these names, and says of each what it lost.
faults=$FP_BUILDDIR/tests/faults
work=$faults/faults.work
test -x "$faults/refuse" && test -x "$faults/mistaken" && test -x "$FP_BUILDDIR/src/cli/fencepost" || exit 99
command -v python3 >/dev/null || { echo 'no python3 here'; exit 77; }
rm -rf "$work" && mkdir -p "$work" || exit 99
unset LD_PRELOAD FENCEPOST_OPTIONS
"$faults/refuse" count "$work/counts" true
test $? -ne 77 || { echo 'the kernel has no filters that ask (SECCOMP_RET_USER_NOTIF)'; exit 77; }
case ${1-} in
'') set -- --short ;;
all) shift ;;
esac
exec python3 "$top_srcdir/tests/faults/faults.py" "$faults/refuse" "$FP_BUILDDIR/src/cli/fencepost" \
	"$FP_BUILDDIR/src/preload/.libs/libfencepost-preload.so" "$faults/mistaken" "$top_srcdir/tests/faults/mistaken.c" "$work" "$@"
