# SPDX-License-Identifier: Apache-2.0
#
# What a program poisons of its blocks with AddressSanitizer's functions: a whole page faults and keeps what
# is in it, what is handed to calls is checked to the byte, each with the stack of who poisoned; with every back end.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/poison_victim
source=$top_srcdir/tests/cli/poison_victim.c
work=$FP_BUILDDIR/tests/cli/poison.work
test -x "$victim" || { echo "no $victim"; exit 99; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
ulimit -c 0
bad=0

complain() {
	echo "$backend: $*" | head -n 60
	bad=1
}

# run STATUS HOW OPTION...: its output in `out', its report in `err', as JSON in `json'.
run() {
	wanted=$1 how=$2
	shift 2
	"$fencepost" run --backend=$backend --json=json "$@" "$victim" $how >out 2>err
	status=$?
	test $status -eq "$wanted" || complain "$how $*: status $status: $(cat out err)"
}

# line PATTERN: the number of the victim's line that has it.
line() {
	grep -nF -- "$1" "$source" | head -n 1 | cut -d: -f1
}

# finding KIND OFFSET ACCESS POISONER [SIZE]: the report has it; ACCESS and POISONER are text of their lines.
finding() {
	python3 - "$1" "$2" "$(line "$3")" "$(line "$4")" <<'END' || complain "no $* in: $(cat err)"
import json, sys
kind, offset, access, poisoner = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
reports = json.load(open("json"))
def lines(frames):
    return [frame.get("line") for frame in frames]
for report in reports if isinstance(reports, list) else [reports]:
    for finding in report["findings"]:
        other = finding.get("other", {})
        if (finding["kind"] == kind and finding["block"]["offset"] == offset and other.get("role") == "poisoner"
                and access in lines(finding["stack"]) and poisoner in lines(other["stack"])):
            sys.exit(0)
sys.exit(1)
END
}

# count NUMBER: so many findings.
count() {
	found=$(grep -cE '"kind": "(use-after-poison|invalid-free)"' json)
	test "$found" -eq "$1" || complain "$how: $found findings: $(cat err)"
}

backends=$("$fencepost" doctor 2>/dev/null | sed -n 's/^ok *back end \([a-z]*\): works.*/\1/p')
for backend in ${backends:-auto} none; do
	run 139 read
	finding use-after-poison 8197 'sink = arena[2 * PAGE + 5]' 'take_back(arena + PAGE - 100'
	count 1
	run 139 write
	finding use-after-poison 4103 'arena[PAGE + 7] = 1' 'take_back(arena, 4 * PAGE)'
	run 0 call
	finding use-after-poison 27 'arena + 10, 20)' 'take_back(arena + 27, 6)'
	finding use-after-poison 30 'arena + 30, 50)' 'take_back(arena + 27, 6)'
	finding use-after-poison 27 'fwrite(arena, 1, 28' 'take_back(arena + 27, 6)'
	count 3
	run 0 text
	finding use-after-poison 5 'open(arena, O_RDWR)' 'take_back(arena + 5, 1)'
	count 1
	run 0 free
	finding invalid-free 24 'free(arena + 24)' 'take_back(arena + 16, 32)'
	for how in exact end threads; do
		run 0 $how
		count 0
	done
	run 0 end --fault-handler=no
	count 0
	# ---- An instruction is carried out on what is really there.
	if test "$backend" != none && "$fencepost" run --continue=yes true 2>/dev/null; then
		run 0 write --continue=yes
		grep -qx 'went on with 1' out || complain "--continue: $(cat out)"
		count 2
		run 0 fork --continue=yes
		grep -qx 'child 0' out || complain "--continue: $(cat out)"
		finding use-after-poison 9 'sink = arena[9]' 'take_back(arena, PAGE * 4)'
	fi
done
# ---- Nobody is there: the program's own use of weak functions.
test "$("$victim" read)" = 'nobody is there to poison for' || { echo "alone: $("$victim" read)"; bad=1; }
exit $bad
