# SPDX-License-Identifier: Apache-2.0
#
# The table of options in doc/options.md is what options.def makes of it. Run it as
# "top_srcdir=. sh tests/lint/docs.sh print" to get the table anew. And the walks of HACKING.md lead along
# functions that are there.
cd "$top_srcdir" || exit 99
table=$(
	# The row is assembled with tabs first, because the '|' of a value has to be escaped.
	sed -n 's/^FP_OPTION(_*\([a-z_]*\), [A-Z]*, [A-Z]*, "\([^"]*\)", [0-9]*, [0-9]*, "\([^"]*\)", "\(.*\)")$/`\1=\3`	\2	\4/p' \
		src/options/options.def | sed 's/|/\\|/g; s/	/ | /g; s/^/| /; s/$/ |/; s/|  |/| |/'
)
test "$(printf '%s\n' "$table" | wc -l)" -eq "$(grep -c '^FP_OPTION(' src/options/options.def)" ||
	{ echo "options.def has a line that this script cannot read"; exit 99; }
if test "$1" = print; then
	printf '%s\n' "$table"
	exit
fi
printf '%s\n' "$table" | while IFS= read -r row; do
	grep -qxF -- "$row" doc/options.md || { echo "doc/options.md lacks: $row"; exit 1; }
done || exit 1
lost=$(
	sed -n '/^## Four walks/,/^## Contexts/p' HACKING.md | grep -o '`[a-z_0-9/]*\.[a-z]*:[a-z_]*`' | tr -d '`' |
		while IFS=: read -r file name; do
			grep -qE "^([^	 ].*\b)?$name\(" "src/$file" || echo "HACKING.md: no $name in src/$file"
		done
)
test -z "$lost" || { echo "$lost"; exit 1; }
test "$(wc -l <README.md)" -le 200 || { echo "README.md has more than 200 lines"; exit 1; }
