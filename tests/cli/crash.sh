# SPDX-License-Identifier: Apache-2.0
#
# Each way to die that a program does not handle is a finding that says which and why, with its line,
# in every format, optimised or not, on the main thread and on another, under every back end, for a
# program and for a host; and the program dies of the signal that it dies of without us. What it
# handles is none. With FP_TEST_LONG (make check-long) each of these with each other one.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victims=$FP_BUILDDIR/tests/cli
source=$top_srcdir/tests/cli/crash_victim.c
work=$FP_BUILDDIR/tests/cli/crash.work
test -x "$fencepost" && test -x "$victims/crash_victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
ulimit -c 0
bad=0

complain() {
	echo "$*"
	bad=1
}
. "$top_srcdir/tests/support/wait.sh"
is_reported() {
	test -s json && grep -q '^fencepost: .*killed by' err
}
line_of() { # line_of WAY: any, where it depends on what of a function touches its frame first
	case $1 in stack-overflow*) echo '[0-9]*' && return ;; esac
	grep -n "/\* $1 \*/" "$source" | cut -d: -f1
}
expect() { # expect FILE TEXT...: each is in it
	file=$1
	shift
	for text; do
		grep -q -- "$text" "$file" || complain "$what: no '$text' in $file: $(cat "$file")"
	done
}
# signal, number, cause and what the sentence has, by way
facts() {
	signal=SEGV number=139 words=
	case $1 in
	null-pointer) cause=$1 words='read of 4 bytes at 0x18, through a null pointer (24 bytes past it' ;;
	null-call) cause=null-pointer words='call of a null function pointer' ;;
	wild-address) cause=$1 words='write of 4 bytes at 0x123456789000, where nothing is mapped' ;;
	far-address) cause=wild-address words='write of 1 byte at .*, which may not be accessed: address space that Fencepost keeps for blocks' ;;
	non-canonical) cause=wild-address words='access through 0xdeadbeefcafe0000, which no pointer can be: register r' ;;
	libc-abort) cause=abort signal=ABRT number=134 words='the program called abort(): munmap_chunk(): invalid pointer' ;;
	unmapped) cause=wild-address words='read of 1 byte at .*, which was freed and unmapped by the program' ;;
	read-only) cause=$1 words='write of 1 byte at .*, which may only be read: constant data of .*crash_' ;;
	not-executable) cause=$1 words='execution at .*, which is no code: a global variable of .*crash_' ;;
	block-executed) cause=not-executable words='execution at .*, which is no code: 0 bytes inside a block of 100 bytes' ;;
	stack-overflow) cause=$1 words="stack overflow: all .* of the thread.*s stack are in use, by [0-9]* calls" ;;
	abort) cause=$1 signal=ABRT number=134 words="Assertion .*zero == 7 .*seven.* failed" ;;
	arithmetic) cause=$1 signal=FPE number=136 words='integer division by zero' ;;
	illegal-instruction) cause=$1 signal=ILL number=132 words='illegal instruction.*__builtin_trap()' ;;
	bus) cause=other signal=BUS number=135 words='read of 1 byte at .*, past the end of the mapped file' ;;
	system-call) cause=$1 signal=SYS number=159 words='which a filter of system calls (seccomp) refuses' ;;
	time) cause=other signal=XCPU number=152 words='the processor time that RLIMIT_CPU allows' ;;
	ignored) signal=ABRT ;;
	reset) signal=FPE ;;
	breakpoint) cause=other signal=TRAP number=133 words='the program sent itself the signal' ;;
	abort-handled) cause=abort signal=ABRT number=134 words='the program called abort()' ;;
	stack-overflow-in-malloc) cause=stack-overflow words="stack overflow: all .* of the thread.*s stack are in use" ;;
	handled | elsewhere-handled) cause=null-pointer number=134 words="the program.*s handler of it then raised signal 6" ;;
	esac
	case $cause in
	null-pointer) cwe=476 ;;
	stack-overflow) cwe=674 ;;
	wild-address | not-executable) cwe=822 ;;
	read-only) cwe=123 ;;
	abort) cwe=617 ;;
	arithmetic) cwe=682 ;;
	illegal-instruction) cwe=758 ;;
	system-call) cwe=693 ;;
	*) cwe=248 ;;
	esac
	case $1 in
	stack-overflow*) asan='stack-overflow on address 0x' ;;
	null-pointer) asan='SEGV on unknown address 0x000000000018' ;;
	*) asan="$signal on unknown address" ;;
	esac
}
# judge WAY: kind, signal, line and cause, in every format.
judge() {
	line=$(line_of "$1")
	expect err "^fencepost: crash (SIG$signal) at crash_victim.c:$line" "^  .*$words" '^fencepost: 1 error[,;].*killed by SIG'
	expect json '"kind": "crash"' "\"signal\": \"SIG$signal\"" "\"cause\": \"$cause\"" "\"line\": $line,"
	expect sarif '"ruleId": "crash"' "(SIG$signal, CWE-$cwe)" "\"startLine\": $line\b" "$words"
	expect xml '<fatal_signal>' "<signame>SIG$signal</signame>" "<line>$line</line>" "<event>.*$words"
	"$fencepost" report --style=asan json >asan 2>&1
	expect asan "ERROR: AddressSanitizer: $asan.*(pc 0x[0-9a-f]* bp 0x[0-9a-f]* sp 0x[0-9a-f]* T[0-9]*)" "$words" \
		"^SUMMARY: AddressSanitizer: ${asan%% *} .*crash_victim.c:$line"
	test "$1" != stack-overflow || expect err '    #0 recurse ' '^    \.\.\. the same [0-9]* times more$' \
		'^    #[0-9]* \[frames left out\]' '^    #[0-9]* fill_stack '
	test "$1" != far-address || expect err '^  that is 67,1[0-9,]* bytes before a block of [0-9]* bytes, allocated by thread'
	test "$1" != unmapped ||
		expect err '^  the memory had been unmapped by thread' "^    #0 read_unmapped .*:$(line_of gone)$"
}
check() { # check PROGRAM WAY BACKEND [thread]
	what="$*"
	facts "$2"
	rm -f json sarif xml
	"$fencepost" run --backend="$3" --json=json --sarif=sarif --xml=xml -- "$victims/$1" "$2" $4 >out 2>err
	status=$?
	test "$status" -ne 77 || return
	test "$status" -eq "$number" || complain "$what: status $status: $(cat err)"
	judge "$2"
}
check_alone() { # check_alone HOST WAY BACKEND [thread]: without fencepost run
	what="alone, $*"
	# Whoever takes the default action back by himself, or unmaps memory, is not seen to.
	case $2 in *handled | unmapped) return ;; esac
	facts "$2"
	rm -f json sarif xml
	FENCEPOST_OPTIONS=backend=$3:json=json:sarif=sarif:xml=xml "$victims/$1" "$2" $4 >out 2>err
	status=$?
	test "$status" -ne 77 || return
	test "$status" -eq "$number" || complain "$what: status $status: $(cat err)"
	await is_reported
	judge "$2"
}

ways='null-pointer null-call wild-address far-address unmapped read-only not-executable block-executed stack-overflow abort arithmetic illegal-instruction
	bus system-call breakpoint handled abort-handled stack-overflow-in-malloc libc-abort'
case $(uname -m) in x86_64) ways="$ways non-canonical elsewhere-handled" ;; esac
for backend in move guard mprotect none; do
	"$fencepost" run --quiet --backend=$backend --leak-check=no true 2>/dev/null || continue
	# A second of processor time goes by before the kernel says that it is over.
	test -z "$FP_TEST_LONG" && test -n "$timed" || ways="$ways time"
	for way in $ways; do
		check crash_victim $way $backend
		check crash_victim_fast $way $backend thread
		check_alone crash_host $way $backend
		check_alone crash_host_fast $way $backend thread
		test -n "$FP_TEST_LONG" || continue
		check crash_victim $way $backend thread
		check crash_victim_fast $way $backend
		check_alone crash_host $way $backend thread
		check_alone crash_host_fast $way $backend
		for program in crash_host crash_host_fast; do
			check $program $way $backend
			check $program $way $backend thread
		done
	done
	timed=yes ways=${ways% time}
done

# What the program's handler dies of, wherever it goes on, came of what was told.
if test "$(uname -m)" = x86_64; then
	for program in crash_victim crash_victim_fast; do
		what="$program, freed-handled"
		"$fencepost" run --json=json -- "$victims/$program" freed-handled >out 2>err
		test $? -eq 134 || complain "$what: status $?: $(cat err)"
		expect err "^fencepost: heap-use-after-free of a 40-byte block at crash_victim.c:$(line_of freed-handled)" \
			'^fencepost: 1 error; killed by SIGABRT'
	done
fi

# Of a wild address the nearest blocks are told, those that were freed, too, with both stacks.
what="near a freed block"
facts near-freed
(ulimit -v 1000000 && exec "$fencepost" run --json=json -- "$victims/crash_victim" near-freed) >out 2>err
if test $? -ne 77; then
	expect err "^fencepost: crash (SIGSEGV) at crash_victim.c:$(line_of near-freed)" \
		'^  that is .* bytes before a block of 100 bytes, allocated by thread' \
		'^  that is .* bytes before a freed block of 3,000,000 bytes, allocated by thread' \
		"^    #0 read_near_freed .*:$(line_of made)$" '^  and freed by thread' "^    #0 read_near_freed .*:$(line_of 'let go')$"
	expect json '"cause": "wild-address"' '"nearest": \[' '"free_thread": [0-9]'
else
	echo 'no address that is near a freed block and not reserved'
fi

# What no handler saw is told by whoever waited for the process, in every format.
unseen() { # unseen WAY PROGRAM
	what="unseen, $*"
	facts $1
	"$fencepost" run --error-exitcode=9 --json=json --sarif=sarif --xml=xml --html=html -- "$victims/$2" $1 >out 2>err
	test $? -eq 9 || complain "$what: it does not count: $(cat err)"
	expect err "^fencepost: crash (SIG$signal)$" "^  Fencepost's signal handler was not called" "^fencepost: 1 error[,;].*killed by SIG$signal"
	expect json '"kind": "crash"' "\"signal\": \"SIG$signal\"" '"cause": "other"'
	expect sarif '"ruleId": "crash"' "(SIG$signal, CWE-"
	expect xml '<fatal_signal>' "<signame>SIG$signal</signame>"
	"$fencepost" report --style=asan json >asan 2>&1
	expect asan "ERROR: AddressSanitizer: $signal on unknown address"
}
for program in crash_victim crash_victim_fast crash_host; do
	unseen ignored $program
	unseen reset $program
done
for way in ignored handled; do
	what="unseen, alone, $way"
	FENCEPOST_OPTIONS=json=json "$victims/crash_host" $way >out 2>err
	await grep -q '^fencepost: .*killed by' err
	expect err '^fencepost: crash (SIGABRT)' '^fencepost: 1 error[,;].*killed by SIGABRT'
done

# Of a forked child that is whoever waited for it in the program.
what="a child, unseen"
"$fencepost" run --error-exitcode=9 --json=json -- "$victims/crash_victim" child-unseen >out 2>err
test $? -eq 9 || complain "$what: it does not count: $(cat err)"
expect err '^fencepost: crash (SIGABRT)$' '^fencepost: 1 error; killed by SIGABRT; leaks not checked$' \
	'^fencepost: 1 error, no leaks, in 1 of 2 processes; exited 11$'
expect json "\"executable\": \"$victims/crash_victim\"" '"child-unseen"' '"signal": "SIGABRT"'
# No leaks are only where they were looked for.
"$fencepost" run --leak-check=no -- "$victims/crash_victim" child-unseen >out 2>err
expect err '^fencepost: 1 error, in 1 of 2 processes; exited 11; leaks not checked$'

# It counts.
"$fencepost" run --error-exitcode=9 -- "$victims/crash_victim" arithmetic >out 2>err
test $? -eq 9 || complain "no finding for --error-exitcode: $(cat err)"
# Who gets less than malloc promises may crash for that.
"$fencepost" run --align=1 -- "$victims/crash_victim" arithmetic >out 2>err
grep -q '^fencepost: note: align made blocks less aligned than malloc promises' err || complain "align=1: $(cat err)"
# What the program handles is none.
"$fencepost" run --error-exitcode=9 -- "$victims/crash_victim" exits >out 2>err
test $? -eq 11 && grep -q '^fencepost: no errors, no leaks; exited 11$' err && test "$(wc -l <err)" -eq 1 ||
	complain "exits: $(cat err)"
# What a child of vfork dies of is found with what its parent does, which goes on.
for way in child child-abort; do
	for backend in move guard mprotect none; do
		what="vfork, $way, $backend"
		"$fencepost" run --backend=$backend --json=json -- "$victims/crash_victim" $way >out 2>err
		test $? -eq 11 || test "$backend" != move || complain "$what: $(cat err)"
		expect err "^fencepost: crash (SIG.*) at crash_victim.c:$(line_of $way)" '; it happened in a child of vfork(2), which shares the memory of its parent' \
			'^fencepost: 1 error, no leaks; exited 11$'
	done
done

# ---- Exceptions
thrown() { # thrown PROGRAM WAY WORDS [PLACE]
	what="exception, $1 $2"
	"$fencepost" run --json=json -- "$1" "$2" >out 2>err
	test $? -eq 134 || complain "$what: $(cat err)"
	expect err "^  nobody caught the exception: $3$" "^fencepost: crash (SIGABRT) at ${4:-exception_victim.cc:}"
	expect json "\"message\": \"$3\"" '"cause": "abort"'
}
# Also what a program defines by itself, without calling it.
knows_code=yes
case $(uname -m) in x86_64) ;; *) knows_code= ;; esac
"${CXX:-g++}" -O2 -g -w -o exception_fast "$top_srcdir/tests/cli/exception_victim.cc" || exit 77
for program in "$victims/exception_victim" ./exception_fast; do
	thrown "$program" derived 'shop::out_of_stock: no more bananas'
	thrown "$program" system 'std::system_error: open: No such file or directory'
	thrown "$program" logic 'std::out_of_range: basic_string::at: __n (which is 7) >= this->size() (which is 1)'
	thrown "$program" number 'int: 42'
	thrown "$program" text 'char const\*: out of cheese'
	thrown "$program" moody shop::moody
	test -n "$knows_code" || continue
	thrown "$program" memory std::bad_alloc
	thrown "$program" literal 'shop::closed: closed on sundays'
	thrown "$program" stored 'shop::refused: we do not serve cats'
	thrown "$program" several 'shop::sold: sold to somebody else, who paid'
	thrown "$program" file 'std::filesystem::__cxx11::filesystem_error: filesystem error: copy: Permission denied \[/from\]'
done
"$fencepost" run --error-exitcode=9 -- "$victims/exception_victim" none >out 2>err
test $? -eq 3 || complain "an exception that is caught: $(cat err)"
exit $bad
