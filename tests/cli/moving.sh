# SPDX-License-Identifier: Apache-2.0
#
# Who writes an option of another tool is told what to write here, and doc/coming-from.md says the
# same. "moving.sh print" prints the rows of its table.
fencepost=$FP_BUILDDIR/src/cli/fencepost
page=$top_srcdir/doc/coming-from.md
test -x "$fencepost" || exit 99
unset FENCEPOST_OPTIONS
rows=$(
	sed -n 's/^ *{"\([A-Za-z_0-9]*\)",.*/\1/p' "$top_srcdir/src/options/options.c" |
		while read -r key; do
			case $key in
			EF_* | *[A-Z]*) word=$key ;;
			*) word=$(echo "$key" | tr _ -) ;;
			esac
			answer=$("$fencepost" run "--$word=1" true 2>&1) && { echo "$word: was accepted"; exit 1; }
			answer=${answer#"fencepost: run: \"--$word\" is an option of "}
			printf '| `%s` of %s | %s |\n' "$word" "${answer%%: *}" "$(echo "${answer#*: }" | sed 's/\(--[a-z-]*=[A-Za-z]*\|fencepost run --gdb PROGRAM\)/`\1`/g; s/ -fsanitize=\([a-z]*\)/ `-fsanitize=\1`/')"
		done
)
if test "$1" = print; then
	printf '%s\n' "$rows"
	exit
fi
test "$(printf '%s\n' "$rows" | wc -l)" -gt 30 || { echo "only these options of others are known:"; printf '%s\n' "$rows"; exit 1; }
# And what the answers name is there.
for option in $(printf '%s\n' "$rows" | grep -o '`--[a-z-]*=' | tr -d '`' | grep -v track-fds | sort -u); do
	"$fencepost" run --help=all | grep -q "^  $option" || { echo "there is no $option"; exit 1; }
done
printf '%s\n' "$rows" | while IFS= read -r row; do
	grep -qxF -- "$row" "$page" || { echo "doc/coming-from.md lacks: $row"; exit 1; }
done
