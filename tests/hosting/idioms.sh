# SPDX-License-Identifier: Apache-2.0
#
# Hosts written as those published for Windows are, one for each way to write them: compiled as they are
# against our headers alone, beside the WSL stubs and beside mingw-w64's headers, in either order, by gcc
# and clang; and run under the runtime of runtime.c. What is not installed is skipped aloud.
idioms=$top_srcdir/tests/hosting/idioms
include=$top_srcdir/include
mingw=${FP_MINGW_INCLUDE-/usr/share/mingw-w64/include}
stubs=${FP_WSL_STUBS-/usr/include/wsl/stubs}
lib=$FP_BUILDDIR/src/hosting/.libs
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
ran=0 bad=0

complain() {
	echo "$*"
	bad=1
}

compile() { # compile COMPILER ARGUMENT...
	"$@" -g -Wall -Wextra -Wno-unused-parameter -Werror -DIN= -DOUT= ||
		complain "$*"
}

printf '#include <unknwn.h>\n' >"$work/stubs.h"
printf '#include <windows.h>\n#include <unknwn.h>\n#include <mscoree.h>\n' >"$work/mingw.h"

# with_others LANGUAGE FILE FLAGS: compiled only; what these headers define would need another library.
with_others() {
	for order in BEFORE AFTER; do
		if test -f "$stubs/unknwnbase.h"; then
			compile "$compiler" -x "$1" $3 "-I$include" -isystem "$stubs" \
				"-DIDIOMS_$order=\"$work/stubs.h\"" -fsyntax-only "$2"
		fi
		if test "${compiler%++}" = clang && test -f "$mingw/mscoree.h"; then
			compile "$compiler" -x "$1" $3 --target=x86_64-w64-mingw32 "-I$include" -isystem "$mingw" \
				"-DIDIOMS_$order=\"$work/mingw.h\"" -Wno-microsoft-exception-spec -fsyntax-only "$2"
		fi
	done
}

test -f "$stubs/unknwnbase.h" || echo "SKIPPED: no $stubs/unknwnbase.h (apt-get install directx-headers-dev)"
test -f "$mingw/mscoree.h" || echo "SKIPPED: no $mingw/mscoree.h (apt-get install mingw-w64-common)"

# Each file, each language it is in, each compiler.
try() { # try LANGUAGE FILE FLAGS
	name=$(basename "$2")
	if test "$3" = -std=c++11; then
		compile "$compiler" -x "$1" $3 "-I$include" -fsyntax-only "$2"
		return
	fi
	with_others "$1" "$2" "$3"
	compile "$compiler" -x "$1" $3 "-I$include" "$2" -x none "$work/runtime.o" "-L$lib" -lfencepost \
		"-Wl,-rpath,$lib" -o "$work/host" || return
	FENCEPOST_OPTIONS=json=$work/$name.json:log=$work/$name.log:reporter=$FP_BUILDDIR/src/cli/fencepost "$work/host" ||
		complain "$name by $compiler $3: status $?"
	ran=1
}

for compiler in gcc clang; do
	command -v $compiler >/dev/null || { echo "SKIPPED: no $compiler"; continue; }
	compile $compiler -O1 "-I$include" -c "$idioms/runtime.c" -o "$work/runtime.o"
	for file in "$idioms"/*.c; do
		test "$(basename "$file")" = runtime.c || try c "$file" -std=gnu11
	done
	compiler=$(echo $compiler | sed 's/gcc/g/')++
	command -v $compiler >/dev/null || { echo "SKIPPED: no $compiler"; continue; }
	for standard in 11 17; do
		for file in "$idioms"/*.cc "$idioms/declared.c"; do
			try c++ "$file" -std=c++$standard
		done
	done
done

# The report names who called the class that counts, not the class; and what DebugAlloc was told.
line_of() { # line_of FILE PLANT
	grep -n "plant: $2 \*/" "$idioms/$1" | cut -d: -f1
}

parameters='(\(IHostMalloc\*\))?$' # clang names functions of a file's own so
says() { # says FILE TEXT
	grep -qE -e "$2" "$work/$1.log" || complain "$1: not told: $2: $(cat "$work/$1.log")"
}

for file in counting.c counting.cc; do
	test -f "$work/$file.log" || continue
	says $file "^fencepost: leak of 111 bytes.* at $file:$(line_of $file lost) in lose$parameters"
	says $file "^fencepost: leak of 222 bytes.* at $file:$(line_of $file 'lost elsewhere') in lose$parameters"
	says $file "^fencepost: leak of 333 bytes.* at $file:$(line_of $file told) in lose_told$parameters"
	says $file '^  asked for at engine.cpp:77 \(DebugAlloc\)$'
	says $file "^fencepost: double-free of a 55-byte block"
	says $file "^    #1 free_twice.*$file:$(line_of $file twice)$"
	says $file "^    #1 free_twice.*$file:$(line_of $file 'twice once')$"
	says $file "^    #1 free_twice.*$file:$(line_of $file 'twice allocated')$"
done
# What gives a typed pointer is an allocator by its name only, which has colons: not for FENCEPOST_OPTIONS.
test ! -f "$work/counting.cc.json" || {
	"$FP_BUILDDIR/src/cli/fencepost" report --alloc-fn=Maker::Make "--log=$work/counting.cc.log" "$work/counting.cc.json"
	says counting.cc "^fencepost: leak of 99 bytes.* at counting.cc:$(line_of counting.cc made) in lose_made$parameters"
}
test $ran = 1 || exit 77
exit $bad
