#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# How many of forty planted mistakes (bench/planted.c) are found, against what each tool costs. With a budget
# or a sample chance decides, so each mistake is made in FP_BUDGET_RUNS runs (50) with as many seeds. What
# sample=N is compared with budget=25 is the one that costs the same: it is looked for first. Costs are
# processor time and peak resident bytes of the program without a mistake, medians of FP_BUDGET_ROUNDS (9)
# rounds in which every tool has its turn. FP_BUDGET_TOOLS names the tools, FP_BUDGET_SAMPLE (sample=200) spares
# the search. Writes bench-budget.md and
# bench-budget.svg.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/bench/budget.work
runs=${FP_BUDGET_RUNS:-50}
rounds=${FP_BUDGET_ROUNDS:-9}
mistakes=40
test -x "$fencepost" || { echo "no $fencepost"; exit 99; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
export LC_ALL=C
unset LD_PRELOAD FENCEPOST_OPTIONS

"${CC:-cc}" -g -O1 "$top_srcdir/bench/planted.c" -o program || exit 99
"${CC:-cc}" -g -O1 -fsanitize=address "$top_srcdir/bench/planted.c" -o program_asan 2>/dev/null

# Whatever is in the way, in front of the program; the seed where there is one.
under() { # under TOOL SEED ARGUMENT...
	local tool=$1 seed=$2
	shift 2
	case $tool in
	native) ./program "$@" ;;
	strict) "$fencepost" run --quiet ./program "$@" ;;
	budget=* | sample=*) "$fencepost" run --quiet --"$tool" --seed="$seed" ./program "$@" ;;
	valgrind) valgrind -q --leak-check=no ./program "$@" ;;
	asan) ASAN_OPTIONS=detect_leaks=0 ./program_asan "$@" ;;
	heaptrack) heaptrack -o heaptrack ./program "$@" ;;
	esac
}

is_missing() {
	case $1 in
	valgrind | heaptrack) ! command -v "$1" >/dev/null ;;
	asan) ! test -x program_asan ;;
	*) false ;;
	esac
}

measure() { # measure TOOL...: lines "SECONDS KIB" into cost.TOOL
	local round tool TIMEFORMAT='%3U %3S'
	for ((round = 1; round <= rounds; round++)); do
		for tool; do
			{ time under "$tool" "$round" >out 2>err </dev/null; } 2>time
			awk -v kib="$(under "$tool" "$round" peak 2>/dev/null </dev/null | grep -x '[0-9]*')" '{ print $1 + $2, kib }' time >>"cost.$tool"
		done
	done
}

median() { # median TOOL COLUMN
	sort -n -k"$2,$2" "cost.$1" | awk -v column="$2" '{ value[NR] = $column } END { print value[int((NR + 1) / 2)] }'
}

# What costs as much as budget=25, or the next below: all in turn.
find_sample() {
	local n candidates="100 200 300 500 700 1000 2000 5000"
	# shellcheck disable=SC2046,SC2086  # they are words
	measure budget=25 $(printf 'sample=%s ' $candidates)
	for n in $candidates; do
		awk -v a="$(median "sample=$n" 1)" -v b="$(median budget=25 1)" 'BEGIN { exit !(a <= b) }' && break
	done
	rm -f cost.*
	echo "$n"
}

is_found() {
	grep -qE '^fencepost: (heap-|use-after|invalid)|^==[0-9]+== Invalid (read|write)|ERROR: AddressSanitizer' err
}

count() { # count TOOL: lines of budget.csv
	local tool=$1 times=$runs mistake run found what
	case $tool in native | strict | valgrind | asan | heaptrack) times=1 ;; esac
	for ((mistake = 0; mistake < mistakes; mistake++)); do
		found=0
		what=$(./program "$mistake" name)
		for ((run = 1; run <= times; run++)); do
			under "$tool" "$((mistake * 1000 + run))" "$mistake" >out 2>err </dev/null
			is_found && ((found++))
		done
		echo "$tool|$mistake|$what|$found|$times"
	done 2>/dev/null
}

sample=${FP_BUDGET_SAMPLE:-sample=$(find_sample)}
tools=${FP_BUDGET_TOOLS:-native strict budget=25 budget=100 $sample sample=100 valgrind asan heaptrack}
# Each once, and those that are here.
tools=$(for tool in $tools; do ! is_missing "$tool" && echo "$tool"; done | awk '!seen[$0]++')
# shellcheck disable=SC2086  # they are words
measure $tools
for tool in $tools; do
	count "$tool"
done >budget.csv
for tool in $tools; do
	echo "cost|$tool|$(median "$tool" 1)|$(median "$tool" 2)"
done >>budget.csv
awk -F'|' -v same="$sample" -f "$top_srcdir/bench/budget.awk" budget.csv | tee "$FP_BUILDDIR/bench-budget.md"
awk -F'|' -v svg=1 -f "$top_srcdir/bench/budget.awk" budget.csv >"$FP_BUILDDIR/bench-budget.svg"
