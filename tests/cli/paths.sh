# SPDX-License-Identifier: Apache-2.0
#
# How a reachable block is held, from a variable on, also the blocks of a stack that only grows; what
# hangs from a definite leak, by depth and place; in text, JSON, from JSON again, HTML and XML.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/paths.work
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}
check() { # check FILE EXPRESSION: with the leaks l by kind and function, and the first that grew g
	python3 - "$@" <<'PYTHON' || complain "not $2 in $1: $(cat text)"
import json, sys
report = json.load(open(sys.argv[1]))
function = lambda stack: next(f["function"] for f in stack if f["file"] and f["file"].endswith("paths.c"))
l = {(leak["kind"], function(leak["alloc_stack"])): leak for leak in report["leaks"]}
g = {function(grown["alloc_stack"]): grown for grown in (report["growth"] or {}).get("stacks", [])}
way = lambda one: [(h["name"], h["name_offset"]) if h["kind"] == "global" else (function(h["block"]["alloc_stack"]), h["block"]["offset"])
                   for h in one.get("path", []) + one["holders"]]
if not eval(sys.argv[2]):
    print(json.dumps({"/".join(key): [leak.get("path"), leak.get("holders"), leak.get("members")] for key, leak in l.items()}, indent=1)[:4000], list(g))
    sys.exit(1)
PYTHON
}
says() { # says FILE PATTERN
	grep -q -- "$2" "$1" || complain "no '$2' in $1: $(cat text)"
}

cat >paths.c <<'END'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define APART __attribute__((noinline))
struct node { struct node *next; char *text; char *more; };
struct cache { long used; struct node *first; };
static struct { long pad[2]; struct cache *cache; } table;
APART static struct node *add(struct node *next)
{
	struct node *node = calloc(1, sizeof(*node));
	node->next = next;
	return node;
}
APART static char *make_text(void)
{
	return malloc(11);
}
APART static struct cache *make_cache(void)
{
	return calloc(1, sizeof(struct cache));
}
APART static void fill(void)
{
	table.cache = make_cache();
	for (int i = 0; i < 12; i++)
		table.cache->first = add(table.cache->first);
	struct node *last = table.cache->first;
	while (last->next)
		last = last->next;
	last->text = make_text();
}
APART static void lose(void)
{
	struct cache *cache = make_cache();
	for (int i = 0; i < 20; i++) {
		cache->first = add(cache->first);
		cache->first->text = make_text();
	}
	cache->first->more = calloc(1, 3000);
}
APART static void scrub(void)
{
	volatile char area[8000];
	for (unsigned i = 0; i < sizeof(area); i++)
		area[i] = 0;
}
int main(int argc, char **argv)
{
	fill();
	lose();
	scrub();
	for (int left = argc > 1 ? atoi(argv[1]) : 0; left > 0; left--) {
		table.cache->first = add(table.cache->first);
		usleep(2000);
	}
	scrub();
	return 0;
}
END
for optimise in -O0 -O2; do
	${CC:-cc} -g -w $optimise -fno-optimize-sibling-calls paths.c -o paths || exit 99
	"$fencepost" run --show-reachable --json=json --log=text --html=html --xml=xml --sarif=sarif -- ./paths 2>err || complain "exits with $?: $(cat err)"
	check json 'way(l["reachable", "make_cache"]) == [("table.cache", 0)]'
	check json 'way(l["reachable", "add"]) == [("table.cache", 0), ("make_cache", 8)] and "path_left_out" not in l["reachable", "add"]'
	check json '(lambda t: way(t) == [("table.cache", 0), ("make_cache", 8), ("add", 0), ("add", 0), ("add", 0), ("add", 8)] and t["path_left_out"] == 8)(l["reachable", "make_text"])'
	check json '{(m["depth"], m["blocks"], m["bytes"], function(m["alloc_stack"])) for m in l["definite", "make_cache"]["members"]} == {(d, 1, 24, "add") for d in range(1, 6)} | {(2, 1, 3000, "lose"), (8, 13, 312, "add"), (8, 14, 154, "make_text")}'
	check json '[m["depth"] for m in l["definite", "make_cache"]["members"]] == [1, 2, 2, 3, 4, 5, 8, 8]'
	check json 'way(l["indirect", "lose"]) == [("add", 16)]'
	"$fencepost" report --log=again json
	for text in text again html; do
		says $text '    at depth 2: 1 block (3,000 bytes) allocated at paths.c:[0-9]* in lose$'
		says $text '    at depth 8 or more: 13 blocks (312 bytes) allocated at paths.c:[0-9]* in add$'
		says $text '    and others: 13 blocks (234 bytes)$'
		says $text '    and that is reached from table.cache (paths) -\(>\|&gt;\) offset 8 in a block of paths.c:[0-9]* in make_cache -\(>\|&gt;\) offset 0 in a block of paths.c:[0-9]* in add -\(>\|&gt;\) 8 more blocks -\(>\|&gt;\) offset 0'
	done
	says xml '<auxwhat>still held by table.cache (paths)</auxwhat>'
	says sarif 'still held by table.cache (paths)'
done

# Growth is judged after a second and more; whether the machine was too busy for that is not the matter here.
"$fencepost" run --leak-growth --json=json --log=text -- ./paths 1500 2>err || complain "growth: exits with $?"
if grep -q 'nothing was judged' text; then
	echo 'the machine was too busy to judge growth'
else
	check json 'way(g["add"]) == [("table.cache", 0), ("make_cache", 8)]'
	check json 'not any(kind == "reachable" for kind, place in l)'
	says text '    and that is reached from table.cache (paths)$'
fi
exit $bad
