# SPDX-License-Identifier: Apache-2.0
#
# doc/first-bug.md as a new user does it: in a Debian 12 (FP_SUITES says in which others) that has nothing else, with the
# packages that debian.sh built (or FP_PACKAGES has), and what the page says to install. It needs root, a mirror and minutes.
packages=${FP_PACKAGES:-$FP_BUILDDIR/tests/packages/debian.work}
work=${FP_BUILDDIR:?}/tests/packages/tutorial.work
page=$top_srcdir/doc/first-bug.md
ls "$packages"/fencepost_*.deb >/dev/null 2>&1 || { echo "no packages in $packages: tests/packages/debian.sh builds them"; exit 77; }
rm -rf "$work" && mkdir -p "$work" || exit 99
. "$top_srcdir/tests/packages/root.sh"

needs=$(sed -n 's|.*`apt-get install \([^`]*\)`.*|\1|p' "$page")
test -n "$needs" || { echo "the page does not say what to install"; exit 99; }
sed -n 's/^## //p' "$page" >"$work/sections"
test "$(wc -l <"$work/sections")" -eq 6 || complain "the page has other bugs: $(cat "$work/sections")"
for suite in ${FP_SUITES:-bookworm}; do
	root_make "$suite" && mkdir "$work/$suite/tutorial" || continue
	cp "$packages"/fencepost_*.deb "$packages"/libfencepost0_*.deb "$page" "$top_srcdir/tests/integrations/page.py" "$work/$suite/tutorial"
	# shellcheck disable=SC2086
	root_install "$suite" '/tutorial/*.deb' $needs || continue
	while IFS= read -r section; do
		in_root "$suite" "mkdir -p '/tutorial/$section' && cd '/tutorial/$section' && python3 ../page.py ../first-bug.md '$section'" \
			>"$work/differs" 2>&1 </dev/null || complain "$suite: $section: $(cat "$work/differs")"
	done <"$work/sections"
done
exit $bad
