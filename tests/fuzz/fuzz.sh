# SPDX-License-Identifier: Apache-2.0
#
# Runs each fuzz target, or those named in FUZZ_TARGETS ("log core heap-none"), for FUZZ_SECONDS (60)
# under AddressSanitizer and UndefinedBehaviorSanitizer, from "make fuzz", which builds the tree once
# more with clang, in tests/fuzz/build.work below $FP_BUILDDIR; FUZZ_TARGETS=none only builds. heap-NAME
# is heap on that back end. What libFuzzer finds is left in tests/fuzz/<target>.work:
# crash-* are to be mended, "new" holds inputs that reached code which the corpus does not; with
# FUZZ_MERGE=yes those that are worth it join it.
cd "$FP_BUILDDIR" || exit 99
clang=${FUZZ_CC:-clang}
command -v "$clang" >/dev/null || { echo "no $clang here (Debian: apt-get install clang)"; exit 77; }
seconds=${FUZZ_SECONDS:-60}
fuzz=$top_srcdir/tests/fuzz
build=tests/fuzz/build.work
bad=0

# The rules of the tree itself, so that no list of sources and libraries stands twice.
build_programs() {
	mkdir -p "$build" && cd "$build" || return 1
	test -f Makefile || "$top_srcdir/configure" -q --enable-sanitizers=address,undefined \
		CC="$clang" CXX="$clang++" CFLAGS='-g -O1 -fsanitize=fuzzer-no-link' >configure.log 2>&1 ||
		{ tail -n 20 configure.log; return 1; }
	${MAKE:-make} -s fuzz-programs FP_FUZZ_ENGINE=-fsanitize=fuzzer >make.log 2>&1 ||
		{ tail -n 20 make.log; return 1; }
}

# Executions and peak memory of one run, from the log of libFuzzer.
tell() { # tell TARGET LOG
	awk -v target="$1" '/^stat::number_of_executed_units/ { runs = $2 }
		/^stat::average_exec_per_sec/ { speed = $2 }
		/^stat::peak_rss_mb/ { peak = $2 }
		END { printf "%s: %s executions, %s a second, %s MB at most\n", target, runs, speed, peak }' "$2"
}

run() { # run TARGET
	target=${1%%-*}
	work=tests/fuzz/$1.work
	name=$1
	case $1 in heap-*) export FP_FUZZ_BACKEND="${1#heap-}" ;; esac
	mkdir -p "$work/new"
	set -- "$work/new" "$fuzz/corpus/$target"
	test "$target" != json || set -- "$@" "$top_srcdir/tests/report/golden"
	test "$target" != options || sed -n 's/^FP_OPTION(_*\([a-z_]*\).*/"\1="/p' \
		"$top_srcdir/src/options/options.def" >"$work/options.dict"
	test ! -f "$work/options.dict" || set -- "-dict=$work/options.dict" "$@"
	test ! -f "$fuzz/$target.dict" || set -- "-dict=$fuzz/$target.dict" "$@"
	ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=8:$(cat "$fuzz/$target.asan" 2>/dev/null) \
		"$build/tests/fuzz/replay_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
		-max_len=65536 -print_final_stats=1 -artifact_prefix="$work/" "$@" >"$work/log" 2>&1
	status=$?
	grep 'NOT TESTED' "$work/log" || tell "$name" "$work/log"
	test $status -eq 0 || { tail -n 40 "$work/log"; return 1; }
	test "$FUZZ_MERGE" != yes || "$build/tests/fuzz/replay_$target" -set_cover_merge=1 -use_counters=0 \
		-use_cmp=0 -max_len=8192 "$fuzz/corpus/$target" "$work/new" >>"$work/log" 2>&1
}

(build_programs) || exit 1
. "$fuzz/core.sh"
for target in ${FUZZ_TARGETS:-$(ls "$fuzz/corpus" | sed 's/^heap$/heap-move heap-guard heap-mprotect heap-none/')}; do
	case $target in
	none) ;;
	core) make_core && { run core || bad=1; } ;;
	*) run "$target" || bad=1 ;;
	esac
done
exit $bad
