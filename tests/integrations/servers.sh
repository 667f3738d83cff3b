# SPDX-License-Identifier: Apache-2.0
#
# The service of doc/servers.md with a real systemd: an instance of a user, in a mount namespace where the system looks
# as if systemd had booted it.
page=servers.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS
systemd=/lib/systemd/systemd
test -x $systemd && command -v systemctl >/dev/null || { echo 'no systemd here'; exit 77; }
if test "$1" != inside; then
	unshare --mount true 2>/dev/null || { echo 'no mount namespaces here'; exit 77; }
	exec unshare --mount sh "$0" inside
fi
mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system || { echo 'cannot mount here'; exit 77; }
manual_begin servers
export XDG_RUNTIME_DIR=/run/user-of-test
units=$XDG_RUNTIME_DIR/systemd/user
mkdir -p -m 700 "$units"
cat >bin/systemctl <<END
#!/bin/sh
exec $(command -v systemctl) --user "\$@"
END
chmod +x bin/systemctl
SYSTEMD_LOG_TARGET=console $systemd --user >systemd.log 2>&1 &
manager=$!
tries=0
until systemctl list-units >/dev/null 2>&1; do
	kill -0 $manager 2>/dev/null && test $((tries += 1)) -lt 300 || { echo "systemd does not start here: $(tail -n 3 systemd.log)"; kill $manager 2>/dev/null; exit 77; }
	sleep 0.2
done
pairs="/etc/systemd/system=$units /usr/local/bin=$work /var/log=$work"
try 'A service' gcc pidof
systemctl stop greeter 2>/dev/null
kill $manager
wait $manager 2>/dev/null
manual_end
