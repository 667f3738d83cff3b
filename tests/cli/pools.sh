# SPDX-License-Identifier: Apache-2.0
#
# Allocators that hide blocks in their own and can be told not to: named with the command to paste, left
# by --pools=off, and nothing is changed unasked. The programs here only look like the real ones: what
# counts is the name of the variable that they ask for, and in a program that of the allocator's function.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/pools.work
CC=${CC:-cc}
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
unset FENCEPOST_OPTIONS G_SLICE USE_ZEND_ALLOC PYTHONMALLOC
bad=0

complain() {
	echo "$*"
	bad=1
}

says() { # says FILE LINE
	grep -qxF -- "$2" "$1" || complain "$1 lacks '$2': $(cat "$1")"
}

silent() { # silent: no note of an allocator in err
	grep -q 'custom allocator' err && complain "a note too many: $(cat err)"
}

variables='G_SLICE USE_ZEND_ALLOC PYTHONMALLOC'
cat >asks.c <<'END'
#include <stdio.h>
#include <stdlib.h>
void ask(const char *name)
{
	const char *value = getenv(name);
	printf("%s=%s\n", name, value ? value : "");
}
END
printf '#include "asks.c"\nvoid PyObject_Malloc(void) {}\nint main(void) { ask("PYTHONMALLOC"); return 0; }\n' >snake.c
printf '#include "asks.c"\nvoid _emalloc(void) {}\nint main(void) { ask("USE_ZEND_ALLOC"); return 0; }\n' >web.c
printf '#include "asks.c"\nvoid slice(void) { ask("G_SLICE"); }\n' >slices.c
printf '#include "asks.c"\nvoid slice(void) { ask("SLICES"); }\n' >none.c
printf 'void slice(void);\nint main(void) { slice(); return 0; }\n' >user.c
mkdir old new
for program in snake web; do
	$CC -w -o $program $program.c || exit 77
done
$CC -w -shared -fPIC -o old/libglib-2.0.so.0 slices.c -Wl,-soname,libglib-2.0.so.0 &&
	$CC -w -shared -fPIC -o new/libglib-2.0.so.0 none.c -Wl,-soname,libglib-2.0.so.0 &&
	$CC -w -o user user.c old/libglib-2.0.so.0 || exit 77

hidden=': a custom allocator, whose blocks are not tracked; to track them: fencepost run --pools=off'
"$fencepost" run ./snake "two words" >out 2>err
says out PYTHONMALLOC=
says err "fencepost: note: Python's object allocator in $work/snake$hidden ./snake 'two words'"
"$fencepost" run --pools=on --leak-check=no -- ./web --pools=on >out 2>err
says out USE_ZEND_ALLOC=
says err "fencepost: note: PHP's allocator in $work/web$hidden --leak-check=no -- ./web --pools=on"
LD_LIBRARY_PATH=old "$fencepost" run ./user >out 2>err
says out G_SLICE=
says err "fencepost: note: GLib's slices in $work/old/libglib-2.0.so.0$hidden ./user"
LD_LIBRARY_PATH=old "$fencepost" run sh -c './user; ./snake; ./snake; :' >out 2>err
test "$(grep -c 'custom allocator' err)" -eq 2 || complain "children: $(cat err)"
LD_LIBRARY_PATH=old "$fencepost" run --sweep ./user >out 2>err
test "$(grep -c "GLib's slices" err)" -eq 1 || complain "a sweep: $(cat err)"

# Nobody is told of what is not there, was chosen, or was asked to be quiet.
LD_LIBRARY_PATH=new "$fencepost" run ./user >out 2>err
silent
G_SLICE=debug-blocks LD_LIBRARY_PATH=old "$fencepost" run ./user >out 2>err
says out G_SLICE=debug-blocks
silent
"$fencepost" run --quiet ./snake >out 2>err
test ! -s err || complain "quiet: $(cat err)"

# Off: for the program and what it executes; what is set stays.
"$fencepost" run --pools=off sh -c './snake; ./web' >out 2>err
says out PYTHONMALLOC=malloc
says out USE_ZEND_ALLOC=0
silent
LD_LIBRARY_PATH=old FENCEPOST_OPTIONS=pools=off "$fencepost" run ./user >out 2>err
says out G_SLICE=always-malloc
silent
PYTHONMALLOC=malloc_debug "$fencepost" run --pools=off ./snake >out 2>err
says out PYTHONMALLOC=malloc_debug
"$fencepost" run --pools=on env >out 2>err
for variable in $variables; do
	grep -q "^$variable=" out && complain "$variable is set unasked"
done
exit $bad
