# SPDX-License-Identifier: Apache-2.0
#
# "make check-sanitize": builds the tree once more under AddressSanitizer and UndefinedBehaviorSanitizer, in
# tests/support/sanitize.work below $FP_BUILDDIR, and runs the tests there that can run so: those that a
# sanitizer's own malloc and handlers would falsify are left out by configure (SANITIZED in the lists).
# SANITIZE_CHECK=check-unit: those of the modules only; SANITIZE=... other sanitizers.
cd "$FP_BUILDDIR" || exit 99
work=tests/support/sanitize.work
mkdir -p "$work" && cd "$work" || exit 99
test -f Makefile || "$top_srcdir/configure" -q "--enable-sanitizers=${SANITIZE:-address,undefined}" \
	CFLAGS='-g -O1' >configure.log 2>&1 || { tail -n 20 configure.log; exit 1; }
${MAKE:-make} -k "${SANITIZE_CHECK:-check}" >check.log 2>&1
status=$?
grep -E '^(FAIL|ERROR|# (TOTAL|PASS|SKIP|FAIL|ERROR))' check.log
exit $status
