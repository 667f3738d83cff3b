# SPDX-License-Identifier: Apache-2.0
#
# The Debian packages: built from this tree, looked at by lintian, installed into systems that have nothing
# else, where the tests of debian/tests run. FP_SUITES says into which; it needs root, a mirror and minutes, so
# it is no part of make check.
work=${FP_BUILDDIR:?}/tests/packages/debian.work
suites=${FP_SUITES:-bookworm trixie}
mirror=${FP_MIRROR:-http://deb.debian.org/debian}
for tool in dpkg-buildpackage dh lintian debootstrap git; do
	command -v $tool >/dev/null || { echo "no $tool here: apt-get install devscripts debhelper lintian debootstrap"; exit 77; }
done
test "$(id -u)" -eq 0 || { echo "debootstrap needs root"; exit 77; }
git -C "$top_srcdir" rev-parse >/dev/null 2>&1 || { echo "only from a clone: a released archive has no debian/"; exit 77; }
rm -rf "$work" && mkdir -p "$work/fencepost" && cd "$work" || exit 99
bad=0
complain() { echo "$*"; bad=1; }

# As it is now, whether committed or not.
(cd "$top_srcdir" && git ls-files -z | tar -c --null -T -) | tar -x -C fencepost || exit 99
(cd fencepost && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CC -u CXX -u NM dpkg-buildpackage -b -us -uc) >build.log 2>&1 ||
	{ tail -n 20 build.log | cut -c 1-300; exit 1; }
lintian --allow-root --fail-on error,warning ./*.changes >lintian.log 2>&1 || { complain "lintian:"; cat lintian.log; }

for suite in $suites; do
	root=$work/$suite
	debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$suite.log" 2>&1 || { complain "no $suite: $(tail -n 3 "$suite.log")"; continue; }
	mkdir "$root/packages" && cp ./*.deb fencepost/debian/tests/* "$root/packages" && rm -f "$root"/packages/*dbgsym*
	mount -t proc proc "$root/proc" || { complain "cannot mount /proc"; continue; }
	# Without recommended packages, as on a small machine; the compiler is what the tests need.
	chroot "$root" env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get -q -y --no-install-recommends install /packages/*.deb gcc libc6-dev pkg-config' >>"$suite.log" 2>&1 ||
		complain "$suite: not installed: $(tail -n 5 "$suite.log")"
	for test in finds-a-bug host; do
		if chroot "$root" sh "/packages/$test" >"$suite.$test.log" 2>&1; then
			echo "$suite: $test: passed"
		else
			complain "$suite: $test: $(cat "$suite.$test.log")"
		fi
	done
	# What was installed goes, and leaves nothing.
	chroot "$root" sh -c 'dpkg --purge libfencepost-dev fencepost libfencepost0' >>"$suite.log" 2>&1 || complain "$suite: not purged: $(tail -n 5 "$suite.log")"
	left=$(find "$root/usr" "$root/etc" -name '*fencepost*')
	test -z "$left" || complain "$suite: left: $left"
	umount "$root/proc"
done
exit $bad
