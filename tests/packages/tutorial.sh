# SPDX-License-Identifier: Apache-2.0
#
# doc/first-bug.md as a new user does it: in a Debian 12 that has nothing else, with the packages that debian.sh built,
# and what the page says to install. Like debian.sh it needs root, a mirror and minutes.
packages=${FP_PACKAGES:-$FP_BUILDDIR/tests/packages/debian.work}
suite=bookworm
mirror=${FP_MIRROR:-http://deb.debian.org/debian}
work=${FP_BUILDDIR:?}/tests/packages/tutorial.work
root=$work/root
page=$top_srcdir/doc/first-bug.md
ls "$packages"/fencepost_*.deb >/dev/null 2>&1 || { echo "no packages in $packages: tests/packages/debian.sh builds them"; exit 77; }
command -v debootstrap >/dev/null && test "$(id -u)" -eq 0 || { echo "this needs debootstrap and root"; exit 77; }
rm -rf "$work" && mkdir -p "$work" || exit 99
bad=0
complain() { echo "$*"; bad=1; }

debootstrap --variant=minbase $suite "$root" "$mirror" >"$work/log" 2>&1 || { tail -n 3 "$work/log"; exit 99; }
mkdir "$root/tutorial" && cp "$packages"/fencepost_*.deb "$packages"/libfencepost0_*.deb "$page" "$top_srcdir/tests/integrations/page.py" "$root/tutorial" || exit 99
mount -t proc proc "$root/proc" || { echo "cannot mount /proc"; exit 77; }
trap 'umount "$root/proc"' EXIT
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }
needs=$(sed -n 's|.*`apt-get install \([^`]*\)`.*|\1|p' "$page")
test -n "$needs" || { echo "the page does not say what to install"; exit 99; }
inside sh -c "apt-get -q -y --no-install-recommends install /tutorial/*.deb $needs" >>"$work/log" 2>&1 || { tail -n 5 "$work/log"; exit 1; }
sed -n 's/^## //p' "$page" >"$work/sections"
test "$(wc -l <"$work/sections")" -eq 6 || complain "the page has other bugs: $(cat "$work/sections")"
while IFS= read -r section; do
	inside sh -c 'mkdir -p "/tutorial/$1" && cd "/tutorial/$1" && python3 /tutorial/page.py /tutorial/first-bug.md "$1"' sh "$section" >"$work/differs" 2>&1 </dev/null ||
		complain "$section: $(cat "$work/differs")"
done <"$work/sections"
exit $bad
