# SPDX-License-Identifier: Apache-2.0
#
# The public headers beside others that define the same names, in either order, for C and C++:
# mingw-w64's, as a compiler for Windows sees them, and the WSL stubs of DirectX-Headers. What is not
# installed is skipped aloud; without any of them the test is.
include=$top_srcdir/include
mingw=${FP_MINGW_INCLUDE-/usr/share/mingw-w64/include}
stubs=${FP_WSL_STUBS-/usr/include/wsl/stubs}
ran=0 bad=0

source_of() { # source_of OTHER-HEADERS ORDER LANGUAGE
	ours='#include <fencepost/extension.h>
#include <fencepost/fencepost.h>'
	theirs=$(printf '#include <%s>\n' $1)
	if test "$2" = first; then printf '%s\n%s\n' "$ours" "$theirs"; else printf '%s\n%s\n' "$theirs" "$ours"; fi
	if test "$3" = c; then
		echo 'HRESULT f(IHostMalloc *h) { return h->lpVtbl->Free(h, 0); }'
		echo 'HRESULT g(IFencepostMalloc *h) { return h->lpVtbl->Lock(h); }'
	else
		echo 'HRESULT f(IHostMalloc *h) { return h->Free(0); }'
		echo 'HRESULT g(IFencepostMalloc *h) { return h->Lock(); }'
	fi
	echo 'int failed[E_FAIL < 0 && HOST_E_TIMEOUT < 0 && FAILED(E_POINTER) ? 1 : -1];'
}

try() { # try OTHER-HEADERS LANGUAGE COMPILER FLAGS...
	others=$1 language=$2
	shift 2
	for order in first last; do
		source_of "$others" $order "$language" |
			"$@" "-I$include" -fsyntax-only -Wall -Werror -x "$language" - ||
			{ echo "ours $order: $others with $*"; bad=1; }
	done
	ran=1
}

if ! test -f "$mingw/unknwn.h"; then
	echo "SKIPPED: no $mingw/unknwn.h (apt-get install mingw-w64-common)"
elif ! command -v clang >/dev/null; then
	echo "SKIPPED: mingw-w64's headers need a compiler for Windows (apt-get install clang)"
else
	for language in c c++; do
		try "windows.h unknwn.h" $language clang --target=x86_64-w64-mingw32 -isystem "$mingw"
	done
	try "windows.h unknwn.h" c clang --target=x86_64-w64-mingw32 -isystem "$mingw" -DCOBJMACROS -DCONST_VTABLE
fi
if ! test -f "$stubs/unknwnbase.h"; then
	echo "SKIPPED: no $stubs/unknwnbase.h (apt-get install directx-headers-dev)"
else
	for compiler in "$CC" gcc clang; do
		command -v ${compiler%% *} >/dev/null && try unknwn.h c $compiler -isystem "$stubs"
	done
	for compiler in "$CXX" g++ clang++; do
		command -v ${compiler%% *} >/dev/null && try unknwn.h c++ $compiler -isystem "$stubs"
	done
fi
test $ran = 1 || exit 77
exit $bad
