#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# soak.c on every back end that works here, for SOAK_SECONDS each (600): it must come to its end,
# with its blocks whole and without a finding. "soak.sh BACKEND..." takes these back ends.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/soak/soak.work
seconds=${SOAK_SECONDS:-600}
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset LD_PRELOAD FENCEPOST_OPTIONS
cc=${CC:-cc}
$cc -g -O1 -w -pthread -o soak "$top_srcdir/tests/soak/soak.c" || exit 99
for number in 1 2 3; do
	$cc -g -O1 -w -shared -fPIC -o plugin$number.so "$top_srcdir/tests/real/programs/plugin.c" || exit 99
done
failed=0
for backend in ${*:-move guard mprotect none}; do
	"$fencepost" run --quiet --backend="$backend" --leak-check=no true 2>/dev/null ||
		{ echo "$backend: does not work here, left out"; continue; }
	# What hangs at its end, when nobody counts turns any more, hangs for good.
	timeout -k 10 $((2 * seconds + 600)) "$fencepost" run --quiet --backend="$backend" --log="$backend.report" \
		-- ./soak "$seconds" ./plugin1.so ./plugin2.so ./plugin3.so >"$backend.out" 2>"$backend.err"
	status=$?
	echo "$backend: status $status; $(tail -n 1 "$backend.out")"
	grep '^fencepost: [a-z-]* \(at\|of\|in\)' "$backend.report" | sort | uniq -c | sort -rn | head -n 20
	test "$status" -eq 0 || { failed=1; tail -n 20 "$backend.err"; }
done
exit $failed
