# SPDX-License-Identifier: Apache-2.0
#
# Who may include whom. The number is the module's layer: an include points to the module itself
# or to a strictly lower layer. The side is where the module runs: in the "victim" (the process
# under test), in the "tool" (the fencepost program) or in "both"; the two sides never meet, so that
# DWARF, JSON and demangling can never be loaded into the process under test. The "reader" of core files
# is of the tool, and compiles anew what the victim has.
modules='
0 both   base
1 both   model
2 both   guard
2 victim stack
2 victim registry
2 both   log
2 both   options
2 victim machine
2 victim poison
2 victim record
2 tool   symbol
3 victim heap
3 victim region
4 victim fault
4 victim leak
4 victim timeline
4 tool   report
5 victim session
6 victim hosting
6 victim preload
6 reader remains
7 tool   cli
'
cd "$top_srcdir/src" || exit 99
bad=$(
	# FILE:LINE:#include ... for every include directive.
	find . -name '*.[ch]' -o -name '*.def' | sort | sed 's,^\./,,' | xargs \
		grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null |
	awk -F: -v modules="$modules" '
	function complain(text) { print "src/" $1 ":" $2 ": " text }
	BEGIN {
		n = split(modules, word, /[ \n]+/)
		for (i = 2; i + 2 <= n; i += 3) {
			layer[word[i + 2]] = word[i]
			side[word[i + 2]] = word[i + 1]
		}
	}
	{
		from = $1
		sub(/\/.*/, "", from)
		name = $0
		sub(/^[^"<]*["<]/, "", name)
		sub(/[">].*/, "", name)
		to = name
		sub(/\/.*/, "", to)
		if (!(from in layer))
			complain("module " from " has no layer in tests/lint/layers.sh")
	}
	/include *"/ {
		if (!(to in layer))
			complain("\"" name "\" is not written \"module/header.h\"")
		else if (to != from && layer[to] >= layer[from])
			complain(from " (layer " layer[from] ") includes " to " (layer " layer[to] ")")
		else if (side[to] != "both" && side[to] != side[from] && side[from] != "reader" && side[to] != "reader")
			complain(from " (" side[from] ") includes " to " (" side[to] ")")
		next
	}
	name == "uthash.h" && from != "registry" { complain("only registry includes <uthash.h>") }
	name ~ /^(jansson\.h|elfutils\/|dwarf\.h|libelf\.h|gelf\.h|libiberty\/|demangle\.h|zlib\.h)/ && side[from] != "tool" && side[from] != "reader" {
		complain("<" name "> in a module that the victim loads")
	}
	name ~ /^libunwind/ { complain("<" name "> brings names and locks into the program") }
	name ~ /^fencepost\// && from != "hosting" && from != "session" { complain("only hosting and session include <" name ">") }
	'
	# The address space belongs to two places; the munmap that programs call is none of ours.
	find . -name '*.[ch]' ! -path './base/vm*.c' ! -path './base/messages.h' ! -path './guard/*' ! -path './preload/address_space.c' | sort | sed 's,^\./,src/,' |
	(cd .. && xargs grep -nE '(^|[^A-Za-z0-9_])(mmap|mmap64|mremap|munmap|mprotect|madvise|process_madvise) *\(' /dev/null) |
	grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/?\*|//)' |
	sed 's/$/   <- only src\/base\/vm*.c and src\/guard may change the address space/'
)
test -z "$bad" || { printf '%s\n' "$bad"; exit 1; }
