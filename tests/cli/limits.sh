# SPDX-License-Identifier: Apache-2.0
#
# Limits that a shell sets, and one that somebody else gives a running process: the program has what
# it has without Fencepost, and its blocks are guarded.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/e2e/victims/refused
work=$FP_BUILDDIR/tests/cli/limits.work
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

# serves LIMIT COMMAND...: under `ulimit LIMIT` with the same output and status as without us
serves() {
	ulimit=$1
	shift
	(ulimit $ulimit && exec "$@") >native 2>native.err
	status=$?
	(ulimit $ulimit && exec "$fencepost" run "$@") >out 2>err
	test $? -eq $status || complain "ulimit $ulimit: another status than $status: $(cat err)"
	cmp -s native out || complain "ulimit $ulimit: another output: $(cat err)"
	grep -q '100 % of blocks not guarded' err && complain "ulimit $ulimit: nothing is guarded: $(cat err)"
}

for limit in 64000 32000 16000; do
	serves "-d $limit" ls /
	serves "-d $limit" "$victim"
	grep -q 'not guarded' err && complain "ulimit -d $limit: not all are guarded: $(cat err)"
done
serves '-s 64' ls /
serves '-s 64' "$victim"
serves '-v 200000' ls /
serves '-v 200000' "$victim"

# It waits for its input while somebody limits it.
if command -v prlimit >/dev/null; then
	mkfifo orders || exit 99
	"$fencepost" run sort <orders >out 2>err &
	runner=$!
	exec 9>orders
	echo b >&9
	sleep 1
	process=$(pgrep -P $runner | head -n 1)
	prlimit --pid "$process" --data=16000000 || complain 'no limit'
	awk 'BEGIN { for (i = 0; i < 100000; i++) print i % 7 }' >&9
	exec 9>&-
	wait $runner || complain "sort failed: $(cat err)"
	test "$(wc -l <out)" -eq 100001 || complain "sort lost lines: $(cat err)"
else
	echo 'no prlimit: not tried'
fi

# ---- Large blocks that come and go leave nothing behind but what is known of them
cat >large.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static long resident(void)
{
	long all = 0, pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file == NULL || fscanf(file, "%ld %ld", &all, &pages) != 2)
		return -1;
	fclose(file);
	return pages * 4;
}
int main(void)
{
	static char *kept[16];
	long before = 0;
	for (int i = 0; i < 10000; i++) {
		size_t size = 1500000 + i % 7 * 4096;
		free(kept[i % 16]);
		kept[i % 16] = malloc(size);
		memset(kept[i % 16], 1, 100);
		if (i == 2000)
			before = resident();
	}
	printf("%ld\n", resident() - before);
	for (int i = 0; i < 16; i++)
		free(kept[i]);
	return 0;
}
END
if $CC -w -O1 -o large large.c 2>/dev/null; then
	for backend in move guard mprotect none; do
		"$fencepost" run --quiet --backend=$backend --history=1M ./large >out 2>err
		status=$?
		test $status -eq 125 && continue # not on this machine
		test $status -eq 0 && test "$(cat out)" -lt 6000 || complain "$backend: 8000 large blocks left $(cat out) KiB: $(cat err)"
	done
fi
exit $bad
