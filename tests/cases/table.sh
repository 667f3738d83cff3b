# SPDX-License-Identifier: Apache-2.0
#
# Every test that README.md names is there and is run by "make check"; the words behind its name, if
# there are any, stand in it, or in a program beside it.
cd "$top_srcdir" || exit 99
bad=0 count=0
while IFS='|' read -r _ case kind test words _; do
	case $case in *[0-9]*) ;; *) continue ;; esac
	count=$((count + 1))
	test=$(echo $test)
	words=$(echo $words)
	name=${test%.*}
	ls "$test" >/dev/null 2>&1 || { echo "$case: no $test"; bad=1; continue; }
	grep -qE "(^|[^a-z_/])($test|$name)([^a-z_]|$)" "$(dirname "$test")"/*.am ||
		{ echo "$case: $test is not run"; bad=1; }
	test -z "$words" || grep -rqF -- "$words" "$test" "$(dirname "$test")" || { echo "$case: no '$words' in $test"; bad=1; }
done <tests/cases/README.md
test $count -ge 40 || { echo "only $count cases in the table"; bad=1; }
exit $bad
