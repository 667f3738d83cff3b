# SPDX-License-Identifier: Apache-2.0
#
# The fencepost program from outside: exit statuses, the one line of each error, and where the
# outputs go. What a report says is tests/report's business.
fencepost=$FP_BUILDDIR/src/cli/fencepost
make_log=$FP_BUILDDIR/tests/cli/make_log
work=$FP_BUILDDIR/tests/cli/report.work
test -x "$fencepost" && test -x "$make_log" || exit 99
# An earlier run may have left the directory read-only.
chmod -R u+w "$work" 2>/dev/null
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
"$make_log" >log || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

# expect STATUS OUTPUT-ON-STDERR ARGUMENTS...: standard input is the log.
expect() {
	status=$1 want=$2
	shift 2
	"$fencepost" "$@" <log >out 2>err
	got=$?
	test "$got" -eq "$status" || complain "fencepost $*: status $got, not $status"
	test "$(cat err)" = "$want" || complain "fencepost $*: said '$(cat err)', not '$want'"
	test ! -s out || complain "fencepost $*: wrote to standard output: $(cat out)"
}

# fail MESSAGE ARGUMENTS...
fail() {
	message=$1
	shift
	expect 125 "fencepost: $message" "$@"
}

fail 'no command: write fencepost run PROGRAM, or fencepost --help'
fail 'unknown command "reprot"; the nearest one is "report"' reprot log
fail 'unknown command "gibberish-"; fencepost --help lists them' gibberish- log
fail '"./app" is no command of Fencepost: write fencepost run ./app' ./app
fail '"mkfifo" is no command of Fencepost: write fencepost run mkfifo' mkfifo
fail 'unknown command "rum"; fencepost --help lists them' help rum
fail 'unknown option "--hepl": options follow a command, as in fencepost run --quiet PROGRAM' --hepl
fail 'no event log: write fencepost report EVENT-LOG, or - for standard input' report
fail 'unknown option "-q": options are written --key=value' report -q log
fail 'report: unknown option "--jsn"; the nearest one is "--json"' report --jsn=x log
fail 'report: unknown option "--gibberish"; fencepost --help=all lists them' report --gibberish log
fail 'report: "--num-callers" is an option of Valgrind: write --stack-depth=N' report --num-callers=3 log
fail 'report: --leak-check=some: use no, summary or full' report --leak-check=some log
fail '--json has no value: write --json=FILE' report --json log
fail '--placement belongs to the run that was recorded: set it there, FENCEPOST_OPTIONS=placement=right|left|alternate' \
	report --placement=left log
fail '--guard-pages belongs to the run that was recorded: set it there, FENCEPOST_OPTIONS=guard_pages=N' \
	report --guard-pages=2 log
fail 'cannot read missing: No such file or directory; name an event log, a JSON report or a core file' \
	report missing
echo text >text
fail 'text is no event log, JSON report or core file: name a file that --events=FILE or --json=FILE wrote, or a core file of a program under Fencepost' \
	report text
{ printf 'FENCEPEV\377\0\0\0\0\0\0\0' && tail -c +17 log; } >other
fail 'other is an event log of another version of Fencepost: use the fencepost program of that version' \
	report other
"$fencepost" report - </dev/null 2>err
test $? -eq 125 && grep -q '^fencepost: standard input is no event log' err ||
	complain "an empty log: $(cat err)"

# Text and JSON in files, under the name of the process that was recorded, complete or not at all.
expect 0 '' report --log=text.%p --json=json.%p -
grep -q '^fencepost: double-free of a 24-byte block' text.4242 || complain 'no text in text.4242'
grep -q '^  "schema": "fencepost-report-1",$' json.4242 || complain 'no report in json.4242'
expect 0 '' report --quiet --log=quiet --leak-check=no -- log
test -s quiet || complain 'findings must be reported even when quiet'
for file in *.tmp; do
	test ! -e "$file" || complain "a temporary file is left: $file"
done
fail "cannot write missing/x: No such file or directory; name another file with --json=FILE" \
	report --log=/dev/null --json=missing/x log
fail "cannot write .: Is a directory; name another file with --log=FILE" report --log=. log

# The repository, as a name for the machine and relative to here.
mkdir -p checkout && expect 0 '' report --log=/dev/null --sarif=a.sarif --source-root=/nonexistent log
grep -q '"uri": "file:///nonexistent/"' a.sarif || complain 'no root in a.sarif'
grep -q '"uri": "plant"' a.sarif || complain 'the program is not relative to its root'
expect 0 '' report --log=/dev/null --sarif=a.sarif --source-root=checkout/ log
grep -q "\"uri\": \"file://$(pwd -P)/checkout/\"" a.sarif || complain 'a relative root is not what it should be'

# Servers are asked only when that is wanted, and whoever wants it learns why nobody was asked.
DEBUGINFOD_URLS=' ' "$fencepost" report --debuginfod --log=fetched log || complain '--debuginfod failed'
grep -q '^fencepost: note: debuginfod=yes: DEBUGINFOD_URLS names no server to ask: set it' fetched ||
	complain "no word on the missing server: $(cat fetched)"

# Without --log the text goes to standard error.
"$fencepost" report log >out 2>err || complain 'report failed'
cmp -s err text.4242 || complain 'standard error and the file differ'
test ! -s out || complain 'report wrote to standard output'

# Descriptors, also ones whose file must not be truncated, and what cannot be replaced.
echo before >kept
"$fencepost" report --log=/dev/null --json=/dev/stdout log >>kept || complain '/dev/stdout failed'
head -n 1 kept | grep -qx before || complain '/dev/stdout was truncated'
tail -n +2 kept | cmp -s - json.4242 || complain '/dev/stdout has another report'
"$fencepost" report --log=/dev/null --json=/dev/fd/7 log 7>seven || complain '/dev/fd/7 failed'
cmp -s seven json.4242 || complain '/dev/fd/7 has another report'
ln -s target link
expect 0 '' report --log=/dev/null --json=link log
test -L link && cmp -s target json.4242 || complain 'a link was not written through'
"$fencepost" report --log=/dev/null --json=/dev/fd/9 log 9>&- 2>err
test $? -eq 125 && grep -q '^fencepost: cannot write /dev/fd/9: Bad file descriptor' err ||
	complain "a closed descriptor: $(cat err)"

# A full disk loses no earlier report and is no silent success; the other output still comes.
if test -w /dev/full; then
	"$fencepost" report --log=/dev/full --json=full.json log 2>err
	test $? -eq 125 || complain 'a full disk was not noticed'
	grep -qx 'fencepost: cannot write /dev/full: No space left on device; name another file with --log=FILE' err ||
		complain "a full disk: $(cat err)"
	cmp -s full.json json.4242 || complain 'the JSON was lost with the text'
	"$fencepost" --help >/dev/full 2>err
	test $? -eq 125 || complain '--help did not notice a full disk'
fi
# Root may write everywhere.
if test "$(id -u)" -ne 0; then
	mkdir closed && : >closed/open && chmod a-w closed
	expect 0 '' report --log=/dev/null --json=closed/open log
	cmp -s closed/open json.4242 || complain 'a file in a closed directory was not written'
	chmod u+w closed
fi

"$fencepost" --version | grep -qx 'fencepost [0-9.]*' || complain '--version'
"$fencepost" --help >help || complain '--help failed'
"$fencepost" help | cmp -s - help || complain 'help and --help differ'
# That of a command is its own, and fits on a screen of 40 lines with the prompt; --help=all has the rest.
for command in $(sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p' help); do
	"$fencepost" "$command" --help >help.one || complain "$command --help failed"
	"$fencepost" help "$command" | cmp -s - help.one || complain "help $command and $command --help differ"
	grep -q "^Usage: fencepost $command" help.one || complain "$command --help: $(head -1 help.one)"
	test "$(wc -l <help.one)" -le 39 || complain "$command --help: $(wc -l <help.one) lines"
	test "$(awk 'length > 80' help.one)" = '' || complain "$command --help: $(awk 'length > 80' help.one)"
done
"$fencepost" --help=all >help.all || complain '--help=all failed'
"$fencepost" report --help=all >help.report || complain 'report --help=all failed'
grep -q '^  --sample=N ' help.report && complain 'report --help=all has an option of run'
grep -q '^  --merge=' help.report || complain 'report --help=all lacks its own option'
# The help has every option of the table.
for option in $(sed -n 's/^FP_OPTION(_*\([a-z_]*\),.*/\1/p' "$top_srcdir/src/options/options.def"); do
	grep -q "^  --$(echo "$option" | tr _ -)=" help.all || complain "--help=all lacks $option"
done

# ---- Color: where it is asked for, and on a terminal that has it
"$fencepost" report --color=always log 2>out || complain '--color=always failed'
grep -q "$(printf '\033')" out || complain '--color=always: no color'
if command -v script >/dev/null; then
	for how in 'TERM=xterm' 'TERM=dumb' 'TERM=xterm NO_COLOR=1' 'TERM=xterm OPTION=--color=never'; do
		env -u NO_COLOR $how FENCEPOST="$fencepost" script -qec '"$FENCEPOST" report $OPTION log' /dev/null >out </dev/null
		case $how in
		TERM=xterm) grep -q "$(printf '\033')" out || complain "$how: no color" ;;
		*) grep -q "$(printf '\033')" out && complain "$how: color" ;;
		esac
	done
fi

# ---- Standard output is a file, too
(cd / && "$fencepost" report --json=- --log=/dev/null "$OLDPWD/log") >out || complain '--json=- failed'
head -2 out | grep -q '"schema": "fencepost-report-1"' || complain "--json=-: $(head -2 out)"
test ! -e ./- || complain '--json=- made a file'
exit $bad
