# SPDX-License-Identifier: Apache-2.0
#
# What an installation gives to who has nothing else: the files, hosts built by pkg-config in C and in
# C++, dynamically and statically, reports from either door. It is staged below a directory and found there, as packages
# are made; `make installcheck` says in FP_INSTALLED_* where what it is to look at is installed.
work=$FP_BUILDDIR/tests/cli/installed.work
stage=$work/stage
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

# The options of the make that runs the tests are not for this one, nor where this was configured to be.
if test -z "$FP_INSTALLED_BIN"; then
	root=$stage/opt/fencepost
	FP_INSTALLED_BIN=$root/bin FP_INSTALLED_LIB=$root/lib FP_INSTALLED_INCLUDE=$root/include
	FP_INSTALLED_SHARE=$root/share FP_INSTALLED_MAN=$root/share/man FP_INSTALLED_DOC=$root/share/doc/fencepost
	if ! env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$FP_BUILDDIR" install DESTDIR="$stage" \
		prefix=/opt/fencepost exec_prefix=/opt/fencepost bindir=/opt/fencepost/bin \
		libdir=/opt/fencepost/lib includedir=/opt/fencepost/include datarootdir=/opt/fencepost/share \
		datadir=/opt/fencepost/share mandir=/opt/fencepost/share/man docdir=/opt/fencepost/share/doc/fencepost >make.out 2>&1; then
		cat make.out
		exit 99
	fi
fi
bin=$FP_INSTALLED_BIN lib=$FP_INSTALLED_LIB include=$FP_INSTALLED_INCLUDE
for file in "$bin/fencepost" "$lib/libfencepost.so" "$lib/libfencepost.so.0" "$lib/libfencepost.a" "$lib/fencepost/libfencepost-preload.so" \
	"$lib/pkgconfig/fencepost.pc" "$include/fencepost/hosting.h" "$include/fencepost/fencepost.h" \
	"$include/fencepost/extension.h" "$include/fencepost/lsan.h" "$FP_INSTALLED_MAN/man1/fencepost.1" \
	"$FP_INSTALLED_SHARE/fencepost/fencepost-report-1.schema.json" "$FP_INSTALLED_SHARE/fencepost/integrations/fencepost-check.h" \
	"$FP_INSTALLED_SHARE/fencepost/integrations/fencepost-gtest.h" "$FP_INSTALLED_SHARE/fencepost/integrations/fencepost_pytest.py" \
	"$FP_INSTALLED_SHARE/fencepost/integrations/fencepost-valgrind" "$FP_INSTALLED_SHARE/fencepost/integrations/fencepost-catch2.h" \
	"$FP_INSTALLED_SHARE/fencepost/integrations/github-problem-matcher.json" \
	"$FP_INSTALLED_DOC/examples/first_minute.c" "$FP_INSTALLED_DOC/README.md"; do
	test -f "$file" || complain "not installed: $file"
done
test -z "$(find "$lib" -name '*fencepost*.la')" || complain "installed for libtool alone: $(find "$lib" -name '*fencepost*.la')"
# The links of README lead somewhere.
for page in $(grep -o '](doc/[^)#]*' "$FP_INSTALLED_DOC/README.md" | cut -c 3-); do
	test -f "$FP_INSTALLED_DOC/$page" || complain "README.md is installed without $page"
done
# Each interface has a version, and nothing else is there to be linked with.
unversioned=$($NM -D --defined-only "$lib/libfencepost.so" | awk '$3 !~ /@@?FENCEPOST_/ && $2 != "A" { print $3 }')
test -z "$unversioned" || complain "symbols without a version: $unversioned"
$NM -D --defined-only "$lib/libfencepost.so" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort >dynamic.names
$NM -g --defined-only "$lib/libfencepost.a" | awk 'NF == 3 { print $3 }' | sort >static.names
test -s dynamic.names || complain "libfencepost.so has no symbols"
diff dynamic.names static.names || complain 'libfencepost.a and libfencepost.so have different symbols'
test "$("$bin/fencepost" --version)" = "fencepost $(sed -n 's/^Version: //p' "$lib/pkgconfig/fencepost.pc")" ||
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
# flags [--static]: what pkg-config says of what is installed.
flags() {
	if command -v pkg-config >/dev/null; then
		PKG_CONFIG_PATH=$lib/pkgconfig pkg-config --define-variable=libdir="$lib" \
			--define-variable=includedir="$include" --cflags --libs "$@" fencepost
	else
		echo "-I$include -L$lib -lfencepost -pthread"
	fi
}
flags=$(flags) || complain 'fencepost.pc cannot be used'

# host COMPILER SOURCE FLAG...: built and run, it has its double free, with the line.
host() {
	compiler=$1 source=$2
	shift 2
	rm -f report.json
	$compiler -g -Wall -Wextra -Werror "$source" "$@" -o host || { complain "$compiler cannot build $source with $*"; return; }
	FENCEPOST_OPTIONS=reporter=$bin/fencepost ./host 2>err || complain "$source $*: status $?: $(cat err)"
	grep -q '"kind": "double-free"' report.json || complain "$source $*: no double-free: $(cat err)"
	# None of Fencepost's own frames is above the host's.
	grep -q "^fencepost: double-free of a 100-byte block at $source:[0-9]* in main" err || complain "$source $*: $(cat err)"
}
for source in first.c first.cc; do
	case $source in *.c) compiler=$CC ;; *) compiler=$CXX ;; esac
	test -n "$compiler" || continue
	host "$compiler" "$source" $flags -Wl,-rpath,"$lib"
	# The C library, too, is in the program, and Fencepost alone.
	host "$compiler" "$source" -static $(flags --static)
	host "$compiler" "$source" $(flags --static | sed 's/-lfencepost/-l:libfencepost.a/')
done

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
	$CC trusted.c $flags -Wl,--disable-new-dtags,-rpath,"$lib:$lib/fencepost" -o trusted || complain 'cannot build trusted.c'
	for mode in 0755 4755; do
		chown 1:1 trusted && chmod "$mode" trusted
		rm -f asked/report.json
		as_nobody env FENCEPOST_OPTIONS="json=$work/asked/report.json:reporter=$bin/fencepost" ./trusted >out 2>err ||
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
	"$bin/fencepost" run --json=twice.json ./twice 2>err
	test $? -eq 3 || complain "run ./twice: $(cat err)"
	grep -q '^fencepost: double-free of a 10-byte block at twice.c:6 in main$' err || complain "run ./twice: $(cat err)"
	"$bin/fencepost" report twice.json 2>again && grep -q 'double-free' again || complain "report: $(cat again)"
fi
"$bin/fencepost" doctor ./twice >out 2>&1
test $? -le 1 && grep -q "^ok  *library: $lib/fencepost/libfencepost-preload.so$" out || complain "doctor: $(cat out)"
exit $bad
