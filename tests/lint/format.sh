# SPDX-License-Identifier: Apache-2.0
#
# Every C and C++ file is as clang-format writes it. Versions differ in what they write, so only the
# one that .clang-format names is asked.
cd "$top_srcdir" || exit 99
wanted=$(sed -n 's/^# clang-format \([0-9]*\)$/\1/p' .clang-format)
test -n "$wanted" || { echo '.clang-format names no version'; exit 99; }
for tool in "clang-format-$wanted" clang-format none; do
	"$tool" --version 2>/dev/null | grep -q "version $wanted\." && break
done
test "$tool" != none || { echo "clang-format $wanted is not installed"; exit 77; }
find src include integrations examples tests bench -name '*.[ch]' -o -name '*.cc' | grep -v '/html/shell\.c$' | xargs "$tool" --dry-run --Werror
