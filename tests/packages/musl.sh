# SPDX-License-Identifier: Apache-2.0
#
# Hosts that are linked with musl: the static library is built with musl-gcc, by the commands of doc/install.md, and the
# host that is there finds its mistake with it, linked dynamically and statically. It takes minutes: make
# check-packages.
command -v musl-gcc >/dev/null || { echo 'no musl-gcc here: apt-get install musl-tools'; exit 77; }
page=install.md
. "$top_srcdir/tests/integrations/manual.sh"
work=${FP_BUILDDIR:?}/tests/packages/musl.work
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
for line in 1 2 3 4 5; do
	manual_command musl $line
done | sed "s|^\./configure|'$top_srcdir/configure'|; s|-I include |-I '$top_srcdir/include' |" >commands
manual_program pkg-config c >host.c && test -s host.c && grep -q host-static commands || exit 99
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL sh -e commands >log 2>&1 || { tail -n 5 log; exit 1; }
! grep ' warning: ' log || exit 1
for host in ./host ./host-static; do
	FENCEPOST_OPTIONS=reporter=$fencepost $host 2>err &&
		grep -q '^fencepost: double-free of a 100-byte block at host.c:14 in main' err &&
		grep -q '#0 main .*host.c:11$' err || complain "$host: $(cat err)"
done
exit $bad
