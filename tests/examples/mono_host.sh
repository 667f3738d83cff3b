# SPDX-License-Identifier: Apache-2.0
#
# Mono on Fencepost's heap: programs run as they do with `mono`, what Mono leaves behind is what mono.supp
# names, and each mistake of the plug-in is reported, with the managed frames that led there and their lines.
host=$FP_BUILDDIR/examples/mono_host
work=$FP_BUILDDIR/tests/examples/mono_host.work
test -x "$host" || { echo 'examples/mono_host was not built: no libmono-2.0-dev here'; exit 77; }
command -v mono mcs >/dev/null || { echo 'there is no mono, or no mcs, here (mono-runtime, mono-mcs)'; exit 77; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
examples=$top_srcdir/examples
supp=$examples/mono.supp
bad=0
complain() {
	echo "mono_host.sh: $*"
	bad=1
}

cat >thrown.cs <<'CS'
using System;
static class Thrown {
	static void Main() { Console.WriteLine("before"); throw new InvalidOperationException("of a program"); }
}
CS
cat >twice.cs <<'CS'
using System;
using System.Runtime.InteropServices;
static class Twice {
	static void Free(IntPtr block) { Marshal.FreeHGlobal(block); }
	static IntPtr Make() { return Marshal.AllocHGlobal(24); }
	static void Main() { IntPtr block = Make(); Free(block); Free(block); Make(); }
}
CS
for program in "$examples/mono_demo.cs" "$examples/workloads/orders.cs" thrown.cs twice.cs; do
	mcs -debug -out:"$(basename "$program" .cs).exe" "$program" || exit 99
done

run() { # run ARGUMENTS...: the host's; its output in out, the report in text, its exit status in $status
	sh -c 'echo $$ >pid; exec "$@"' sh env FENCEPOST_OPTIONS="reporter=$FP_BUILDDIR/src/cli/fencepost:suppressions=$supp" \
		"$host" "$@" >out 2>text
	status=$?
	rm -f "/tmp/perf-$(cat pid).map"
}

# As with `mono`: the output, the exit status, and nothing to report.
compare() { # compare PROGRAM ARGUMENTS...
	LD_LIBRARY_PATH=$FP_BUILDDIR/examples/.libs mono "$@" >expected 2>native
	native=$?
	run "$@"
	cmp -s expected out || complain "$1 prints $(cat out), and not $(cat expected)"
	test $status = $native || complain "$1 ends with $status, and not with $native: $(cat text)"
	grep -q 'no errors, no leaks' text || complain "$1 is not clean: $(grep -v suppressed text)"
}
compare mono_demo.exe one two three
compare orders.exe
grep -q "customer without a name" expected && complain "orders.exe is another program"

# An exception that nobody catches ends the process within Mono, which then gives nothing back.
mono thrown.exe >expected 2>native
native=$?
run thrown.exe
cmp -s expected out || complain "thrown.exe prints $(cat out)"
test $status = $native || complain "thrown.exe ends with $status, and not with $native"
grep -q 'System.InvalidOperationException: of a program' text || complain "no exception: $(cat text)"
grep -q 'no errors' text || complain "an exception is an error: $(cat text)"

line_of() { # line_of FILE TEXT
	grep -nF "$2" "$examples/$1" | head -n 1 | cut -d : -f 1
}
check="Ledger:Check ()  .*mono_demo.cs:$(line_of mono_demo.cs 'return Plugin.Checksum')\$"
main="Demo:Main (string\[\])  .*mono_demo.cs:$(line_of mono_demo.cs 'ledger.Check());')\$"

plant() { # plant MISTAKE STATUS STACKS MARK FIRST-LINE: what the report begins with; MARK is a comment in plant.c
	run --plant="$1" mono_demo.exe
	test $status = "$2" || complain "$1 ends with $status, and not with $2"
	grep -q "^fencepost: $5.* plant.c:$(line_of plant.c "plant: $4 */") " text ||
		complain "$1: $(cat text)"
	for frame in "$check" "$main" 'Plugin:Checksum (byte\[\],int)' '#[0-9]* mono_plugin_checksum  .*mono_plugin.c'; do
		test "$(grep -c "$frame" text)" = "$3" || complain "$1 has not $3 stacks with $frame: $(cat text)"
	done
	grep -q '(0x[0-9a-f]*, in no known module)' text && complain "$1: frames without a name: $(cat text)"
}
plant overflow 0 2 'overflow free' 'heap-buffer-overflow of a 20-byte block'
plant underflow 0 2 'underflow free' 'heap-buffer-underflow of a 36-byte block'
plant double-free 0 3 'double-free second free' 'double-free of a 48-byte block'
plant interior-free 0 2 'interior-free free' 'invalid-free of a 100-byte block'
plant foreign-free 0 1 'foreign-free free' 'invalid-free of 0x'
plant wrong-heap 0 2 'wrong-heap free' 'wrong-heap of an 80-byte block'
plant leak 0 1 'leak allocation' 'leak of 1,234 bytes in 1 block'
# Mono's own handler ends the process, after the report.
plant use-after-free 134 3 'use-after-free read' 'heap-use-after-free of a 64-byte block'
grep -q 'Native Crash Reporting' out || complain "Mono did not see the crash: $(cat out)"

# The program's own mistakes with memory that Mono gives it.
run twice.exe
grep -q '^fencepost: double-free of a 24-byte block' text || complain "twice.exe: $(cat text)"
test "$(grep -c 'Twice:Free (intptr)  .*twice.cs:4$' text)" = 2 || complain "not two frees: $(cat text)"
test "$(grep -c 'Twice:Make ()  .*twice.cs:5$' text)" = 2 || complain "not two allocations: $(cat text)"
grep -q '^fencepost: leak of 24 bytes in 1 block' text || complain "twice.exe leaks nothing: $(cat text)"

# Under fencepost run malloc's blocks are another heap's, and Mono still gives some of them back.
"$FP_BUILDDIR/src/cli/fencepost" run --suppressions="$supp" sh -c 'echo $$ >pid; exec "$@"' sh "$host" mono_demo.exe >out 2>text
rm -f "/tmp/perf-$(cat pid).map"
grep -q 'no errors, no leaks' text || complain "under fencepost run: $(grep -v suppressed text)"

run --plant=leak orders.exe
test $status = 1 && grep -q 'the program did not call the plug-in' text || complain "$status: $(cat text)"
run "$supp"
test $status = 1 && grep -q 'is not a program for Mono' text || complain "$status: $(cat text)"
run
test $status = 2 && grep -q 'usage: mono_host \[--plant=MISTAKE\] PROGRAM.exe \[ARGS...\]' text || complain "$status: $(cat text)"
exit $bad
