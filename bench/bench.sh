#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs every workload under every contestant, interleaved, and writes bench.csv (each single
# result), bench.md (medians, ratios, targets; also printed) and bench.svg in the current directory,
# which is the build directory. Started by "make bench". A contestant that dies, hangs or is not
# installed is a result with its reason, never a gap.
#
#   BENCH_ROUNDS=5         rounds over everything; the tables show medians
#   BENCH_QUESTIONS='*'    which questions, as shell patterns: 'churn-* trace'
#   BENCH_CONTESTANTS='*'  which contestants, likewise: 'fencepost-* glibc'
#   BENCH_MILLISECONDS=300 how long each loop is measured
#   BENCH_TIMEOUT=60       seconds after which a single run is given up
set -u
set -f # the patterns above are for case, not for file names
LC_ALL=C
export LC_ALL
: "${BENCH_ROUNDS:=5}" "${BENCH_QUESTIONS:=*}" "${BENCH_CONTESTANTS:=*}"
: "${BENCH_MILLISECONDS:=300}" "${BENCH_TIMEOUT:=60}" "${FP_BENCH_SRCDIR:=$(dirname "$0")}"
export BENCH_MILLISECONDS BENCH_TIMEOUT

# name|program|arguments|who takes part|options for Fencepost besides the back end
questions='churn-1k|churn|1000|all|
churn-1k-deep|churn|1000 20|all|
churn-20k|churn|20000|all|
churn-200k|churn|200000|all|
churn-1m|churn|1000000|all|
fill-20k|fill|20000|all|
fill-200k|fill|200000|all|
threads-1|threads|1 own|all|
threads-2-own|threads|2 own|all|
threads-4-own|threads|4 own|all|
threads-2-shared|threads|2 shared|all|
threads-4-shared|threads|4 shared|all|
resident-1m|resident|1000000|all|
fork-0|fork|1|all|
fork-1k|fork|1000|all|
sample-1|churn|1000|sampler|:sample=1
sample-10|churn|1000|sampler|:sample=10
sample-100|churn|1000|sampler|:sample=100
sample-1000|churn|1000|sampler|:sample=1000
sample-10000|churn|1000|sampler|:sample=10000
leaks-1m|leaks|blocks 1000000|leaks|
leaks-1g|leaks|roots 1073741824|leaks|
trace|trace||trace|'

# name|Debian package|library to preload|environment
preloads='tcmalloc|libgoogle-perftools4|libtcmalloc_debug.so.4|TCMALLOC_PAGE_FENCE=1
efence|electric-fence|libefence.so.0|EF_DISABLE_BANNER=1
duma|duma|libduma.so.0|DUMA_DISABLE_BANNER=1
libdislocator|afl++|/usr/lib/afl/libdislocator.so|AFL_LD_LIMIT_MB=16384'

fencepost_options() { # fencepost_options CONTESTANT OPTIONS
	case $1 in
	fencepost-batch) settings="backend=auto:seal_batch=64" ;;
	*) settings="backend=${1#fencepost-}" ;;
	esac
	echo "$settings:leak_check=no:quiet=yes$2"
}

# Runs bench/PROGRAM under CONTESTANT; the options are Fencepost's.
launch() { # launch CONTESTANT OPTIONS PROGRAM ARGUMENTS...
	tool=$1 settings=$2 binary=bench/$3
	shift 3
	case $tool in
	trace) set -- "$binary" ;;
	leaks) set -- env FENCEPOST_OPTIONS=leak_check=summary:quiet=yes "$binary" "$@" ;;
	kernel)
		case $binary in
		*fork) set -- bench/fork_pages "$1" ;;
		*) set -- bench/floor "$1" ;;
		esac
		;;
	fencepost-*)
		set -- env FENCEPOST_OPTIONS="$(fencepost_options "$tool" "$settings")" "${binary}_host" "$@"
		;;
	malloc-door)
		set -- env LD_PRELOAD="$PWD/src/preload/.libs/libfencepost-preload.so" \
			FENCEPOST_OPTIONS="$(fencepost_options fencepost-auto "$settings")" "${binary}_malloc" "$@"
		;;
	glibc) set -- "${binary}_malloc" "$@" ;;
	asan) set -- env ASAN_OPTIONS=detect_leaks=0 "${binary}_asan" "$@" ;;
	valgrind) set -- valgrind -q --leak-check=no "${binary}_malloc" "$@" ;;
	*)
		peer=$(echo "$preloads" | grep "^$tool|")
		library=$(echo "$peer" | cut -d'|' -f3)
		set -- env LD_PRELOAD="$library" "${peer##*|}" "${binary}_malloc" "$@"
		;;
	esac
	# The programs end their own work in time; this is for a tool that hangs outside of it.
	timeout -k 5 $((BENCH_TIMEOUT + 60)) "$@" 2>bench.err
}

# The line of bench.err that says what went wrong, fit for a CSV field.
complaint() {
	grep -v '^[[:space:]]*$' bench.err |
		awk '!best && /fail|annot|error|rror:|denied|limit/ { best = $0 } { last = $0 } END { print best ? best : last }' |
		tr -d '",' | tr -s '[:space:]' ' ' | sed 's, $,,' | cut -c 1-160
}

is_wanted() { # is_wanted WORD PATTERNS
	for pattern in $2; do
		# shellcheck disable=SC2254  # it is to be a pattern
		case $1 in $pattern) return 0 ;; esac
	done
	return 1
}

# Whether CONTESTANT can run here at all; if not, one line on standard output says why.
is_here() { # is_here CONTESTANT
	case $1 in
	fencepost-* | malloc-door | kernel)
		launch "$1" '' resident 1 >bench.out && return 0
		complaint
		;;
	asan)
		test -x bench/churn_asan && return 0
		echo "the compiler has no AddressSanitizer"
		;;
	valgrind)
		command -v valgrind >/dev/null && return 0
		echo "not installed (Debian: valgrind)"
		;;
	glibc) return 0 ;;
	*)
		peer=$(echo "$preloads" | grep "^$1|" | cut -d'|' -f2,3)
		LD_PRELOAD=${peer#*|} /bin/true 2>&1 | grep -q 'cannot be preloaded' || return 0
		echo "not installed (Debian: ${peer%|*})"
		;;
	esac
	return 1
}

record() { # record QUESTION CONTESTANT ROUND METRIC VALUE OUTCOME
	printf '%s,%s,%s,%s,%s,"%s"\n' "$@" >>bench.csv
}

# One run, one or more lines in bench.csv. Whoever failed a question once is not asked again.
measure() { # measure ROUND CONTESTANT QUESTION PROGRAM ARGUMENTS OPTIONS
	case $failed in *" $3/$2 "*) return ;; esac
	case $2/$4 in kernel/churn | kernel/fork) ;; kernel/*) return ;; esac # it knows nothing else
	# shellcheck disable=SC2086  # the arguments are words
	launch "$2" "$6" "$4" $5 >bench.out
	status=$?
	read -r first rest <bench.out || first=
	case $first in
	died | timeout | refused)
		why=$(complaint)
		record "$3" "$2" "$1" failed '' "$first $rest${why:+: $why}"
		;;
	*)
		if test "$status" -eq 0 && test -n "$first"; then
			while read -r metric value; do
				record "$3" "$2" "$1" "$metric" "$value" ok
			done <bench.out
			return
		fi
		record "$3" "$2" "$1" failed '' "exit status $status: $(complaint)"
		;;
	esac
	failed="$failed $3/$2 "
}

ask_all() { # ask_all ROUND
	echo "$questions" | while IFS='|' read -r name program arguments who options; do
		is_wanted "$name" "$BENCH_QUESTIONS" || continue
		case $who in
		all) participants=$contestants ;;
		sampler) participants=$sampler ;;
		*) participants=$who ;;
		esac
		test -n "$participants" || continue
		echo "round $1 of $BENCH_ROUNDS: $name" >&2
		for participant in $participants; do
			measure "$1" "$participant" "$name" "$program" "$arguments" "$options" </dev/null
		done
		echo "$failed" >bench.failed # this loop is a subshell
	done
	failed=$(cat bench.failed)
}

describe_machine() {
	echo "# date: $(date -u '+%Y-%m-%d %H:%M UTC')"
	echo "# kernel: $(uname -sr), $(getconf _NPROCESSORS_ONLN) CPUs ($(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)), $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)"
	echo "# limits: vm.max_map_count=$(cat /proc/sys/vm/max_map_count)"
	echo "# command: make bench BENCH_ROUNDS=$BENCH_ROUNDS BENCH_MILLISECONDS=$BENCH_MILLISECONDS BENCH_QUESTIONS='$BENCH_QUESTIONS' BENCH_CONTESTANTS='$BENCH_CONTESTANTS'"
	if revision=$(git -C "$FP_BENCH_SRCDIR" describe --always --dirty 2>/dev/null); then
		echo "# revision: $revision"
	fi
	versions=$(dpkg-query -W -f '${Package} ${Version}, ' libc6 valgrind libasan8 libgoogle-perftools4 \
		electric-fence duma afl++ 2>/dev/null)
	test -z "$versions" || echo "# packages: ${versions%, }"
}

rm -f bench.csv bench.md bench.svg
describe_machine >bench.csv
echo 'question,contestant,round,metric,value,outcome' >>bench.csv
contestants='' sampler='' failed=''
for candidate in fencepost-move fencepost-batch fencepost-guard fencepost-mprotect fencepost-none malloc-door kernel glibc valgrind asan \
	$(echo "$preloads" | cut -d'|' -f1); do
	is_wanted "$candidate" "$BENCH_CONTESTANTS" || continue
	if why=$(is_here "$candidate"); then
		contestants="$contestants $candidate"
	else
		echo "$candidate: $why" >&2
		record all "$candidate" 0 failed '' "$why"
	fi
done
case " $contestants " in *" malloc-door "*) sampler=malloc-door ;; esac

round=1
while test "$round" -le "$BENCH_ROUNDS"; do
	ask_all "$round"
	round=$((round + 1))
done
rm -f bench.err bench.out bench.failed

awk -f "$FP_BENCH_SRCDIR/median.awk" -f "$FP_BENCH_SRCDIR/table.awk" bench.csv >bench.md || exit
cat bench.md
if command -v gnuplot >/dev/null; then
	awk -f "$FP_BENCH_SRCDIR/median.awk" -f "$FP_BENCH_SRCDIR/plot.awk" bench.csv | gnuplot >bench.svg || exit
	echo "written: bench.csv bench.md bench.svg" >&2
else
	echo "written: bench.csv bench.md; no plot: gnuplot is not installed (Debian: gnuplot-nox)" >&2
fi
