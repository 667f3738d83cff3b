# SPDX-License-Identifier: Apache-2.0
#
# Libraries that were unloaded before the report, and others in their place: frames keep the names of
# what was there when they were made.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/unload.work
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
: "${CC:=cc}"
bad=0

complain() {
	echo "$*"
	bad=1
}

for name in first second; do
	cat >$name.c <<END
#include <stdlib.h>
void *make(size_t size);
void *make(size_t size)
{
	void *block = malloc(size + sizeof("$name"));
	__asm__ volatile("");
	return block;
}
END
	$CC -g -shared -fPIC -o $name.so $name.c || exit 99
done
cat >host.c <<'END'
#include <dlfcn.h>
#include <stdlib.h>

static void *make(const char *library, size_t size)
{
	void *handle = dlopen(library, RTLD_NOW);
	void *(*function)(size_t) = (void *(*)(size_t))dlsym(handle, "make");
	void *block = function(size);

	dlclose(handle);
	return block;
}

int main(void)
{
	char *volatile first = make("./first.so", 20);
	char *volatile second = make("./second.so", 40);

	make("./first.so", 60);
	for (int i = 0; i < 300; i++) {
		free(make("./second.so", 80));
		free(make("./first.so", 80));
	}
	free(first);
	free(first);
	free(second);
	free(second);
	return 0;
}
END
$CC -g -w -o host host.c -ldl || exit 99
"$fencepost" run --leak-check=full --events=log --log=text ./host || complain "status $?"
# made LIBRARY LINE-OF-THE-FINDING: the block is one of LIBRARY.
made() {
	grep -A 30 "^fencepost: $2" text | sed '/^$/q' | grep -q "#0 make  .*/$1.c:5$" ||
		complain "$2 was not made by $1: $(cat text)"
}
made first 'double-free of a 26-byte block'
made second 'double-free of a 47-byte block'
made first 'leak of 66 bytes in 1 block'
grep -q 'no known module' text && complain "frames without a module: $(cat text)"
test "$(wc -c <log)" -lt 400000 || complain "the log has $(wc -c <log) bytes"
exit $bad
