# SPDX-License-Identifier: Apache-2.0
#
# With --max-leaks=N every format lists the N largest leaks. What is beyond is counted, so sums and exit
# status are those of all leaks, and all outputs say how many they do not list.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/max_leaks.work
CC=${CC:-cc}
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
bad=0

has() { # has FILE PATTERN TIMES
	test "$(grep -c -e "$2" "$1")" -eq "$3" || { echo "$1: not $3 times '$2':"; tail -n 30 "$1"; bad=1; }
}

# 64 stacks of leaks, each of another size, and 64 of blocks that only pointers into them keep.
cat >many.c <<'END'
#include <stdlib.h>
char *held[64];
#define LEVEL(name, next) \
	__attribute__((noinline)) static void name##0(unsigned path, unsigned n) { \
		if (path & 1) next##1(path >> 1, n); else next##0(path >> 1, n); __asm__ volatile(""); } \
	__attribute__((noinline)) static void name##1(unsigned path, unsigned n) { \
		if (path & 1) next##1(path >> 1, n); else next##0(path >> 1, n); __asm__ volatile(""); }
static void make(unsigned n)
{
	char *block = malloc(100 + n % 64);
	if (n >= 64)
		held[n - 64] = block + 50;
	__asm__ volatile("");
}
__attribute__((noinline)) static void f0(unsigned path, unsigned n) { (void)path; make(n); __asm__ volatile(""); }
__attribute__((noinline)) static void f1(unsigned path, unsigned n) { (void)path; make(n); __asm__ volatile(""); }
LEVEL(e, f) LEVEL(d, e) LEVEL(c, d) LEVEL(b, c) LEVEL(a, b) LEVEL(z, a)
int main(void)
{
	for (unsigned n = 0; n < 128; n++)
		z0(n % 64, n);
	return 0;
}
END
$CC -g -O0 -w -o many many.c || exit 77
# 64 blocks of 100 to 163 bytes.
leaks=64 bytes=$((64 * 100 + 63 * 64 / 2))

list() { # list FILE: how many leaks of each class
	sed -n 's/^ *"kind": "\(definite\|possible\)",$/\1/p' "$1" | sort | uniq -c | sed 's/^ *//'
}

"$fencepost" run --show-possible --json=all.json --events=all.events ./many 2>all.err
test "$(list all.json)" = "64 definite
64 possible" || { echo "without a limit: $(list all.json)"; bad=1; }
has all.json '"unlisted"' 0
has all.err 'not listed' 0

# Standard error is the program's, too, which may have set O_NONBLOCK: nothing gets lost where the reader is slow.
(
	"$fencepost" run --show-possible sh -c 'dd if=/dev/null oflag=nonblock status=none >&2; exec ./many'
	echo $? >slow.status
) 2>&1 >/dev/null | (dd bs=1 count=1 of=slow.start status=none; sleep 2; cat >slow.err)
test "$(cat slow.status)" -eq 0 || { echo "a slow reader: status $(cat slow.status)"; bad=1; }
test "$(wc -c <slow.err)" -gt 65536 || { echo "a pipe takes it all at once"; bad=1; }
has slow.err 'leak of ' 128

"$fencepost" run --max-leaks=10 --show-possible --error-exitcode=7 --json=ten.json --sarif=ten.sarif --xml=ten.xml \
	--html=ten.html ./many 2>ten.err
test $? -eq 7 || { echo "a run with leaks that are not listed ended with another status"; bad=1; }
test "$(list ten.json)" = "10 definite
10 possible" || { echo "with a limit of 10: $(list ten.json)"; bad=1; }
has ten.err "^fencepost: $leaks leaks ($(printf %s "$bytes" | sed 's/...$/,&/') bytes), no other errors, 64 possible leaks" 1
has ten.err '^fencepost: note: 108 smaller leaks are not listed, only counted; use --max-leaks=N to list N' 1
has ten.json '"leaks": 108,' 1
has ten.json "\"leaked_blocks\": $leaks," 1
has ten.json "\"leaked_bytes\": $bytes," 1
has ten.json '"possible_blocks": 64,' 1
for size in 163 162 161 160 159 158 157 156 155 154; do
	has ten.json "^      \"bytes\": $size,$" 2
done
has ten.sarif '"ruleId": "leak' 20
has ten.sarif '108 smaller leaks are not listed' 1
has ten.xml '<kind>Leak_DefinitelyLost</kind>' 10
has ten.xml '<kind>Leak_PossiblyLost</kind>' 10
has ten.html '108 smaller leaks are not listed' 2

# From a log, from a JSON report, twice limited and merged.
"$fencepost" report --max-leaks=10 --log=/dev/null --json=log.json all.events 2>/dev/null
"$fencepost" report --max-leaks=5 --log=five.txt --json=five.json ten.json
test "$(list log.json)" = "$(list ten.json)" || { echo "from the log: $(list log.json)"; bad=1; }
has five.json '"leaks": 118,' 1
has five.json "\"leaked_bytes\": $bytes," 1
has five.txt '118 smaller leaks are not listed' 1
"$fencepost" report --log=two.txt --json=two.json ten.json ten.json
has two.json '"leaks": 108,' 0
has two.json '"leaks": 216,' 1
has two.txt '108 smaller leaks are not listed.*(ten.json and 1 more)$' 1
has two.json "\"leaked_bytes\": $((2 * bytes))," 1
"$fencepost" run --max-leaks=0 --json=none.json ./many 2>/dev/null
test "$(list none.json)" = "$(list all.json)" || { echo "without any limit: $(list none.json)"; bad=1; }

# A suppression takes its share before what is largest is chosen.
echo 'leak:z0' >supp
"$fencepost" run --max-leaks=10 --suppressions=supp --error-exitcode=7 --log=supp.txt ./many ||
	{ echo "suppressed leaks that are not listed end a run with $?"; bad=1; }
has supp.txt 'not listed' 0
exit $bad
