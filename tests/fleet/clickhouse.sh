# SPDX-License-Identifier: Apache-2.0
#
# contrib/fleet in a real ClickHouse: the answers to its queries are those that the lines themselves give, two shards in
# two servers give the same as one, lines reach the table through a real rsyslog, and a page has the fleet's numbers.
# Then doc/fleet.md, whose commands are run as they stand there.
#
# FLEET_LINES=10000000 measures what a fleet costs: the rate of loading, and the time of each query beside that of
# "fencepost report" over the same lines. Lines are made as they are loaded: what is kept is the database.
page=fleet.md
. "$top_srcdir/tests/integrations/manual.sh"
fleet=$top_srcdir/contrib/fleet
lines=${FLEET_LINES:-100000}
machines=${FLEET_MACHINES:-10000}
unset FENCEPOST_OPTIONS
for tool in clickhouse-server clickhouse-client; do
	command -v $tool >/dev/null || { echo "there is no $tool (apt-get install clickhouse-server clickhouse-client)"; exit 77; }
done
manual_begin fleet
. "$top_srcdir/tests/fleet/servers.sh"
set -- $(free_ports 7)
start_server one "$1" "$2" "$3" "$1" "$4"
first=${servers##* }
start_server two "$4" "$5" "$6" "$1" "$4"
one="clickhouse-client --port=$1"
two="clickhouse-client --port=$4"
udp=$7

# The processor time of the first server, in seconds: on a busy machine it says more than the clock.
work_of_one() {
	awk -v ticks="$(getconf CLK_TCK)" '{ print ($14 + $15) / ticks }' "/proc/$first/stat"
}

now() {
	date +%s.%N
}

since() { # since TIME: the seconds
	awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.2f", to - from }'
}

simulate() { # simulate [SHARD]
	python3 "$top_srcdir/tests/fleet/simulate.py" --lines="$lines" --machines="$machines" --shard="${1:-0/1}"
}

load() { # load CLIENT TABLE
	CLICKHOUSE_CLIENT=$1 FLEET_TABLE=$2 sh "$fleet/load.sh"
}

query() { # query CLIENT NAME RELEASE
	sed "s/@RELEASE@/$3/" "$fleet/queries/$2.sql" | $1
}

# ---- One server ----

cat "$fleet/schema.sql" "$fleet/views.sql" | $one --multiquery || exit 1
worked=$(work_of_one)
if test "$lines" -le 1000000; then
	simulate >lines.ndjson
	start=$(now)
	load "$one" fencepost.lines <lines.ndjson || exit 1
else
	start=$(now)
	simulate | load "$one" fencepost.lines || exit 1
fi
count=$($one --query='SELECT count() FROM fencepost.lines')
loading=$(since "$start")
echo "loaded $count lines of $machines machines in $loading s, $(awk -v n="$count" -v s="$loading" 'BEGIN { printf "%d", n / s }') a second;" \
	"the server worked $(awk -v from="$worked" -v to="$(work_of_one)" 'BEGIN { printf "%.1f", to - from }') s"
test "$count" -gt "$lines" || complain "$count lines are in the table, of more than $lines"
$one --query="SELECT round(sum(length(raw)) / 1e6), 'MB of text' FROM fencepost.lines"
$one --query="SELECT table, round(sum(bytes_on_disk) / 1e6), 'MB on disk' FROM system.parts
	WHERE database = 'fencepost' AND active GROUP BY table ORDER BY table"

mkdir answers-one answers-two
for file in "$fleet"/queries/*.sql; do
	name=$(basename "$file" .sql)
	test "$name" != page || continue
	start=$(now)
	worked=$(work_of_one)
	query "$one" "$name" 1.2 >"answers-one/$name.tsv" || complain "$name is no query"
	echo "$name: $(since "$start") s; the server worked $(awk -v from="$worked" -v to="$(work_of_one)" 'BEGIN { print to - from }') s"
done
if test -f lines.ndjson; then
	python3 "$top_srcdir/tests/fleet/answers.py" lines.ndjson 1.2 answers-one >differs || complain "$(cat differs)"
fi
# The plan that names of functions tell.
cut -f3 answers-one/new-since.tsv | grep -v '^since_1\.[23]_' && complain "mistakes of older releases are new since 1.2"
cut -f2 answers-one/growing-leaks.tsv | grep -v '_grows_' && complain "leaks grow that do not"
# Few lines may not have each mistake in its first release.
test "$lines" -lt 10000 || awk -F'\t' '{ split($4, word, "_"); if (word[2] != $6) { print; bad = 1 } } END { exit bad }' answers-one/introduced.tsv ||
	complain "mistakes come with another release than they came with"
for name in new-since growing-leaks introduced; do
	test -s answers-one/$name.tsv || complain "$name: no rows"
done

# ---- Two shards ----

for at in 0 1; do
	client=$one
	test $at = 0 || client=$two
	sed 's/\bfencepost\b/fencepost_shard/g' "$fleet/schema.sql" | $client --multiquery || exit 1
	simulate $at/2 | load "$client" fencepost_shard.lines || exit 1
done
cat "$fleet/distributed.sql" "$fleet/views.sql" | $two --multiquery || exit 1
for at in "$one" "$two"; do
	test "$($at --query='SELECT count() FROM fencepost_shard.lines')" -lt "$count" || complain "one shard has all lines"
done
for file in answers-one/*; do
	name=$(basename "$file" .tsv)
	start=$(now)
	query "$two" "$name" 1.2 >"answers-two/$name.tsv"
	echo "$name on two shards: $(since "$start") s"
	cmp "answers-one/$name.tsv" "answers-two/$name.tsv" || complain "$name: two shards answer otherwise"
done

# ---- A page ----

start=$(now)
query "$two" page 1.2 | "$fencepost" report --html=page.html --json=page.json --log=page.txt - || complain "no page: $(cat page.txt)"
echo "the page of a release: $(since "$start") s"
$one --query="SELECT sumIf(count, type = 'leak'), sumIf(bytes, type = 'leak'), sumIf(count, type = 'finding'),
	countIf(type = 'summary'), sum(visitParamExtractUInt(protection, 'allocations')) FROM fencepost.lines WHERE version = '1.2'" >page.tsv
python3 - <<'PYTHON' || complain "the page has other numbers than the fleet: $(cat page.tsv)"
import json
blocks, size, findings, runs, allocations = map(int, open("page.tsv").read().split())
report = json.load(open("page.json"))
assert (report["summary"]["leaked_blocks"], report["summary"]["leaked_bytes"]) == (blocks, size), report["summary"]
assert sum(one["count"] for one in report["findings"]) == findings
assert len(report["sources"]) + report.get("more_sources", 0) == runs
assert report["protection"]["allocations"] == allocations
page = open("page.html").read()
assert '"leaked_bytes": %d' % size in page or '"leaked_bytes":%d' % size in page
PYTHON

# Memory grows with what is distinct: before lines were merged as they are read these were 2.6 GB.
if test "${FLEET_REPORT:-yes}" = yes; then
	start=$(now)
	if test -f lines.ndjson; then cat lines.ndjson; else simulate; fi |
		python3 -c '
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print("%.1f s, %d MB" % (used.ru_utime + used.ru_stime, used.ru_maxrss >> 10))
sys.exit(status or used.ru_maxrss >> 10 > 200)' "$fencepost" report --json=all.json --log=all.txt - >worked ||
		complain "fencepost report over all lines fails, or needs more than 200 MB: $(cat worked)"
	echo "fencepost report over all lines: $(since "$start") s; it worked $(cat worked)"
fi

# ---- rsyslog ----

if command -v rsyslogd >/dev/null; then
	cat >victim.c <<-'END'
		#include <stdlib.h>
		int main(void)
		{
			void *block = malloc(10);
			free(block);
			free(block);
			block = malloc(77);
			block = NULL;
			return 0;
		}
	END
	${CC:-cc} -g -O0 -fno-builtin -w -o victim victim.c || exit 99
	mkdir spool
	{
		printf 'global(maxMessageSize="64k" workDirectory="%s")\n' "$PWD"
		printf 'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="%s")\n' "$PWD/log.socket"
		sed "s,/var/spool/fencepost,$PWD/spool,; s/5140/$udp/" "$fleet/rsyslog.conf"
	} >rsyslog.conf
	rsyslogd -N1 -f "$PWD/rsyslog.conf" -i "$PWD/rsyslog.pid" >rsyslog.out 2>&1 || complain "$(cat rsyslog.out)"
	rsyslogd -n -f "$PWD/rsyslog.conf" -i "$PWD/rsyslog.pid" >>rsyslog.out 2>&1 &
	rsyslog=$!
	servers="$servers $rsyslog"
	tries=200
	until test -S log.socket && grep -qi ":$(printf %04X "$udp") " /proc/net/udp || test $tries -eq 0; do
		tries=$((tries - 1))
		sleep 0.1
	done
	for where in "syslog:log.socket" "unix:log.socket" "udp:127.0.0.1:$udp"; do
		"$fencepost" run --ndjson="$where" --label=release="${where%%:*}" --log=run.txt ./victim
	done
	tries=200
	until test "$(cat spool/*.ndjson 2>/dev/null | wc -l)" -eq 9 || test $tries -eq 0; do
		tries=$((tries - 1))
		sleep 0.1
	done
	kill $rsyslog
	wait $rsyslog
	find spool -name '*.ndjson' -exec env CLICKHOUSE_CLIENT="$one" sh "$fleet/load.sh" --remove {} +
	test -z "$(find spool -type f)" || complain "files are not removed: $(find spool -type f)"
	$one --query="SELECT version, groupArray(type) FROM (SELECT version, type FROM fencepost.lines WHERE program = 'victim'
		ORDER BY version, type) GROUP BY version ORDER BY version" >got
	for way in syslog udp unix; do
		printf "%s\t['finding','leak','summary']\n" $way
	done | cmp - got || complain "through rsyslog came: $(cat got rsyslog.out)"
else
	echo "not tested: rsyslog.conf (there is no rsyslogd)"
fi

# ---- The drop-in: a unit that systemd takes, and a command that runs ----

mkdir -p units/frontd.service.d
printf '[Unit]\nDescription=frontd\n[Service]\nExecStart=%s\n' "$(command -v true)" >units/frontd.service
sed "s,/usr/bin/fencepost,$fencepost,; s,/usr/sbin/frontd\$,$(command -v true)," "$fleet/fencepost-fleet.conf" >units/frontd.service.d/fleet.conf
if command -v systemd-analyze >/dev/null; then
	SYSTEMD_UNIT_PATH=$PWD/units: systemd-analyze verify frontd.service >verify 2>&1 && ! grep -q frontd verify ||
		complain "systemd does not take the drop-in: $(cat verify)"
else
	echo "not tested: fencepost-fleet.conf as a unit (there is no systemd-analyze)"
fi
command=$(sed -n 's/^ExecStart=\(..*\)/\1/p' units/frontd.service.d/fleet.conf | sed 's,syslog:,unit.ndjson,')
$command || complain "the drop-in's command fails: $command"
grep -q '"type":"summary".*"release":"1.4"' unit.ndjson || complain "the drop-in's command sends no line"
for line in $(grep '^[A-Z][A-Za-z]*=' "$fleet/fencepost-fleet.conf" | tr ' ' '~'); do
	grep -qxF "$(echo "$line" | tr '~' ' ')" "$manual" || complain "doc/fleet.md has another drop-in: no $line"
done

# ---- The page, in a database that is empty ----

$one --query='DROP DATABASE fencepost'
cat "$fleet/schema.sql" "$fleet/views.sql" | $one --multiquery
# A log of syslog, with labels that have names of other fields, a torn line, and a line of somebody else.
cat >messages <<-'END'
	Nov 30 12:00:00 web fencepost: y: 1 error @cee: {"schema":"fencepost-report-1","tool":{},"line":{"type":"finding","time":"2026-11-30T13:38:06.740Z","host":"web","run":"1","build_id":"","labels":{"release":"a\"}\\","kind":"no","count":"9"},"kind":"double-free","count":2,"bytes":0,"line":7},"process":{"executable":"/x/y"},"summary":{}}
	{"schema":"fencepost-report-1","tool":{},"line":{"type":"summ
	Nov 30 12:00:00 web kernel: nothing
END
CLICKHOUSE_CLIENT=$one sh "$fleet/load.sh" messages
$one --query="SELECT type, time, host, version, kind, count, source_line, program FROM fencepost.lines FORMAT TSVRaw" >got
printf 'finding\t2026-11-30 13:38:06\tweb\ta"}\\\tdouble-free\t2\t7\ty\n' | cmp - got || complain "of a log came: $(cat got)"
sed -n '1s/.*@cee: //p' messages >sent
$one --query="SELECT raw FROM fencepost.lines FORMAT TSVRaw" | cmp - sent || complain "a line is not kept as it came"
# ---- Names for rows that are stored without ----

cat >nameless.c <<-'END'
	#include <stdlib.h>
	int main(void)
	{
		void *block = malloc(77);
		block = NULL;
		return 0;
	}
END
${CC:-cc} -g -O0 -fno-builtin -w -o nameless nameless.c || exit 99
id=$(readelf -n nameless 2>/dev/null | sed -n 's/.*Build ID: //p')
if test -n "$id"; then
	folder=debug/.build-id/$(echo "$id" | cut -c1-2)
	mkdir -p "$folder" stripped
	"$fencepost" run --ndjson=full.nd --log=/dev/null ./nameless
	objcopy --only-keep-debug nameless "$folder/$(echo "$id" | cut -c3-).debug" && strip -o stripped/nameless nameless || exit 99
	"$fencepost" run --ndjson=stripped.nd --log=/dev/null ./stripped/nameless
	rm stripped/nameless
	cat full.nd stripped.nd | load "$one" fencepost.lines
	before=$($one --query="SELECT count(), sum(bytes) FROM fencepost.lines")
	month=$(date -u +%Y%m)
	CLICKHOUSE_CLIENT=$one FENCEPOST=$fencepost sh "$fleet/names.sh" "$month" --debug-dir=debug || complain "names.sh fails"
	test "$before" = "$($one --query="SELECT count(), sum(bytes) FROM fencepost.lines")" || complain "names.sh changes what there is"
	$one --query="SELECT maxMerge(function), countMerge(lines) FROM fencepost.findings_by_day WHERE program = 'nameless' GROUP BY fingerprint" >got
	printf 'main\t2\n' | cmp - got || complain "rows with names are not those of the full build: $(cat got)"
	test ! -e "fencepost-$month.ndjson" || complain "names.sh leaves its file"
fi

$one --query='DROP DATABASE fencepost'
printf '#!/bin/sh\nexec %s --port=%s "$@"\n' "$(command -v clickhouse-client)" "$(echo "$one" | sed 's/.*=//')" >bin/clickhouse-client
chmod +x bin/clickhouse-client
unset CLICKHOUSE_CLIENT FLEET_TABLE
try 'One server' gcc
try Questions
manual_end
