# SPDX-License-Identifier: Apache-2.0
#
# A real CTest dashboard: its memory checker, told that the tests have AddressSanitizer, finds in
# what fencepost run --style=asan writes the defects of programs that were built without.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/ctest.work
test -x "$fencepost" || exit 99
command -v ctest >/dev/null || { echo 'skipped: no ctest; apt-get install cmake'; exit 77; }
rm -rf "$work" && mkdir -p "$work/source" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

cat >source/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.13)
project(plant C)
include(CTest)
add_executable(plant plant.c)
target_compile_options(plant PRIVATE -g -O0 -fno-builtin)
foreach(mistake overflow twice leak none)
  add_test(NAME \${mistake}
    COMMAND $fencepost run --style=asan --leak-check=full --quiet \$<TARGET_FILE:plant> \${mistake})
endforeach()
END
cat >source/plant.c <<'END'
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	char *volatile block = malloc(32);

	if (argc > 1 && strcmp(argv[1], "twice") == 0)
		free(block);
	if (argc > 1 && strcmp(argv[1], "overflow") == 0)
		block[32] = 1;
	if (argc > 1 && strcmp(argv[1], "leak") == 0)
		block = NULL;
	free(block);
	return 0;
}
END
cat >dashboard.cmake <<END
set(CTEST_SOURCE_DIRECTORY "$work/source")
set(CTEST_BINARY_DIRECTORY "$work/build")
set(CTEST_CMAKE_GENERATOR "Unix Makefiles")
set(CTEST_MEMORYCHECK_TYPE "AddressSanitizer")
ctest_start(Experimental)
ctest_configure()
ctest_build()
ctest_memcheck()
END
unset ASAN_OPTIONS LSAN_OPTIONS
ctest -V --no-compress-output -S dashboard.cmake >ctest.out 2>&1
xml=$(ls build/Testing/*/DynamicAnalysis.xml 2>/dev/null)
test -f "$xml" || { cat ctest.out; echo 'no DynamicAnalysis.xml'; exit 1; }
grep -q '<DynamicAnalysis Checker="AddressSanitizer">' "$xml" || complain 'another checker'

# expect TEST DEFECT: the only kind of defect of the test.
expect() {
	sed -n "/<Test Status/,/<\/Test>/p" "$xml" | awk -v name="<Name>$1</Name>" '
		/<Test Status/ { text = "" }
		{ text = text $0 "\n" }
		/<\/Test>/ && index(text, name) { printf "%s", text }' >"$1.xml"
	test -s "$1.xml" || complain "no test $1"
	found=$(sed -n 's/.*<Defect type="\([^"]*\)">\(.*\)<.*/\1 \2/p' "$1.xml")
	test "$found" = "$2" || complain "$1: defects '$found', not '$2'"
}

expect overflow 'heap-buffer-overflow 1'
expect twice 'attempting double-free 1'
expect leak 'Direct leak 1'
grep -q '<Name>none</Name>' "$xml" && complain 'a defect in what has none'
grep -q 'MemCheck #4: none .*Passed' ctest.out || complain 'the test without a defect failed'
grep -q 'in main .*/source/plant\.c:11' overflow.xml || complain "no place: $(cat overflow.xml)"
test "$bad" -eq 0 || { cat "$xml" | head -c 6000; tail -n 30 ctest.out; }
exit $bad
