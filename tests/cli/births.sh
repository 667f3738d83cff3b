# SPDX-License-Identifier: Apache-2.0
#
# Every process is counted from its birth, also where its parent ends before it runs.
. "$top_srcdir/tests/support/wait.sh"
fencepost=$FP_BUILDDIR/src/cli/fencepost
births=$FP_BUILDDIR/tests/cli/births
work=$FP_BUILDDIR/tests/cli/births.work
test -x "$fencepost" && test -x "$births" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
bad=0

# A child that stands at its first instruction.
mkfifo pids || exit 99
"$births" trace pids "$work/done" &
tracer=$!
"$fencepost" run --error-exitcode=9 -- "$births" fork pids 2>report
status=$?
touch done
wait "$tracer"
traced=$?
if test "$traced" -eq 77; then
	echo "not tested: nobody may trace here"
else
	test "$traced" -eq 0 && test "$status" -eq 9 || { echo "fork: traced $traced, status $status"; bad=1; }
	grep -q '^fencepost: 1 process still runs, and reports by itself when it ends$' report ||
		{ echo "a child that did not run yet is not counted:"; cat report; bad=1; }
fi

# One that was just started runs yet, or has ended; never is it not there.
for how in spawn vfork; do
	for time in 1 2 3 4 5; do
		"$fencepost" run --error-exitcode=9 --quiet=no -- "$births" $how 2>report
		grep -q 'in 2 processes\|1 process still runs\|1 process was killed' report ||
			{ echo "$how: the child is not counted:"; cat report; bad=1; }
	done
done

for how in fail errno nothing; do
	"$fencepost" run --error-exitcode=9 -- "$births" $how 2>report
	status=$?
	test "$status" -eq 0 || test "$status" -eq 77 || { echo "$how: status $status"; cat report; bad=1; }
	if grep -q 'still run' report; then
		echo "$how: a child that never was is counted:"; cat report; bad=1
	fi
done
exit "$bad"
