# SPDX-License-Identifier: Apache-2.0
#
# Each public header compiles alone, in strict C99, C17 and C++11, in the C and in the C++ view of
# the interfaces, and twice in a row.
cd "$top_srcdir/include" || exit 99
bad=0
try() { # try HEADER LANGUAGE COMPILER FLAGS...
	header=$1 language=$2
	shift 2
	printf '#include <%s>\n#include <%s>\n' "$header" "$header" |
		"$@" -pedantic-errors -Wall -Wextra -Wundef -Werror -I. -fsyntax-only -x "$language" - ||
		{ echo "$header: $*"; bad=1; }
}
for header in fencepost/*.h; do
	test -f "$header" || exit 99
	for std in c99 c17; do
		try "$header" c $CC -std=$std
		try "$header" c $CC -std=$std -DCOBJMACROS
	done
	try "$header" c++ $CXX -std=c++11
	try "$header" c++ $CXX -std=c++11 -DCINTERFACE -DCOBJMACROS
done
exit $bad
