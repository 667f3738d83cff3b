# SPDX-License-Identifier: Apache-2.0
#
# --one-cpu: what a program sees of its CPUs stays as it is, what it executes has all of them, and an
# affinity that it sets itself holds. --one-cpu=auto changes nothing that the program prints.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/one_cpu_victim
work=$FP_BUILDDIR/tests/cli/one_cpu.work
test -x "$fencepost" && test -x "$victim" || exit 99
test "$(nproc)" -gt 1 || { echo "one CPU is all there is here"; exit 77; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
bad=0

# The children that the victim executes report, too.
"$fencepost" run --one-cpu=yes --json=report.json "$victim" >out 2>err ||
	{ echo "kept on one CPU:"; cat out err; bad=1; }
grep -qx ok out || bad=1
python3 - report.json <<'END' || bad=1
import json, sys
reports = json.load(open(sys.argv[1]))
reports = reports if isinstance(reports, list) else [reports]
kept = [report["heap"].get("one_cpu_milliseconds", 0) for report in reports]
if sum(one > 0 for one in kept) != 1:
    sys.exit("not one process was kept on one CPU: %s" % kept)
END

# Not without threads, and not with --one-cpu=no: then the victim waits for it in vain.
for option in --one-cpu=yes --one-cpu=no; do
	"$fencepost" run "$option" "$victim" count >out 2>err
	test $? -eq "$(nproc)" || { echo "$option, without threads:"; cat out err; bad=1; }
done

cat >free.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *churn(void *sum)
{
	for (int i = 0; i < 100000; i++) {
		char *block = malloc(1 + i % 100);
		block[0] = 1;
		*(long *)sum += block[0];
		free(block);
	}
	return NULL;
}
int main(void)
{
	pthread_t threads[4];
	long sums[4] = {0};
	long sum = 0;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, &sums[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		sum += sums[i];
	}
	printf("%ld\n", sum);
	return 0;
}
END
${CC:-cc} -pthread -o free free.c || exit 99
"$fencepost" run --json=report.json ./free >out 2>err || { cat out err; bad=1; }
test "$(cat out)" = 400000 || { echo "auto:"; cat out err; bad=1; }
test "$(tail -n 1 err)" = "fencepost: no errors, no leaks; exited 0" || { echo "auto:"; cat err; bad=1; }
exit $bad
