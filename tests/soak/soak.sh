#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# soak.c on every back end that works here, for SOAK_SECONDS each (1800), while somebody outside looks for its leaks,
# too: it must come to its end with its blocks whole and no more memory than in the middle, and the report has the
# mistakes that it made, each of them, and no other. "soak.sh BACKEND..." takes these back ends.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/soak/soak.work
seconds=${SOAK_SECONDS:-1800}
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset LD_PRELOAD FENCEPOST_OPTIONS
cc=${CC:-cc}
$cc -g -O1 -w -pthread -o soak "$top_srcdir/tests/soak/soak.c" || exit 99
for number in 1 2 3; do
	$cc -g -O1 -w -shared -fPIC -o plugin$number.so "$top_srcdir/tests/real/programs/plugin.c" || exit 99
done
failed=0

complain() {
	echo "$backend: $*"
	failed=1
}

# Until it is told to stop. RUNNER is timeout(1), which runs fencepost, which runs the program.
ask_from_outside() { # ask_from_outside RUNNER
	while sleep 5; do
		process=$(pgrep -P "$(pgrep -P "$1" | head -n 1)" | head -n 1)
		test -n "$process" && "$fencepost" leaks "$process" >"$backend.asked" 2>&1 && echo asked >>"$backend.answers"
	done
}

line_of() {
	grep -n "plant: $1 \*/" "$top_srcdir/tests/soak/soak.c" | cut -d: -f1
}

# check TWICE LOST: what the report counts is that, and nothing else.
check() {
	python3 - "$backend.json" "$(line_of double-free)" "$1" "$(line_of leak)" "$2" <<-'END'
		import collections, json, sys
		with open(sys.argv[1]) as file:
		    reports = json.load(file)
		told = collections.Counter()
		for report in reports if isinstance(reports, list) else [reports]:
		    for item in report["findings"]:
		        told[item["kind"], item["stack"][0].get("line")] += item["count"]
		    for item in report["leaks"]:
		        if item["kind"] in ("definite", "indirect"):
		            told[item["kind"], item["alloc_stack"][0].get("line")] += item["blocks"]
		line, twice, lost_line, lost = map(int, sys.argv[2:])
		wanted = collections.Counter({("double-free", line): twice, ("definite", lost_line): lost})
		if twice == 0 or told != wanted:
		    sys.exit(f"told of {dict(told)} and not of {dict(wanted)}")
	END
}

for backend in ${*:-move guard mprotect none}; do
	"$fencepost" run --quiet --backend="$backend" --leak-check=no true 2>/dev/null ||
		{ echo "$backend: does not work here, left out"; continue; }
	# What hangs at its end, when nobody counts turns any more, hangs for good.
	timeout -k 10 $((2 * seconds + 600)) "$fencepost" run --quiet --backend="$backend" --leak-signal=USR2 \
		--log="$backend.report" --json="$backend.json" -- ./soak "$seconds" ./plugin1.so ./plugin2.so ./plugin3.so >"$backend.out" 2>"$backend.err" &
	runner=$!
	ask_from_outside $runner &
	asker=$!
	wait $runner
	status=$?
	kill $asker
	wait $asker 2>/dev/null
	echo "$backend: status $status; $(tail -n 1 "$backend.out")"
	sed -n 's/^planted \(.*\) \(.*\)/  freed twice: \1; lost: \2/p' "$backend.out"
	echo "  leaks asked for from outside: $(cat "$backend.answers" 2>/dev/null | wc -l) times"
	test "$seconds" -lt 20 || test -s "$backend.answers" || complain "no answer: $(cat "$backend.asked")"
	test "$status" -eq 0 || complain "$(tail -n 20 "$backend.err")"
	counts=$(sed -n 's/^planted //p' "$backend.out")
	test -z "$counts" || why=$(check $counts 2>&1) || complain "$why"
	grep '^fencepost: [a-z-]* \(at\|of\|in\)' "$backend.report" | sort | uniq -c | sort -rn | head -n 20
done
exit $failed
