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
"$FP_BUILDDIR/tests/report/render_golden" . whole || exit 99
"$fencepost" run --log=clean.text --json=clean.json --html=clean.html --leak-check=no true || exit 1
# 70 findings, 3,000 leaked blocks, a leak 200 calls deep.
"$fencepost" run --log=many.text --json=many.json --html=many.html --events=many.events --continue=yes --leak-check=full \
	--stack-depth=256 "$victim" 70 3000 200 || exit 1
"$fencepost" report --log=no-leaks.text --json=no-leaks.json --html=no-leaks.html --leak-check=no many.events || exit 1
"$fencepost" run --log=processes.text --json=processes.json --continue=yes --html=processes.html --leak-check=full \
	sh -c "'$victim' 2 10 5; '$victim' 1 '<script>alert(1)</script>' \"\$(printf 'a\\342\\200\\250b\\377')\"; true" ||
	exit 1
printf 'leak:<script>alert(1)</script>\nleak:"\303\n' >hostile.supp
"$fencepost" report --log=suppressions.text --json=suppressions.json --html=suppressions.html --suppressions=hostile.supp \
	many.events || exit 1
python3 "$top_srcdir/tests/html/structure.py" ./*.html || exit 1
bad=0
holds() { # holds FILE TEXT...
	file=$1
	shift
	for text; do
		grep -qF -e "$text" "$file" || { echo "$file lacks '$text'"; bad=1; }
	done
}
holds clean.html 'fencepost: no errors' '"listed": false'
# What was told while the program ran is in the text of the page, too.
holds many.html 'fencepost: double-free of a 100-byte block' 'block[4096 + 16] = 1;' '"place": true' '"hidden": "below main"'
holds processes.html '\u003cscript>alert(1)\u003c/script>' 'a\u2028b'
holds suppressions.html '"name": "leak:\u003cscript>alert(1)\u003c/script>"' '"leak:&lt;script>alert(1)&lt;/script>"'
exit $bad
