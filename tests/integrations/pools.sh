# SPDX-License-Identifier: Apache-2.0
#
# The program and the commands of doc/pools.md, as they stand there: what the page says of it is what is said.
page=pools.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS
test "$(uname -m)" = x86_64 || { echo "requests are answered on x86-64 only"; exit 77; }
echo '#include <valgrind/memcheck.h>' | ${CC:-cc} -E - >/dev/null 2>&1 ||
	{ echo "valgrind's headers are not installed"; exit 77; }
manual_begin pools
manual_program 'A pool' c >pool.c
sh -c "$(manual_command 'A pool' 1)" >build.out 2>&1 || { cat build.out; exit 1; }
sh -c "$(manual_command 'A pool' 2)" >out 2>err
sed -n '/^```text$/,/^```$/p' "$manual" | sed '/^```/d' >said
test "$(wc -l <said)" -eq 3 || complain "the page says: $(cat said)"
while IFS= read -r line; do
	grep -qxF -- "$line" err || complain "not in the report: $line: $(cat err)"
done <said
exit $bad
