# SPDX-License-Identifier: Apache-2.0
#
# "make analyze": clang-tidy, cppcheck and gcc -fanalyzer over what is compiled on this machine; silent when all
# is well. ANALYZERS="tidy cppcheck gcc" and ANALYZED=src/heap choose. What clang-tidy is not asked is said in .clang-tidy.
cd "$top_srcdir" || exit 99
work=$FP_BUILDDIR/tests/lint/analyze.work
rm -rf "$work" && mkdir -p "$work" || exit 99
flags="-std=gnu17 -include $FP_BUILDDIR/config.h -include src/core/names.h -Iinclude -Isrc -I$FP_BUILDDIR/src
	-DFP_BINDIR=\"\" -DFP_PKGLIBDIR=\"\""
# What cppcheck is wrong about. It is given what the preprocessor made, because it cannot expand the tables of
# schema.def; typedefs of numbers are lost by that. It takes a loop's condition for a doubt about the first
# round, and a range's for a doubt about NULL, and that a first snapshot is special (trend.c) for a doubt about
# the last; knows neither memory that is only lent (calls.def) nor what dlsym and the assembler fill; and
# at_quick_exit can fail only where there is nobody to tell.
suppress="--suppress=nullPointerRedundantCheck --suppress=nullPointerArithmeticRedundantCheck
	--suppress=invalidPrintfArgType_uint --suppress=ignoredReturnValue:src/*/e*.c --suppress=uninitvar:*calls.def
	--suppress=legacyUninitvar:src/preload/operators.c --suppress=CastIntegerToAddressAtReturn
	--suppress=uninitvar:src/stack/cpu_*.h --suppress=ctuuninitvar:src/stack/cpu_*.h
	--suppress=arrayIndexOutOfBoundsCond:src/timeline/trend.c"
# And -fanalyzer, which does not see that a table's row is of the struct that is given with it, that tsearch keeps what
# it is given, that the first slot says the back end, that an address of ours has a span, that a guard is some
# region's and a stack some thread's, and that a register of the machine is unknown until it is set.
wrong='src/log/records.c:.*-use-of-uninitialized-value|src/symbol/symbol.c:.*-malloc-leak'
wrong="$wrong|src/(guard/arena|guard/span|region/table|leak/hunt).[ch]:.*-null-dereference"
wrong="$wrong|src/fault/machine_steps_x86_64.c:.*-use-of-uninitialized-value"
others=$(printf '%s\n' x86_64 aarch64 other | grep -vx "$(uname -m)" | paste -s -d '|')
export work flags suppress wrong

each() { # each COMMAND FILES-AT-ONCE: COMMAND with each file of ours
	find ${ANALYZED:-src} -name '*.c' | grep -vE "_($others)\.c$|old_libc" | sort | xargs -P "$(nproc)" -n "$2" sh -c "$1" each
}

for analyzer in ${ANALYZERS:-tidy cppcheck gcc}; do
	case $analyzer in
	tidy) each 'clang-tidy --quiet "$@" -- $flags 2>/dev/null' 8 ;;
	cppcheck) each 'out=$work/$(echo "$1" | tr / _)
		gcc -E $flags "$1" | sed "s/^# \([0-9]*\) \(\"[^\"]*\"\).*/#line \1 \2/" >"$out"
		set -f
		cppcheck -q --enable=warning,performance,portability $suppress \
			--template="{file}:{line}: {severity}: {id}: {message}" "$out" 2>&1 | grep "^[^:]*src/"' 1 ;;
	gcc) each 'gcc -O1 -g -fanalyzer -fdiagnostics-plain-output -fdiagnostics-path-format=none $flags -c -o /dev/null "$1" 2>&1 |
		grep -E "(warning|error):" | grep -vE "$wrong"' 1 ;;
	*) echo "there is no analyzer '$analyzer'"; exit 99 ;;
	esac
done | tee "$work/found"
test ! -s "$work/found"
