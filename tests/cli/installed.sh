# SPDX-License-Identifier: Apache-2.0
#
# What an installation gives to who has nothing else: the files, a host built by pkg-config in C and in
# C++, reports from either door. It is staged below a directory and found there, as packages are made.
work=$FP_BUILDDIR/tests/cli/installed.work
stage=$work/stage
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

# The options of the make that runs the tests are not for this one, nor where this was configured to be.
if ! env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$FP_BUILDDIR" install DESTDIR="$stage" \
	prefix=/opt/fencepost exec_prefix=/opt/fencepost bindir=/opt/fencepost/bin \
	libdir=/opt/fencepost/lib includedir=/opt/fencepost/include datarootdir=/opt/fencepost/share \
	datadir=/opt/fencepost/share mandir=/opt/fencepost/share/man >make.out 2>&1; then
	cat make.out
	exit 99
fi
root=$stage/opt/fencepost
for file in bin/fencepost lib/libfencepost.so lib/libfencepost.so.0 lib/fencepost/libfencepost-preload.so \
	lib/pkgconfig/fencepost.pc include/fencepost/hosting.h include/fencepost/fencepost.h \
	include/fencepost/extension.h include/fencepost/lsan.h share/man/man1/fencepost.1 \
	share/fencepost/fencepost-report-1.schema.json share/fencepost/integrations/fencepost-check.h \
	share/fencepost/integrations/fencepost-gtest.h share/fencepost/integrations/fencepost_pytest.py; do
	test -f "$root/$file" || complain "not installed: $file"
done
test "$("$root/bin/fencepost" --version)" = "fencepost $(sed -n 's/^Version: //p' "$root/lib/pkgconfig/fencepost.pc")" ||
	complain 'fencepost and fencepost.pc have different versions'

# ---- The door of hosts: the first program of doc/hosting.md
sed -n '/^## A first program/,/^```$/p' "$top_srcdir/doc/hosting.md" | sed '1,/^```c/d;/^```$/d' >first.c
cat >first.cc <<'END'
#include <fencepost/fencepost.h>
int main()
{
	IHostMemoryManager *manager;
	IHostMalloc *heap;
	void *block;
	if (fp_create_memory_manager("json=report.json", &manager) != S_OK ||
	    manager->CreateMalloc(MALLOC_THREADSAFE, &heap) != S_OK ||
	    heap->Alloc(100, eTaskCritical, &block) != S_OK)
		return 1;
	heap->Free(block);
	return heap->Free(block) == HOST_E_INVALIDOPERATION ? 0 : 1;
}
END
flags="-I$root/include -L$root/lib -lfencepost"
if command -v pkg-config >/dev/null; then
	flags=$(PKG_CONFIG_PATH=$root/lib/pkgconfig pkg-config --define-variable=libdir="$root/lib" \
		--define-variable=includedir="$root/include" --cflags --libs fencepost) ||
		complain 'fencepost.pc cannot be used'
fi

# host COMPILER SOURCE: built and run, it has its double free, with the line.
host() {
	rm -f report.json
	$1 -g -Wall -Wextra -Werror "$2" $flags -Wl,-rpath,"$root/lib" -o host || { complain "$1 cannot build $2"; return; }
	./host 2>err || complain "$2: status $?: $(cat err)"
	grep -q '"kind": "double-free"' report.json || complain "$2: no double-free: $(cat err)"
	grep -q "\"file\": \".*/$2\"" report.json || complain "$2: no lines: $(cat err)"
}
host "$CC" first.c
if test -n "$CXX"; then
	host "$CXX" first.cc
fi

# ---- A host that gains privileges when it is executed takes nothing from whoever executes it
cat >trusted.c <<'END'
#include <fencepost/fencepost.h>
#include <stdio.h>
#include <sys/auxv.h>
int main(void)
{
	IHostMemoryManager *manager;
	IHostMalloc *heap;
	void *block;
	if (fp_create_memory_manager("", &manager) != S_OK ||
	    manager->lpVtbl->CreateMalloc(manager, MALLOC_THREADSAFE, &heap) != S_OK ||
	    heap->lpVtbl->Alloc(heap, 100, eTaskCritical, &block) != S_OK)
		return 1;
	heap->lpVtbl->Free(heap, block);
	heap->lpVtbl->Free(heap, block);
	puts(getauxval(AT_SECURE) ? "privileged" : "plain");
	return 0;
}
END
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }
if test "$(id -u)" -eq 0 && as_nobody test -x "$work" 2>/dev/null; then
	# Where whoever is nobody may write, so that what it asks for could be done.
	mkdir -m 1777 asked
	$CC trusted.c $flags -Wl,--disable-new-dtags,-rpath,"$root/lib:$root/lib/fencepost" -o trusted || complain 'cannot build trusted.c'
	for mode in 0755 4755; do
		chown 1:1 trusted && chmod "$mode" trusted
		rm -f asked/report.json
		as_nobody env FENCEPOST_OPTIONS="json=$work/asked/report.json:reporter=$root/bin/fencepost" ./trusted >out 2>err ||
			complain "trusted, mode $mode: $(cat err)"
		case $mode$(cat out) in
		0755plain) test -s asked/report.json || complain "FENCEPOST_OPTIONS does nothing in a plain host: $(cat err)" ;;
		4755privileged) test ! -e asked/report.json || complain 'a privileged host took FENCEPOST_OPTIONS' ;;
		*) echo "not tested: files here give no privileges" ;;
		esac
	done
else
	echo "not tested: a privileged host"
fi

# ---- The door of other programs
printf '#include <stdlib.h>\nint main(void)\n{\n\tchar *volatile p = malloc(10);\n\tfree(p);\n\tfree(p);\n\treturn 3;\n}\n' >twice.c
if $CC -w -g -fno-builtin -o twice twice.c; then
	"$root/bin/fencepost" run --json=twice.json ./twice 2>err
	test $? -eq 3 || complain "run ./twice: $(cat err)"
	grep -q '^fencepost: double-free of a 10-byte block at twice.c:6 in main$' err || complain "run ./twice: $(cat err)"
	"$root/bin/fencepost" report twice.json 2>again && grep -q 'double-free' again || complain "report: $(cat again)"
fi
"$root/bin/fencepost" doctor ./twice >out 2>&1
test $? -le 1 && grep -q "^ok  *library: $root/lib/fencepost/libfencepost-preload.so$" out || complain "doctor: $(cat out)"
exit $bad
