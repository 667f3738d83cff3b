#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Real programs under `fencepost run`: the same output and exit status as without it, and no
# finding that is not really there. "real.sh" runs the quick rows of table.sh, "real.sh all" all of
# them, "real.sh NAME..." those of these names. A program that is not installed is left out.
# FP_REAL_OPTIONS are options of the run ("--seal-batch=64"). Of each it says what processor time it took.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/real/real.work
limit=1800 # seconds that a row may take; on a busy machine a compiler takes ten minutes
test -x "$fencepost" || { echo "no $fencepost"; exit 99; }
rm -rf "$work" && mkdir -p "$work/input" || exit 99
# One language, one time zone, and nobody's configuration.
export LC_ALL=C TZ=UTC HOME="$work/input" input="$work/input" source="$top_srcdir"
unset LD_PRELOAD FENCEPOST_OPTIONS MAKEFLAGS MAKELEVEL
wanted=${*-}
ran=0 failed=0 calls=0 cut=0

is_wanted() { # is_wanted TIER NAME
	case " $wanted " in
	"  ") test "$1" = quick ;;
	*" all "* | *" $2 "*) ;;
	*) false ;;
	esac
}

has() { # has COMMAND...
	for program; do
		command -v "$program" >/dev/null || { echo "$name: no $program here, left out"; return 1; }
	done
}

complain() {
	echo "$name: $*"
	bad=1
}

# Of a thousand stacks one may end early at most: adds to the sums what the reports of the processes say.
count_stacks() {
	set -- $(awk '
		/"heap": {/ { is_heap = 1 }
		is_heap && /"allocations":/ { gsub(/[^0-9]/, ""); calls += $0; is_heap = 0 }
		/"[0-9,]* call stacks* could not be followed/ { sub(/call stacks* .*/, ""); gsub(/[^0-9]/, ""); cut += $0 }
		END { printf "%d %d", calls, cut }' "$name/report.json")
	calls=$((calls + $1)) cut=$((cut + $2))
	test "$2" -eq 0 || echo "$name: $2 stacks of $1 end early"
}

# Processor time of all that this shell has waited for: sets $seconds.
read_clock() {
	times >"$work/times" # a subshell has no such children
	seconds=$(awk -F '[ms ]+' 'END { print $1 * 60 + $2 + $3 * 60 + $4 }' "$work/times")
}

# In a directory of its own, so that what it makes is not there the second time.
execute() { # execute DIRECTORY PREFIX...
	mkdir -p "$work/$name/$1" && cd "$work/$name/$1" || exit 99
	shift
	read_clock
	before=$seconds
	timeout -k 5 "$limit" "$@" sh -c "$command" </dev/null >../out.$how 2>../err.$how
	status=$?
	read_clock
	cost=$(awk "BEGIN { printf \"%.2f\", $seconds - $before }")
}

row() { # row TIER NAME "NEEDED COMMANDS" COMMAND [TRUE-LINE REASON]
	tier=$1 name=$2 needs=$3 command=$4 known=${5-} reason=${6-}
	is_wanted "$tier" "$name" && has $needs || return 0
	bad=0
	how=native
	execute native env
	native=$status native_cost=$cost
	# Two failures are alike, and prove nothing.
	test "$native" -eq 0 && test -s ../out.native ||
		complain "status $native without us: $(tail -n 3 ../err.native)"
	how=run
	execute run "$fencepost" run ${FP_REAL_OPTIONS-} --leak-check=no --quiet --json="$work/$name/report.json" --log="$work/$name/report" --
	cd "$work" || exit 99
	test "$status" -eq "$native" || complain "status $status, not $native: $(tail -n 3 "$name/err.run")"
	cmp -s "$name/out.native" "$name/out.run" ||
		complain "other output: $(diff "$name/out.native" "$name/out.run" | head -n 5)"
	grep '^fencepost: [a-z-]* \(at\|of\|in\|(SIG\)' "$name/report" >"$name/findings"
	if test -n "$known"; then
		echo "$name: this is so: $reason"
		grep -v -e "$known" "$name/findings" >"$name/others"
		mv "$name/others" "$name/findings"
	fi
	test ! -s "$name/findings" || complain "findings: $(cat "$name/report")"
	grep '^fencepost:' "$name/err.run" | grep -v -e "${known:-^$}" >"$name/messages" && complain "$(cat "$name/messages")"
	count_stacks
	echo "$name: $native_cost s natively, $cost s under us"
	ran=$((ran + 1))
	test "$bad" -eq 0 || failed=$((failed + 1))
	test "$bad" -ne 0 || rm -rf "${work:?}/$name"
}

. "$top_srcdir/tests/real/table.sh"
test "$((cut * 1000))" -le "$calls" || { echo "$cut stacks of $calls end early"; failed=$((failed + 1)); }
echo "$ran programs, $failed failed; $cut stacks of $calls end early"
test "$ran" -gt 0 || exit 77
test "$failed" -eq 0
