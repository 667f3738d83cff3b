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
FORKS=

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
	grep -A 30 "^fencepost: $2" text | sed '/^$/q' | grep -q "#0 make  .*/$1.c:[57]$" ||
		complain "$2 was not made by $1: $(cat text)"
}
made first 'double-free of a 26-byte block'
made second 'double-free of a 47-byte block'
made first 'leak of 66 bytes in 1 block'
grep -q 'no known module' text && complain "frames without a module: $(cat text)"
test "$(wc -c <log)" -lt 400000 || complain "the log has $(wc -c <log) bytes"

# Hosts see no dlclose of ours. One call makes the blocks of both libraries, which come to stand at
# one address: nothing but the library tells the stacks apart.
for name in first second; do
	cat >$name-plugin.c <<END
#define COBJMACROS
#include <fencepost/fencepost.h>
void *make(IHostMalloc *heap, size_t size);
void *make(IHostMalloc *heap, size_t size)
{
	void *block = NULL;
	IHostMalloc_Alloc(heap, size, eTaskCritical, &block);
	return block;
}
END
	$CC -g -shared -fPIC -I"$top_srcdir/include" -o $name-plugin.so $name-plugin.c || exit 99
done
cat >plugins.c <<'END'
#define _GNU_SOURCE
#define COBJMACROS
#include <dlfcn.h>
#include <fencepost/fencepost.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static IHostMalloc *heap;
static const void *place;

static void *make(const char *library, size_t size)
{
	void *handle = dlopen(library, RTLD_NOW);
	void *(*function)(IHostMalloc *, size_t) =
	        (void *(*)(IHostMalloc *, size_t))dlsym(handle, "make");
	void *block = function(heap, size);

	if (place != NULL && place != (const void *)function)
		fprintf(stderr, "moved\n");
	place = (const void *)function;
	dlclose(handle);
	return block;
}

int main(int count, char **arguments)
{
	void *library = RTLD_DEFAULT;
	IHostMemoryManager *manager;
	void *volatile blocks[4];
	int status = 0;

	if (count > 1)
		library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
	HRESULT (*create)(const char *, IHostMemoryManager **) =
	        (HRESULT(*)(const char *, IHostMemoryManager **))dlsym(
	                library, "fp_create_memory_manager");
	if (create(NULL, &manager) != S_OK ||
	    IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap) != S_OK)
		return 97;
	IHostMalloc_Free(heap, make("./first-plugin.so", 8));
	place = NULL;
	for (int i = 0; i < 4; i++)
		blocks[i] = make(i % 2 == 0 ? "./first-plugin.so" : "./second-plugin.so",
		                 16 * (size_t)(i + 1));
	if (getenv("FORKS") != NULL && fork() != 0) {
		wait(&status);
		_exit(status);
	}
	for (int i = 0; i < 2; i++)
		for (int times = 0; times < 2; times++)
			IHostMalloc_Free(heap, blocks[i]);
	place = NULL;
	for (int i = 0; i < 300; i++)
		IHostMalloc_Free(heap, make(i % 2 == 0 ? "./first-plugin.so"
		                                       : "./second-plugin.so", 80));
	blocks[2] = blocks[3] = NULL;
	return 0;
}
END
libraries=$FP_BUILDDIR/src/hosting/.libs
$CC -g -w -I"$top_srcdir/include" -o dlopening plugins.c -ldl || exit 99
$CC -g -w -I"$top_srcdir/include" -o linked plugins.c -Wl,--no-as-needed -L"$libraries" -lfencepost \
	-Wl,-rpath,"$libraries" -ldl || exit 99
# hosted COMMAND...
hosted() {
	rm -f text* log
	FENCEPOST_OPTIONS=events=log:log=text:leak_check=full "$@" 2>said
	status=$?
	test -z "$FORKS" || mv text.* text
	test $status -eq 0 || complain "$*: status $status: $(cat said)"
	grep -q moved said && echo "$*: libraries came to stand at different addresses"
	made first-plugin 'double-free of a 16-byte block'
	made second-plugin 'double-free of a 32-byte block'
	test -z "$FORKS" || return 0
	made first-plugin 'leak of 48 bytes in 1 block'
	made second-plugin 'leak of 64 bytes in 1 block'
	grep -q 'no known module' text && complain "frames without a module: $(cat text)"
	test "$(wc -c <log)" -lt 400000 || complain "the log has $(wc -c <log) bytes"
}
hosted ./linked
FORKS=yes hosted ./linked # the child frees what the parent made and unloaded
hosted ./dlopening "$libraries/libfencepost.so"
# ---- Code that does not say where it was called from: the trace ends there, and says so
cat >silent.c <<'END'
#include <stdlib.h>
void *make(void);
void *silent(void);
__attribute__((noinline)) void *make(void)
{
	void *block = malloc(77);
	__asm__ volatile("");
	return block;
}
__asm__(".globl silent\nsilent: push %rbp; mov $24, %rbp; sub $16, %rsp; call make\n"
        "lea 16(%rsp), %rsp; pop %rbp; ret\n");
int main(void)
{
	void *volatile block = silent();
	free(block);
	free(block);
	return 0;
}
END
if test "$(uname -m)" = x86_64; then
	$CC -g -O1 -o silent silent.c || exit 99
	"$fencepost" run ./silent >out 2>&1
	grep -q '#0 make .*silent.c:6$' out && grep -q '#2 \[callers unknown' out &&
		grep -q 'note: 1 call stack could not be followed' out ||
		complain "a stack that ends early: $(cat out)"
	# What ends as compilers have it is followed.
	sed 's/lea 16(%rsp), %rsp/add $16, %rsp/' silent.c >plain.c
	$CC -g -O1 -o plain plain.c || exit 99
	"$fencepost" run ./plain >out 2>&1
	grep -q '#0 make .*plain.c:6$' out && grep -q '#2 main .*plain.c:14$' out && ! grep -q 'could not be followed' out ||
		complain "a stack without unwind information: $(cat out)"
fi

exit $bad
