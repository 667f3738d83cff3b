# SPDX-License-Identifier: Apache-2.0
#
# libFuzzer as doc/fuzzing.md says it is used; AFL++ has tests/cli/afl.sh.
page=fuzzing.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS ASAN_OPTIONS
manual_begin fuzzing
echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' >there.c
clang -fsanitize=fuzzer there.c -o there 2>/dev/null || { echo 'no clang with libFuzzer here (Debian: apt-get install clang)'; exit 77; }
try libFuzzer clang
manual_end
