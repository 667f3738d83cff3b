# SPDX-License-Identifier: Apache-2.0
#
# HTML reports of recorded logs, the hostile one among them, and of real runs, held against what has
# to hold for each of them.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/html/victim
work=$FP_BUILDDIR/tests/html/structure.work
command -v python3 >/dev/null || { echo "python3 is not installed: the structure of HTML reports is not checked"; exit 77; }
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
mkdir golden && "$FP_BUILDDIR/tests/report/render_golden" golden whole && mv golden/*.html . || exit 99
"$fencepost" run --log=/dev/null --html=clean.html --leak-check=no true || exit 1
# 70 findings, 3,000 leaked blocks, a leak 200 calls deep.
"$fencepost" run --log=/dev/null --html=many.html --events=many.events --continue=yes --leak-check=full \
	--stack-depth=256 "$victim" 70 3000 200 || exit 1
"$fencepost" report --log=/dev/null --html=no-leaks.html --leak-check=no many.events || exit 1
"$fencepost" run --log=/dev/null --continue=yes --html=processes.html --leak-check=full \
	sh -c "'$victim' 2 10 5; '$victim' 1 '<script>alert(1)</script>' \"\$(printf 'a\\342\\200\\250b\\377')\"; true" ||
	exit 1
printf 'leak:<script>alert(1)</script>\nleak:"\303\n' >hostile.supp
"$fencepost" report --log=/dev/null --html=suppressions.html --suppressions=hostile.supp many.events || exit 1
python3 "$top_srcdir/tests/html/structure.py" ./*.html || exit 1
bad=0
holds() { # holds FILE TEXT...
	file=$1
	shift
	for text; do
		grep -qF -e "$text" "$file" || { echo "$file lacks '$text'"; bad=1; }
	done
}
holds clean.html '<title>No findings in true</title>' 'No findings.' 'leaks not checked'
holds many.html '<title>70 findings in victim</title>' 'id="finding-70"' 'more frames</summary>' \
	'read, 24 inside' 'changed bytes, 0 past the end' 'class="marker"' '<mark><span class="file">' 'block[4096 + 16] = 1;' '"picture":['
holds no-leaks.html 'Leaks were not looked for.' 'leaks not checked'
holds processes.html '3 findings in ' '&#60;script&#62;alert(1)&#60;/script&#62;' 'a\xe2\x80\xa8b\xff'
holds suppressions.html '<a href="#suppressions">' '<code>leak:&#60;script&#62;alert(1)&#60;/script&#62;</code>'
exit $bad
