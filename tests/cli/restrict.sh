# SPDX-License-Identifier: Apache-2.0
#
# A process that restricts itself after its start, or is ended without a word, loses nothing that it
# had to say: the finding with its lines, the JSON report and the exit status are those of a process
# that did nothing of the kind. What is not known is said not to be.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/restricted_victim
host=$FP_BUILDDIR/tests/cli/restricted_host
source=$top_srcdir/tests/cli/restricted_victim.c
work=$FP_BUILDDIR/tests/cli/restrict.work
test -x "$fencepost" && test -x "$victim" && test -x "$host" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0 tried=0

complain() {
	echo "$*"
	bad=1
}
. "$top_srcdir/tests/support/wait.sh"
line_of() { # line_of PLANT
	grep -n "plant: $1 \*/" "$source" | cut -d: -f1
}

is_reported() {
	test -s json && grep -q '^fencepost: .* leak' err
}

alone() { # alone WAY MISTAKE BACKEND: a host without fencepost run; nobody waits for the report of one that was killed
	FENCEPOST_OPTIONS=backend=$3:json=json "$host" "$1" "$2" >out 2>err
	status=$?
	test "$status" -ne 77 || return
	await is_reported
	case $1-$2 in
	*-use-after-free) expected=139 ;;
	killed-* | out-of-memory-* | strict-*) expected=137 ;;
	two-signals-*) expected=143 ;;
	*) expected=5 ;;
	esac
	test "$status" -eq "$expected" || complain "alone, $1, $2: status $status: $(cat err)"
	status=9
}
# check WAY MISTAKE BACKEND: what is found, or, of a leak that nobody could look for, what is said.
check() {
	rm -f json
	if test "$victim" = alone; then
		alone "$@"
	else
		"$fencepost" run --backend="$3" --error-exitcode=9 --json=json -- "$victim" "$1" "$2" >out 2>err
		status=$?
	fi
	test "$status" -ne 77 || { echo "$1: not possible here"; return; }
	tried=$((tried + 1))
	what="$1, $2, $3: "
	test -s json || { complain "$what status $status, no JSON: $(cat err)"; return; }
	case $2 in
	double-free) kind=double-free ;;
	use-after-free) kind=heap-use-after-free ;;
	leak)
		if grep -q '"kind": "definite"' json; then
			grep -q "restricted_victim.c\", *\$\|restricted_victim.c\"" json && grep -q "\"line\": $(line_of leak)\b" json ||
				complain "$what a leak without its line: $(cat err)"
		elif grep -q '"made": true' json || grep -q 'no leaks' err; then
			complain "$what leaks are said to have been looked for: $(cat err)"
		fi
		# Known to have a leak, or not known.
		test "$status" -eq 9 || test "$1 $status" = 'killed 137' || test "$1 $status" = 'out-of-memory 137' ||
			complain "$what status $status: $(cat err)"
		return
		;;
	esac
	test "$status" -eq 9 || complain "$what status $status: $(cat err)"
	grep -q "\"kind\": \"$kind\"" json || complain "$what no finding: $(cat err)"
	grep -q "\"line\": $(line_of "$2")\b" json || complain "$what no line $(line_of "$2"): $(cat err)"
	test "$(grep -c "^fencepost: $kind of " err)" -eq 1 || complain "$what told more or less than once: $(cat err)"
	case $victim in
	"$host") door=both ;;
	alone) door=host ;;
	*) door=malloc ;;
	esac
	grep -q "\"door\": \"$door\"" json || complain "$what another door: $(grep '"door"' json)"
}

# Of a program that the kernel ends because it takes too much.
make_group() {
	of_memory=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
	unified=$(sed -n 's/^0:://p' /proc/self/cgroup)
	for parent in ${of_memory:+"/sys/fs/cgroup/memory$of_memory"} "/sys/fs/cgroup$unified"; do
		group=$parent/fencepost-$$
		mkdir "$group" 2>/dev/null || continue
		for limit in memory.limit_in_bytes memory.max; do
			test -w "$group/$limit" && echo 100M >"$group/$limit" && RESTRICTED_GROUP=$group/cgroup.procs
		done 2>/dev/null
		test -z "$RESTRICTED_GROUP" || break
		rmdir "$group"
	done
	export RESTRICTED_GROUP
}
make_group

found_leaks() { # found_leaks WAY: there it has to be found
	check "$1" leak auto
	test "$status" -eq 77 || grep -q '"kind": "definite"' json || complain "$1: no leak: $(cat err)"
}

for way in plain chroot private-tmp setuid landlock seccomp sandbox sandbox-traps no-descriptors closed no-counter file-size killed out-of-memory raw-exit two-ends two-signals; do
	check "$way" double-free auto
	check "$way" use-after-free auto
	check "$way" leak auto
done
for backend in guard mprotect; do
	"$fencepost" run --quiet --backend=$backend --leak-check=no true 2>/dev/null || continue
	for way in chroot seccomp sandbox closed two-signals; do
		check "$way" double-free $backend
		check "$way" use-after-free $backend
	done
done
# Who does not see /proc any more has it read for it.
for way in plain chroot private-tmp setuid landlock seccomp sandbox sandbox-traps no-descriptors closed no-counter file-size two-ends two-signals; do
	found_leaks "$way"
done
# The same of a host, whose heap's blocks stand beside those of malloc, and of one by itself.
of_malloc=$victim
for victim in "$host" alone; do
	for way in plain chroot private-tmp setuid landlock seccomp sandbox sandbox-traps no-descriptors closed no-counter file-size killed out-of-memory raw-exit two-ends two-signals; do
		check "$way" double-free auto
		check "$way" use-after-free auto
		check "$way" leak auto
	done
	for way in plain chroot private-tmp setuid landlock seccomp sandbox sandbox-traps no-descriptors closed no-counter file-size two-ends; do
		found_leaks "$way"
	done
done
victim=$of_malloc
# Several that ask at once get each their own.
"$victim" chroot leak
if test $? -ne 77; then
	"$fencepost" run --json=json -- sh -c 'for i in 1 2 3 4 5 6; do "$0" chroot leak & done; wait' "$victim" >out 2>err
	test "$(grep -c '"kind": "definite"' json)" -eq 6 || complain "six at once: $(cat err)"
fi
# With only the library under malloc nobody reads along from the start. A filter that kills who starts a
# program does not kill on our account: what reads is started before it, or not at all.
for way in deadly-filter deadly-filter-unseen; do
	LD_PRELOAD=$FP_BUILDDIR/src/preload/.libs/libfencepost-preload.so "$victim" $way double-free >out 2>err
	status=$?
	test "$status" -eq 5 || test "$status" -eq 77 || complain "$way: status $status: $(cat err)"
done
LD_PRELOAD=$FP_BUILDDIR/src/preload/.libs/libfencepost-preload.so "$victim" deadly-filter double-free >out 2>err
if test $? -ne 77; then
	await grep -q "restricted_victim.c:$(line_of double-free)" err ||
		complain "before a filter nobody was started who reads: $(cat err)"
fi
# In the strict mode nothing can be protected any more: blocks are libc's, as far as that has any.
victim=$of_malloc
for backend in auto guard mprotect none; do
	"$fencepost" run --backend=$backend --error-exitcode=9 --json=json -- "$victim" strict double-free >out 2>err
	status=$?
	test "$status" -eq 9 && grep -q '"line": '"$(line_of double-free)\b" json && grep -q '"kind": ".*-free"' json ||
		complain "strict, $backend: status $status: $(cat err)"
	grep -q '^fencepost: note: a thread entered seccomp' err || complain "strict, $backend: not said: $(cat err)"
	check strict leak $backend
done
# A host's heap gets no memory there, and says so; its report comes from who watches.
for backend in auto guard mprotect none; do
	rm -f json
	FENCEPOST_OPTIONS=backend=$backend:json=json "$host" strict double-free >out 2>err
	status=$?
	test "$status" -eq 5 || complain "alone, strict, $backend: status $status: $(cat err)"
	await grep -q '; exited 5' err
	grep -q '^fencepost: heap-unusable at restricted_victim.c:.* in take$' err && grep -q '"kind": "heap-unusable"' json ||
		complain "alone, strict, $backend: no finding: $(cat err)"
	grep -q '^fencepost: note: a thread entered seccomp' err || complain "alone, strict, $backend: not said: $(cat err)"
done
# Where address space is short somebody still watches, and has room for the report: the limit is his, too.
limited() { # limited WAY KIB
	rm -f json
	FENCEPOST_OPTIONS=json=json sh -c 'ulimit -v "$2" && exec "$0" "$1" double-free' "$host" "$1" "$2" >out 2>err
	status=$?
	await test -s json
}
limited plain 45000
if test "$status" -eq 5 && grep -q '; exited 5$' err; then
	for kib in 44000 44500 45000 45500 50000; do
		limited killed $kib
		grep -q "\"line\": $(line_of double-free)\b" json || complain "killed, with $kib KiB of address space: $(cat err)"
	done
else
	echo "no program runs in 45 MB here: $(cat err)"
fi
# The first process of a namespace takes those who watch with it.
if unshare --pid --fork true 2>/dev/null; then
	unshare --pid --fork "$host" raw-exit double-free >out 2>err
	grep -q "^fencepost: double-free of .* at restricted_victim.c:$(line_of double-free) in " err ||
		complain "the first process of a namespace: $(cat err)"
fi
sleep 0.2
test -z "$RESTRICTED_GROUP" || rmdir "${RESTRICTED_GROUP%/*}"
test "$tried" -gt 40 || complain "only $tried of them could be tried"

# ---- Processes of which not all is known
children() { # children SHELL-TEXT: its status and what is said
	"$fencepost" run --error-exitcode=9 -- sh -c "$1" >out 2>err
	status=$?
}
says() {
	grep -q "$1" err || complain "no '$1': $(cat err)"
}
children "sleep 9 & sleep 1; kill -KILL \$!; wait; exit 0"
test "$status" -eq 9 || complain "a child that was killed is clean: status $status"
says '^fencepost: 1 process was killed by SIGKILL; '
says '^fencepost: no errors, no leaks, in [34] processes; exited 0; 1 process not followed to its end$'
# One that has not come to its first instruction yet nobody knows.
children "(touch began; until test -e done; do sleep 0.1; done; rm done) & until test -e began; do sleep 0.1; done; exit 0"
test "$status" -eq 9 || complain "a child that still runs is clean: status $status"
says ' still runs, and reports by itself when it ends$\| still run, and report by themselves when they end$'
touch done
children "/bin/true; exec /bin/true"
test "$status" -eq 0 || complain "executed: status $status: $(cat err)"
# Process numbers of another namespace are not those of processes here.
if unshare --pid --fork true 2>/dev/null; then
	children "unshare --pid --fork $victim killed double-free; exit 0"
	test "$status" -eq 9 && grep -q '^fencepost: double-free of ' err || complain "a namespace: status $status: $(cat err)"
	grep -q 'still run' err && complain "of a namespace one is said to run: $(cat err)"
	children "unshare --pid --fork /bin/true; exit 0"
	test "$status" -eq 0 || complain "a namespace, nothing found: status $status: $(cat err)"
	${CC:-cc} -o namespaces "$top_srcdir/tests/cli/namespaces.c" || exit 99
	for way in cloned second; do
		children "./namespaces $way"
		test "$status" -eq 0 && ! grep -q 'still run' err || complain "killed, $way in a namespace: status $status: $(cat err)"
	done
fi
sleep 2
exit $bad
