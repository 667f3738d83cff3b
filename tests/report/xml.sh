# SPDX-License-Identifier: Apache-2.0
#
# The golden files in Valgrind's XML keep the rules of its protocol, whatever is in the log; so
# does Valgrind, which the rules here would otherwise be a misreading of. Names of errors are unique,
# and what is counted is an error.
rules=$top_srcdir/tests/report/memcheck.rng
golden=$top_srcdir/tests/report/golden
work=$FP_BUILDDIR/tests/report/xml.work
command -v xmllint >/dev/null || { echo 'no xmllint here (Debian: apt-get install libxml2-utils)'; exit 77; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

checked=0
for file in "$golden"/*.xml; do
	xmllint --noout --nonet --relaxng "$rules" "$file" 2>err || complain "$file: $(cat err)"
	sed -n 's/^  <unique>\(.*\)<.*/\1/p' "$file" | sort >errors
	test -z "$(uniq -d errors)" || complain "$file: not unique: $(uniq -d errors)"
	sed -n 's/^    <unique>\(.*\)<.*/\1/p' "$file" | sort >counted
	test -z "$(comm -13 errors counted)" || complain "$file: no such error: $(comm -13 errors counted)"
	checked=$((checked + 1))
done
test $checked -ge 6 || complain "only $checked golden files"

# The rules refuse something.
sed 's/InvalidRead/heap-use-after-free/' "$golden/plant.xml" >wrong.xml
xmllint --noout --nonet --relaxng "$rules" wrong.xml 2>/dev/null && complain 'the rules accept any kind'
exit $bad
