# SPDX-License-Identifier: Apache-2.0
#
# The first bad byte: every shape of distance_victim.cc, at -O0 and -O2, is said to be where it is, in
# JSON and in the words of AddressSanitizer's style, by a default run where that can see it and with
# --sweep; and whichever of the C library's implementations of a function the processor gets, the same
# is said. With FP_TEST_LONG (make check-long) all shapes by --sweep, on every back end and as another
# compiler has them; and the table is AddressSanitizer's: what it sees, it sees there.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/distance.work
case $(uname -m) in
x86_64) ;;
*) exit 77 ;; # instructions are read on this processor
esac
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0
. "$top_srcdir/tests/cli/distances.sh"

build() { # build NAME COMPILER OPTION...
	name=$1
	shift
	"$@" -g -w -U_FORTIFY_SOURCE -o "$name" "$top_srcdir/tests/cli/distance_victim.cc"
}
build plain "${CXX:-g++}" -O0 && build fast "${CXX:-g++}" -O2 || exit 77

total=0 missed=0
for program in ./plain ./fast; do
	try "$program" '*' all 1
	try "$program" '*' sweep 1 --sweep
done
test "$total" -ge 170 || complain "only $total shapes"
test "$missed" -eq 0 || complain "$missed of $total"

# The C library has several implementations of what copies and looks at memory, and takes one by
# processor: the others, as far as this one can run them.
others="hwcaps=-AVX2,-AVX_Fast_Unaligned_Load hwcaps=-ERMS"
test -z "$FP_TEST_LONG" || others="$others hwcaps=Prefer_ERMS hwcaps=Prefer_No_VZEROUPPER,-AVX2
	hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-ERMS x86_non_temporal_threshold=0x4040 x86_rep_movsb_threshold=0x200
	hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-SSSE3,-SSE4_1,-SSE4_2,-Fast_Unaligned_Copy"

# say PROGRAM: of each shape what is said of its size and place.
say() {
	"$1" list | while IFS='	' read -r number name where who; do
		"$fencepost" run --leak-check=no --log=text -- "$1" "$number" >out 2>err </dev/null
		echo "$number [$name] $(sed -n 2p text)"
		: >text
	done
}
for program in ./plain ./fast; do
	say $program >said
	test "$(grep -c 'bytes by a call' said)" -ge 5 || complain "few sizes of calls: $(cat said)"
	for other in $others; do
		(export GLIBC_TUNABLES=glibc.cpu.$other && say $program) >said.other
		diff said said.other >differences || complain "$program, $other: $(cat differences)"
	done
done

# A text that was freed begins where the program says, not where vectors do.
build words "${CXX:-g++}" -O1 -fno-builtin
for other in hwcaps= $others; do
	for function in $(./words freed list 2 0); do
		for place in '13 0' '40 5' '100 70' '64 32'; do
			GLIBC_TUNABLES=glibc.cpu.$other "$fencepost" run --leak-check=no --log=text -- ./words freed $function $place \
				>out 2>err </dev/null
			grep -q ", ${place#* } bytes inside a block of ${place% *} bytes that was freed" text ||
				complain "$function of $place, $other: $(sed -n 2p text)"
		done
	done
done

# What is said of them: bytes outside, a call's own size and its name, how far a loop got, and no
# certainty where there is none.
says() { # says NAME TEXT...
	number=$(./plain list | awk -F '\t' -v name="$1" '$2 == name { print $1 }')
	shift
	"$fencepost" run --leak-check=no --log=text --json=json -- ./plain "$number" >out 2>err </dev/null
	for words; do
		grep -qF -e "$words" text json || complain "not said of $number: $words: $(head -n 12 text)"
	done
	test "$(grep -c '"kind"' json)" -eq 1 || complain "more than one finding: $number: $(grep '"kind"' json)"
}
says 'write char 50 MALLOC LOOP 0 100' 'write of 1 byte, 0 bytes past the end of a block of 50 bytes; the guard page stopped it 14 bytes further' \
	'changed bytes, 0 past the end: "YZ' '"access_size": 1'
says 'read char 5001 MALLOC MEMCPY 0 9000' 'read of 9000 bytes by a call, 3999 of them behind the block, 0 bytes past the end' \
	'through memcpy' '"access_size": 9000' '"by_call": true'
says 'text 50 MALLOC WCSNCPY 99' 'write of 396 bytes by a call, 196 of them behind the block' 'through wcsncpy'
says 'write char 601 MALLOC MEMMOVE 0 1201' 'write of 1201 bytes by a call, 600 of them behind the block' 'through memmove'
says 'write char 601 MALLOC POINTER 0 1201' 'write of 1201 bytes by a call, 600 of them behind the block' 'through memcpy'
says 'read char 50 MALLOC INDEX 0 64' 'read of 1 byte, 14 bytes past the end of a block of 50 bytes; the bytes before it may have been read, too'
says 'read char 50 MALLOC INDEX 0 90' 'read of 1 byte, 40 bytes past the end of a block of 50 bytes'

# What it goes on to write behind the guard follows on what it wrote before it: one finding.
"$fencepost" run --continue --log=text --json=json -- ./plain 0 >out 2>err </dev/null
test "$(grep -c '"kind"' json)" -eq 1 && grep -q '"bytes": "595a4142434445464748494a4b4c4d' json ||
	complain "with --continue: $(cat text)"

test -n "$FP_TEST_LONG" || exit $bad
for level in -O0 -O2; do
	build asan "${CXX:-g++}" $level -fsanitize=address && asan ./asan 75 1
done
for program in ./plain ./fast; do
	try "$program" '*' all 1 --sweep
	for backend in guard mprotect; do
		"$fencepost" run --backend=$backend true 2>err && try "$program" '*' all 1 --backend=$backend
	done
done
test "$missed" -eq 0 || complain "$missed of $total"
# Of other compilers' code 97 % (where they unroll a loop over one field of a struct, the second turn
# may be the first that is told; a call that is not needed may be left out).
total=0 missed=0
build fastest "${CXX:-g++}" -O3 -march=x86-64-v3 && try ./fastest '*' all 1
for level in -O0 -O1 -O2; do
	build other clang++ $level 2>err && try ./other '*' all 1
done
test $((100 * missed)) -le $((3 * total)) || complain "$missed of $total"
exit $bad
