# SPDX-License-Identifier: Apache-2.0
#
# fencepost doctor from outside: each thing that can be wrong is made so, and the line about it and
# its fix are looked for.
fencepost=$FP_BUILDDIR/src/cli/fencepost
filtered=$FP_BUILDDIR/tests/cli/filtered
work=$FP_BUILDDIR/tests/cli/doctor.work
test -x "$fencepost" && test -x "$filtered" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

# says STATUS "VERDICT NAME" PATTERN FIX COMMAND...: the exit status, and the line of NAME with what
# stands below it: "fix: COMMAND" and "advice: WORDS". An empty FIX: there is neither.
says() {
	status=$1 name=$2 want=$3 fix=$4
	shift 4
	"$@" >out 2>err
	got=$?
	test "$got" -eq "$status" || complain "$*: status $got, not $status: $(cat out err)"
	test ! -s err || complain "$*: said on standard error: $(cat err)"
	line=$(tr -s ' ' <out | grep "^$name: ") || { complain "$*: no '$name': $(cat out)"; return; }
	echo "$line" | grep -q -e "$want" || complain "$*: '$line', not '$want'"
	after=$(tr -s ' ' <out | sed -n "1,/^$name: /d; /^ /!q; s/^ //p")
	test -z "$fix" && test -z "$after" || echo "$after" | grep -q -e "${fix:-^$}" ||
		complain "$*: fix '$after', not '$fix'"
}

fails() { # fails MESSAGE ARGUMENTS...
	message=$1
	shift
	"$fencepost" doctor "$@" >out 2>err
	test $? -eq 125 || complain "doctor $*: is no failure"
	test "$(cat err)" = "fencepost: doctor: $message" || complain "doctor $*: said '$(cat err)'"
	test ! -s out || complain "doctor $*: wrote $(cat out)"
}

fails 'unknown option "--jsn": doctor takes --json, and -- before a program whose name starts with -' --jsn
fails 'unknown option "-x": doctor takes --json, and -- before a program whose name starts with -' -x
fails '"false": give only one program, without arguments' true false
test -w /dev/full && { "$fencepost" doctor >/dev/full 2>err; test $? -eq 125 || complain 'a full disk'; }

# ---- Programs
cat >main.c <<'END'
int main(void) { return 0; }
END
compile() { # compile NAME FLAGS...: false where this compiler cannot
	name=$1
	shift
	"$CC" "$@" -o "$name" main.c 2>/dev/null || { echo "no $*: $name is left out"; return 1; }
}
CC=${CC%% *}
compile with -g || exit 99
doctor="$fencepost doctor"
says 0 'ok program' '/with can run under Fencepost$' '' $doctor ./with
says 0 'ok debug information' 'in the program itself' '' $doctor ./with
says 0 'ok allocator' 'no custom allocator' '' $doctor ./with
says 0 'ok speed' 'fencepost run --budget=25 [^ ]*/with$' '' $doctor ./with
compile functions -g0 && says 0 'warning debug information' 'functions, but no lines' '^advice: build it with -g' $doctor ./functions
compile stripped -s -Wl,--build-id=0xabcdef01 &&
	says 0 'warning debug information' 'stripped' '^advice: build it .* put its debug file into /usr/lib/debug/.build-id/ab/cdef01.debug$' $doctor ./stripped
compile stripped -s -Wl,--build-id=none && says 0 'warning debug information' 'stripped' 'do not strip it$' $doctor ./stripped
if compile static -static; then
	says 1 'problem program' '^problem program: ./static is statically linked' '^advice: link it dynamically' $doctor ./static
	printf '#!%s/static\n' "$work" >script && chmod +x script
	says 1 'problem program' 'static is statically linked' 'link it dynamically' $doctor ./script
fi
printf '#!/usr/bin/env sh\n' >script && chmod +x script
says 0 'ok script' ' is executed' '' $doctor ./script
compile asan -fsanitize=address && says 1 'problem program' 'linked with AddressSanitizer' 'without -fsanitize' $doctor ./asan
# One byte of the header each: 32 bits, and a machine that nobody has.
cp with narrow && printf '\001' | dd of=narrow bs=1 seek=4 conv=notrunc 2>/dev/null
says 1 'problem program' 'narrow is for another architecture' 'a fencepost built for that one' $doctor ./narrow
cp with other && printf '\135\000' | dd of=other bs=1 seek=18 conv=notrunc 2>/dev/null
says 1 'problem program' 'other is for another architecture' 'a fencepost built for that one' $doctor ./other
if test "$(id -u)" -eq 0 && cp with setgid && chgrp 65534 setgid && chmod 2755 setgid; then
	says 1 'problem program' 'setgid gains privileges' '^fix: cp -- ./setgid /tmp && fencepost run /tmp/setgid$' $doctor ./setgid
fi
echo 'void *malloc(unsigned long n) { return (void *)n; } int main(void) { return 0; }' >main.c
compile own -g -fno-builtin -w && says 0 'warning allocator' 'has a malloc of its own' 'build it without' $doctor ./own
echo 'void *mallocx(unsigned long n) { return (void *)n; } int main(void) { return 0; }' >main.c
compile je -g && says 0 'warning allocator' 'has jemalloc' 'build it without' $doctor ./je
echo 'asm(".section .go.buildinfo, \"a\"\n.byte 1\n.text"); int main(void) { return 0; }' >main.c
compile go && says 0 'warning allocator' 'has the heap of Go' 'build it without' $doctor ./go
says 1 'problem program' 'cannot run no-such-program: No such file' 'give its path, or install it' $doctor no-such-program
: >text
says 1 'problem program' 'cannot run ./text: Permission denied' '^fix: chmod +x ./text$' $doctor ./text
says 1 'problem program' 'cannot run --: No such file' 'install it' $doctor -- --

mkdir -p directory && says 1 'problem program' 'cannot run ./directory: ' '^advice: that is a directory' $doctor ./directory
echo '#!/bin/sh' >"it's here" && says 1 'problem program' 'Permission denied' "^fix: chmod +x './it....s here'\$" $doctor "./it's here"
says 1 'problem program' 'cannot run stripped: No such file' '^fix: fencepost doctor ./stripped$' $doctor stripped
if command -v dpkg-query >/dev/null && dpkg-query -S /bin/true >/dev/null 2>&1 && $doctor /bin/true | grep -q stripped; then
	says 0 'warning debug information' stripped '^fix: \(sudo \)*apt-get install coreutils-dbgsym$' $doctor /bin/true
fi
echo 'void PyObject_Malloc(void) {} int main(void) { return 0; }' >main.c
compile python -g -Wl,-E && says 0 'warning allocator' "has Python's object allocator" '^fix: fencepost run --pools=off ./python$' $doctor ./python

# ---- Limits
says 0 'warning address space' 'limited to 3000000 KiB: about [0-9]* allocations are guarded' '^fix: ulimit -v unlimited$' \
	sh -c "ulimit -v 3000000; exec $doctor"
# How little is too little depends on the size of libc.
for kib in 40000 34000 28000 22000 exhausted; do
	(ulimit -v $kib 2>/dev/null && $doctor >/dev/null 2>&1)
	test $? -ne 1 || break
done
if test $kib = exhausted; then
	complain 'no limit on address space leaves no back end'
else
	says 1 'problem back end none' 'no other back end works' '^fix: ulimit -v unlimited$' sh -c "ulimit -v $kib; exec $doctor"
	says 1 'warning back end mprotect' 'Cannot allocate memory' '^fix: ulimit -v unlimited$' sh -c "ulimit -v $kib; exec $doctor"
fi
says 0 'warning descriptors' '[0-9]* of 30 are free' '^fix: ulimit -n 1024$' sh -c "ulimit -n 30; exec $doctor"
says 1 'problem descriptors' '[0-9] of 7 are free' 'ulimit -n 1024' sh -c "ulimit -n 7; exec $doctor"
if test "$(id -u)" -eq 0 && command -v setpriv >/dev/null && setpriv --reuid=65534 --clear-groups test -x "$fencepost"; then
	says 0 'warning address space' 'limited to 3000000' '^fix: sudo prlimit --pid [$][$] --as=unlimited$' \
		sh -c "ulimit -v 3000000; exec setpriv --reuid=65534 --clear-groups $doctor"
fi
says 1 'problem temporary directory' '/no/such: No such file' '^fix: export TMPDIR=.HOME$' env TMPDIR=/no/such $doctor

# ---- Back ends: what a filter refuses is not used, and the next one is
works() { "$fencepost" doctor | tr -s ' ' | grep -q "^ok back end $1: works"; }
if works guard; then
	says 0 'warning back end move' 'does not work here: Operation not permitted' '^fix: docker run --security-opt seccomp=unconfined ' \
		"$filtered" no-userfaultfd $doctor
	says 0 'ok back end guard' 'works, and is what will be used; [0-9]* ns' '' "$filtered" no-userfaultfd $doctor
	says 0 'warning seccomp' 'this process has a filter' '^advice: .*allows userfaultfd$' "$filtered" no-userfaultfd $doctor
else
	echo 'no back end guard on this kernel: one filter is left out'
fi
if works mprotect; then
	says 0 'ok back end mprotect' 'works, and is what will be used' '' "$filtered" both-kill $doctor
	if test "$(cat /proc/sys/vm/max_map_count)" -lt 1048576; then
		says 0 'warning vm.max_map_count' 'about [0-9]* blocks' '^fix: \(sudo \)*sysctl -w vm.max_map_count=1048576$' \
			"$filtered" both-kill $doctor
	fi
fi

# ---- JSON says the same, for machines
if command -v python3 >/dev/null; then
	for program in with no-such-program; do
		"$fencepost" doctor --json ./$program >json
		got=$?
		"$fencepost" doctor ./$program >out
		python3 - "$got" <<'END' || complain "JSON about $program: $(cat json)"
import json, re, sys
report = json.load(open("json"))
lines = [l for l in open("out") if l.startswith(("ok ", "warning ", "problem "))]
assert report["schema"] == "fencepost-doctor-1"
assert [(c["status"], c["name"]) for c in report["checks"]] == \
    [tuple(re.split(" +", l.split(": ")[0], maxsplit=1)) for l in lines]
assert report["problems"] == sum(c["status"] == "problem" for c in report["checks"])
assert report["warnings"] == sum(c["status"] == "warning" for c in report["checks"])
assert int(sys.argv[1]) == (report["problems"] > 0)
assert all(c["fix"] or c["advice"] for c in report["checks"] if c["status"] != "ok")
assert all(c["fix"] is None and c["advice"] is None for c in report["checks"] if c["status"] == "ok")
used = [c for c in report["checks"] if c["name"] == "back end " + report["backend"]]
assert used and 0 < used[0]["nanoseconds"] < 1000000
END
	done
else
	echo 'no python3: the JSON is not looked at'
fi
exit $bad
