# SPDX-License-Identifier: Apache-2.0
#
# Lines at those who really receive them: systemd-journald, whose fields journalctl reads back; OpenTelemetry's own
# definition of OTLP (from npm); names from a debuginfod server. rsyslogd is in clickhouse.sh.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/fleet/receivers.work
CC=${CC:-cc}
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
. "$top_srcdir/tests/fleet/servers.sh"
bad=0
tried=0

complain() {
	echo "$test: $*" | head -n 40
	bad=1
}

await() { # await COMMAND...: for 20 seconds
	tries=400
	until "$@" || test $tries -eq 0; do
		tries=$((tries - 1))
		sleep 0.05
	done
}

cat >victim.c <<'END'
#include <stdlib.h>
static void free_again(char *block)
{
	free(block);
}
int main(int count, char **arguments)
{
	char *block = malloc(10);
	free(block);
	free_again(block);
	for (int i = 0; count > 1 && i < 3000; i++)
		free_again(block);
	block = malloc(77);
	block = NULL;
	return 0;
}
END
$CC -g -O0 -fno-builtin -w -o victim victim.c || exit 99

# ---- More than a run may send ----

test=many
cat >many.c <<'END'
#include <stdlib.h>
static void even(int number, int depth);
static void odd(int number, int depth);
static void go(int number, int depth)
{
	char *block = depth == 0 ? malloc(10) : NULL;
	block = NULL;
	if (depth > 0)
		(number % 2 ? odd : even)(number / 2, depth - 1);
}
static void even(int number, int depth)
{
	go(number, depth);
}
static void odd(int number, int depth)
{
	go(number, depth);
}
int main(void)
{
	for (int i = 0; i < 10100; i++)
		go(i, 14);
	return 0;
}
END
$CC -g -O0 -fno-builtin -w -o many many.c || exit 99
"$fencepost" run --max-leaks=0 --ndjson=many.nd --log=/dev/null ./many 2>many.err
leaks=$(sed -n 's/^.*"leaks":\[.*"summary":{"errors":0,"leaked_blocks":\([0-9]*\).*$/\1/p' many.nd | tail -n 1)
test "$(wc -l <many.nd)" -eq 10001 && test "$leaks" -eq 10100 || complain "$(wc -l <many.nd) lines of 10100 leaks, $leaks in the last"
tail -n 1 many.nd | grep -q '"type":"summary".*"left_out":100}' || complain "the last line tells of no 100 others: $(tail -n 1 many.nd | cut -c1-500)"
grep -q '^fencepost: note: 100 lines could not be sent to many.nd: a run sends no more than 10,000$' many.err || complain "$(cat many.err)"

# ---- systemd-journald ----

test=journald
unshare -m --propagation private sh "$top_srcdir/tests/fleet/journald.sh" "$fencepost" "$work/victim" >journald.said 2>&1
if test -s journal.json; then
	tried=$((tried + 1))
	python3 - <<'PYTHON' || complain "journalctl reads back: $(cut -c1-2000 journal.json)"
import json
entries = [json.loads(line) for line in open("journal.json")]
assert [one["FENCEPOST_TYPE"] for one in entries] == ["finding", "leak", "summary"]
assert {one["MESSAGE_ID"] for one in entries} == {"6b7c3f0e9d5a4a1c8f0d2e4b6a8c1357"}
assert [one["PRIORITY"] for one in entries] == ["3", "3", "6"]
for one in entries:
    line = json.loads(one["FENCEPOST_LINE"])["line"]
    assert line["labels"] == {"release": "1.4"} and one["_TRANSPORT"] == "journal"
    for field, key in (("CODE_FILE", "file"), ("CODE_LINE", "line"), ("CODE_FUNC", "function"),
                       ("FENCEPOST_KIND", "kind"), ("FENCEPOST_FINGERPRINT", "fingerprint"), ("FENCEPOST_RUN", "run")):
        assert one.get(field) == (str(line[key]) if key in line else None), (field, one.get(field), line)
finding = entries[0]
assert finding["CODE_FILE"].endswith("/victim.c") and finding["CODE_LINE"] == "4" and finding["CODE_FUNC"] == "free_again"
assert finding["FENCEPOST_KIND"] == "double-free" and len(finding["FENCEPOST_FINGERPRINT"]) == 16
PYTHON
	test "$(cat stopped.status gone.status | tr '\n' ' ')" = '0 0 ' || complain "a journald that stands or is gone: exit $(cat stopped.status gone.status)"
	grep -q '^fencepost: note: 3 lines could not be sent to journal:.*: No such file or directory$' gone.err ||
		complain "a journald that is gone: $(cat gone.err)"
else
	echo "not tested: systemd-journald ($(tail -n 1 journald.said))"
fi

# ---- OTLP ----

test=otlp
if command -v npm >/dev/null && npm install --silent --no-save --no-package-lock --prefix "$work/otlp" \
	@opentelemetry/otlp-transformer@0.57.2 >npm.out 2>&1; then
	tried=$((tried + 1))
	NODE_PATH=$work/otlp/node_modules node "$top_srcdir/tests/fleet/otlp_receiver.js" place otlp.got >node.out 2>&1 &
	servers="$servers $!"
	await test -s place
	"$fencepost" run --ndjson="otlp:http://127.0.0.1:$(cat place)/v1/logs" --label=release=1.4 --log=/dev/null ./victim
	await grep -qs '"summary"' otlp.got
	python3 - <<'PYTHON' || complain "OpenTelemetry's reader: $(cut -c1-1000 otlp.got node.out)"
import json
records = []
for text in open("otlp.got"):
    assert not text.startswith("refused"), text
    for resource in json.loads(text)["resourceLogs"]:
        assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "fencepost"}}]
        records += [record for scope in resource["scopeLogs"] for record in scope["logRecords"]]
assert [record["severityNumber"] for record in records] == [17, 17, 9]
found = {one["key"]: one["value"] for one in records[0]["attributes"]}
line = json.loads(records[0]["body"]["stringValue"])["line"]
assert found["fencepost.fingerprint"] == {"stringValue": line["fingerprint"]}
assert found["code.line.number"] == {"intValue": "4"} and found["code.file.path"]["stringValue"].endswith("/victim.c")
PYTHON
else
	echo "not tested: OpenTelemetry's definition of OTLP (npm: $(tail -n 1 npm.out 2>/dev/null))"
fi

# ---- Names from a server ----

test=debuginfod
id=$(readelf -n victim 2>/dev/null | sed -n 's/.*Build ID: //p')
if command -v debuginfod >/dev/null && test -n "$id"; then
	mkdir stripped served
	cp victim stripped
	objcopy --only-keep-debug victim served/victim.debug && strip stripped/victim || exit 99
	port=$(free_ports 1)
	debuginfod -F -d :memory: -p "$port" served >debuginfod.out 2>&1 &
	servers="$servers $!"
	export DEBUGINFOD_URLS="http://127.0.0.1:$port" DEBUGINFOD_CACHE_PATH="$work/cache"
	for name in full stripped; do
		program=./victim
		test $name = full || program=./stripped/victim
		DEBUGINFOD_URLS='' "$fencepost" run --ndjson=$name.nd --log=/dev/null "$program"
	done
	rm stripped/victim
	for name in 1 2 3 4 5 6 7 8; do cat stripped.nd; done >rows.nd
	tries=200
	until "$fencepost" symbolize --debuginfod=yes rows.nd >named.nd 2>symbolize.err && grep -q free_again named.nd || test $tries -eq 0; do
		tries=$((tries - 1))
		rm -rf cache
		sleep 0.1
	done
	if grep -q 'GET /buildid' debuginfod.out || grep -q free_again named.nd; then
		tried=$((tried + 1))
		for file in full stripped named; do
			grep -o '"fingerprint":"[0-9a-f]*"' $file.nd | sort -u >$file.prints
		done
		cmp full.prints named.prints || complain "names from a server give other fingerprints than the full build has"
		cmp -s full.prints stripped.prints && complain "the stripped program has names"
		test "$(grep -c '"function":"free_again","file":"[^"]*victim.c","line":4,' named.nd)" -eq 8 || complain "no names: $(cat symbolize.err)"
	else
		complain "no names came: $(cat symbolize.err debuginfod.out)"
	fi
else
	echo "not tested: debuginfod (apt-get install debuginfod)"
fi

test $tried -gt 0 || exit 77
exit $bad
