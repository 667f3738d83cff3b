# SPDX-License-Identifier: Apache-2.0
#
# With --leak-growth a definite leak says who held such a block when that was last looked at: a member of a
# block, a variable, in a thread, too; nobody where nobody did. In text, JSON, and from JSON again.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/last_holder.work
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS
bad=0

complain() {
	echo "$*"
	bad=1
}

cat >lost.c <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#define APART __attribute__((noinline))
struct connection { long number; char *buffer; };
static struct connection *current;
char *volatile latest;
APART static char *make_buffer(void)
{
	return calloc(1, 100);
}
APART static char *make_name(void)
{
	return calloc(1, 50);
}
APART static void drop(void)
{
	char *volatile nobodys = calloc(1, 70);
	nobodys = NULL;
}
static void *serve(void *unused)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	for (int i = 0; i < 300; i++) {
		current->buffer = make_buffer();
		latest = make_name();
		drop();
		nanosleep(&pause, NULL);
	}
	current->buffer = latest = NULL;
	return unused;
}
APART static struct connection *connect(void)
{
	return calloc(1, sizeof(*current));
}
int main(int argc, char **argv)
{
	pthread_t thread;
	current = connect();
	if (argc == 1)
		return serve(NULL) != NULL;
	pthread_create(&thread, NULL, serve, NULL);
	pthread_join(thread, NULL);
	return 0;
}
END
${CC:-cc} -g -O1 -w -pthread -o lost lost.c || exit 99

# after FUNCTION: what the report in `text' says after the stack of a leak that FUNCTION made.
after() {
	sed -n "/^fencepost: leak of .* in $1\$/,/^\$/p" text | grep -v '^    #' | sed '1,2d' | sed 's/ [0-9.]* s after/ T after/'
}

# is FUNCTION TEXT
is() {
	test "$(after $1)" = "$2" || complain "$1: '$(after $1)', wanted '$2' in $(cat text)"
}

says_all() {
	is make_buffer '  last seen held T after the start, by:
    offset 8 in a block of 16 bytes (serial 1) allocated at lost.c:'"$(grep -n 'sizeof(\*current)' lost.c | cut -d: -f1)"' in connect'
	is make_name '  last seen held T after the start, by:
    latest (lost)'
	is drop ''
}

for way in '' thread; do
	"$fencepost" run --leak-growth --log=text --json=json ./lost $way || complain "$way: $?"
	says_all
	rm text
	"$fencepost" report --log=text json || complain "report: $?"
	says_all
	python3 - <<'END' || complain "$way: $(cat json)"
import json, sys
leaks = json.load(open("json"))["leaks"]
by = {next(frame["function"] for frame in leak["alloc_stack"]): leak for leak in leaks}
held = by["make_name"]
assert held["last_holders"][0]["kind"] == "global" and held["last_holders"][0]["name"] == "latest", held
assert 500 < held["held_until"], held
assert "last_holders" not in by["drop"] and "held_until" not in by["drop"], by["drop"]
END
done
# ---- Nobody looked.
"$fencepost" run --log=text ./lost || complain "$?"
is make_name ''
exit $bad
