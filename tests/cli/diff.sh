# SPDX-License-Identifier: Apache-2.0
#
# What is new since a baseline, on programs that are really built anew: in another directory, with
# other flags, with code before and above the mistakes, at other addresses. Old mistakes stay old,
# new ones are new, also in a function that had one before.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/diff.work
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work/a" "$work/b/deep" && cd "$work" || exit 99
: "${CC:=cc}"
bad=0

complain() {
	echo "$*"
	bad=1
}

cat >a/plant.c <<'END'
#include <stdlib.h>

#define KEPT __attribute__((noinline, noclone, noipa))

KEPT static void lose(int n)
{
	static char *volatile lost;

	for (int i = 0; i < n; i++)
		lost = malloc(100);
	/* Nothing is to point to any of them. */
	lost = NULL;
	lost = malloc(1);
	free(lost);
	lost = NULL;
}

KEPT static void twice(int mistakes)
{
	char *block = malloc(10);
	char *volatile again = block;

	free(block);
	if (mistakes & 1)
		free(again);
	if (mistakes & 2)
		free(again);
	*(volatile int *)&(int){0} = 1;
}

int main(int count, char **arguments)
{
	int mistakes = count > 1 ? atoi(arguments[1]) : 0;

	twice(mistakes);
	if (mistakes & 4)
		lose(mistakes & 8 ? 3 : 2);
	return 0;
}
END
# Moved down.
{
	printf '#include <string.h>\nint unused(const char *text);\n'
	printf 'int unused(const char *text)\n{\n\treturn (int)strlen(text) + 1;\n}\n\n'
	cat a/plant.c
} >b/deep/plant.c
# A line more in the function with the mistake itself, and in its caller.
sed 's|^\tfree(block);|\tif (mistakes > 100)\n\t\tabort();\n&|
	s|^\ttwice(mistakes);|\tif (count > 5)\n\t\treturn 5;\n&|' a/plant.c >edited.c

build() { # build PROGRAM SOURCE FLAGS...
	program=$1 source=$2
	shift 2
	$CC -w "$@" -o "$program" "$source" || { echo "cannot build $program"; exit 99; }
}
build a/plant a/plant.c -g -O0
(cd b/deep && build plant plant.c -g -O2 -fPIE -pie) || exit 99
build fixed b/deep/plant.c -g -O1 -no-pie
build edited edited.c -g -O0
build bare b/deep/plant.c -O2
strip -o bare.stripped bare 2>/dev/null || cp bare bare.stripped

record() { # record NAME PROGRAM MISTAKES
	"$fencepost" run --leak-check=full --quiet --json="$1.json" --events="$1.log" -- "$2" "$3" \
		>/dev/null 2>"$1.err" || complain "$1: $(cat "$1.err")"
}
fingerprints() {
	sed -n 's/.*"fingerprint": "\(.*\)".*/\1/p' "$1" | sort
}

# diff STATUS "SUMMARY" ARGUMENTS...
diff_is() {
	status=$1 summary=$2
	shift 2
	"$fencepost" diff "$@" >out 2>err
	got=$?
	test "$got" -eq "$status" || complain "diff $*: status $got, not $status: $(cat out err)"
	test -z "$summary" || test "$(tail -n 1 out)" = "fencepost: $summary" ||
		complain "diff $*: not '$summary': $(cat out err)"
}

record old a/plant 5
record same a/plant 5
record moved "$work/b/deep/plant" 5
record fixed ./fixed 5
cp b/deep/plant renamed && record renamed ./renamed 5
test "$(fingerprints old.json | wc -l)" -eq 2 || complain "the plant has $(fingerprints old.json | wc -l) findings"
for other in same fixed; do
	diff_is 0 '0 new, 0 gone, 0 grown, 2 unchanged' old.json $other.json
done
# The program's name is the only thing that may differ in a name.
cp a/plant plant && record here ./plant 5
fingerprints old.json >want
for other in same moved here; do
	fingerprints $other.json | cmp -s - want || complain "$other has other fingerprints"
done
diff_is 0 '0 new, 0 gone, 0 grown, 2 unchanged' old.json moved.json
diff_is 0 '0 new, 0 gone, 0 grown, 2 unchanged' old.json renamed.json
diff_is 0 '0 new, 0 gone, 0 grown, 2 unchanged' old.log moved.json

# An edit of the very functions makes nothing new.
record edited ./edited 5
diff_is 0 '0 new, 0 gone, 0 grown, 2 unchanged' old.json edited.json

# A second mistake in a function is another one, whatever else happened to it.
record more a/plant 7
diff_is 1 '1 new, 0 gone, 0 grown, 2 unchanged' old.json more.json
second=$(grep -n 'free(again)' a/plant.c | sed -n '2s/:.*//p')
grep -q "^fencepost: new: double-free of a 10-byte block at plant.c:$second in twice\$" out ||
	complain "the second mistake: $(cat out)"
record worse ./edited 7
diff_is 1 '1 new, 0 gone, 0 grown, 2 unchanged' old.json worse.json
diff_is 0 '0 new, 1 gone, 0 grown, 2 unchanged' more.json old.json
"$fencepost" report --log=both --json=both.json more.json edited.json
test "$(grep -c '^fencepost: double-free' both)" -ge 2 || complain 'two mistakes became one'

# More of the same is told, and is an error only when that is asked for.
record leaky a/plant 13
diff_is 0 '0 new, 0 gone, 1 grown, 1 unchanged' old.json leaky.json
grep -q '^fencepost: grown: leak of 300 bytes in 3 blocks at .* in lose, was 200 bytes in 2 blocks$' out ||
	complain "a leak that grew: $(cat out)"
diff_is 1 '0 new, 0 gone, 1 grown, 1 unchanged' --strict old.json leaky.json

# Without debug information, functions still have names; stripped, modules have offsets.
record bare ./bare 5
record bare_again ./bare 5
diff_is 0 '0 new, 0 gone, 0 grown, 2 unchanged' bare.json bare_again.json
record stripped ./bare.stripped 5
record stripped_again ./bare.stripped 5
diff_is 0 '0 new, 0 gone, 0 grown, 2 unchanged' stripped.json stripped_again.json

# JSON, on standard output or in a file; a side may be many reports.
diff_is 1 '' --json old.json more.json
grep -qx '  "schema": "fencepost-diff-1",' out || complain '--json is no JSON'
diff_is 1 '1 new, 0 gone, 0 grown, 2 unchanged' --json=diff.json old.json more.json
cmp -s diff.json out && complain 'text in the JSON'
"$fencepost" diff --json old.json more.json | cmp -s - diff.json || complain 'two JSONs'
mkdir nightly && cp old.json same.json moved.log nightly
diff_is 0 '0 new, 0 gone, 2 grown, 0 unchanged' old.json nightly

# What is suppressed is on neither side; each side has its own count for max=N.
printf 'double-free:twice\nleak:lose max=3\nleak:never_there\n' >known.supp
diff_is 0 '0 new, 0 gone, 0 grown, 0 unchanged, 3 suppressed' --suppressions=known.supp old.json more.json
grep -q '^fencepost: 2 suppressed by "double-free:twice" (known.supp:1)$' out ||
	complain "what was suppressed is not said: $(cat out)"
grep -q '^fencepost: note: never used: "leak:never_there" (known.supp:3)$' out ||
	complain "what was never used is not said: $(cat out)"
diff_is 0 '0 new, 0 gone, 0 grown, 0 unchanged, 2 suppressed' --suppressions=known.supp old.json leaky.json
printf 'leak:lose max=2\n' >max.supp
printf 'double-free:twice until=2001-02-03\n' >until.supp
diff_is 1 '1 new, 0 gone, 0 grown, 1 unchanged' --suppressions=max.supp,until.supp old.json leaky.json
grep -q '^fencepost: note: the suppression "leak:lose max=2" (max.supp:1) allows max=2: the 3 that it matches are reported$' \
	out || complain "an exceeded suppression: $(cat out)"
"$fencepost" diff --json --suppressions=known.supp old.json more.json >suppressed.json ||
	complain 'what is suppressed is new in JSON'
grep -qx '  "suppressed": 3' suppressed.json || complain "JSON: $(cat suppressed.json)"

# Its own failures are 125, and one line.
fail() {
	want=$1
	shift
	diff_is 125 '' "$@"
	test "$(cat err)" = "fencepost: $want" || complain "diff $*: said $(cat err)"
}
fail 'diff: two reports are needed: write fencepost diff OLD NEW' old.json
fail 'diff: "c" is one report too many: put those of one side in a directory' a b c
fail 'diff: unknown option "--jsn": diff takes --json, --json=FILE, --strict and --suppressions=FILE' \
	--jsn old.json old.json
printf 'double-free:twice\nleaks:lose\n' >bad.supp
diff_is 125 '' --suppressions=bad.supp old.json old.json
grep -q '^fencepost: bad.supp:2: ' err || complain "a malformed suppression: $(cat err)"
fail 'cannot read missing: No such file or directory; name an event log, a JSON report or a core file' old.json missing
fail 'cannot write missing/x: No such file or directory; name another file with --json=FILE' \
	--json=missing/x old.json old.json
exit $bad
