# SPDX-License-Identifier: Apache-2.0
#
# The commands of doc/run.md, as they stand there, on a program that makes no mistake.
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
manual_end
