# SPDX-License-Identifier: Apache-2.0
#
# "make coverage": builds the tree once more with gcov, in tests/support/coverage.work below
# $FP_BUILDDIR, runs the tests there (COVERAGE_CHECK=check-unit: those of the modules only, in minutes),
# and says which part of the lines of each module they ran. Lines that only a process runs which is
# killed are not counted: gcov writes when a process ends by exit.
cd "$FP_BUILDDIR" || exit 99
work=tests/support/coverage.work
mkdir -p "$work" && cd "$work" || exit 99
test -f Makefile || "$top_srcdir/configure" -q --enable-coverage CFLAGS=-g >configure.log 2>&1 ||
	{ tail -n 20 configure.log; exit 1; }
find . -name '*.gcda' -exec rm -f {} +
${MAKE:-make} -k "${COVERAGE_CHECK:-check}" >check.log 2>&1 || grep '^FAIL' check.log
python3 "$top_srcdir/tests/support/coverage.py" "$top_srcdir" .
