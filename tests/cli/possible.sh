# SPDX-License-Identifier: Apache-2.0
#
# Possible leaks: how real programs hold their blocks is none, the rest is one sum in what people read
# and a list in JSON, and --show-possible lists it everywhere.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/possible.work
CC=${CC:-cc} CXX=${CXX:-c++}
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
bad=0

has() { # has FILE PATTERN TIMES
	test "$(grep -c -- "$2" "$1")" -eq "$3" || { echo "$1: not $3 times '$2':"; cat "$1"; bad=1; }
}

cat >held.c <<'END'
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/queue.h>
struct member { char name[40]; LIST_ENTRY(member) link; };
struct ring { struct ring *next, *before; };
struct part { long data[5]; struct ring ring; };
static void *tree;
static LIST_HEAD(, member) members;
static struct ring parts = {&parts, &parts};
uintptr_t tagged, headed;
static int compare(const void *a, const void *b) { return ((intptr_t)a > (intptr_t)b) - ((intptr_t)a < (intptr_t)b); }
int main(void)
{
	for (intptr_t i = 1; i <= 50; i++)
		tsearch((void *)(i * 79 % 101), &tree, compare);
	for (int i = 0; i < 5; i++) {
		struct member *member = calloc(1, sizeof(*member));
		struct part *part = calloc(1, sizeof(*part));
		LIST_INSERT_HEAD(&members, member, link);
		part->ring = (struct ring){parts.next, &parts};
		parts.next->before = &part->ring;
		parts.next = &part->ring;
	}
	tagged = (uintptr_t)malloc(99) + 3;
	headed = (uintptr_t)malloc(99) + 16;
	return 0;
}
END
$CC -g -w -o held held.c || exit 77
for backend in auto none; do
	"$fencepost" run --backend=$backend --json=held.json ./held 2>err
	has err '^fencepost: no errors, no leaks; exited 0' 1
	has held.json '"possible_blocks": 0' 1
done

cat >arrays.cc <<'END'
#include <cstdlib>
struct item { long value; ~item(); };
item::~item() { value = 1; }
item *three, *none, *over, *own;
struct alignas(32) wide { long value; ~wide(); };
wide::~wide() { value = 1; }
wide *wides;
struct base { virtual ~base() {} long a[4]; };
struct other { virtual ~other() {} long b; };
struct both : base, other { };
other *second;
int main(int count, char **) { three = new item[3]; none = new item[count - 1]; wides = new wide[count - 1]; second = new both; }
END
if $CXX -std=c++17 -g -w -o arrays arrays.cc 2>/dev/null; then
	"$fencepost" run ./arrays 2>err
	has err '^fencepost: no errors, no leaks; exited 0' 1
fi

cat >inside.c <<'END'
#include <stdlib.h>
char *inside[3];
int main(void)
{
	for (int i = 0; i < 3; i++)
		inside[i] = (char *)malloc(100) + 40;
	return 0;
}
END
$CC -g -w -o inside inside.c || exit 77
"$fencepost" run --error-exitcode=7 --json=p.json --html=p.html --sarif=p.sarif --xml=p.xml --folded=p.folded ./inside 2>err ||
	{ echo "possible leaks end a run with $?"; bad=1; }
has err '^fencepost: no errors, no leaks, 3 possible leaks (300 bytes), listed by --show-possible; exited 0$' 1
has err '^fencepost' 1
has p.json '"kind": "possible"' 1
has p.json '"possible_blocks": 3' 1
has p.json '"possible_bytes": 300' 1
has p.html '^"kind": "possible"' 1
has p.html ', listed by --show-possible; exited 0$' 1
has p.html '^fencepost: possible leak' 0
has p.sarif '"ruleId": *"leak-possible"' 0
has p.xml PossiblyLost 0
has p.folded '^leaked' 0
"$fencepost" run --quiet ./inside 2>err
has err . 0

# From the start or later, from JSON.
for how in run report; do
	test $how = run && set -- run || set -- report
	test $how = run && set -- "$@" --show-possible --html=l.html --sarif=l.sarif --xml=l.xml --folded=l.folded ./inside ||
		set -- "$@" --show-possible --html=l.html --sarif=l.sarif --xml=l.xml --folded=l.folded p.json
	rm -f l.*
	"$fencepost" "$@" >out 2>err
	cat out >>err
	has err '^fencepost: possible leak of 300 bytes in 3 blocks at inside.c:6 in main' 1
	has err ', 3 possible leaks (300 bytes);' 1
	has l.html '^"kind": "possible"' 1
	has l.html '^fencepost: possible leak of 300 bytes in 3 blocks' 1
	has l.sarif '"ruleId": *"leak-possible"' 1
	has l.xml Leak_PossiblyLost 1
	has l.folded '^leaked' 1
done
exit $bad
