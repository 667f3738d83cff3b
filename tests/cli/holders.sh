# SPDX-License-Identifier: Apache-2.0
#
# A bad access, a double and an invalid free say who has a pointer to the block: of each kind of
# holder its place and name, in C and C++, optimised and not, of the main thread and another, with
# every back end; that there is none, that there are thousands, and why not all was searched.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victims=$FP_BUILDDIR/tests/cli
work=$FP_BUILDDIR/tests/cli/holders.work
test -x "$fencepost" && test -x "$victims/holders_victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$what: $*"
	bad=1
}
# run OPTION... -- VICTIM HOLDER MISUSE [THREAD]: the machine may be busy, so there is more time
run() {
	what="$*"
	rm -f json text
	"$fencepost" run --holders=20000 --json=json --log=text "$@" >out 2>err
}
# check EXPRESSION: of the first finding f, its holders by kind h and its search s
check() {
	python3 - "$1" <<'PYTHON' || complain "not $1: $(cat text err)"
import collections, json, sys
report = json.load(open("json"))
reports = report if isinstance(report, list) else [report]
f = [finding for one in reports for finding in one["findings"]][0]
s = f.get("holders_search")
h = collections.defaultdict(list)
for holder in f.get("holders", []):
    h[holder["kind"]].append(holder)
top = lambda stack: [frame["function"] for frame in stack]
# What only the access itself has in its registers and frames holds nothing for long.
rest = {kind for kind in h if kind not in ("register", "stack")}
if not eval(sys.argv[1]):
    print(s, json.dumps({k: [{n: v for n, v in one.items() if n not in ("stack", "block")} for one in l] for k, l in h.items()}, indent=1))
    sys.exit(1)
PYTHON
}
says() { # says PATTERN: the text does
	grep -q -- "$1" text || complain "no '$1' in $(cat text)"
}

for victim in holders_victim holders_victim_fast holders_victim_cc holders_victim_cc_fast; do
	for misuse in read double inside; do
		run -- "$victims/$victim" global $misuse
		check 's["result"] == "whole" and rest == {"global"} and len(h["global"]) == 1'
		check '(lambda g: g["name"] == "box.rows[2].text" and g["name_offset"] == 0 and g["offset"] == 0 and g["module"].endswith("holders_victim" + "'"${victim#holders_victim}"'"))(h["global"][0])'
		says "^    box.rows\[2\].text ($victim)$"
	done
	run -- "$victims/$victim" inside double
	check 'rest == {"global"} and h["global"][0]["name"] == "inside" and h["global"][0]["offset"] == 8'
	says "^    inside ($victim), which points 8 bytes inside$"
	run -- "$victims/$victim" block read thread
	check 'rest == {"block"} and (lambda b: b["block"]["offset"] == 8 and b["block"]["size"] == 16 and "hold_in_block" in "".join(map(str, top(b["block"]["alloc_stack"]))))(h["block"][0])'
	says '^    offset 8 in a block of 16 bytes (serial [0-9]*) allocated at holders_victim.c:[0-9]* in hold_in_block'
	run -- "$victims/$victim" freed-block double
	check 'rest == {"freed-block"} and h["freed-block"][0]["block"]["offset"] == 8 and h["freed-block"][0]["block"]["free_stack"]'
	for thread in '' thread; do
		run -- "$victims/$victim" thread-local double $thread
		check 'rest == {"thread-local"} and h["thread-local"][0]["name"] == "mine" and h["thread-local"][0]["thread"] == f["thread"]["id"]'
		run -- "$victims/$victim" stack double $thread
		check 'rest == set() and any("hold_on_stack" in str(top(one["stack"])[0]) and one["name"] in ("local", None) for one in h["stack"])'
	done
	run -- "$victims/$victim" memory double
	check 'rest == {"memory"} and int(h["memory"][0]["address"], 16) % 4096 == 56'
	run -- "$victims/$victim" other-stack double
	check 'rest == set() and any(one["name"] == "kept" and one["thread"] != f["thread"]["id"] and "hold_on_other_stack" in str(top(one["stack"])[0]) for one in h["stack"])'
	says '^    variable kept of thread [0-9]* at holders_victim.c:[0-9]* in hold_on_other_stack'
	run -- "$victims/$victim" other-storage double
	check 'rest == {"thread-local"} and h["thread-local"][0]["name"] == "mine" and h["thread-local"][0]["thread"] != f["thread"]["id"]'
	if test "$(uname -m)" = x86_64; then
		run -- "$victims/$victim" register double
		check 'rest == set() and any(one["name"] == "r13" and one["thread"] != f["thread"]["id"] for one in h["register"])'
	fi
	run -- "$victims/$victim" none double
	check 's["result"] == "whole" and s["found"] == 0'
	says '^  nothing holds a pointer to it any more$'
done
# Without optimisation debug information knows the place of each variable.
run -- "$victims/holders_victim" stack double
check 'any(one["name"] == "local" for one in h["stack"])'

run -- "$victims/holders_victim" thousands read
check 's["result"] == "whole" and 5000 <= s["found"] < 5010 and len(h["block"]) == 4'
says '^    and [45],[0-9]* other pointers$'

for backend in move guard mprotect none; do
	run --backend=$backend -- "$victims/holders_victim" block double
	grep -q 'backend=' err && continue # not here
	check 's["result"] == "whole" and rest == {"block"}'
done
run --sample=1000000 -- "$victims/holders_victim" global double
if test "$(uname -m)" = x86_64; then
	run -- "$victims/holders_victim" deaf double
	check 's["result"] == "partial" and "threads" in s["obstacle"]'
	says '^  more may hold it, because not all was searched: not all threads could be stopped$'
fi
run -- "$victims/holders_victim" fork double
check 's["result"] == "whole" and h["global"][0]["name"] == "box.rows[1].text"'
run --holders=0 -- "$victims/holders_victim" global double
check 's is None and not h'
grep -q 'held by' text && complain "says it though nobody asked: $(cat text)"
# A millisecond is not enough for so much memory: that is said, whatever was searched by then.
cat >much.c <<'END'
#include <stdlib.h>
#include <string.h>
int main(void)
{
	size_t bytes = (size_t)128 << 20;
	char *volatile much = malloc(bytes);
	char *volatile block = malloc(40);
	memset(much, 1, bytes);
	free(block);
	free(block);
	return 0;
}
END
${CC:-cc} -g -w much.c -o much || exit 99
what='no time'
"$fencepost" run --holders=1 --json=json --log=text -- ./much >out 2>err
check 's["result"] in ("partial", "skipped") and s["obstacle"] == "time was up (the option holders gives more)"'
says ': time was up (the option holders gives more)$'
run --continue=yes -- "$victims/holders_victim" global read
test "$(uname -m)" != x86_64 || check 'rest == {"global"}'

# The first eight findings of a process are asked about, and threads that go on do not matter.
run --holders=200 -- "$victims/holders_victim" busy double
python3 - <<'PYTHON' || complain "busy: $(cat err)"
import json
findings = json.load(open("json"))["findings"]
asked = [finding["holders_search"]["result"] for finding in findings if "holders_search" in finding]
assert len(findings) == 12, len(findings)
assert len(asked) == 8 and "whole" in asked + ["whole"], asked
PYTHON

# Every format says it.
what=formats
"$fencepost" run --json=json --sarif=sarif --html=html --log=text -- "$victims/holders_victim" global read >/dev/null 2>&1
grep -q 'still held by box.rows\[2\].text (holders_victim)' sarif || complain "SARIF: $(cat sarif)"
grep -q 'box.rows\[2\].text' html || complain 'HTML lacks it'
"$fencepost" report --log=again json
grep -q '^    box.rows\[2\].text (holders_victim)$' again || complain "from JSON: $(cat again)"

exit $bad
