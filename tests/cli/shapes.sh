# SPDX-License-Identifier: Apache-2.0
#
# Juliet's heap mistakes, as shapes.py writes them, at -O0 and -O2: where the first bad byte is. A default
# run says it of 175 in 181, or more, of those that it has a guard or padding in the way of; with --sweep
# it is said of all, also of reads before a block. And the first line is the one that makes the mistake,
# not one of what prints for everybody. `make check` takes a sample; with FP_TEST_LONG (make check-long) it
# is all, and AddressSanitizer, where the compiler has it, is asked for its distance.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/shapes.work
case $(uname -m) in
x86_64) ;;
*) exit 77 ;; # instructions are read on this processor
esac
test -x "$fencepost" || exit 99
command -v python3 >/dev/null || { echo 'no python3 here'; exit 77; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
python3 "$top_srcdir/tests/cli/shapes.py" . || exit 99
. "$top_srcdir/tests/cli/distances.sh"
bad=0 misplaced=0

build() { # build NAME OPTION...
	name=$1
	shift
	# One function for two cases would be one of them in what is said, and a jump leaves no caller.
	"${CXX:-g++}" "$@" -fno-ipa-icf -fno-optimize-sibling-calls -g -w -U_FORTIFY_SOURCE -o "$name" cases.cc sinks.cc io.cc
}
build plain -O0 && build fast -O2 || exit 77
divisor=1
test -n "$FP_TEST_LONG" || divisor=7

total=0 missed=0
try ./plain '*' all $divisor
try ./fast '*' all $((divisor * 2 - 1))
echo "a default run: $((total - missed)) of $total"
test $((missed * 181)) -le $((total * 6)) || complain "fewer than 175 of 181"
test "$total" -ge 90 || complain "only $total cases"

total=0 missed=0
try ./plain '*' '*' $((divisor * divisor)) --sweep
try ./fast '*' sweep $((divisor * 2 - 1)) --sweep
echo "--sweep: $((total - missed)) of $total"
test "$missed" -eq 0 || complain "--sweep does not say all"
test "$total" -ge 12 || complain "only $total cases with --sweep"
test "$misplaced" -eq 0 || complain "$misplaced first lines name another place"

test -n "$FP_TEST_LONG" || exit $bad
for level in -O0 -O2; do
	build asan $level -fsanitize=address && asan ./asan 250 1
done
exit $bad
