# SPDX-License-Identifier: Apache-2.0
#
# The first line of a finding names what a person has to look at: who called the helper in another
# file, between which calls padding was changed and which command finds the write, what the pointer
# of a wrong free was. A block whose free was refused is not a leak besides.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/lines.work
test -x "$fencepost" && test -x "$FP_BUILDDIR/tests/cli/lines_victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
cp "$FP_BUILDDIR/tests/cli/lines_victim" "$FP_BUILDDIR/tests/cli/lines_host" . || exit 99
bad=0

complain() {
	echo "$what: $*"
	bad=1
}
# line FILE MARK: "lines_victim.c:12" of the line with that mark
line() {
	echo "$1:$(grep -n "/\* $2 \*/" "$top_srcdir/tests/cli/$1" | cut -d: -f1 | tr '\n' '|' | sed 's/|$//; s/.*|.*/[0-9]*/')"
}
# run [OPTION]... PROGRAM MISTAKE [MORE]...
run() {
	what="$*"
	options=
	while case $1 in --*) true ;; *) false ;; esac; do
		options="$options $1"
		shift
	done
	"$fencepost" run --log=text $options -- "$@" 2>err
}
# is TEXT: the first line
is() {
	sed -n 1p text | grep -qx "fencepost: $1" || complain "the first line is not '$1': $(cat text)"
}
has() {
	grep -qx -- "$1" text || complain "no '$1': $(cat text)"
}
has_not() {
	! grep -q -- "$1" text || complain "'$1': $(cat text)"
}

# The two takes of the program and of the host stand in one file.
mark() {
	case $program in
	./lines_victim) grep -n "/\* $1 \*/" "$top_srcdir/tests/cli/lines_victim.c" | tail -n 1 | sed 's/:.*//; s/^/lines_victim.c:/' ;;
	*) grep -n "/\* $1 \*/" "$top_srcdir/tests/cli/lines_victim.c" | head -n 1 | sed 's/:.*//; s/^/lines_victim.c:/' ;;
	esac
}
put=$(line lines_helper.c put)

for program in ./lines_victim ./lines_host; do
	took="the allocation at $(mark take) in take"
	run $program past
	is "heap-buffer-overflow of a 20-byte block, written between $took and the free at $(mark free) in drop"
	has '  changed bytes, 0 past the end: "quite"'
	has "  to see who writes: fencepost run --align=auto -- $program past"
	has_not 'fencepost: leak'
	# What was suggested does what was said.
	command=$(sed -n "s,^  to see who writes: fencepost,\"$fencepost\",p" text)
	eval "$(echo "$command" | sed 's/ run / run --log=text /')" 2>err
	is "heap-buffer-overflow of a 20-byte block at lines_victim.c:[0-9]* in main, through $put in helper_put"
	has_not 'to see who writes'

	run $program before "it's" 'a b' "$(printf 'tab\there')" ''
	is "heap-buffer-underflow of a 20-byte block, written between $took and the free at $(mark free) in drop"
	has '  changed bytes, 1 before the start: 81 |[.]|'
	has "  to see who writes: fencepost run --placement=left -- $program before 'it'\\\\''s' 'a b' [$]'tab\\\\011here' ''"
	command=$(sed -n "s,^  to see who writes: fencepost,\"$fencepost\",p" text)
	if command -v bash >/dev/null; then
		bash -c "$(echo "$command" | sed 's/ run / run --log=text /')" 2>err
		is "heap-buffer-underflow of a 20-byte block at lines_victim.c:[0-9]* in main, through $put in helper_put"
	fi

	run $program kept
	is "heap-buffer-overflow of a 20-byte block, written between $took and the end of the process"
	run $program freed
	is "heap-use-after-free of a 20-byte block at $(line lines_victim.c 'write after') in main, through $put in helper_put"

	run $program inside
	is "invalid-free of a 20-byte block at $(mark free) in drop; the pointer is 4 bytes inside the block, allocated at $(mark take) in take"
	has_not 'fencepost: leak'
	run $program before-start
	is "invalid-free of a 20-byte block at $(mark free) in drop; the pointer is 4 bytes before the block, allocated at $(mark take) in take"
	has_not 'fencepost: leak'
	# Nor what it points to; what is lost besides is one.
	run $program wrong
	test "$program" = ./lines_victim && is 'invalid-free of .*; the pointer is 1 byte inside the block, allocated at .*'
	test "$program" = ./lines_victim || is 'wrong-heap of a 20-byte block at .*'
	has_not 'fencepost: leak'
	run $program nothing
	is "leak of 20 bytes in 1 block at $(mark take) in take"
done

# Where the C library has lines, its frames are still nobody's place.
program=./lines_victim
libc=$(ldd $program | sed -n 's/.*libc\.so[^ ]* => \([^ ]*\).*/\1/p')
id=$(readelf -n "$libc" | sed -n 's/.*Build ID: *//p')
strip -o lines_stripped lines_victim
run $program sorted
is "heap-use-after-free of a 20-byte block at $(line lines_victim.c compare) in compare"
run ./lines_stripped sorted
is 'heap-use-after-free of a 20-byte block at lines_stripped+0x[0-9a-f]*'
if test -e "/usr/lib/debug/.build-id/$(echo "$id" | cut -c 1-2)/$(echo "$id" | cut -c 3-).debug"; then
	grep -q '^    #[1-9] .*  .*/stdlib/[a-z]*sort[.]c:[1-9]' text || complain "no line of qsort's: $(cat text)"
fi

run $program local
is "invalid-free of 0x[0-9a-f]* at $(line lines_helper.c drop) in helper_drop, called from $(line lines_victim.c 'drop local') in main; it points to the stack of the calling thread"
run $program leak
grep -qx "fencepost: leak of 33 bytes in 1 block at $(line lines_helper.c make) in helper_make, called from $(line lines_victim.c 'make leak') in main" text ||
	complain "the leak: $(cat text)"

# What only passes on a block is passed over: known by its name, named, or learnt.
at() {
	echo "lines_victim.c:$(grep -n "/\* $1 \*/" "$top_srcdir/tests/cli/lines_victim.c" | cut -d: -f1)"
}
passed() { # passed SIZE PLACE: a leak
	grep -qx "fencepost: leak of $1 bytes in 1 block at $2" text || complain "not at $2: $(cat text)"
}
run $program wrapped
passed 50 "$(at wrapped) in main"
has "    #0 xmalloc  .*$(at 'in xmalloc')"
run $program once
passed 60 "$(at 'in storage') in storage"
run --alloc-fn=other,storage $program once
passed 60 'lines_victim.c:[0-9]* in main'
run --json=json --folded=folded $program twice
passed 70 "$(at one) in main"
passed 80 "$(at other) in main"
grep -qx 'leaked;main 80' folded || complain "the flame graph has what was passed over: $(cat folded)"
# Who reads the report later knows it, too.
what='twice, from JSON'
"$fencepost" report --log=text json
passed 80 "$(at other) in main"
run --json=json $program leak
"$fencepost" report --alloc-fn=helper_make --log=text json
what='leak, from JSON'
passed 33 "$(line lines_victim.c 'make leak') in main"
exit $bad
