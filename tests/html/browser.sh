# SPDX-License-Identifier: Apache-2.0
#
# HTML reports in a headless Chromium: opened, clicked, walked by keyboard, searched, zoomed, in light
# and dark, with scripts switched off, and hostile. Pictures are left in browser.work to look at.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/html/victim
work=$FP_BUILDDIR/tests/html/browser.work
command -v python3 >/dev/null || { echo "python3 is not installed: HTML reports are not opened"; exit 77; }
(cd "$top_srcdir/tests/html" && PYTHONDONTWRITEBYTECODE=1 python3 -c 'import browser, sys; sys.exit(not browser.find())') ||
	{ echo "no Chromium is installed (Debian: chromium): HTML reports are not opened"; exit 77; }
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work/golden" && cd "$work" || exit 99
"$FP_BUILDDIR/tests/report/render_golden" golden whole || exit 99
# 300 findings, 100,000 leaked blocks (padded but for the first: memory), a leak 200 calls deep.
"$fencepost" run --log=/dev/null --html=many.html --continue=yes --leak-check=full --stack-depth=256 \
	--max-memory=64m "$victim" 300 100000 200 || exit 1
"$fencepost" run --log=/dev/null --html=one.html --continue=yes --leak-check=full "$victim" 1 0 0
test -x "$FP_BUILDDIR/tests/e2e/victims/grows" &&
	"$fencepost" run --leak-growth --log=/dev/null --html=grows.html "$FP_BUILDDIR/tests/e2e/victims/grows" leak
"$fencepost" run --log=/dev/null --html=clean.html "$victim" 0 0 0 || exit 1
PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/html/use.py" "$work"
