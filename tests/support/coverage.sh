# SPDX-License-Identifier: Apache-2.0
#
# "make coverage": builds the tree once more with clang's coverage in what src has, in
# tests/support/coverage.work below $FP_BUILDDIR, runs the tests there (COVERAGE_CHECK='tests/heap/test_heap ...':
# only these; empty: none, only the report of what has run), and says which part of the lines of each module
# they ran. The counters are a file that every process maps: those that were killed have counted, too.
cd "$FP_BUILDDIR" || exit 99
work=tests/support/coverage.work
mkdir -p "$work" && cd "$work" || exit 99
make=${MAKE:-make}
echo "-g -O0 -fprofile-instr-generate=$PWD/coverage/%m%c.profraw -fcoverage-mapping -mllvm -runtime-counter-relocation \
-Qunused-arguments" >flags
test -f Makefile || "$top_srcdir/configure" -q CC=clang CFLAGS='-g -O1' >configure.log 2>&1 ||
	{ tail -n 20 configure.log; exit 1; }
# What the tests are made of is compiled as ever, and only linked with what counts.
libraries='src/core/links.stamp src/hosting/libfencepost.la src/preload/libfencepost-preload.la'
$make CFLAGS="@$PWD/flags" LDFLAGS="@$PWD/flags" $libraries src/cli/fencepost >make.log 2>&1 ||
	{ tail -n 20 make.log; exit 1; }
if test -n "${COVERAGE_CHECK-all}"; then
	rm -rf coverage
	# Neither is built as these say: the calls that a module makes, and the journal under ThreadSanitizer.
	tests=${COVERAGE_CHECK-$($make -s --no-print-directory test-names | tr ' ' '\n' | grep -v -e lint/context -e session/races)}
	$make -k check CC=gcc CCLD=clang CXXLD=clang++ LDFLAGS="@$PWD/flags" TESTS="$(echo $tests)" >check.log 2>&1 ||
		grep '^FAIL' check.log
fi
python3 "$top_srcdir/tests/support/coverage.py" "$top_srcdir" .
