# SPDX-License-Identifier: Apache-2.0
#
# Messages stand in two tables, that of the library and that of the fencepost program, and nowhere else in src. Every one
# of them is printed here ("top_srcdir=. sh tests/lint/messages.sh" reads them all), in plain words, once, and is used.
cd "$top_srcdir" || exit 99
tables='src/base/messages.h src/base/tool_messages.h'
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
{
	echo '#include <inttypes.h>
#include <stdio.h>'
	for table in $tables; do echo "#include \"${table#src/}\""; done
	echo '#define FP_REASON(name, word, remedy) {"FP_REASON_" #name, remedy},
#define FP_SIGNAL_CODE(signal, code, words) {#code, words},
static const char *const messages[][2] = {FP_REASONS FP_SIGNAL_CODES'
	sed -n 's/^#define \(FP_[A-Z]*_[A-Z_0-9]*\) .*/{"\1", \1},/p' $tables | grep -vE '"FP_(REASONS|SIGNAL_CODES)"'
	cat <<'C'
};
int main(void)
{
	for (unsigned i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (messages[i][1])
			printf("%s\t%s\n", messages[i][0], messages[i][1]);
}
C
} >"$work/print.c"
${CC:-cc} -Isrc -o "$work/print" "$work/print.c" && "$work/print" | sed '/^$/d' >"$work/all" || exit 99
cat "$work/all"
test "$(wc -l <"$work/all")" -gt 300 || { echo 'the tables could not be read'; exit 99; }
bad=$(
	# Riddles that were once ours, and their like.
	grep -niE 'are no leaks|excepted|what that serves|has told up|with the way out|without what leads|where no block ever|could not be had|nothing is known of|said above|live to count|too many programs|stand alone|no limit that is known|free memory mends|nowhere else|behind it|can not|n'\''t |utilize|in order to|please (note|try)' \
		"$work/all" | sed 's/$/   <- not plain/'
	awk -F '\t' '
		length($2) > 330 { print $0 "   <- too long to read in one go" }
		$1 !~ /CWE/ && $2 ~ /[^.]\.$/ { print $0 "   <- ends without a full stop, as all do" }
		$2 ~ /^(A|An|The|This|It|No|Not|Cannot|You) / { print $0 "   <- begins small, as all do" }
		($2 in seen) && $1 !~ /^ILL_|^BUS_|NOT_SEEN/ { print $1 " says what " seen[$2] " does: " $2 }
		{ seen[$2] = $1 }' "$work/all"
	for name in $(cut -f 1 "$work/all" | grep -E '^FP_(TELL|SAY)_'); do
		grep -qrw --include='*.[ch]' --exclude=messages.h --exclude=tool_messages.h "$name" src || echo "$name is used nowhere"
	done
	grep -rnE -A1 --include='*.c' '(fp_cli_(fail|say)|fp_report_note)\((|report, )($|")' src/cli src/report |
		grep -E '"[^"]*[a-z]{3,} [^"]*[a-z]{3}' | sed 's/$/   <- a message outside of the tables/'
	# What is told outside of the tables: the grammar of reports, the help, and assembly.
	find src -name '*.[ch]' | sort | grep -vE "^(src/base/(tool_)?messages\.h|src/cli/(commands|sums)\.c|src/options/options\.c|src/report/(text|xml|html|sarif|ndjson)/.*|src/report/(crash|finding|helper|holders|leaks|names|stack|writer)\.c|src/report/json/write\.c|src/.*_(x86_64|aarch64|other)\.[ch]|src/base/old_libc\.h)\$" |
		xargs awk '
			FNR == 1 { asserts = 0 }
			/[Ss]tatic_assert/ { asserts = 1 }
			asserts { asserts = $0 !~ /;/; next }
			{ line = $0; gsub(/\\"/, "", line); gsub(/\/\*.*\*\//, "", line) }
			line ~ /^[[:space:]]*(\*|\/\*|\/\/|#)/ || line ~ /__asm__|"(set |operator |<(malloc|system) )/ { next }
			{
				n = split(line, part, "\"")
				for (i = 2; i <= n; i += 2)
					if (part[i] ~ /[a-z][a-z][,;:]? (%[a-z]+ )?[a-z][a-z]/)
						print FILENAME ":" FNR ": \"" part[i] "\"   <- no message, or in a table"
			}'
)
test -z "$bad" || { printf '%s\n' "$bad"; exit 1; }
