# SPDX-License-Identifier: Apache-2.0
#
# "make check-peers": takes the source packages of Valgrind, GCC, LLVM and glibc from Debian, once, and
# holds Fencepost against what their tests expect (peers.py). PEERS="valgrind gcc" chooses.
# Everything, half a gigabyte at most, is below $FP_BUILDDIR/tests/peers/peers.work.
work=$FP_BUILDDIR/tests/peers/peers.work
mkdir -p "$work" && cd "$work" || exit 99
. "$top_srcdir/tests/peers/sources.sh"
export PATH="$FP_BUILDDIR/src/cli:$PATH"
bad=0
for suite in ${PEERS:-valgrind gcc llvm glibc}; do
	case $suite in
	valgrind) take_source valgrind 'memcheck/tests' 'memcheck/memcheck.h' 'include/*.h' 'tests/*.h' ;;
	gcc) take_source gcc-12 gcc/testsuite/c-c++-common/asan gcc/testsuite/gcc.dg/asan gcc/testsuite/g++.dg/asan ;;
	llvm) take_source llvm-toolchain-14 compiler-rt/test/asan/TestCases compiler-rt/test/lsan/TestCases ;;
	glibc) take_source glibc malloc ;;
	*) echo "no suite is called $suite" && false ;;
	esac || { bad=1; continue; }
	python3 "$top_srcdir/tests/peers/peers.py" "$suite" sources "run-$suite" >"$suite.log" 2>&1 || bad=1
	grep '^differs' "$suite.log"
	tail -n 1 "$suite.log"
done
exit $bad
