# SPDX-License-Identifier: Apache-2.0
#
# The commands of doc/run.md, and the everyday ones of README.md, as they stand there, on a program that makes no mistake.
page=run.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS MAKEFLAGS MFLAGS MAKELEVEL
manual_begin run
export XDG_CACHE_HOME="$work/cache"
cat >program.c <<'END'
#include <stdlib.h>
static char *volatile kept;
int main(void)
{
	kept = malloc(100);
	for (int i = 0; i < 1000; i++)
		free(malloc(32));
	return kept == NULL;
}
END
${CC:-cc} -g -O0 -o program program.c && printf 'check:\n\t%s\n' "$work/program" >Makefile || exit 99
pairs="./program=$work/program make=make_of_the_test"
printf '#!/bin/sh\nexec make -s -f "%s/Makefile" "$@"\n' "$work" >bin/make_of_the_test && chmod +x bin/make_of_the_test
for section in Start Leaks 'A report that cannot be lost' 'Bad accesses' Speed 'Programs that need care'; do
	try "$section" make
done
for made in 1/report.json 1/report.html 3/report.txt 6/program.rec; do
	test -s "$made" || complain "doc/run.md: no $made"
done
# What doctor answers depends on the machine: its form does not.
fencepost doctor ./program >doctor.out
grep -qE '^(ok      |warning |problem )  *back end (move|guard|mprotect): ' doctor.out && grep -qE '^[0-9]+ problems?, [0-9]+ warnings?$' doctor.out ||
	complain "doctor: $(cat doctor.out)"

# ---- README.md
cat >server.c <<'END'
#include <unistd.h>
int main(void)
{
	pause();
}
END
${CC:-cc} -o server server.c && fencepost run --log=/dev/null --json=old.json ./program || exit 99
FENCEPOST_OPTIONS=leak_signal=USR2 fencepost run --log=/dev/null sh -c 'echo $$ >server.pid; exec ./server' &
server=$!
tries=600
until test -s server.pid && fencepost leaks "$(cat server.pid)" >server.out 2>&1 || test $((tries -= 1)) -eq 0; do sleep 0.1; done
manual=$top_srcdir/README.md
pairs="./app=$work/program ./server=$work/program old.json=$work/old.json PID=$(cat server.pid) make=make_of_the_test"
try 'Everyday commands' make
kill "$(cat server.pid)"
wait $server
test -s "$tried/report.html" || complain 'README.md: no report.html'
manual_end
