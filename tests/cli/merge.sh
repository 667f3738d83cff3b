# SPDX-License-Identifier: Apache-2.0
#
# Several reports made one: what is the same is there once, with who has it; what cannot be read is
# said and costs nothing else; memory does not grow with the number of reports.
fencepost=$FP_BUILDDIR/src/cli/fencepost
make_log=$FP_BUILDDIR/tests/cli/make_log
work=$FP_BUILDDIR/tests/cli/merge.work
test -x "$fencepost" && test -x "$make_log" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
"$make_log" >a.log || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

# has FILE LINE: a whole line, blanks at its start left out.
has() {
	sed 's/^ *//' "$1" | grep -qxF -- "$2" || complain "$1 lacks: $2"
}

# report STATUS ARGUMENTS...
report() {
	status=$1
	shift
	"$fencepost" report "$@" >out 2>err </dev/null
	got=$?
	test "$got" -eq "$status" || complain "report $*: status $got, not $status: $(cat err)"
}

report 0 --log=text --json=a.json a.log

# One file, of either kind, is rendered as it is.
report 0 --log=again --json=again.json a.json
cmp -s a.json again.json || complain 'a JSON report is another one when it is rendered again'
report 0 --merge=no --log=twice --json=twice.json a.log a.json
test "$(grep -c '^fencepost: double-free' twice)" -eq 2 || complain '--merge=no merged'
head -n 1 twice.json | grep -qx '\[' || complain '--merge=no made no array'

# Three of the same are one, counted.
cp a.json b.json
report 0 --log=merged --json=merged.json a.log a.json b.json
has merged 'fencepost: double-free of a 24-byte block at [engine]+0x1 (9 times)'
has merged 'in 3 of 3 reports: a.log (3), a.json (3), b.json (3)'
has merged 'fencepost: leak of 900 bytes in 9 blocks at [engine]+0x2'
has merged 'fencepost: note: the history was full; raise history=SIZE (a.log and 2 more)'
tail -n 1 merged | grep -q ', in 3 reports; killed by SIGSEGV; 2 % of blocks not guarded: memory$' ||
	complain "summary: $(tail -n 1 merged)"
has merged.json '"source": 2,'
has merged.json '"pid": 4242,'
has merged.json '"peak_bytes": 66'
has merged.json '"live_bytes": 132,'

# A merged report is as good as its parts, and a set of processes is merged when that is asked for.
cp a.log other.log
report 0 --log=more --json=more.json merged.json other.log
has more 'in 4 of 4 reports: a.log (3), a.json (3), b.json (3) and 1 more'
report 0 --merge --log=set twice.json
has set 'in 2 of 2 reports: twice.json (3), twice.json (3)'

# Directories hold other things, too; lists are one path a line.
mkdir logs && cp a.log logs/2.log && cp a.json logs/1.json && echo notes >logs/README &&
	echo '{"other": "json"}' >logs/package.json && mkdir logs/sub
report 0 --log=directory logs
has directory 'in 2 of 2 reports: logs/1.json (3), logs/2.log (3)'
printf 'a.log\n\nlogs\n' >list
report 0 --log=listed @list
has listed 'in 3 of 3 reports: a.log (3), logs/1.json (3), logs/2.log (3)'
printf 'a.log\na.json\n' | "$fencepost" report --log=piped @- || complain 'a list on standard input'
has piped 'in 2 of 2 reports: a.log (3), a.json (3)'
report 125 --log=none logs/sub
has err 'fencepost: no event log and no JSON report is in logs/sub: name another directory, or files'
report 125 @missing
has err 'fencepost: cannot read the list missing: No such file or directory; name a file with a path on each line'

# One bad apple is named, and the others are still there.
head -c 200 a.json >cut.json
report 125 --log=rest a.log cut.json missing b.json
has err 'fencepost: cut.json is damaged JSON at line 11, column 12'
has err 'fencepost: cannot read missing: No such file or directory; name an event log, a JSON report or a core file'
has rest 'in 2 of 2 reports: a.log (3), b.json (3)'
has rest 'fencepost: note: cut.json could not be read to its end: this report lacks the rest'
report 125 cut.json missing
grep -q 'errors' err && complain 'a report of nothing'
report 125 --merge=some a.log
has err 'fencepost: report: merge=some: use yes or no'

# Each report is forgotten once it is in: many take little memory, and no time to speak of.
yes a.log | head -n 2000 >many
report 0 --log=crowd --json=crowd.json --html=crowd.html @many
has crowd 'fencepost: double-free of a 24-byte block at [engine]+0x1 (6,000 times)'
has crowd 'in 2,000 of 2,000 reports: a.log (3), a.log (3), a.log (3) and 1,997 more'
has crowd.html 'in 2,000 of 2,000 reports: a.log (3), a.log (3), a.log (3) and 1,997 more'
has crowd.html '"more_sources": 1000,'

# Only so many sources are listed, so that one more costs nothing; the others are counted.
has crowd.json '"more_sources": 1000,'
test "$(grep -c '"name": "a.log"' crowd.json)" -eq 1000 || complain 'other than 1,000 sources are listed'
grep -A 4 '"more_sources": {' crowd.json | tr -d ' \n' | grep -q '^"more_sources":{"sources":1000,"count":3000}' ||
	complain "what the others have: $(grep -A 4 '"more_sources": {' crowd.json)"
report 0 --log=twice --json=crowd2.json crowd.json b.json crowd.json
has twice 'fencepost: double-free of a 24-byte block at [engine]+0x1 (12,003 times)'
has twice 'in 4,001 of 4,001 reports: a.log (3), a.log (3), a.log (3) and 3,998 more'
has crowd2.json '"more_sources": 3001,'
report 0 --log=again --json=again.json crowd.json
cmp -s crowd.json again.json || complain 'a report of many sources is another one when it is rendered again'
cmp -s crowd again || complain "its text: $(diff crowd again | head -n 5)"
# A sanitizer takes more than that for itself.
if (ulimit -v 100000 && "$fencepost" --version) >/dev/null 2>&1; then
	(ulimit -v 100000 && "$fencepost" report --log=/dev/null --json=/dev/null @many) ||
		complain '2,000 reports do not fit in 100 MB of address space'
fi
exit $bad
