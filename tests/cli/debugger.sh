# SPDX-License-Identifier: Apache-2.0
#
# fencepost_on_finding: where a debugger stops, and what a program may define itself, under either door.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/debugger.work
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*" | head -n 30
	bad=1
}

cat >victim.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <fencepost/fencepost.h>
#ifdef HAS_PLACE
void fencepost_on_finding(const struct fp_finding_info *finding)
{
	printf("%s of %zu bytes\n", finding->kind, finding->block.size);
}
#endif
#ifdef IS_HOST
static void misuse(void)
{
	IHostMemoryManager *manager;
	IHostMalloc *heap;
	void *block;
	fp_create_memory_manager("quiet=yes", &manager);
	manager->lpVtbl->CreateMalloc(manager, MALLOC_THREADSAFE, &heap);
	heap->lpVtbl->Alloc(heap, 44, eTaskCritical, &block);
	heap->lpVtbl->Free(heap, block);
	heap->lpVtbl->Free(heap, block);
}
#else
static void misuse(void)
{
	char *volatile block = malloc(44);
	free(block);
	free(block);
}
#endif
int main(void)
{
	misuse();
	return 0;
}
END
host="-DIS_HOST -L$FP_BUILDDIR/src/hosting/.libs -Wl,-rpath,$FP_BUILDDIR/src/hosting/.libs -lfencepost"
for way in plain host; do
	flags=
	test $way = plain || flags=$host
	${CC:-cc} -g -w -I"$top_srcdir/include" victim.c -o $way $flags &&
		${CC:-cc} -g -w -rdynamic -DHAS_PLACE -I"$top_srcdir/include" victim.c -o $way.own $flags ||
		{ echo "$way cannot be built"; exit 99; }
done
for run in "$fencepost run --leak-check=no ./plain.own" "$fencepost run --leak-check=no ./host.own" ./host.own; do
	$run >out 2>err
	test "$(cat out)" = 'double-free of 44 bytes' || complain "$run: '$(cat out)': $(cat err)"
done

command -v gdb >/dev/null || { echo "no gdb: not tried"; exit $bad; }
cat >commands <<'END'
set breakpoint pending on
break fencepost_on_finding
run
bt
continue
END
gdb -nx -batch -x commands ./host >out 2>&1
grep -q 'misuse ().*victim.c:20$' out || complain "gdb does not stop where the mistake is: $(cat out)"
cat >preload <<END
set environment LD_PRELOAD $FP_BUILDDIR/src/preload/.libs/libfencepost-preload.so
END
cat commands >>preload
gdb -nx -batch -x preload ./plain >out 2>&1
grep -q 'misuse ().*victim.c:27$' out || complain "gdb does not stop under malloc: $(cat out)"
exit $bad
