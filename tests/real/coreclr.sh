#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Mistakes of native code in .NET Core: under `fencepost run`, and in examples/coreclr_host, whose heap
# the runtime's is. Each is told once, with all its stacks; leaks are those that were planted and those that
# the runtime has without; nothing is said of assemblies, and that the objects' heap is not seen is.
fencepost=$FP_BUILDDIR/src/cli/fencepost
host=$FP_BUILDDIR/examples/coreclr_host
work=$FP_BUILDDIR/tests/real/coreclr.work
programs=$top_srcdir/tests/real/programs
test -x "$fencepost" && test -x "$host" || { echo "no $fencepost or no $host"; exit 99; }
. "$top_srcdir/tests/real/dotnet.sh"
. "$top_srcdir/tests/support/wait.sh"
has_dotnet || exit 77
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset LD_PRELOAD FENCEPOST_OPTIONS
export LC_ALL=C
bad=0
${CC:-gcc} -g -O1 -w -shared -fPIC -o libplants.so "$programs/coreclr_plants.c" &&
	make_assembly "$programs/coreclr_plants.cs" plants.dll && make_assembly "$programs/coreclr.cs" work.dll || exit 99

complain() {
	echo "$what: $*"
	bad=1
}

line_of() { # line_of PLANT
	grep -n "/\* plant: $1 \*/" "$programs/coreclr_plants.c" | cut -d: -f1
}

# A host that dies leaves its report to another process.
is_reported() {
	test -s json && grep -q '^fencepost: .*\(exited\|killed by\)' err
}

# execute DOOR ASSEMBLY ARGUMENT...
execute() {
	door=$1
	shift
	what="$door, $*"
	rm -f json
	case $door in
	run) "$fencepost" run --stacks=full --json=json --show-possible=yes -- "$dotnet/dotnet" "$@" ;;
	host) FENCEPOST_OPTIONS=stacks=full:json=json:show_possible=yes:reporter=$fencepost "$host" "$framework" "$@" ;;
	esac >out 2>err
	status=$?
	test $door = run || await is_reported
	grep '^fencepost: note' err >notes && complain "notes: $(cat notes)"
	case $door in
	run) grep -q '^fencepost: the CLR.s garbage-collected heap in .*/libcoreclr.so .* not tracked$' err || complain "the heap of objects is not named" ;;
	esac
}

says() { # says COUNT TEXT: so many lines have it
	test "$(grep -cE -e "$2" err)" -eq "$1" || complain "not $1 times '$2': $(cat err)"
}

number_of() { # number_of KEY: in the summary
	sed -n "s/^.*\"$1\": \([0-9]*\).*$/\1/p" json | tail -n 1
}

# One finding, and what the process ended of.
finds() { # finds STATUS FINDING END
	test "$status" -eq "$1" || complain "status $status, not $1: $(cat err)"
	says 1 "^fencepost: [a-z-]+ (of a |\(SIG)"
	says 1 "^fencepost: $2"
	says 1 "^fencepost: 1 error.*; $3"
}

for door in run host; do
	execute $door plants.dll nothing
	test "$status" -eq 0 && grep -q done out || complain "status $status: $(cat err)"
	says 0 '^fencepost: [a-z-]+ (of a |\(SIG)'
	blocks=$(number_of leaked_blocks) bytes=$(number_of leaked_bytes)
	test "$(number_of possible_blocks)" -eq 0 || complain "possible leaks: $(cat err)"
	# Each a DIR that the runtime never closes, or what its event pipe leaves when it is torn down.
	test "$(grep -c '^fencepost: leak' err)" -eq "$(grep -cE '^    #[0-9]+ (pal::readdir\(std::string const&, std::vector|EventPipeBufferManager::EventPipeBufferManager\(|EventPipeConfiguration::RegisterProvider\()' err)" ||
		complain "other leaks: $(cat err)"

	execute $door plants.dll leak
	says 1 "^fencepost: leak of 77 bytes in 1 block at coreclr_plants.c:$(line_of leak) in plant_leak$"
	test "$(number_of leaked_blocks) $(number_of leaked_bytes)" = "$((blocks + 1)) $((bytes + 77))" || complain "leaks: $(cat err)"
	execute $door plants.dll managed-leak
	says 1 '^fencepost: leak of 3,003 bytes in 3 blocks'
	test "$(number_of leaked_blocks) $(number_of leaked_bytes)" = "$((blocks + 3)) $((bytes + 3003))" || complain "leaks: $(cat err)"

	execute $door plants.dll overflow
	finds 139 "heap-buffer-overflow of a 40-byte block at coreclr_plants.c:$(line_of overflow) in plant_overflow$" 'killed by SIGSEGV'
	execute $door plants.dll use-after-free
	finds 139 "heap-use-after-free of a 10-byte block at coreclr_plants.c:$(line_of 'use after free') in plant_use_after_free$" 'killed by SIGSEGV'
	for plant in 'use after free' freed allocated; do
		says 1 "^    #[0-9]+ plant_use_after_free +.*coreclr_plants.c:$(line_of "$plant")$"
	done
	says 3 '^    #[0-9]+ coreclr_execute_assembly'
	says 3 '^    #[0-9]+ main\b'
	execute $door plants.dll double-free
	finds 0 "double-free of a 10-byte block at coreclr_plants.c:$(line_of 'double free') in plant_double_free" 'exited 0'
	execute $door plants.dll null
	finds 139 "crash \(SIGSEGV\) at coreclr_plants.c:$(line_of null) in plant_null$" 'killed by SIGSEGV'
	execute $door plants.dll read-freed
	finds 139 "heap-use-after-free of a 100-byte block at coreclr_plants.c:$(line_of read) in plant_read$" 'killed by SIGSEGV'
	says 3 '^    #[0-9]+ coreclr_execute_assembly'
	# Managed code meets the guard: the runtime's handler ends the process, which is no second finding. In
	# the host it stands before ours, which sees how it ends.
	execute $door plants.dll managed-write
	case $door in
	run) finds 134 'heap-buffer-overflow of a 100-byte block' 'killed by SIGABRT' ;;
	host) finds 134 'crash \(SIGABRT\)' 'killed by SIGABRT' ;;
	esac
	execute run plants.dll managed-read
	finds 134 'heap-use-after-free of a 100-byte block' 'killed by SIGABRT'
	says 3 '^    #[0-9]+ coreclr_execute_assembly'
	execute $door plants.dll managed-double-free
	finds 0 'double-free of a 100-byte block' 'exited 0'
	execute $door plants.dll uncaught
	finds 134 'crash \(SIGABRT\)' 'killed by SIGABRT'
	grep -q 'InvalidOperationException: uncaught' err || complain "no exception: $(cat err)"
done

# In the host, too, what is right is left alone. What it costs is said, and no test.
measure() { # measure NAME COMMAND...
	name=$1
	shift
	FENCEPOST_OPTIONS=leak_check=no:log=/dev/null:reporter=$fencepost /usr/bin/python3 - "$name" "$@" <<'END' 2>&1
import resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
assert done.stdout == b"100000 6 20591 2\n" and done.returncode == 3, (done.stdout, done.returncode)
print("%s: %.2f s of processor time, %d MiB" % (sys.argv[1], usage.ru_utime + usage.ru_stime, usage.ru_maxrss >> 10))
END
}
what=work
measure natively "$dotnet/dotnet" work.dll a b || complain "natively"
measure 'fencepost run' "$fencepost" run --leak-check=no --quiet -- "$dotnet/dotnet" work.dll a b || complain "run"
measure coreclr_host "$host" "$framework" work.dll a b || complain "host"
exit $bad
