# SPDX-License-Identifier: Apache-2.0
#
# Rules for every source file: the licence line, no file over 800 lines, no function over 100, nothing
# left to do, no script that waits by a count of its own (tests/support/wait.sh does), and no "_SOURCE =" in a fragment (automake ignores the misspelling without a word).
cd "$top_srcdir" || exit 99
files=$(
	find src include integrations examples tests bench man -type f \( -name '*.[ch]' -o -name '*.cc' \
		-o -name '*.def' -o -name '*.map' -o -name '*.am' -o -name '*.sh' -o -name '*.[1-8]' \) 2>/dev/null
	ls Makefile.am configure.ac quickstart .ci/run
)
test "$(echo "$files" | wc -l)" -gt 50 || { echo "found too few files: $files"; exit 99; }
bad=$(
	for file in $files; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2\.0' ||
			echo "$file: no SPDX line in its first three lines"
		test "$(wc -l <"$file")" -le 800 || echo "$file: over 800 lines"
	done
	# The words are split so that this file does not find itself.
	grep -nwE 'TO''DO|FIX''ME|XX''X' $files
	grep -nE '_SOUR''CE[[:space:]]*\+?=' $(echo "$files" | grep '\.am$')
	grep -nE '^[[:space:]]*(un''til|while) .*-(gt|lt|ge|le) [0-9]+' $(echo "$files" | grep '^tests/.*\.sh$' | grep -v support/wait)
	# Automake names an object after its program, and otherwise once another program has a like name: flags
	# for an object that is not made are no flags.
	for object in $(grep -ohE '^tests/.*\$\(OBJEXT\): C' $(echo "$files" | grep '\.am$') | grep -oE '[^ ]*\$\(OBJEXT\)'); do
		grep -F "$object" "$FP_BUILDDIR/Makefile" | grep -q "^am_\|^	" || echo "$object: no program has such an object"
	done
	# A function's body is what stands between a brace in column one and the next one that closes.
	awk '
		FNR == 1 { start = 0 }
		/^{/ { start = FNR }
		/^}/ {
			if (start && FNR - start + 1 > 100)
				print FILENAME ":" start ": function of " FNR - start + 1 " lines"
			start = 0
		}' $(echo "$files" | grep -E '\.(c|cc)$')
)
test -z "$bad" || { printf '%s\n' "$bad"; exit 1; }
