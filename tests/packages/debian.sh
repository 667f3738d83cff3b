# SPDX-License-Identifier: Apache-2.0
#
# The Debian packages: built from this tree, looked at by lintian, installed into systems that have nothing
# else, where the tests of debian/tests run. FP_SUITES says into which; it needs root, mirrors and minutes, so
# it is no part of make check.
work=${FP_BUILDDIR:?}/tests/packages/debian.work
for tool in dpkg-buildpackage dh lintian git; do
	command -v $tool >/dev/null || { echo "no $tool here: apt-get install devscripts debhelper lintian git"; exit 77; }
done
git -C "$top_srcdir" rev-parse >/dev/null 2>&1 || { echo "only from a clone: a released archive has no debian/"; exit 77; }
rm -rf "$work" && mkdir -p "$work/fencepost" && cd "$work" || exit 99
. "$top_srcdir/tests/packages/root.sh"

# As it is now, whether committed or not.
(cd "$top_srcdir" && git ls-files -z | tar -c --null -T -) | tar -x -C fencepost || exit 99
(cd fencepost && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CC -u CXX -u NM dpkg-buildpackage -b -us -uc) >build.log 2>&1 ||
	{ tail -n 20 build.log | cut -c 1-300; exit 1; }
lintian --allow-root --fail-on error,warning ./*.changes >lintian.log 2>&1 || { complain "lintian:"; cat lintian.log; }

for suite in ${FP_SUITES:-bookworm trixie noble}; do
	root_make "$suite" || continue
	root=$work/$suite
	mkdir "$root/packages" && cp ./*.deb fencepost/debian/tests/* "$root/packages" && rm -f "$root"/packages/*dbgsym*
	# The compiler is what the tests need.
	root_install "$suite" '/packages/*.deb gcc libc6-dev pkg-config' || continue
	for test in finds-a-bug host; do
		if in_root "$suite" "sh /packages/$test" >"$suite.$test.log" 2>&1; then
			echo "$suite: $test: passed"
		else
			complain "$suite: $test: $(cat "$suite.$test.log")"
		fi
	done
	# What was installed goes, and leaves nothing.
	in_root "$suite" 'dpkg --purge libfencepost-dev fencepost libfencepost0' >>"$suite.log" 2>&1 || complain "$suite: not purged: $(tail -n 5 "$suite.log")"
	left=$(find "$root/usr" "$root/etc" -name '*fencepost*')
	test -z "$left" || complain "$suite: left: $left"
done
exit $bad
