# SPDX-License-Identifier: Apache-2.0
#
# fencepost run from outside: exit statuses, refusals, signals, and what reaches which stream. What it
# finds in programs is the business of tests/preload and tests/real.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/run.work
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work/tmp" && cd "$work" || exit 99
TMPDIR=$work/tmp
export TMPDIR
bad=0

complain() {
	echo "$*"
	bad=1
}
. "$top_srcdir/tests/support/wait.sh"

# expect STATUS PATTERN-ON-STDERR ARGUMENTS...
expect() {
	status=$1 want=$2
	shift 2
	"$fencepost" run "$@" >out 2>err </dev/null
	got=$?
	test "$got" -eq "$status" || complain "run $*: status $got, not $status: $(cat err)"
	grep -q -e "$want" err || complain "run $*: said '$(cat err)', not '$want'"
}

# ---- Exit statuses and streams
expect 0 '^fencepost: no errors, no leaks; exited 0$' true
expect 1 '^fencepost: no errors' false
expect 7 '^fencepost: no errors, no leaks, in [0-9]* processes; exited 7$\|^fencepost: no errors, no leaks; exited 7$' -- sh -c 'exit 7'
expect 137 '^fencepost: no errors; killed by SIGKILL; leaks not checked$' --json=killed.json sh -c 'kill -KILL $$'
grep -q '"signal": "SIGKILL"' killed.json && grep -q '"kill -KILL \$\$"' killed.json ||
	complain "killed without a report: $(cat killed.json)"
expect 143 '^fencepost: no errors, no leaks; killed by SIGTERM$' sh -c 'kill -TERM $$'
expect 129 '^fencepost: no errors, no leaks' sh -c 'kill -HUP $$'
# Those that leave a core: of what the program does to itself nothing else is looked at.
expect 131 '^fencepost: no errors, no leaks' sh -c 'ulimit -c 0; kill -QUIT $$'
expect 152 '^fencepost: 1 error, no leaks' sh -c 'ulimit -c 0; kill -XCPU $$'
for signal in 134:ABRT 132:ILL 133:TRAP 136:FPE 159:SYS; do
	expect "${signal%:*}" '^fencepost: 1 error; killed by SIG.*; leaks not checked$' --json=died.json \
		sh -c "ulimit -c 0; kill -${signal#*:} \$\$"
	grep -q "\"signal\": \"SIG${signal#*:}\"" died.json || complain "not of ${signal#*:}: $(grep signal died.json)"
done
printf '#include <stdio.h>\n#include <stdlib.h>\nint main(int n, char **a) { volatile int zero = 0; char *p = malloc(8); '\
'puts(p && n > 1 ? "divides" : "aborts"); fflush(stdout); if (n > 1) return 5 / zero; abort(); }\n' >dies.c
if $CC -w -g -o dies dies.c; then
	expect 134 '^fencepost: 1 error; killed by SIGABRT; leaks not checked$' sh -c 'ulimit -c 0; exec ./dies'
	expect 136 '^fencepost: 1 error; killed by SIGFPE; leaks not checked$' sh -c 'ulimit -c 0; exec ./dies x'
fi
# What a process did not live to say is not known: its findings are all there is.
cat >ends.c <<'END'
#include <stdlib.h>
#include <signal.h>
#include <unistd.h>
int main(int n, char **a)
{
	char *p = malloc(8);
	free(p);
	free(p);
	if (n > 1)
		execl(a[1], a[1], (char *)0);
	raise(SIGKILL);
}
END
if $CC -w -g -o ends ends.c; then
	expect 137 '^fencepost: 1 error;.*leaks not checked$' --html=ends.html --json=ends.json ./ends
	grep -q '"uncounted": true' ends.json || complain 'killed, and counted'
	grep -q '^fencepost: 1 error;.*leaks not checked$' ends.html && grep -q '"uncounted": true' ends.html ||
		complain "known of a killed process: $(grep '^fencepost: ' ends.html)"
	"$fencepost" report ends.json 2>&1 | grep -qx 'fencepost: 1 error;.*leaks not checked' ||
		complain 'more is known of a killed process when its JSON is read'
	expect 0 '^fencepost: 1 error;.*leaks not checked$' --trace-children=no ./ends "$(command -v ls)"
fi
# A core file has what is used, not all that is reserved.
mkdir -p cores
printf '#include <stdlib.h>\nint main(void) { volatile char *p; for (int i = 0; i < 5000; i++) *(p = malloc(100)) = 1; '\
'abort(); }\n' >cores/many.c
case $(cat /proc/sys/kernel/core_pattern) in
core | core.%p) $CC -w -o cores/many cores/many.c || complain 'no program for a core file' ;;
*) echo 'core files go elsewhere: their length is left out' ;;
esac
for backend in move guard mprotect; do
	test -x cores/many || break
	(cd cores && ulimit -c unlimited && "$fencepost" run --quiet "--backend=$backend" ./many >/dev/null 2>err)
	test -n "$(find cores -name 'core*' -type f)" || echo "no core file with $backend: left out"
	test -z "$(find cores -name 'core*' -type f -size +1048576k)" || complain "$backend: a core file of $(ls -l cores)"
	rm -f cores/core*
done
expect 127 'cannot run no-such-program: No such file or directory; ' no-such-program
: >text
expect 127 'cannot run : No such file or directory; ' ''
expect 126 'cannot run ./text: Permission denied; ' ./text
expect 126 'cannot run .: Permission denied; ' .
expect 125 'no program: write fencepost run PROGRAM' --
expect 125 'run: unknown option "--plcement"; the nearest one is "--placement"' --plcement=left true
expect 125 'run: unknown option "--onecpu"; the nearest one is "--one-cpu"' --onecpu=yes true
expect 125 'run: --one-cpu=x: use auto, yes or no' --one_cpu=x true
export FENCEPOST_OPTIONS=one-cpu=x
expect 125 'FENCEPOST_OPTIONS: one_cpu=x: use auto, yes or no' true
unset FENCEPOST_OPTIONS
expect 125 'run: --align=3: use 1, 2, 4, 8, 16 or auto' --align=3 true
expect 125 '--sample has no value: write --sample=N' --sample true
expect 125 'unknown option "-x"' -x true

# ---- A file that cannot be made is refused before the program starts; one that can is not touched
mkdir -p taken
echo kept >kept
for key in log json html folded sarif xml events record; do
	expect 125 "cannot write none/x: No such file or directory; name another file with --$key=FILE" "--$key=none/x" touch ran
	expect 125 "cannot write none/%p: No such file or directory; name another file with --$key=FILE" "--$key=none/%p" touch ran
	expect 125 "cannot write taken: Is a directory; name another file with --$key=FILE" "--$key=taken" touch ran
	expect 125 "cannot write kept/x: Not a directory; name another file with --$key=FILE" "--$key=kept/x" touch ran
	test ! -e ran || complain "--$key: refused when the program had run"
	rm -f ran
	expect 127 no-such-program "--$key=not-made" no-such-program
	expect 125 'cannot write taken: ' "--$key=kept" --json=taken true
	test ! -e not-made || complain "--$key: made for no report"
	test "$(cat kept)" = kept || complain "--$key: emptied for no report"
done
expect 125 'cannot write /dev/fd/9: Bad file descriptor; ' --json=/dev/fd/9 touch ran
expect 125 'cannot write taken/: Is a directory; ' --json=taken/ touch ran
expect 125 'cannot write none/: Is a directory; ' --json=none/ touch ran
test ! -e ran || complain 'refused when the program had run'
ln -s target link
expect 0 . --json=link true
test -s target || complain 'no report behind a link'
expect 0 . '--json=dir.%p/x' --trace-children=no sh -c 'mkdir "dir.$$"; :'
test -s dir.*/x || complain 'no report in a directory of the program'
"$fencepost" --versoin 2>err
test $? -eq 125 && grep -qx 'fencepost: unknown option "--versoin": options follow a command, as in fencepost run --quiet PROGRAM' err ||
	complain "--versoin: $(cat err)"
for help in --help -h help 'run --help' 'doctor -h' 'help run'; do
	"$fencepost" $help >out 2>err
	test $? -eq 0 && grep -q '^Usage: fencepost ' out && test ! -s err || complain "$help: $(cat err)"
done
export FENCEPOST_OPTIONS=algn=1
expect 125 'FENCEPOST_OPTIONS: unknown option "algn"' true
unset FENCEPOST_OPTIONS
"$fencepost" run --quiet cat <"$fencepost" >out 2>err
cmp -s "$fencepost" out && test ! -s err || complain "run cat: other output, or: $(cat err)"
"$fencepost" run --quiet true >&- 2>err || complain "run with standard output closed: $(cat err)"
expect 0 'no errors, no leaks, in 2 processes' sh -c 'true; /bin/true; :'
expect 0 'no errors, no leaks' --trace-children=no sh -c '/bin/true; /bin/true'
printf 'echo "$1"\nexit 3\n' >script && chmod +x script
printf '#!/bin/sh\nfor i in 1 2 3 4 5; do sort $0 >/dev/null; done; sleep 0\n' >many && chmod +x many
expect 0 '^fencepost: .*, in \([0-9] of \)\?7 processes; exited 0$' ./many
expect 3 . ./script word
grep -qx word out || complain "a script without #!: $(cat out)"

# ---- Outputs: an array for several processes, a file of each with %p
expect 0 . --json=all.json sh -c '/bin/true; :'
test "$(head -c 1 all.json)" = '[' || complain "two processes are no JSON array"
expect 0 . --json=one.json true
test "$(head -c 1 one.json)" = '{' || complain "one process is no JSON object"
grep -q '"max_memory": [1-9]' one.json || complain "not in effect: $(grep max_memory one.json)"
expect 0 . --json=one.json --max-memory=1m true
grep -q '"max_memory": 1048576,' one.json || complain "not in effect: $(grep max_memory one.json)"
expect 0 . --json=%p.json sh -c '/bin/true; :'
test "$(ls | grep -c '^[0-9]*\.json$')" -eq 2 || complain "not a file of each process: $(ls)"
# A process that executes another program is one process with two reports.
printf '#include <stdlib.h>\n#include <unistd.h>\nint main(int n, char **a) { char *volatile p = malloc(9); free(p); free(p); '\
'if (n > 1) execv(a[1], a + 1); return 0; }\n' >executes.c
if $CC -w -g -o executes executes.c; then
	rm -f [0-9]*
	expect 0 '^fencepost: 2 errors, no leaks, in 1 of 1 process;' --json=%p.json --xml=%p.xml ./executes ./executes
	grep -q 'note: the event log ends early: .* executed another program' err || complain "why a log ends: $(cat err)"
	test "$(ls [0-9]*.json | wc -l)" -eq 1 || complain "not one file of one process: $(ls [0-9]*)"
	test "$(grep -c '"kind": "double-free"' [0-9]*.json)" -eq 2 || complain "a report is lost in $(ls [0-9]*.json)"
	test "$(grep -c '<kind>InvalidFree' [0-9]*.xml)" -eq 2 || complain "a report is lost in $(ls [0-9]*.xml)"
fi
"$fencepost" run --log=text.log true 2>err
test ! -s err && grep -q '^fencepost: no errors' text.log || complain "no text in the log: $(cat err)"

# ---- Programs that cannot be served
if $CC -static -o static -x c - 2>/dev/null <<'END'
int main(void) { return 9; }
END
then
	expect 125 '^fencepost: ./static is statically linked, .*: link it dynamically, or with libfencepost, or --force to try$' ./static
	expect 9 '/static left no report: ' --force ./static
	printf '#!%s/static\n' "$work" >static-script && chmod +x static-script
	expect 125 'static is statically linked' ./static-script
fi
if echo 'int main(void) { return 0; }' | $CC -fsanitize=address -o asan -x c - 2>/dev/null; then
	expect 125 'asan is linked with AddressSanitizer, .*: build it without -fsanitize' ./asan
fi
if echo 'int main(void) { return 0; }' | $CC -m32 -o narrow -x c - 2>/dev/null; then
	expect 125 'narrow is for another architecture' ./narrow
fi
cp /bin/true setgid && if test "$(id -u)" -eq 0 && chgrp 65534 setgid && chmod 2755 setgid; then
	expect 125 'setgid gains privileges when executed' ./setgid
fi

# ---- Programs that are not position-independent have their own address of malloc
printf '#include <stdlib.h>\nvoid *(*volatile call)(size_t) = malloc;\nint main(void) { free(call(9)); return 0; }\n' >fixed.c
if $CC -fno-pie -no-pie -o fixed fixed.c 2>/dev/null; then
	expect 0 '; exited 0$' ./fixed
	grep -q 'own malloc' err && complain "not its own malloc: $(cat err)"
fi

# ---- Allocators that are no malloc are named
echo 'void *mallocx(unsigned long n) { return (void *)n; } int main(void) { return 0; }' >own.c
if $CC -w -o own own.c 2>/dev/null; then
	expect 0 '^fencepost: jemalloc in ./own is a custom allocator; its blocks are not tracked$' ./own
	"$fencepost" run --quiet ./own 2>err
	test ! -s err || complain "quiet about an allocator: $(cat err)"
fi

# ---- Children that cannot be served run as without us, and are named
cat >children <<'END'
for program in ./static ./asan ./setgid; do
	test ! -x $program || $program || echo "$program $?"
done
test ! -x ./static || env A=B ./static
exec sort /dev/null
END
sh ./children >native 2>native.err
expect 0 'no errors' --leak-check=no sh ./children
cmp -s out native || complain "children: $(diff out native)"
grep -v '^fencepost: ' err | cmp -s - native.err || complain "children said: $(cat err)"
test ! -x static || grep -qx 'fencepost: not watched: ./static (statically linked), executed 2 times' err ||
	complain "static children: $(cat err)"
if test -x asan; then
	grep -qx 'fencepost: not watched: ./asan (linked with a sanitizer)' err || complain "children: $(cat err)"
	expect 0 '^fencepost: not watched: ./asan (linked with a sanitizer)$' env ./asan
	test "$(wc -l <err)" -eq 1 || complain "env asan: $(cat err)"
	expect 0 '^fencepost: not watched: .*/asan (linked with a sanitizer), executed 2 times$' sh -c 'PATH=$PWD:$PATH; asan; asan; :'
	test ! -x /usr/bin/python3 || expect 0 'not watched: ./asan (linked with a sanitizer), executed 3 times' /usr/bin/python3 -c '
import os, subprocess
env = dict(os.environ, LD_PRELOAD="libm.so.6:" + os.environ["LD_PRELOAD"], ASAN_OPTIONS="verify_asan_link_order=0")
for run in lambda: subprocess.call("./asan", env=env), lambda: os.waitpid(os.posix_spawn("./asan", ["asan"], os.environ), 0)[1], \
		lambda: os.spawnle(os.P_WAIT, "./asan", "asan", os.environ):
	assert run() == 0'
	"$fencepost" run --quiet env ./asan 2>err
	test ! -s err || complain "quiet about children: $(cat err)"
fi

# Who empties the environment of a program takes the library away from it.
expect 0 '^fencepost: not watched: /bin/echo (executed without LD_PRELOAD in its environment)$' env -i /bin/echo
grep -q 'left no report' err && complain "an empty environment: $(cat err)"
expect 0 'no errors' --trace-children=no sh -c 'env -i /bin/true; :'
grep -q 'not seen' err && complain "children that are to be left: $(cat err)"

# The same in a sweep, once, and where the library was put under the program by hand.
if test -x static; then
	expect 0 '^fencepost: not watched: ./static (statically linked), executed 2 times$' --sweep --leak-check=no sh ./children
	test "$(grep -c 'not watched: ./static' err)" -eq 1 || complain "sweep: $(cat err)"
	expect 9 '^fencepost: not watched: ./static (statically linked)$' --sweep env ./static
	grep -q 'left no report' err && complain "sweep of a static program: $(cat err)"
	"$fencepost" run --sweep --quiet env ./static 2>err
	test ! -s err || complain "quiet about children in a sweep: $(cat err)"
	by_hand() { # by_hand OPTIONS COMMAND...
		options=$1
		shift
		FENCEPOST_OPTIONS=reporter=$fencepost:leak_check=no$options \
			LD_PRELOAD=$FP_BUILDDIR/src/preload/.libs/libfencepost-preload.so "$@" 2>err
	}
	by_hand '' sh -c './static; (./static); ./static; ./children-are-none; :'
	test "$(grep -cx 'fencepost: not watched: ./static (statically linked)' err)" -eq 1 || complain "by hand: $(cat err)"
	test ! -x /usr/bin/python3 || {
		by_hand '' /usr/bin/python3 -c 'import os; os.posix_spawn("./static", ["static"], os.environ)'
		grep -qx 'fencepost: not watched: ./static (statically linked)' err || complain "spawned by hand: $(cat err)"
	}
	by_hand :quiet=yes sh -c './static; :'
	test ! -s err || complain "quiet by hand: $(cat err)"
fi

# ---- Signals: what is sent to fencepost reaches the program, once
cat >waits <<'END'
trap 'echo term; exit 11' TERM
trap 'echo int' INT
trap 'echo stop' TSTP
echo ready
while :; do sleep 0.05; done
END
"$fencepost" run --quiet sh ./waits >out 2>err &
pid=$!
await grep -q ready out
# It may be stopped itself then, and is continued.
kill -TSTP $pid
await grep -q stop out
test "$(grep -c stop out)" -eq 1 || complain "SIGTSTP: output '$(cat out)'"
kill -CONT $pid
kill -TERM $pid
# A signal that got lost must fail the test, not hang it.
(sleep 600; pkill -KILL -P $pid; kill -KILL $pid) >/dev/null 2>&1 &
watchdog=$!
wait $pid
got=$?
kill $watchdog 2>/dev/null
test "$got" -eq 11 && test "$(grep -c term out)" -eq 1 ||
	complain "SIGTERM: status $got, output '$(cat out)', '$(cat err)'"

# What ignores SIGCHLD, as some shells and daemons do, has its children's ends all the same; and the
# program starts as it would have.
env --ignore-signal=CHLD "$fencepost" run --quiet sh -c 'exit 3' 2>err
test $? -eq 3 || complain "SIGCHLD ignored: $(cat err)"
env --ignore-signal=CHLD "$fencepost" run --quiet grep SigIgn /proc/self/status >out 2>err
grep -q '1....$' out || complain "SIGCHLD is not ignored by the program: $(cat out)"

# Why it cannot be executed, and what to do.
printf '#!/nowhere/sh\n' >without && chmod +x without
"$fencepost" run ./without 2>err
test $? -eq 127 || complain "no interpreter: $(cat err)"
grep -q 'cannot run ./without: No such file or directory; its first line' err || complain "$(cat err)"
"$fencepost" run sh -c : "$(head -c 200000 /dev/zero | tr '\0' x)" 2>err
grep -q 'Argument list too long' err || complain "too long: $(cat err)"

test -z "$(ls tmp)" || complain "left behind: $(ls tmp)"
# ---- What a program blocks and ignores the next one inherits, signals of faults and of ours among them
cat >inherits.c <<'END'
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void show(const char *when)
{
	sigset_t mask;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int i = 1; i < NSIG; i++) {
		struct sigaction action = {.sa_handler = SIG_DFL};
		int is_known = sigaction(i, NULL, &action) == 0;
		printf("%s %d %d %d\n", when, i, sigismember(&mask, i), is_known && action.sa_handler == SIG_IGN);
	}
	fflush(stdout);
}
int main(int argc, char **argv)
{
	sigset_t all;
	if (argc > 2) {
		show(argv[2]);
		return 0;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int i = 1; i < NSIG; i += 2)
		signal(i, SIG_IGN);
	signal(SIGBUS, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	execl("/no/such/program", "none", NULL);
	show("refused");
	if (strcmp(argv[1], "wrong") == 0) {
		volatile char *block = malloc(24);
		free((void *)block);
		return block[3]; /* plant: read */
	}
	if (vfork() == 0) {
		execl("/proc/self/exe", argv[0], "", "child", NULL);
		_exit(1);
	}
	wait(NULL);
	char *arguments[] = {argv[0], "", "spawned", NULL};
	posix_spawn(&(pid_t){0}, "/proc/self/exe", NULL, NULL, arguments, environ);
	wait(NULL);
	arguments[2] = "searched";
	if (vfork() == 0) {
		execvp("/proc/self/exe", arguments);
		_exit(1);
	}
	wait(NULL);
	execl("/proc/self/exe", argv[0], "", "executed", NULL);
	return 1;
}
END
if $CC -w -g -O0 -o inherits inherits.c 2>/dev/null; then
	./inherits right >native
	expect 0 '^fencepost: no errors' ./inherits right
	cmp -s native out || complain "inherited signals: $(diff native out | head -n 8)"
	grep -q '^executed 11 1 1$' native || complain "natively: $(grep executed native)"
	"$fencepost" run ./inherits wrong >out 2>err
	grep -q "heap-use-after-free of a 24-byte block at inherits.c:$(grep -n 'plant: read' inherits.c | cut -d: -f1)" err ||
		complain "not seen after an exec that was refused: $(cat err)"
fi
exit $bad
