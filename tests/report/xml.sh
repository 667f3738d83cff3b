# SPDX-License-Identifier: Apache-2.0
#
# All recorded logs in Valgrind's XML keep the rules of its protocol, whatever is in the log; so
# does Valgrind, which the rules here would otherwise be a misreading of. Names of errors are unique,
# and what is counted is an error.
rules=$top_srcdir/tests/report/memcheck.rng
work=$FP_BUILDDIR/tests/report/xml.work
golden=$work/all
command -v xmllint >/dev/null || { echo 'no xmllint here (Debian: apt-get install libxml2-utils)'; exit 77; }
rm -rf "$work" && mkdir -p "$golden" && cd "$work" || exit 99
"$FP_BUILDDIR/tests/report/render_golden" "$golden" whole || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

# Kinds that each reader knows. Qt Creator (src/plugins/valgrind/xmlprotocol/parser.cpp) gives up at
# another one, at another protocol, tool or state, and at a number that is none; the Jenkins plug-in
# (ValgrindErrorKind.java, ValgrindSaxParser.java) drops the error. Neither can run here: what they ask
# for is what the rules and this list hold the files against.
for kind in InvalidFree InvalidRead InvalidWrite Leak_DefinitelyLost Leak_IndirectlyLost Leak_PossiblyLost \
	Leak_StillReachable MismatchedFree Overlap SyscallParam UninitCondition UninitValue; do
	echo $kind
done >kinds
cat "$golden"/*.xml | sed -n 's/^ *<kind>\(.*\)<.*/\1/p' | sort -u >used
test -s used || complain 'no kinds'
grep -vxFf kinds used && complain 'kinds that not every reader knows'
cat "$golden"/*.xml | sed -n 's/^ *<state>\(.*\)<.*/\1/p' | sort -u | tr '\n' ' ' >states
test "$(cat states)" = 'FINISHED RUNNING ' || complain "states: $(cat states)"

checked=0
for file in "$golden"/*.xml; do
	xmllint --noout --nonet --relaxng "$rules" "$file" 2>err || complain "$file: $(cat err)"
	sed -n 's/^  <unique>\(.*\)<.*/\1/p' "$file" | sort >errors
	test -z "$(uniq -d errors)" || complain "$file: not unique: $(uniq -d errors)"
	sed -n 's/^    <unique>\(.*\)<.*/\1/p' "$file" | sort >counted
	test -z "$(comm -13 errors counted)" || complain "$file: no such error: $(comm -13 errors counted)"
	checked=$((checked + 1))
done
test $checked -ge 9 || complain "only $checked files"

# The rules refuse something.
sed 's/InvalidRead/heap-use-after-free/' "$golden/plant.xml" >wrong.xml
xmllint --noout --nonet --relaxng "$rules" wrong.xml 2>/dev/null && complain 'the rules accept any kind'
exit $bad
