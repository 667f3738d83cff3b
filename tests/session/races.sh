# SPDX-License-Identifier: Apache-2.0
#
# test_races.c, where ThreadSanitizer works: a kernel may spread mappings further than it expects
# (vm.mmap_rnd_bits), so they are not spread where that can be asked for.
program=$FP_BUILDDIR/tests/session/test_races
test -x "$program" || { echo "the compiler has no -fsanitize=thread here, or there is no Check"; exit 77; }
still=
setarch -R true 2>/dev/null && still='setarch -R'
$still "$program" start || { echo "ThreadSanitizer does not start here"; exit 77; }
TSAN_OPTIONS=exitcode=66 exec $still "$program"
