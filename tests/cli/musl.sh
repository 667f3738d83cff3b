# SPDX-License-Identifier: Apache-2.0
#
# Programs that are linked with musl, where musl-gcc makes some: fencepost run says in one line why it does not
# start them and what to do, doctor says the same, and one that a watched program executes runs undisturbed and is
# named.
command -v musl-gcc >/dev/null || { echo 'no musl-gcc here: apt-get install musl-tools'; exit 77; }
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/musl.work
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
printf '#include <stdlib.h>\nint main(void)\n{\n\tfree(malloc(10));\n\treturn 9;\n}\n' >program.c
musl-gcc -o dynamic program.c 2>cc.log && musl-gcc -static -o static program.c 2>cc.log && ./dynamic
test $? -eq 9 || { echo "musl-gcc makes no program that runs: $(cat cc.log)"; exit 77; }
bad=0
complain() { echo "$*: $(cat out err)"; bad=1; }
remedy='build it with glibc, or use the heaps of a libfencepost that is built with musl'

"$fencepost" run ./dynamic >out 2>err
test $? -eq 125 || complain 'dynamic: another status'
test "$(cat out err)" = "fencepost: ./dynamic is linked with musl and this fencepost with glibc: $remedy, or --force to try" ||
	complain 'dynamic'
"$fencepost" run ./static >out 2>err
test $? -eq 125 || complain 'static: another status'
test "$(cat err | wc -l)" -eq 1 && grep -q '^fencepost: ./static is statically linked, .*: link it dynamically, or with libfencepost' err ||
	complain 'static'
"$fencepost" doctor ./dynamic >out 2>err && complain 'doctor finds no problem'
grep -q "^problem .*linked with musl" out && grep -q "$remedy" out || complain 'doctor'
"$fencepost" run sh -c './dynamic; test $? -eq 9 && ./static' >out 2>err
test $? -eq 9 || complain 'executed: another status'
for which in 'dynamic (linked with musl)' 'static (statically linked)'; do
	grep -qx "fencepost: not watched: ./$which" err || complain "not named: $which"
done
exit $bad
