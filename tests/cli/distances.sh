# SPDX-License-Identifier: Apache-2.0
#
# What distance.sh and shapes.sh share, to be read by both: a program that lists what mistakes it can make
# makes each, and what is said of it is held against the list. A line of it is: number, name, "after 0" or
# "before 8", who sees it, and, where it has them, the line that makes the mistake and that of the allocation.
# Has to be set: fencepost, bad, total, missed; the current directory is the test's own.
tab='	'

complain() {
	echo "$*"
	bad=1
}

# "N bytes before" or "after", of this compiler's version, as the list has it: "before N".
normal() {
	sed -n 's/.* is located \([0-9]*\) bytes \([a-z ]*\) [0-9]*-byte region.*/\2 \1/p' "$1" |
		sed 's/^to the right of/after/; s/^to the left of/before/; s/ of / /; 1q'
}

# in_json: the first finding.
in_json() {
	sed -n '/"findings"/,$s/^ *"\(size\|offset\)": \(-*[0-9]*\),*$/\1 \2/p' json | awk '
		$1 == "size" && size == "" { size = $2 }
		$1 == "offset" && size != "" && offset == "" { offset = $2 }
		END { if (offset < 0) print "before", -offset; else print "after", offset - size }'
}

# is_headed USED MADE: the first line names the one ("cases.cc:1", "called from cases.cc:1"), be it the place or,
# in another file than the data is from, what it went through, or, where it is late, the other.
is_headed() {
	test -z "$1" && return
	"$fencepost" report --log=head json 2>err
	sed -n '1{/ at '"$1"' in /p; /, '"$1"' in /p; / through '"$1"' in /p; / written between the allocation at '"$2"' in /p}' head | grep -q .
}

# try PROGRAM WHICH SEEN EVERY OPTIONS...: WHICH is a pattern of names, SEEN one of who sees them; of these
# each EVERYth.
try() {
	program=$1 which=$2 seen=$3 every=$4 turn=0
	shift 4
	"$program" list >list || exit 99
	while IFS=$tab read -r number name where who used made; do
		case $name in $which) ;; *) continue ;; esac
		case $who in $seen) ;; *) continue ;; esac
		turn=$((turn + 1))
		test $((turn % every)) -eq 0 || continue
		total=$((total + 1))
		"$fencepost" run --style=asan --leak-check=no --log=text --json=json "$@" -- "$program" "$number" >out 2>err </dev/null
		test "$(normal text)" = "$where" && test "$(in_json)" = "$where" || {
			missed=$((missed + 1))
			echo "${program##*/} $number [$name] $*: $(normal text) in text, $(in_json) in JSON, not $where"
		}
		is_headed "$used" "$made" || {
			misplaced=$((misplaced + 1))
			echo "${program##*/} $number [$name] $*: not at $used: $(sed -n 1p head)"
		}
		rm -f text json
	done <list
}

# asan PROGRAM LEAST EVERY: where it sees nothing, it says nothing; it sees LEAST of these.
asan() {
	"$1" list >list || exit 99
	seen=0 turn=0
	while IFS=$tab read -r number name where who rest; do
		turn=$((turn + 1))
		test $((turn % $3)) -eq 0 || continue
		ASAN_OPTIONS=detect_leaks=0:alloc_dealloc_mismatch=0 "$1" "$number" >out 2>err </dev/null
		found=$(normal err)
		test -z "$found" || seen=$((seen + 1))
		test -z "$found" || test "$found" = "$where" || complain "AddressSanitizer: $number [$name] is $found, not $where"
	done <list
	test "$seen" -ge "$2" || complain "AddressSanitizer saw $seen"
}
