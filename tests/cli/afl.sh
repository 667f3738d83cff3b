# SPDX-License-Identifier: Apache-2.0
#
# The commands of doc/fuzzing.md as they stand there: under AFL++, with the fork server and in persistent mode,
# each input that leads the toy parser to a mistake is a crash, and one that leads to none is not.
# fencepost run says afterwards what it was, and where.
work=$FP_BUILDDIR/tests/cli/afl.work
manual=$top_srcdir/doc/fuzzing.md
parser=$top_srcdir/tests/cli/afl_victim.c
fencepost=$FP_BUILDDIR/src/cli/fencepost
test -x "$fencepost" && test -f "$manual" && test -f "$parser" || exit 99
afl=$(command -v afl-fuzz) && command -v afl-cc >/dev/null ||
	{ echo 'no AFL++ here (Debian: apt-get install afl++)'; exit 77; }
rm -rf "$work" && mkdir -p "$work/bin" && cd "$work" || exit 99
ulimit -c 0
bad=0

complain() {
	echo "$*" | head -n 30
	bad=1
}

# AFL++ refuses a machine that is not set up for speed, and options of sanitizers that are not as it wants them.
unset ASAN_OPTIONS TSAN_OPTIONS AFL_PRELOAD
export AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1
# It is to run its seeds, and to go no further; a busy machine takes its time.
cat >bin/afl-fuzz <<END
#!/bin/sh
exec '$afl' \$WAY -E 1 -t 60000 "\$@"
END
chmod +x bin/afl-fuzz
ln -s "$fencepost" bin/fencepost
PATH=$work/bin:$PATH

grep -E '^    (library|options)=' "$manual" >settings
grep -E '^    FENCEPOST_OPTIONS=.* afl-fuzz .* \./target$' "$manual" >fuzz
test "$(wc -l <settings)" -eq 2 && test "$(wc -l <fuzz)" -eq 1 || { echo "$manual has other commands"; exit 99; }
. ./settings
test -f "$library" || complain "no library: '$library'"

# fuzz SEEDS WAY: the manual's command; its status.
fuzz() {
	rm -rf seeds findings
	cp -r "$1" seeds
	(WAY=$2; export WAY; . ./fuzz) >log 2>&1 </dev/null
}

# input NAME BYTES PLANT REPORT: what leads there, and what the report begins with.
input() {
	printf '%s' "$2" >"bad/$1"
	line=$(grep -n "/\* plant: $3 \*/" "$parser" | cut -d: -f1)
	echo "$1 ^fencepost: $4.* at afl_victim\.c:${line:-none} in " >>expected
}

mkdir good bad
printf 's5helloelpmtd' >good/clean
input read-past 's2a\e' 'read past the end' 'heap-buffer-overflow of a 2-byte block'
input write-past s4abcdt 'write past the end' 'heap-buffer-overflow of a 4-byte block'
input read-freed s3abcdl 'read after free' 'heap-use-after-free of a 3-byte block'
input free-twice s3abcdd 'second free' 'double-free of a 3-byte block'
input write-before 's5#bcdemd' 'second free' 'heap-buffer-underflow of a 5-byte block'
input short-call 's3%bcp' 'too short for a call' 'heap-buffer-overflow of a 3-byte block'

afl-cc -g -O1 -o target "$parser" >log 2>&1 && (unset library; fuzz good '') ||
	{ echo "AFL++ cannot compile or run a program here: $(tail -n 5 log)"; exit 77; }
(unset library; fuzz bad -C) && complain "AFL++ sees all the mistakes without Fencepost: $(tail -n 5 log)"

# With -C AFL++ ends when a seed is no crash, and with this when one is.
AFL_EXIT_ON_SEED_ISSUES=1
export AFL_EXIT_ON_SEED_ISSUES
all_seen() {
	fuzz good '' || complain "$1: what is no mistake is a crash: $(tail -n 5 log)"
	fuzz bad -C || complain "$1: a mistake is no crash: $(tail -n 5 log)"
}
all_seen 'fork server'
mv target forked
# Only its plug-ins for compilers know that mode.
if afl-cc -g -O1 -DIS_PERSISTENT -o target "$parser" >log 2>&1; then
	all_seen 'persistent mode'
fi

look=$(sed -n 's/^    \(fencepost run .*\) <"$crash"$/\1/p' "$manual")
test -n "$look" || { echo "$manual does not say how to look at a crash"; exit 99; }
mv forked target
while read -r name report; do
	$look <"bad/$name" >out 2>err
	grep -q "$report" err || complain "$name: no '$report': $(cat err)"
done <expected
$look <good/clean >out 2>err
grep -qx 'fencepost: no errors, no leaks; exited 0' err || complain "clean: $(cat err)"
exit $bad
