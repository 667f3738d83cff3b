# SPDX-License-Identifier: Apache-2.0
#
# Runs each fuzz target, or those named, for FUZZ_SECONDS (60) under AddressSanitizer and
# UndefinedBehaviorSanitizer, from "make fuzz". What libFuzzer finds is left in
# tests/fuzz/<target>.work below $FP_BUILDDIR: crash-* are to be mended, "new" holds inputs that
# reached code which the corpus does not; with FUZZ_MERGE=yes those that are worth it join it.
cd "$FP_BUILDDIR" || exit 99
clang=${FUZZ_CC:-clang}
command -v "$clang" >/dev/null || { echo "no $clang here (Debian: apt-get install clang)"; exit 77; }
seconds=${FUZZ_SECONDS:-60}
fuzz=$top_srcdir/tests/fuzz
bad=0

build() { # build TARGET
	# shellcheck disable=SC2046,SC2086  # lists of words
	"$clang" -g -O2 -std=gnu17 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-include config.h -I"$top_srcdir/src" -I"$top_srcdir/tests/report" -I"$top_srcdir/tests/fuzz" \
		$(pkg-config --cflags jansson) \
		"$fuzz/target_$1.c" "$fuzz/render.c" "$top_srcdir/tests/report/symbols.c" \
		"$top_srcdir/tests/report/logs.c" "$top_srcdir/tests/report/sample.c" \
		"$top_srcdir/tests/report/encoder.c" \
		$(find "$top_srcdir/src/report" "$FP_BUILDDIR/src/report" -name '*.c' | sort -u) \
		"$top_srcdir"/src/options/*.c "$top_srcdir"/src/model/*.c "$top_srcdir"/src/base/*.c \
		$(pkg-config --libs jansson) -o "tests/fuzz/$1.work/fuzz"
}

run() { # run TARGET
	work=tests/fuzz/$1.work
	set -- "$1" "$fuzz/corpus/$1"
	test "$1" = json && set -- "$@" "$top_srcdir/tests/report/golden"
	mkdir -p "$work/new" && build "$1" || return 1
	target=$1
	shift
	dictionary=
	test -f "$fuzz/$target.dict" && dictionary=-dict=$fuzz/$target.dict
	ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=8 \
		"$work/fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 \
		-artifact_prefix="$work/" $dictionary "$work/new" "$@" >"$work/log" 2>&1
	status=$?
	echo "$target: $(grep -E '^(Done|SUMMARY)' "$work/log" | tail -n 1)"
	test $status -eq 0 || { tail -n 40 "$work/log"; return 1; }
	test "$FUZZ_MERGE" != yes || "$work/fuzz" -set_cover_merge=1 -use_counters=0 -use_cmp=0 \
		-max_len=8192 "$fuzz/corpus/$target" "$work/new" >>"$work/log" 2>&1
}

test $# -gt 0 || set -- $(ls "$fuzz/corpus")
for target; do
	mkdir -p "tests/fuzz/$target.work" && run "$target" || bad=1
done
exit $bad
