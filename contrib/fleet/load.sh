#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Loads lines of Fencepost from files, or from standard input, into ClickHouse. What else stands in a line, before the
# object that is ours, is left away, so that a log of syslog can be loaded, too; other lines and torn ones are passed over.
# With --remove a file is removed when it is loaded. CLICKHOUSE_CLIENT is the client with its options, FLEET_TABLE the table.
#
#     find /var/spool/fencepost -name '*.ndjson' -mmin +2 -exec sh load.sh --remove {} +
#
# A column of text is a field of CSV that ends with the line: JSON begins with no quote, and has no byte 1 in it. The client
# sends 50,000 lines at a time, some 100 MB: a million, its default, are gigabytes of its memory, and take it longer to
# read from a slow pipe than the 300 seconds that the server waits.
client=${CLICKHOUSE_CLIENT:-clickhouse-client}
table=${FLEET_TABLE:-fencepost.lines}
remove=
test "$1" != --remove || { remove=yes; shift; }

load() {
	LC_ALL=C awk '{ at = index($0, "{\"schema\":\"fencepost-report-1\",") } at && /}$/ { print substr($0, at) }' |
		$client --max_insert_block_size=50000 --format_csv_delimiter="$(printf '\001')" --query="INSERT INTO $table (raw) FORMAT CSV"
}

test $# -gt 0 || { load; exit; }
for file; do
	load <"$file" || { echo "load.sh: $file is not loaded" >&2; exit 1; }
	test -z "$remove" || rm -- "$file"
done
