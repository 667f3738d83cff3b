# SPDX-License-Identifier: Apache-2.0
#
# The same objects, called by what each compiler makes of the headers: every_call.c through the
# table, every_call.cc through the abstract classes. A compiler that is not there is skipped aloud.
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
lib=$FP_BUILDDIR/src/hosting/.libs
ran=0 bad=0

try() { # try SOURCE FLAGS... with $compiler
	source=$top_srcdir/tests/hosting/$1
	shift
	if ! command -v "${compiler%% *}" >/dev/null; then
		echo "SKIPPED: no $compiler"
		return
	fi
	ran=1
	$compiler "$@" -Wall -Wextra -Werror -I"$top_srcdir/include" "$source" -L"$lib" -lfencepost \
		-Wl,-rpath,"$lib" -o "$work/every_call" &&
		FENCEPOST_OPTIONS=log=/dev/null:reporter=$FP_BUILDDIR/src/cli/fencepost "$work/every_call" ||
		{ echo "$compiler $*: $source failed"; bad=1; }
}

for compiler in gcc clang; do
	for level in -O0 -O2; do
		try every_call.c $level
	done
done
for compiler in g++ clang++; do
	for level in -O0 -O2; do
		try every_call.cc $level -std=c++11
		try every_call.cc $level -std=c++17
	done
done
test $ran = 1 || exit 77
exit $bad
