# SPDX-License-Identifier: Apache-2.0
#
# journald.sh FENCEPOST VICTIM: in a mount namespace of its own. A real systemd-journald, whose files nobody else
# sees, gets the lines of VICTIM; journal.json is what journalctl reads back. Then one that is stopped, and one
# that is gone.
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log && mkdir -p /run/systemd || exit 77
/lib/systemd/systemd-journald fencepost >journald.out 2>&1 &
journald=$!
socket=/run/systemd/journal.fencepost/socket
tries=200
until test -S $socket || test $tries -eq 0; do
	tries=$((tries - 1))
	sleep 0.1
done
test -S $socket || { cat journald.out; exit 77; }

read_back() { # read_back OUT LINES: what journald has of us
	tries=200
	until test "$(journalctl --namespace=fencepost -o json --all SYSLOG_IDENTIFIER=fencepost 2>/dev/null | tee "$1" | wc -l)" -ge "$2" ||
		test $tries -eq 0; do
		tries=$((tries - 1))
		sleep 0.1
	done
}

"$1" run --ndjson=journal:$socket --label=release=1.4 --log=/dev/null "$2"
read_back journal.json 3
kill -STOP $journald
"$1" run --ndjson=journal:$socket --log=stopped.txt "$2" many
echo $? >stopped.status
kill -CONT $journald
kill $journald
wait $journald
rm -f $socket
"$1" run --ndjson=journal:$socket --log=gone.txt "$2" 2>gone.err
echo $? >gone.status
