# SPDX-License-Identifier: Apache-2.0
#
# --ndjson: a line for each finding when it is made, for each leak, and for each process at its end, to files,
# pipes, sockets, the journal and an OTLP receiver; what a killed process or a killed fencepost has sent; a
# receiver that is slow, deaf or gone; lines back into reports; redaction; fencepost symbolize.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/ndjson.work
receiver=$top_srcdir/tests/cli/ndjson_receiver.py
CC=${CC:-cc}
test -x "$fencepost" || exit 99
python3 -c 'import json, socket' || exit 77
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
# What is said of a run that was killed is not for the tests beside this one.
export TMPDIR="$PWD"
bad=0

complain() {
	echo "$test: $*"
	bad=1
}

has() { # has FILE PATTERN TIMES
	test "$(grep -c -e "$2" "$1")" -eq "$3" || { complain "$1: not $3 times '$2':"; cut -c1-2000 "$1"; }
}

types() { # the types of the lines in FILE
	python3 -c '
import json, sys
print(*(json.loads(line)["line"]["type"] for line in open(sys.argv[1])))' "$1"
}

expect_types() { # expect_types FILE TYPE...
	file=$1
	shift
	test "$(types "$file")" = "$*" || complain "$file has lines of types '$(types "$file")', not '$*'"
}

await() { # await COMMAND...: for 20 seconds
	tries=400
	until "$@" || test $tries -eq 0; do
		tries=$((tries - 1))
		sleep 0.05
	done
}

listen() { # listen KIND PLACE OUT
	python3 "$receiver" "$@" &
	listener=$!
	await test -e "$2"
}

cat >victim.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void free_again(char *block)
{
	free(block);
}
int main(int count, char **arguments)
{
	char *block = malloc(10);
	if (count > 1 && strcmp(arguments[1], "cd") == 0)
		chdir("/");
	if (count > 1 && strcmp(arguments[1], "free") == 0)
		free((void *)0x544552433353);
	if (count > 1 && strcmp(arguments[1], "jump") == 0)
		((void (*)(void))0x544552433353)();
	strcpy(block, "S3CRET");
	free(block);
	free_again(block);
	if (count > 1 && strcmp(arguments[1], "wait") == 0) {
		puts("waits");
		fflush(stdout);
		pause();
	}
	for (int i = 0; count > 1 && i < atoi(arguments[1]); i++)
		free_again(block);
	block = malloc(77);
	block = malloc(88);
	block = NULL;
	return 0;
}
END
$CC -g -O0 -fno-builtin -w -o victim victim.c || exit 77

test=file
"$fencepost" run --ndjson=file.nd --label=release=1.2,site=north ./victim >out 2>&1
expect_types file.nd finding leak leak summary
has file.nd '^{"schema":"fencepost-report-1","tool":{"name":"fencepost","version":"[0-9.]*"},"line":{' 4
has file.nd '"labels":{"release":"1.2","site":"north"}' 4
has file.nd '"kind":"double-free".*"function":"free_again","file":"[^"]*victim.c","line":7,"module":"victim"' 1
has file.nd '"kind":"leak-definite".*"count":1,"bytes":[78][78],' 2
has file.nd '"type":"summary".*"exit":{"code":0}.*"protection":{"allocations":[1-9].*"errors":1,"leaked_blocks":2,"leaked_bytes":165' 1
"$fencepost" run --ndjson=file.nd ./victim >out 2>&1
test "$(wc -l <file.nd)" -eq 8 || complain "lines of a second run are not behind those of the first"
test "$(grep -o '"run":"[0-9a-f]*"' file.nd | sort -u | wc -l)" -eq 2 || complain "two runs have not two names"
"$fencepost" run --ndjson=- --log=/dev/null ./victim | cat >pipe.nd
"$fencepost" run --budget=5 --ndjson=budget.nd --json=budget.json ./victim >out 2>&1
has budget.json '"contexts": .$' 1
has budget.nd '"contexts"' 0
# Whoever adds up lines finds a process's age in each, and once in a run what suppressions took out.
echo double-free:free_again >one.supp
"$fencepost" run --ndjson=old.nd --suppressions=one.supp sh -c './victim; sleep 2' >out 2>&1
has old.nd '"type":"summary".*"uptime":[2-9].*"executable":"[^"]*sh"' 1
has old.nd '"uptime":0' 0
has old.nd '"suppressions":.{"name":"double-free:free_again",.*"used":1' 1
has old.nd '"suppressed":1' 1
expect_types pipe.nd finding leak leak summary

test=bad
for wrong in unix: udp:nowhere otlp:host; do
	"$fencepost" run --ndjson=$wrong ./victim 2>err && complain "--ndjson=$wrong is taken"
	has err '^fencepost: --ndjson names no receiver: write FILE' 1
done
"$fencepost" run --ndjson=x --label=none ./victim 2>err && complain "a label without a value is taken"
has err '^fencepost: --label: write KEY=VALUE' 1
"$fencepost" run --ndjson=/nowhere/x ./victim 2>err && complain "a file that cannot be written is taken"
has err '^fencepost: cannot write /nowhere/x: ' 1

# What says nothing alone is no option to pass over: somebody believes that a page is redacted.
alone() { # alone TEXT COMMAND...
	text=$1
	shift
	"$@" 2>err && complain "$* does as if all were well"
	has err "^fencepost: $text" 1
}
alone '--label does nothing alone: .*; add --ndjson=FILE' "$fencepost" run --label=release=1 ./victim
alone '--redact does nothing alone: .*; add --ndjson=FILE' "$fencepost" run --redact ./victim
alone '--redact does nothing alone: .*; add --ndjson=FILE' "$fencepost" report --redact --html=page.html pipe.nd
alone '--seed does nothing alone: .*; add --sample=N or --budget=PERCENT' "$fencepost" run --seed=7 ./victim
alone '--align-profile does nothing alone: .*; add --align=auto' "$fencepost" run --align-profile=x ./victim
alone 'run: --xml=yes: use a file name .*/yes' "$fencepost" run --xml=yes ./victim
alone 'report: --json=yes: use a file name' "$fencepost" report --json=yes pipe.nd
alone 'diff: unknown option "--json=yes"' "$fencepost" diff --json=yes pipe.nd pipe.nd
test -z "$(ls yes no page.html 2>/dev/null)" || complain 'files are made'
for settings in label=release=1.4:redact=yes seed=7; do
	FENCEPOST_OPTIONS=$settings "$fencepost" run --error-exitcode=9 ./victim >out 2>&1
	test $? -eq 9 || complain "$settings for all stops those that have no use for it"
done
FENCEPOST_OPTIONS=label=release=1.4:redact=yes FENCEPOST_REPORTER=$fencepost \
	LD_PRELOAD=$FP_BUILDDIR/src/preload/.libs/libfencepost-preload.so ./victim >out 2>&1
has out '^fencepost: 1 error, 2 leaks (165 bytes); exited 0$' 1

# What is made is sent at once: a killed fencepost and a killed program have sent what they knew.
test=live
rm -f live.nd
"$fencepost" run --ndjson=live.nd ./victim wait >out 2>&1 &
run=$!
await grep -qs double-free live.nd
expect_types live.nd finding
kill -KILL $run $(pgrep -P $run) 2>/dev/null
wait $run 2>/dev/null
rm -f live.nd
"$fencepost" run --ndjson=live.nd --json=live.json ./victim wait >out 2>&1 &
run=$!
await grep -qs double-free live.nd
pkill -KILL -P $run victim
wait $run
expect_types live.nd finding summary
has live.nd '"signal":"SIGKILL"' 1
has live.nd '"type":"summary".*"unknown":true' "$(grep -c '"unknown": true' live.json)"

# The library where nobody watches does the same, with the names that it was given.
test=host
rm -f place got
listen unix place got
for where in host.nd unix:place; do
	FENCEPOST_OPTIONS="ndjson='$where':label='release=1.2,site=north':report=end" FENCEPOST_REPORTER=$fencepost \
		LD_PRELOAD=$FP_BUILDDIR/src/preload/.libs/libfencepost-preload.so ./victim cd >out 2>&1
done
await grep -q '"type":"summary"' got
kill $listener
wait $listener 2>/dev/null
for file in host.nd got; do
	expect_types $file finding leak leak summary
	has $file '"labels":{"release":"1.2","site":"north"}' 4
done

for kind in unix stream udp; do
	test=$kind
	rm -f place got
	listen $kind place got
	case $kind in
	udp) where=udp:127.0.0.1:$(cat place) ;;
	*) where=unix:place ;;
	esac
	"$fencepost" run --ndjson="$where" ./victim >out 2>&1
	await grep -q '"type":"summary"' got
	kill $listener
	wait $listener 2>/dev/null
	expect_types got finding leak leak summary
done

# Nobody listens; or somebody who never reads, with more lines than a socket keeps.
test=gone
"$fencepost" run --ndjson=unix:nobody --error-exitcode=7 ./victim >out 2>&1
test $? -eq 7 || complain "a receiver that is gone changes the exit status"
has out 'note: 4 lines could not be sent to unix:nobody: No such file or directory' 1
test=deaf
rm -f place
listen deaf place got
"$fencepost" run --ndjson=unix:place ./victim 400 >out 2>&1
has out '^fencepost: 401 errors, 2 leaks (165 bytes); exited 0$' 0
has out 'lines could not be sent to unix:place: the receiver did not take them' 0
kill $listener
wait $listener 2>/dev/null
mkfifo fifo
sleep 60 <fifo &
sleeper=$!
"$fencepost" run --ndjson=fifo ./victim >out 2>&1
test $? -eq 0 || complain "a pipe that nobody reads from stops a run"
kill $sleeper

# A disk that is full, here for fencepost alone, and one that is not full any more. Half a line ends alone.
test=full
"$fencepost" run --ndjson=disk.nd ./victim wait >out 2>&1 &
run=$!
await grep -qs double-free disk.nd
if prlimit --pid $run --fsize=$(($(wc -c <disk.nd) + 100)) 2>/dev/null; then
	pkill -TERM -P $run victim
	wait $run
	has out '^fencepost: note: 1 line could not be sent to disk.nd: File too large$' 1
	"$fencepost" run --ndjson=disk.nd ./victim >out 2>&1
	sed '2!d' disk.nd | grep -q '}$' && complain 'the second line is whole'
	sed -i 2d disk.nd
	expect_types disk.nd finding finding leak leak summary
else
	kill $run
	wait $run
fi

# A collector that takes requests and never answers is asked once, and not for each process.
test=mute
rm -f place got
listen mute place got
"$fencepost" run --ndjson=otlp:http://127.0.0.1:"$(cat place)"/v1/logs sh -c './victim; ./victim; ./victim; ./victim' >out 2>&1
grep -q 'could not be sent.*shared librar' out || has out '^fencepost: note: [0-9]* lines could not be sent to otlp:' 1
kill $listener
wait $listener 2>/dev/null
test "$(grep -c POST got)" -le 2 || complain "a collector that hangs is asked $(grep -c POST got) times"

test=journal
rm -f place got
listen unix place got
"$fencepost" run --ndjson=journal:place ./victim >out 2>&1
await grep -q '^FENCEPOST_TYPE=summary' got
kill $listener
has got '^MESSAGE=.*/victim: double-free: .*, in free_again$' 1
has got '^CODE_FILE=.*victim.c$' 3
has got '^CODE_LINE=7$' 1
has got '^CODE_FUNC=free_again$' 1
has got '^FENCEPOST_FINGERPRINT=[0-9a-f]\{16\}$' 3
has got '^MESSAGE_ID=[0-9a-f]\{32\}$' 4
has got '^FENCEPOST_LINE={"schema"' 4
test=syslog
rm -f place got
listen unix place got
"$fencepost" run --ndjson=syslog:place ./victim >out 2>&1
await grep -q '"type":"summary"' got
kill $listener
test "$(grep -ao '<11>fencepost: [^@]* @cee: {"schema"' got | wc -l)" -eq 4 || complain "syslog got $(cut -c1-300 got)"

test=otlp
rm -f place got
listen http place got
"$fencepost" run --ndjson=otlp:http://127.0.0.1:"$(cat place)"/v1/logs ./victim >out 2>&1
if grep -q 'could not be sent.*shared librar' out; then
	echo 'otlp: libcurl is not installed, or this build is without it'
else
	await grep -q summary got
	python3 - got <<'PYTHON' || complain "what the collector got: $(cut -c1-500 got)"
import json, sys
records = []
for request in open(sys.argv[1]):
    path, kind, body = request.split(" ", 2)
    assert path == "/v1/logs" and kind == "application/json"
    for resource in json.loads(body)["resourceLogs"]:
        assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "fencepost"}}]
        for scope in resource["scopeLogs"]:
            records += scope["logRecords"]
assert len(records) == 4
for record in records:
    attributes = {one["key"]: one["value"] for one in record["attributes"]}
    assert int(record["timeUnixNano"]) > 1700000000 * 10**9
    assert json.loads(record["body"]["stringValue"])["line"]["type"] == attributes["fencepost.type"]["stringValue"]
found = {one["key"]: one["value"] for one in records[0]["attributes"]}
assert found["fencepost.kind"] == {"stringValue": "double-free"} and found["code.line.number"] == {"intValue": "7"}
assert records[0]["severityText"] == "ERROR" and records[3]["severityText"] == "INFO"
PYTHON
fi
kill $listener
wait $listener 2>/dev/null

# Lines are reports: those of one run become one, those of several a merged one.
test=back
"$fencepost" report --merge=no --json=back.json --log=/dev/null pipe.nd
has back.json '"errors": 1,' 1
has back.json '"leaked_bytes": 165,' 1
sed 's/"host":"[^"]*"/"host":"web-17"/; s/"run":"./"run":"x/' pipe.nd | cat pipe.nd - | "$fencepost" report --json=fleet.json --log=fleet.txt -
has fleet.txt 'in 2 of 2 reports: .*web-17' 3
has fleet.txt '^fencepost: 1 error, 4 leaks (330 bytes), in 2 reports' 1
has fleet.json '"name": "web-17"' 1
# In any order; and a run that has not ended leaves unknown how all ended.
for run in 1 2 3; do
	sed "s/\"host\":\"[^\"]*\"/\"host\":\"web-$run\"/; s/\"run\":\"./\"run\":\"$run/" pipe.nd >run$run.nd
done
cat run?.nd | "$fencepost" report --json=ordered.json --log=ordered.txt -
paste -d '\n' run?.nd | "$fencepost" report --json=mixed.json --log=mixed.txt -
cmp ordered.json mixed.json && cmp ordered.txt mixed.txt || complain "the order of lines matters"
has mixed.txt '^fencepost: 1 error, 6 leaks (495 bytes), in 3 reports; exited 0$' 1
{
	tac run1.nd
	sed '$d' run2.nd
} | "$fencepost" report --json=unended.json --log=unended.txt -
has unended.txt '^fencepost: 1 error, 4 leaks (330 bytes), in 2 reports$' 1
python3 - <<'PYTHON' || complain 'ends of lines: see mixed.json and unended.json'
import json
whole, unended = (json.load(open(name + ".json")) for name in ("mixed", "unended"))
assert whole["process"]["exit"] == {"code": 0} and whole["settings"], whole["process"]
assert unended["process"]["exit"] is None and not unended["settings"], unended["process"]
assert [one["exit"] for one in unended["sources"]] == [{"code": 0}, None], unended["sources"]
assert unended["protection"] == {key: value and value // 3 if isinstance(value, int) else value
                                 for key, value in whole["protection"].items()}
PYTHON
head -c 1000 pipe.nd >torn.nd
"$fencepost" report torn.nd >out 2>&1 && complain "a torn line is read"
has out 'torn.nd is damaged JSON at line 1, column' 1

test=redact
"$fencepost" run --ndjson=plain.nd ./victim s3cret >out 2>&1
"$fencepost" run --redact --ndjson=redact.nd ./victim s3cret >out 2>&1
grep -q s3cret plain.nd && grep -q "$work" plain.nd || complain "the plain lines have no secrets"
grep -i 's3cret' redact.nd && complain "arguments or contents are in redacted lines"
grep "$work" redact.nd && complain "directories are in redacted lines"
test "$(grep -o '"fingerprint":"[0-9a-f]*"' plain.nd)" = "$(grep -o '"fingerprint":"[0-9a-f]*"' redact.nd)" ||
	complain "redaction changes fingerprints"

# A pointer to nothing may be what a block held: here "S3CRET".
for way in free jump; do
	rm -f wild.nd
	"$fencepost" run --redact --ndjson=wild.nd ./victim $way >out 2>&1
	grep -qi 544552433353 out || complain "$way: the report has no address"
	grep -q '"type":"finding"' wild.nd && ! grep -i 544552433353 wild.nd || complain "$way: an address that may be data is in redacted lines"
done

# A stripped program on a machine without debug files; names are found elsewhere, and fingerprints with them.
test=symbolize
id=$(readelf -n victim 2>/dev/null | sed -n 's/.*Build ID: //p')
if test -n "$id" && mkdir -p "debug/.build-id/${id%"${id#??}"}" stripped && cp victim stripped &&
	objcopy --only-keep-debug victim "debug/.build-id/${id%"${id#??}"}/${id#??}.debug" && strip stripped/victim; then
	"$fencepost" run --ndjson=full.nd ./victim >out 2>&1
	"$fencepost" run --ndjson=stripped.nd ./stripped/victim >out 2>&1
	rm stripped/victim
	has stripped.nd '"function":"free_again"' 0
	test "$(grep -o '"fingerprint":"[0-9a-f]*"' full.nd)" != "$(grep -o '"fingerprint":"[0-9a-f]*"' stripped.nd)" ||
		complain "the stripped program has names"
	echo 'no line' | cat stripped.nd - | "$fencepost" symbolize --debug-dir=debug >named.nd 2>err
	has named.nd '^no line$' 1
	sed -i '/^no line$/d' named.nd
	expect_types named.nd finding leak leak summary
	test "$(grep -o '"fingerprint":"[0-9a-f]*"' full.nd)" = "$(grep -o '"fingerprint":"[0-9a-f]*"' named.nd)" ||
		complain "names give another fingerprint than the full build has"
	has named.nd '"kind":"double-free".*"function":"free_again","file":"[^"]*victim.c","line":7,' 1
	test "$(grep -o '"time":"[^"]*"\|"run":"[^"]*"' stripped.nd)" = "$(grep -o '"time":"[^"]*"\|"run":"[^"]*"' named.nd)" ||
		complain "a line got another time or run"
	"$fencepost" symbolize --debug-dir=nowhere stripped.nd >same.nd 2>err
	cmp -s stripped.nd same.nd || complain "lines without names are not the same"
	has err 'note: [0-9]* frames still have no name' 1
fi
"$fencepost" symbolize --debugdir=x </dev/null 2>err && complain "an unknown option is taken"
has err '^fencepost: symbolize: unknown option "--debugdir=x": write --debug-dir=DIRECTORY' 1
exit $bad
