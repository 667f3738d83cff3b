# SPDX-License-Identifier: Apache-2.0
#
# Code that a program made while it ran has the names that it left in /tmp/perf-PID.map: in the report, in
# what is shown while it runs, and in the log that is kept when that file is gone. A file that is older than
# the process, or another user's, is not believed.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/made.work
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
${CC:-cc} -g -O0 -w "$top_srcdir/tests/cli/made_victim.c" -o victim || exit 99
bad=0
complain() {
	echo "made.sh: $*"
	bad=1
}

run() { # run HOW
	"$fencepost" run --json=report.json --events=events ./victim "$1" >out 2>text
	status=$?
	pid=$(sed -n 's/^ *"pid": \([0-9]*\),$/\1/p' report.json | head -n 1)
	rm -f "/tmp/perf-$pid.map"
}

run named
test $status != 77 || { echo "no code can be made here"; exit 77; }
grep -q '#1 made (string)  a.source:7$' text || complain "a made frame without its name: $(cat text)"
grep -q '"function": "made (string)"' report.json || complain "no such function in the JSON"
grep -q 'stood there before\|not whole' text report.json && complain "another name: $(cat text)"
"$fencepost" report events >later 2>&1
grep -q '#1 made (string)  a.source:7$' later || complain "the log has lost the name: $(cat later)"

run killed
grep -q '#1 made (string)  a.source:7$' text || complain "killed, and no name: $(cat text)"

for how in old foreign; do
	run $how
	test $status = 98 && continue
	grep -q '#1  *(0x[0-9a-f]*, in no known module)$' text || complain "believed, but $how: $(cat text)"
done
exit $bad
