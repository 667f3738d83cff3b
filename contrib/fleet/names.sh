#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Names for rows that are stored without: those of a month go out of ClickHouse, through "fencepost symbolize", and back.
# The tables by day of that month are made anew with them, because fingerprints are made of names. Load nothing of that
# month meanwhile. The rows stand in a file of the current folder until they are back: some 3 KB each.
#
#     sh names.sh 202611 --debug-dir=/srv/debug
#
# CLICKHOUSE_CLIENT is the client with its options, as for load.sh; FENCEPOST the program.
client=${CLICKHOUSE_CLIENT:-clickhouse-client}
month=$1
file=fencepost-$month.ndjson
case $month in
[0-9][0-9][0-9][0-9][0-9][0-9]) shift ;;
*) echo "names.sh: write the month before the options of fencepost symbolize: names.sh 202611 --debug-dir=DIRECTORY" >&2; exit 1 ;;
esac
test ! -e "$file" || { echo "names.sh: $file is there: load it with load.sh if it was left behind, then remove it" >&2; exit 1; }

$client --query="SELECT raw FROM fencepost.lines WHERE toYYYYMM(time) = $month FORMAT TSVRaw" |
	"${FENCEPOST:-fencepost}" symbolize "$@" >"$file" &&
	test "$(wc -l <"$file")" -eq "$($client --query="SELECT count() FROM fencepost.lines WHERE toYYYYMM(time) = $month")" ||
	{ echo "names.sh: not all rows came out: nothing was changed" >&2; rm -f "$file"; exit 1; }
for table in findings_by_day runs_by_day; do
	$client --query="ALTER TABLE fencepost.$table DROP PARTITION $month" || exit 1
done
$client --query="ALTER TABLE fencepost.lines DELETE WHERE toYYYYMM(time) = $month" || exit 1
while left=$($client --query="SELECT count() FROM system.mutations WHERE database = 'fencepost' AND table = 'lines' AND NOT is_done") &&
	test "$left" -gt 0; do
	sleep 1
done
sh "$(dirname "$0")/load.sh" --remove "$file"
