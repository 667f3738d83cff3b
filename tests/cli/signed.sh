# SPDX-License-Identifier: Apache-2.0
#
# Return addresses that the program signs (aarch64's pointer authentication): traces are whole, with the frames that
# there are, and the program ends as it does without. A processor that cannot sign takes such code as it is.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/signed.work
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
cat >signed.c <<'END'
#include <stdlib.h>
#define KEPT __attribute__((noinline, noclone))
static volatile char seen;
KEPT char *make(int size) { char *block = malloc(size); __asm__ volatile("" ::: "memory"); return block; }
KEPT char *outer(int size) { char *block = make(size); __asm__ volatile("" ::: "memory"); return block; }
KEPT void drop(char *block) { free(block); __asm__ volatile("" ::: "memory"); }
KEPT void use(char *block) { seen = block[3]; __asm__ volatile("" ::: "memory"); }
KEPT void reach(char *block) { use(block); __asm__ volatile("" ::: "memory"); }
int main(void)
{
	char *volatile block = outer(10);
	drop(block);
	reach(block);
	return seen;
}
END
$CC -mbranch-protection=standard -g -O1 -o signed signed.c 2>cc.log ||
	{ echo "$CC has no -mbranch-protection: $(head -n 1 cc.log)"; exit 77; }
bad=0
complain() { echo "$*: $(cat err)"; bad=1; }
for backend in move mprotect; do
	"$fencepost" run --backend=$backend --json=report.json ./signed >/dev/null 2>err
	status=$?
	test $status -eq 139 || complain "$backend: exit $status"
	python3 - >told 2>&1 <<'END' || complain "$backend: $(cat told)"
import json
finding, = json.load(open("report.json"))["findings"]
assert (finding["kind"], finding["access"], finding["access_size"], finding["block"]["offset"]) == (
    "heap-use-after-free", "read", 1, 3), finding
for stack, wanted in ((finding["stack"], [("use", 7), ("reach", 8), ("main", 13)]),
                      (finding["block"]["alloc_stack"], [("make", 4), ("outer", 5), ("main", 11)]),
                      (finding["block"]["free_stack"], [("drop", 6), ("main", 12)])):
    assert [(frame["function"], frame["line"]) for frame in stack if not frame.get("hidden")] == wanted, stack
    assert stack[-1]["function"] == "_start", stack
END
done
exit $bad
