# SPDX-License-Identifier: Apache-2.0
#
# "make check-sanitize": the suite under sanitizers, in builds of its own below
# $FP_BUILDDIR/tests/support/sanitize.work; SANITIZE="modules threads processes" chooses, and
# SANITIZE_TESTS="tests/heap/test_heap ...".
#   modules    everything under AddressSanitizer and UndefinedBehaviorSanitizer: the tests of the modules
#   threads    everything but the unwinder under ThreadSanitizer: the same tests
#   processes  the whole suite: the program is that of `modules`; the libraries, which take the place of
#              AddressSanitizer's malloc, have what UndefinedBehaviorSanitizer needs no run time for: it ends
#              the process with SIGILL
# What is left out where, and why, is said here alone, and at the end.
cd "$FP_BUILDDIR" || exit 99
mkdir -p tests/support/sanitize.work && cd tests/support/sanitize.work || exit 99
work=$PWD
make=${MAKE:-make}
cflags='-g -O1'

# why BUILD TEST: the reason why TEST is no test of BUILD's, or nothing.
why() {
	case $1:$2 in
	processes:*) ;;
	*:tests/cli/completion.sh | *:tests/cli/merge.sh | *:tests/cli/report.sh | *:tests/cli/schema.sh) ;;
	*:tests/cases/table.sh) ;;
	*:tests/cli/* | *:tests/e2e/* | *:tests/preload/* | *:tests/real/* | *:tests/html/* | *:tests/integrations/* | \
	*:tests/packages/* | *:tests/peers/* | *:tests/cases/* | *:tests/examples/* | *:tests/faults/* | *:tests/report/valgrind.sh)
		echo "whole processes under the library: of the build 'processes'" ;;
	*:*/test_no_malloc) echo "counts calls of the C library's malloc, which is the sanitizer's here" ;;
	*:tests/lint/*) echo "reads sources, or what was built without a sanitizer" ;;
	*:tests/hosting/*.sh) echo "compiles programs without the sanitizer, whose run time has to come first" ;;
	*:tests/session/races.sh) echo "is ThreadSanitizer's in every build" ;;
	*:tests/session/* | *:tests/hosting/test_extension | *:tests/hosting/test_objects | *:tests/hosting/test_sample_hosts | \
	*:tests/hosting/test_memory* | *:tests/hosting/test_notify)
		echo "the sanitizer's vfork does not know the stack of the child that runs the reporter" ;;
	esac
}

# build NAME FLAGS...: configures it.
build() {
	mkdir -p "$work/$1" && cd "$work/$1" || exit 99
	shift
	test -f Makefile || "$top_srcdir/configure" -q "$@" CFLAGS="$cflags" >configure.log 2>&1 ||
		{ tail -n 20 configure.log; exit 1; }
}

failed=0
# check NAME: the tests that are NAME's.
check() {
	tests=
	: >left-out
	for test in ${SANITIZE_TESTS:-$($make -s --no-print-directory test-names)}; do
		reason=$(why "$1" "$test")
		if test -n "$reason"; then
			echo "$reason: $test" >>left-out
		else
			tests="$tests $test"
		fi
	done
	$make -k check TESTS="$tests" >check.log 2>&1 || failed=1
	echo "$1:"
	grep -E '^(FAIL|ERROR|# (TOTAL|PASS|SKIP|FAIL|ERROR))' check.log
	sed 's/^/left out: /' left-out
}

for name in ${SANITIZE:-modules threads processes}; do
	case $name in
	modules) build modules --enable-sanitizers=address,undefined ;;
	threads) build threads --enable-sanitizers=thread ;;
	processes)
		build modules --enable-sanitizers=address,undefined
		$make src/cli/fencepost >program.log 2>&1 || { tail -n 20 program.log; exit 1; }
		build processes
		$make CFLAGS="$cflags -fsanitize=undefined -fsanitize-undefined-trap-on-error" src/core/links.stamp \
			src/hosting/libfencepost.la src/preload/libfencepost-preload.la >libraries.log 2>&1 ||
			{ tail -n 20 libraries.log; exit 1; }
		$make >make.log 2>&1
		cp ../modules/src/cli/fencepost src/cli/fencepost
		;;
	*) echo "there is no build '$name'"; exit 99 ;;
	esac
	check "$name"
done
exit $failed
