# SPDX-License-Identifier: Apache-2.0
#
# fencepost explain: what an address of a running program is, of a live block and of a freed one, and
# of none; what a log and a report say of it; and fp_describe under malloc.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/holders_victim
work=$FP_BUILDDIR/tests/cli/explain.work
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}
says() { # says PATTERN...: the answer does, in that order
	for pattern; do
		printf '%s\n' "$pattern"
	done >wanted
	awk 'NR == FNR { wanted[++count] = $0; next } at < count && $0 ~ wanted[at + 1] { at++ }
		END { if (at < count) { print wanted[at + 1]; exit 1 } }' wanted answer >missing ||
		complain "no '$(cat missing)' in its place: $(cat answer err)"
}
start() { # start HOLDER: the program waits, with its block at $block
	mkfifo told
	"$fencepost" run --leak-signal=USR2 --leak-check=no --log=log -- sh -c 'echo $$ >pid; exec "$0" "$@"' "$victim" "$1" wait >told &
	runner=$!
	read -r block other <told
	pid=$(cat pid)
	rm told
}
stop() {
	kill "$pid"
	wait "$runner"
}

start live
"$fencepost" explain "$block" "$pid" >answer 2>err || complain "exits with $?"
says "^$block is the start of a block of 40 bytes" '^  the block: at .*, serial [0-9]*, heap 1, family malloc, guarded$' \
	'^  allocated by thread [0-9]*:$' '#0 make  .*holders_victim.c:' '^  held by:$' '^    box.rows\[3\].text .holders_victim., which points 4 bytes inside$'
"$fencepost" explain "$(printf '0x%x' $((block + 3)))" "$pid" >answer 2>err
says 'is 3 bytes inside a block of 40 bytes'
"$fencepost" explain 0x1234 "$pid" >answer 2>err
says '^0x1234 is no block: it is ' '^  next behind it: [0-9]* bytes at '
stop

# Who looks for holders stops the threads, by a signal, which may be what ends the program: then that is said.
cat >ends.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
	printf("%p\n", malloc(8));
	fflush(stdout);
	return pause() + 1;
}
END
${CC:-cc} -w -o ends ends.c || exit 99
mkfifo told
"$fencepost" run --leak-signal=USR2 --leak-check=no --log=log -- sh -c 'echo $$ >pid; exec ./ends' >told &
runner=$!
read -r block <told
rm told
"$fencepost" explain "$block" "$(cat pid)" >answer 2>err || grep -q "process $(cat pid) ended before it answered; " err ||
	complain "of a program that ends: $(cat answer err)"
kill "$(cat pid)" 2>/dev/null
wait "$runner"

start block
"$fencepost" explain "$block" "$pid" >answer 2>err || complain "exits with $?"
says "^$block is the start of a freed block of 40 bytes" '^  freed by thread' '#0 main  ' \
	'^    offset 8 in a block of 16 bytes [(]serial [0-9]*[)] allocated at .* in hold_in_block$'
"$fencepost" explain "$other" "$pid" >answer 2>err
says "^$other is the start of a block of 16 bytes" '^    list [(]holders_victim[)]$'
stop

# What was said of it.
"$fencepost" run --json=json --events=events --log=log -- "$victim" block double >/dev/null 2>&1
block=$(python3 -c 'import json; print(json.load(open("json"))["findings"][0]["block"]["address"])')
for source in events json; do
	"$fencepost" explain "$block" $source >answer 2>err || complain "$source: exits with $?"
	says "^$block is the start of a freed block of 40 bytes" '^  held by:$' '^    offset 8 in a block of 16 bytes' \
		'^  as of the finding: double-free'
done
"$fencepost" explain 0x1234 json >answer 2>err && complain 'explains what is not there'
grep -q 'no finding and no leak there names 0x1234' err || complain "$(cat err)"
"$fencepost" explain rax json 2>err && complain 'takes rax for an address'
grep -q 'rax is not an address' err || complain "$(cat err)"
"$fencepost" explain 2>err && complain "no address is explained"
grep -q '^fencepost: explain: no address: write fencepost explain 0x' err || complain "$(cat err)"

# Programs without Fencepost, and what this user may not look at.
sleep 100 &
other=$!
"$fencepost" explain 0x1234 $other >answer 2>err && complain 'explains a program without Fencepost'
grep -q "^fencepost: explain: process $other does not run under Fencepost: start it with" err || complain "$(cat err)"
if test "$(id -u)" -eq 0 && setpriv --reuid=65534 --clear-groups "$fencepost" --version >/dev/null 2>&1; then
	setpriv --reuid=65534 --clear-groups "$fencepost" explain 0x1234 $other >answer 2>err && complain "explains another user's"
	grep -q "^fencepost: explain: process $other belongs to user 0: ask as that user, or as root$" err || complain "$(cat err)"
fi
kill $other

cat >describe.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <fencepost/fencepost.h>
#pragma weak fp_describe
int main(void)
{
	char *block = malloc(33);
	struct fp_block_info info;
	if (!fp_describe)
		return 3;
	if (!fp_describe(block + 5, &info))
		return 4;
	printf("%zu %td %d %s\n", info.size, info.offset, info.is_live, info.family);
	free(block);
	if (fp_describe(block, &info))
		printf("%d %zu\n", info.is_live, info.size);
	return fp_describe(&info, &info);
}
END
${CC:-cc} -g -w -I"$top_srcdir/include" describe.c -o describe || exit 99
"$fencepost" run --log=log -- ./describe >answer 2>err || complain "describe exits with $?"
says '^33 5 1 malloc$' '^0 33$'
./describe
test $? -eq 3 || complain 'fp_describe is there without Fencepost'

exit $bad
