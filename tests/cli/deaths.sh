# SPDX-License-Identifier: Apache-2.0
#
# A process that a finding ends says so on its own standard error before it dies, where that is not the
# run's: death tests read it there, and servers keep it in a log.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/deaths.work
CC=${CC:-cc}
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
bad=0

has() { # has FILE PATTERN TIMES
	test "$(grep -c -- "$2" "$1")" -eq "$3" || { echo "$1: not $3 times '$2':"; cat "$1"; bad=1; }
}

# A child, forked or executed, that prints to where its parent reads, and dies.
cat >parent.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void die(void)
{
	volatile char *block = malloc(64);
	free((void *)block);
	block[3] = 1;
}
int main(int argc, char **argv)
{
	static char heard[1 << 16];
	size_t used = 0;
	ssize_t count;
	int ends[2], status;
	if (argc > 2)
		die();
	if (pipe(ends) != 0)
		return 2;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		if (argc > 1)
			execl(argv[0], argv[0], argv[1], "child", NULL);
		die();
	}
	close(ends[1]);
	while ((count = read(ends[0], heard + used, sizeof(heard) - 1 - used)) > 0)
		used += (size_t)count;
	waitpid(pid, &status, 0);
	printf("%d %s, with its line %s\n", WTERMSIG(status),
	       strstr(heard, "heap-use-after-free") ? "heard" : "silent", strstr(heard, "parent.c:10 in die") ? "yes" : "no");
	return 0;
}
END
$CC -g -O0 -w -o parent parent.c || exit 77
for backend in move guard mprotect; do
	for how in '' executed; do
		"$fencepost" run --backend=$backend ./parent $how >out 2>err
		has out '^11 heard, with its line yes$' 1
		has err '^fencepost: heap-use-after-free of a 64-byte block at parent.c:10 in die' 1
	done
done

# What the run prints is printed once.
cat >dies.c <<'END'
#include <stdlib.h>
int main(void)
{
	volatile char *block = malloc(64);
	free((void *)block);
	block[3] = 1;
}
END
$CC -g -O0 -w -o dies dies.c || exit 77
"$fencepost" run ./dies >out 2>err
has err 'heap-use-after-free' 1
"$fencepost" run sh -c './dies 2>own; true' 2>err
has own 'heap-use-after-free of a 64-byte block at dies.c:6 in main' 1
has err 'heap-use-after-free of a 64-byte block at dies.c:6 in main' 1
"$fencepost" run --log=log sh -c './dies 2>own; true' 2>err
has own 'heap-use-after-free' 0
has log 'heap-use-after-free of a 64-byte block at dies.c:6 in main' 1
# A correct program's own words are left alone.
"$fencepost" run sh -c 'ls /nowhere 2>own; kill -TERM $$' 2>err
has own fencepost 0
exit $bad
