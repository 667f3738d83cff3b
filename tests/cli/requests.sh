# SPDX-License-Identifier: Apache-2.0
#
# What programs that are built with Valgrind's own headers tell it of their pools, and ask it: answered with
# every back end, whatever compiled them, of modules that come later, too; and where the system does not let
# code be changed, nothing is but a note.
fencepost=$FP_BUILDDIR/src/cli/fencepost
source=$top_srcdir/tests/cli/requests_victim.c
work=$FP_BUILDDIR/tests/cli/requests.work
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
ulimit -c 0
bad=0
done=
test "$(uname -m)" = x86_64 || { echo "requests are answered on x86-64 only"; exit 77; }
echo '#include <valgrind/memcheck.h>' | ${CC:-cc} -E - >/dev/null 2>&1 ||
	{ echo "valgrind's headers are not installed"; exit 77; }

complain() {
	echo "$backend $victim: $*" | head -n 60
	bad=1
}

compilers=${CC:-cc}
command -v clang >/dev/null && compilers="$compilers clang"
victims=
for compiler in $compilers; do
	for level in 0 2; do
		name=victim-$(basename "${compiler%% *}")-O$level
		$compiler -g -O$level -w -pthread -o "$name" "$source" -ldl || exit 99
		victims="$victims $name"
	done
done
${CC:-cc} -g -O2 -w -shared -fPIC -o requests_module.so "$top_srcdir/tests/cli/requests_module.c" || exit 99
REQUESTS_MODULES=$work
export REQUESTS_MODULES

# run STATUS HOW OPTION...: its output in `out', its report in `err', as JSON in `json'.
run() {
	wanted=$1 how=$2
	shift 2
	"$fencepost" run --backend=$backend --json=json --quiet "$@" ./$victim $how $memory >out 2>err
	status=$?
	test $status -eq "$wanted" || complain "$how $memory $*: status $status: $(cat out err)"
}

# line PATTERN: the number of the victim's line that has it, or of the module's.
line() {
	cat "$source" | grep -nF -- "$1" | head -n 1 | cut -d: -f1
}

# finding KIND OFFSET ACCESS [made=LINE] [freed=LINE] [by=LINE]: the report has it; each names a line's text.
finding() {
	python3 - "$source" "$@" <<'END' || complain "$how: no $* in: $(cat err)"
import json, sys
source, kind, offset, access, *others = sys.argv[1:]
text = open(source).read().splitlines()
def line(pattern):
    return 1 + next(i for i, line in enumerate(text) if pattern in line)
def has(frames, pattern):
    return line(pattern) in [frame.get("line") for frame in frames or []]
reports = json.load(open("json"))
for report in reports if isinstance(reports, list) else [reports]:
    for finding in report["findings"]:
        block = finding["block"] or {}
        where = {"made": block.get("alloc_stack"), "freed": block.get("free_stack"),
                 "by": (finding["other"] or {}).get("stack")}
        if (finding["kind"] == kind and block.get("offset", "none") == (int(offset) if offset != "none" else offset)
                and has(finding["stack"], access) and (not block or block["family"] == "pool")
                and all(has(where[other.split("=", 1)[0]], other.split("=", 1)[1]) for other in others)):
            sys.exit(0)
sys.exit(1)
END
}

# leaks CLASS:BYTES...: those are the leaks.
leaks() {
	found=$(python3 -c '
import json
reports = json.load(open("json"))
for report in reports if isinstance(reports, list) else [reports]:
    for leak in report["leaks"]:
        print(leak["kind"] + ":" + str(leak["bytes"]))' | sort | tr '\n' ' ')
	test "$found" = "${*:+$* }" || complain "$how: leaks '$found', wanted '$*': $(cat err)"
}

# count NUMBER: so many findings.
count() {
	found=$(grep -c '"fingerprint"' json)
	leaked=$(grep -cE '"kind": "(definite|indirect|possible)"' json)
	test $((found - leaked)) -eq "$1" || complain "$how: $((found - leaked)) findings: $(cat err)"
}

backends=$("$fencepost" doctor 2>/dev/null | sed -n 's/^ok *back end \([a-z]*\): works.*/\1/p')
for backend in ${backends:-auto} none; do
	# What compiled them makes no difference to a back end.
	test "$backend" = none || test -z "$done" || victims=${victims##* }
	done=yes
	for victim in $victims; do
		for memory in malloc mapped; do
			run 0 use
			finding heap-use-after-free 8 'block + 8, 16)' 'made=char *block = cut(40)' 'freed=give_back(block);'
			count 1
			run 0 overflow
			finding heap-buffer-overflow 40 'write(null, block, 44)' 'made=VALGRIND_MALLOCLIKE_BLOCK(block, size'
			count 1
			run 0 double
			finding double-free 0 'give_back(block); /* twice */' 'made=char *block = cut(24)'
			count 1
			leaks
			run 0 inner
			finding invalid-free 8 'give_back(block + 8)'
			leaks
			run 0 free
			finding alloc-dealloc-mismatch 0 'free(block);' 'made=block = cut(25)'
			grep -qF 'made by a pool of the program (family pool) and freed by free (family malloc)' err ||
				complain "free: $(cat err)"
			run 139 page
			finding heap-use-after-free 8195 'sink = block[2 * PAGE + 3]' 'made=char *block = cut(4 * PAGE)'
			run 0 leak
			leaks definite:100
			run 0 pool
			finding pool-misuse 0 'pool_give_back(&there, block)' 'made=block = pool_cut(&here, 50)'
			finding heap-use-after-free 2 'write(null, block + 2' 'freed=VALGRIND_DESTROY_MEMPOOL(&here)'
			finding pool-misuse none 'pool_give_back(&here, block)' 'by=VALGRIND_DESTROY_MEMPOOL(&here)'
			finding pool-misuse none 'pool_cut(&sink, 5)'
			count 4
			leaks
			run 0 shapes
			grep -qx done out || complain "shapes: $(cat out)"
			count 0
			leaks
			run 0 ask
			grep -qx 'printed 42 words 2.5' err || complain "ask: $(cat err)"
			grep -qx 'done 2 0' out || complain "ask: $(cat out)"
			leaks definite:123
			run 0 fork
			grep -qx 'child 0' out || complain "fork: $(cat out)"
			finding double-free 0 'give_back(block); /* in the child */'
			run 0 threads
			count 0
			run 0 load
			grep -qx done out || complain "load: $(cat out)"
			grep -q 'double-free of a 32-byte block at requests_module.c' err || complain "load: $(cat err)"
		done
	done
	# ---- An instruction is carried out on what is really there, whoever's memory it is.
	if test "$backend" != none && "$fencepost" run --continue=yes true 2>/dev/null; then
		memory=mapped
		run 0 page --continue=yes
		grep -qx 'went on' out || complain "--continue: $(cat out)"
	fi
done
# ---- What a block of a pool is, for who asks; it is not what it was cut out of.
rm -f told && mkfifo told
"$fencepost" run --leak-signal=USR2 --leak-check=no --quiet -- sh -c 'echo $$ >pid; exec "$0" "$@"' ./$victim told malloc >told 2>/dev/null &
runner=$!
read -r held freed <told
"$fencepost" explain "$held" "$(cat pid)" >out 2>err || complain "explain: status $?: $(cat err)"
grep -q "^$held is the start of a block of 40 bytes" out && grep -q ', family pool, ' out &&
	grep -q "requests_victim.c:$(line 'char *held = cut(40);')$" out && grep -q 'kept' out ||
	complain "explain: $(cat out)"
"$fencepost" explain "$freed" "$(cat pid)" >out 2>err
grep -q "^$freed is the start of a freed block of 24 bytes" out &&
	grep -q "requests_victim.c:$(line 'give_back(freed);')$" out || complain "explain, freed: $(cat out)"
kill "$(cat pid)"
wait "$runner"
# ---- Nobody answers: without us, when it is not wanted, and in a sample, whose blocks are libc's.
memory=malloc
for options in --client-requests=no --sample=10; do
	run 0 use $options
	grep -qx 'nobody answers' out || complain "$options: $(cat out err)"
done
test "$(./$victim use malloc)" = 'nobody answers' || complain "alone: $(./$victim use malloc)"
# ---- The system does not let code be written: a note, and the program is as it was.
cat >strict.c <<'END'
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* mprotect with PROT_EXEC is refused. */
int main(int argc, char **argv)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 13),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	execv(argv[1], argv + 1);
	return 127;
}
END
${CC:-cc} -w -o strict strict.c || exit 99
./strict "$fencepost" run ./$victim use malloc >out 2>err || complain "strict: $(cat out err)"
grep -qx 'nobody answers' out || complain "strict: $(cat out)"
grep -qF 'note: the system forbids to change code, so Fencepost cannot answer what some modules ask Valgrind (valgrind.h): their pools are not tracked' err ||
	complain "strict: $(cat err)"
exit $bad
