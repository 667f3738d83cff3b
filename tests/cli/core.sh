# SPDX-License-Identifier: Apache-2.0
#
# Core files: fencepost explain says of one what the process itself said before it died, with every
# back end, in C and C++, optimised and not; so do leaks, blocks and findings, also in gdb, with the
# program and the libraries gone, as on another machine; and what is no core file, is cut off, of another
# version or of somebody who means harm is refused in one line.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victims=$FP_BUILDDIR/tests/cli
gdb_file=$FP_BUILDDIR/src/preload/.libs/fencepost-gdb.py
work=$FP_BUILDDIR/tests/cli/core.work
test -x "$fencepost" && test -x "$victims/holders_victim" || exit 99
case $(uname -m) in x86_64) ;; *) echo 'core files of this kind of processor are not read'; exit 77 ;; esac
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0
ulimit -c unlimited 2>/dev/null || { echo 'core files may not be written here'; exit 77; }
case $(cat /proc/sys/kernel/core_pattern) in
core | core.%p) ;;
*) echo "core files go elsewhere ($(cat /proc/sys/kernel/core_pattern)), and are left out"; exit 77 ;;
esac

complain() {
	echo "$what: $*"
	bad=1
}
says() { # says FILE PATTERN...: it does, in that order
	file=$1
	shift
	for pattern; do
		printf '%s\n' "$pattern"
	done >wanted
	awk 'NR == FNR { wanted[++count] = $0; next } at < count && $0 ~ wanted[at + 1] { at++ }
		END { if (at < count) { print wanted[at + 1]; exit 1 } }' wanted "$file" >missing ||
		complain "no '$(cat missing)' in its place: $(cat "$file" err)"
}
start() { # start OPTION... -- PROGRAM...: it waits, and has told where its block is, $block
	rm -rf told core core.* log pid
	mkfifo told
	options=
	while test "$1" != --; do
		options="$options $1"
		shift
	done
	shift
	"$fencepost" run --leak-signal=USR2 --log=log $options -- sh -c 'echo $$ >pid; exec "$0" "$@"' "$@" >told &
	runner=$!
	read -r block other <told
	pid=$(cat pid)
}
die() { # the kernel writes a core file: core
	kill -ABRT "$pid"
	wait "$runner"
	for file in core.*; do
		test ! -f "$file" || mv "$file" core
	done
	test -s core || { echo 'the kernel wrote no core file'; exit 77; }
}
# How long ago is another time
explain() { # explain WHERE FILE
	"$fencepost" explain "$block" "$1" 2>err | sed 's/, allocated [0-9.]* m*s ago$//' >"$2"
}

# ---- Who holds it, as the process said
for victim in holders_victim holders_victim_fast holders_victim_cc holders_victim_cc_fast; do
	for way in live:move block:move global:guard inside:mprotect other-stack:none stack:move thread-local:guard \
		other-storage:move register:move freed-block:move memory:mprotect live:none block:guard stack:none; do
		test $victim = holders_victim || test "${way#*:}" = move || continue
		what="$victim $way"
		start --leak-check=no "--backend=${way#*:}" -- "$victims/$victim" "${way%:*}" wait
		explain "$pid" live
		die
		explain core dead
		test -s live && cmp -s live dead || complain "$(diff live dead) $(cat err)"
	done
done
what='a block'
start --leak-check=no -- "$victims/holders_victim" live wait
die
explain core answer
says answer "^$block is the start of a block of 40 bytes" '^  the block: at .*, serial 1, heap 1, family malloc, guarded$' \
	'#0 make  .*holders_victim.c:' '^  held by:$' '^    box.rows\[3\].text .holders_victim., which points 4 bytes inside$' \
	'^  next behind it: 4,096 bytes at '
block=$(printf '0x%x' $((block + 3)))
explain core answer
says answer 'is 3 bytes inside a block of 40 bytes'
block=0x1234
explain core answer
says answer '^0x1234 is no block: it is nothing: no memory is mapped there$' '^  next behind it: '

# ---- A crash, a child of fork, a host with a region
run_to_death() { # run_to_death COMMAND...: what it prints is in told
	rm -rf told core core.*
	"$@" >told 2>err
	for file in core.*; do
		test ! -f "$file" || mv "$file" core
	done
	test -s core || complain "no core file: $(cat told err)"
}
for backend in move guard mprotect; do
	what="a crash, $backend"
	run_to_death "$fencepost" run --log=log --backend=$backend --holders=0 "$victims/holders_victim" block read
	block=$(sed -n 's/^  the block: 40 bytes at \(0x[0-9a-f]*\),.*/\1/p' log)
	explain core answer
	says answer "^$block is the start of a freed block of 40 bytes" '#0 make ' '^  freed by thread ' '#0 main ' \
		'^    register [a-z0-9]* of thread [0-9]*, which points 3 bytes inside$' \
		'^    offset 8 in a block of 16 bytes .serial 2. allocated at holders_victim.c:'
done
cat >child.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
char *volatile ours, *volatile theirs;
int main(void)
{
	ours = malloc(30);
	free(ours + 8);
	if (fork() == 0) {
		theirs = malloc(50);
		printf("%p %p\n", ours, theirs);
		fflush(stdout);
		abort();
	}
	wait(NULL);
	return 0;
}
END
${CC:-cc} -g -w child.c -o child || exit 99
what='a child'
run_to_death "$fencepost" run --log=log ./child
read -r ours block <told
explain core answer
says answer "^$block is the start of a block of 50 bytes" '^    theirs .child.$'
"$fencepost" report --log=answer core 2>err
says answer 'crash .SIGABRT.' '1 error; killed by SIGABRT'
grep -q invalid-free answer && complain "has the mistake of the parent: $(cat answer)"
cat >host.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <fencepost/fencepost.h>
#include <fencepost/hosting.h>
void *volatile kept;
int main(void)
{
	IHostMemoryManager *manager;
	IHostMalloc *heap;
	void *block, *region = NULL;
	fp_create_memory_manager("quiet=yes", &manager);
	manager->lpVtbl->CreateMalloc(manager, MALLOC_THREADSAFE, &heap);
	heap->lpVtbl->Alloc(heap, 44, eTaskCritical, &block);
	manager->lpVtbl->VirtualAlloc(manager, NULL, 1 << 20, 0x3000, 4, eTaskCritical, &region);
	*(void **)region = block;
	kept = region;
	printf("%p %p\n", region, block);
	fflush(stdout);
	block = region = NULL;
	abort();
}
END
lib=$FP_BUILDDIR/src/hosting/.libs
what='a host'
${CC:-cc} -g -w -I"$top_srcdir/include" host.c -o host -L"$lib" -Wl,-rpath,"$lib" -lfencepost || exit 99
run_to_death env FENCEPOST_OPTIONS="reporter=$fencepost" ./host
read -r block other <told
explain core answer
says answer "^$block is the start of a block of 1,048,576 bytes" 'family virtual' '#0 main .*host.c:' '^    kept .host.$'
"$fencepost" leaks core >answer 2>err
says answer '1 error, no leaks; killed by SIGABRT'

# ---- Leaks of each class, blocks, what was found; then without the files of the process
cat >leaky.c <<'END'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct node { struct node *next; char *text; };
static struct node *volatile last;
char *inside, *held;
static void __attribute__((noinline)) leak(int length)
{
	struct node *first = NULL;
	for (int i = 0; i < length; i++) {
		struct node *node = malloc(sizeof(*node));
		node->next = first;
		node->text = malloc(30);
		first = node;
	}
	last = first;
	last = NULL;
}
static void __attribute__((noinline)) keep(void)
{
	inside = (char *)malloc(100) + 40;
	held = malloc(50);
	char *volatile block = malloc(10);
	free(block);
	free(block);
}
static void __attribute__((noinline)) clean(void)
{
	volatile char room[16384];
	memset((char *)room, 0, sizeof(room));
}
int main(void)
{
	leak(3);
	keep();
	clean();
	printf("%p\n", (void *)held);
	fflush(stdout);
	for (;;)
		pause();
}
END
cat >same.py <<'END'
import json, sys
def leaks(file):
    report = json.load(open(file))
    return sorted(json.dumps({k: v for k, v in one.items() if k in ("kind", "blocks", "bytes", "alloc_stack", "indirect_blocks",
        "indirect_bytes", "path", "members", "holders", "family")}, sort_keys=True) for one in report["leaks"])
live, dead = leaks("live.json"), leaks("dead.json")
classes = sorted({json.loads(one)["kind"] for one in live})
if live != dead or classes != ["definite", "indirect", "possible"]:
    print(classes, "\n".join(live), "\nCORE\n", "\n".join(dead))
    sys.exit(1)
END
mkdir -p far
for flags in -O0 -O2; do
	what="leaks $flags"
	${CC:-cc} -g -w $flags leaky.c -o far/leaky || exit 99
	start -- ./far/leaky
	"$fencepost" leaks --show-possible=yes --json=live.json "$pid" >/dev/null 2>err
	die
	"$fencepost" leaks --show-possible=yes --json=dead.json core >answer 2>err || complain "exits with $?: $(cat err)"
	python3 same.py || complain 'other leaks than the process had'
	says answer 'double-free' '^    #. keep .*leaky.c:' 'crash .SIGABRT.'
	"$fencepost" snapshot --json=blocks.json core >/dev/null 2>err
	python3 -c 'import json, sys
last = json.load(open("blocks.json"))["snapshots"][-1]
sys.exit(last["live_blocks"] != 9 or sum(one["bytes"] for one in last["stacks"]) != last["live_bytes"])' ||
		complain "$(cat blocks.json)"
done
what='another machine'
mv far/leaky gone
"$fencepost" leaks core >answer 2>err || complain "exits with $?: $(cat err)"
says answer 'leak of 16 bytes in 1 block at leaky.0x'
mv gone far/leaky
cp core kept
leaky_block=$block

# ---- gdb asks the same
if command -v gdb >/dev/null && gdb -nx -batch -ex 'python print(gdb.VERSION)' >/dev/null 2>&1; then
	what=gdb
	for way in far/leaky no-such-program; do
		cat >commands <<END
set pagination off
core-file kept
fencepost info $block
fencepost blocks
fencepost blocks by site
fencepost findings
fencepost leaks
END
		gdb -nx -batch -x "$gdb_file" -x commands $way >answer 2>&1
		says answer "^$block is the start of a block of 50 bytes" '^  allocated by thread ' '#0 keep ' '^    held .leaky.$' \
			'^9 live blocks with [0-9]* bytes of' '90 bytes in  *3 blocks allocated by leak' \
			'bytes of [0-9]* places' 'double-free' 'leak of 16 bytes in 1 block'
	done
	# gdb's own core files lack what stands behind a guard, and say so; ours do not
	for way in generate-core-file 'fencepost gcore'; do
		what=$way
		start --leak-check=no --backend=move -- "$victims/holders_victim" block wait
		explain "$pid" live
		gdb -nx -batch -x "$gdb_file" -ex 'set pagination off' -ex "attach $pid" -ex "$way gdb.core" -ex detach \
			"$victims/holders_victim" >made 2>&1
		kill "$pid"
		wait "$runner"
		grep -q 'ptrace: Operation not permitted' made && { echo 'gdb may not attach here: left out'; continue; }
		explain gdb.core dead
		if test "$way" = 'fencepost gcore'; then
			cmp -s live dead || complain "$(diff live dead) $(cat err made)"
		elif ! cmp -s live dead; then
			says dead 'more may hold it, because not all was searched: the file lacks the contents of blocks, as files of gcore do'
			"$fencepost" leaks gdb.core >answer 2>err
			test $? -eq 125 || complain 'tells leaks of it'
			grep -q '^fencepost: gdb.core cannot tell leaks: the file lacks the contents of blocks' err || complain "$(cat err)"
		fi
	done
fi

# ---- What is refused
cp kept core
block=$leaky_block
refuses() { # refuses PATTERN FILE
	"$fencepost" explain "$block" "$2" >answer 2>err
	test $? -eq 125 || complain "$2 is not refused: $(cat answer)"
	test "$(wc -l <err)" -eq 1 && grep -q "$1" err || complain "$2: no '$1': $(cat err)"
}
what=refusals
head -c 100000 core >short
refuses '^fencepost: short is cut off: [0-9]* bytes are missing' short
head -c 80 core >shorter
refuses '^fencepost: shorter is damaged: ' shorter
python3 - <<'END'
core = open("core", "rb").read()
at = core.index(b"fencepostremains")
open("other", "wb").write(core[:at + 24] + b"9.9".ljust(24, b"\0") + core[at + 48:])
open("arm", "wb").write(core[:18] + b"\xb7\0" + core[20:])
END
refuses '^fencepost: other is of Fencepost 9.9, and this is ' other
refuses '^fencepost: arm is of another kind of processor' arm
cat >plain.c <<'END'
#include <stdlib.h>
int main(void) { abort(); }
END
${CC:-cc} -w plain.c -o plain || exit 99
rm core
./plain 2>/dev/null
for file in core core.*; do
	test ! -f "$file" || mv "$file" plain.core
done
refuses '^fencepost: plain.core has no data of Fencepost: the program ran without it' plain.core

# Bytes that somebody chose: whatever they say, there is an answer or one line.
what=hostile
python3 - "$fencepost" "$block" <<'END' || bad=1
import random, struct, subprocess, sys
base = open("kept", "rb").read()
map_at = base.index(b"fencepostremains")
random.seed(17)
bad = 0
for turn in range(60):
    core = bytearray(base)
    low, high = ((0, 64), (64, 16384), (map_at, map_at + 400), (0, len(core)))[turn % 4]
    for _ in range(random.choice((1, 3, 20, 200))):
        at = random.randrange(low, min(high, len(core)) - 8)
        core[at:at + 8] = struct.pack("<Q", random.choice((0, 1, 1 << 63, 2**64 - 1, 1 << 47, random.getrandbits(47), len(core))))
    open("hostile", "wb").write(core)
    for command in (["explain", sys.argv[2], "hostile"], ["leaks", "--log=/dev/null", "hostile"]):
        done = subprocess.run([sys.argv[1], *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode not in (0, 125) or (done.returncode == 125 and done.stderr.count(b"\n") != 1):
            print("turn", turn, command, done.returncode, done.stderr[-300:])
            bad = 1
sys.exit(bad)
END
exit $bad
