#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Who sees what: runs each mistake of mistakes.cc under each tool and prints the README's table. Needed are
# valgrind, heaptrack and clang's runtimes (libclang-rt-14-dev: GWP-ASan in scudo, sampling every allocation
# that it has room for; it places blocks left or right by chance, so it gets ten runs). What is seen is said
# on standard error, so that each cell can be checked:
#   sh bench/mistakes.sh [WORK-DIRECTORY] with FP_BUILDDIR and top_srcdir set.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=${1:-$FP_BUILDDIR/bench/mistakes.work}
mkdir -p "$work" && cd "$work" || exit 99
${CXX:-g++} -g -O0 -w "$top_srcdir/bench/mistakes.cc" -o plain &&
	${CXX:-g++} -g -O0 -w -fsanitize=address "$top_srcdir/bench/mistakes.cc" -o asan || exit 99
scudo=$(find /usr/lib/llvm-* -name 'libclang_rt.scudo_standalone-x86_64.so' 2>/dev/null | head -n 1)

run() { # run TOOL MISTAKE: its output in "out"
	case $1 in
	fencepost) "$fencepost" run --leak-growth -- ./plain "$2" ;;
	sweep) "$fencepost" run --sweep --leak-growth -- ./plain "$2" ;;
	valgrind) valgrind --leak-check=full ./plain "$2" ;;
	asan) ./asan "$2" ;;
	gwp-asan) SCUDO_OPTIONS=GWP_ASAN_SampleRate=1:GWP_ASAN_MaxSimultaneousAllocations=500 LD_PRELOAD=$scudo ./plain "$2" ;;
	heaptrack) heaptrack -o trace ./plain "$2" && heaptrack_print -l 1 -f "$(ls -t trace.* | head -n 1)" ;;
	esac >out 2>&1 </dev/null
}

# What the output has to have in it, of any tool. A crash alone, which the kernel tells, does not count.
pattern() { # pattern MISTAKE
	case $1 in
	write-* | read-* | short-buffer) echo 'heap-buffer-(over|under)flow|Invalid (read|write)|after a block|unaddressable|Buffer (Over|Under)flow' ;;
	use-*) echo 'use-after-free|Invalid read|Use After Free' ;;
	free-twice) echo 'double-free|double free|Invalid free|Double Free' ;;
	free-inside) echo 'invalid-free|bad-free|attempting free|Invalid free|Invalid \(Wild\) Free' ;;
	delete-malloced) echo 'alloc-dealloc-mismatch|Mismatched free' ;;
	leak) echo 'leak of 1000 bytes|1,000 bytes in 1 blocks are definitely lost|leak of 1000 byte|1,?[0-9.]*K?B? leaked.* over 1 calls|lose' ;;
	growth) echo 'growth of|^ *grow$|^ *grow\(\)|in grow$' ;;
	null) echo 'crash \(SIGSEGV\)|SEGV on unknown address|Process terminating with default action of signal 11' ;;
	never-written) echo 'uninitialised value' ;;
	stack-array) echo 'stack-buffer-overflow' ;;
	esac
}

mistakes='write-past-end:write one byte past the end, size a multiple of 16
read-past-end:read one byte past the end, size a multiple of 16
write-past-odd-size:write one byte past the end of 21 bytes
read-past-odd-size:read one byte past the end of 21 bytes
write-before-start:write one byte before the start
write-far-past-end:write 3,000 bytes past the end
use-after-free:read a freed block
use-long-after-free:read a freed block, 20,000 allocations later
free-twice:free twice
free-inside:free a pointer into a block
delete-malloced:`delete[]` of a `malloc` block
short-buffer:`read` into too short a buffer
leak:a block that nothing points to
growth:memory that only grows and is still pointed to
null:what a crash was: signal, address, line
never-written:read memory that was never written
stack-array:overflow of an array on the stack'
tools='fencepost sweep valgrind asan gwp-asan heaptrack'

echo '| mistake | `fencepost run` | with `--sweep` | Valgrind | ASan | GWP-ASan, every block | heaptrack |'
echo '|---|---|---|---|---|---|---|'
echo "$mistakes" | while IFS=: read -r name words; do
	row="| $words |"
	for tool in $tools; do
		times=1
		test "$tool" = gwp-asan && times=10
		seen=0
		for i in $(seq $times); do
			run "$tool" "$name"
			# The command is named in the output of some, and what glibc itself says is no tool's.
			line=$(grep -vE 'ommand|^free\(\): ' out | grep -E -m 1 "$(pattern "$name")") && seen=$((seen + 1))
		done
		case $seen in
		0) row="$row - |" ;;
		"$times") row="$row yes |" ;;
		*) row="$row $seen of $times |" ;;
		esac
		echo "$name, $tool: $line" >&2
	done
	echo "$row"
done
