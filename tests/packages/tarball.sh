# SPDX-License-Identifier: Apache-2.0
#
# The archive of `make tarball': built from the released one in the oldest system that can build it (FP_OLDEST), twice, in two
# folders, the same bytes; then unpacked in others that have nothing but a compiler (FP_SUITES), in a folder of
# any name, where it finds a bug. It needs root, mirrors and minutes: make check-packages.
page=install.md
. "$top_srcdir/tests/integrations/manual.sh"
work=${FP_BUILDDIR:?}/tests/packages/tarball.work
SOURCE_DATE_EPOCH=1000000000
export SOURCE_DATE_EPOCH
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
. "$top_srcdir/tests/packages/root.sh"
oldest=${FP_OLDEST:-bullseye}
version=$(sed -n 's/^Version: //p' "$FP_BUILDDIR/fencepost.pc")

env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$FP_BUILDDIR" dist >dist.log 2>&1 || { tail -n 5 dist.log; exit 1; }
cp "$FP_BUILDDIR/fencepost-$version.tar.gz" .
root_make "$oldest" && root_install "$oldest" \
	g++ libdw-dev libelf-dev libiberty-dev libjansson-dev liblua5.4-dev libsqlite3-dev make patchelf pkg-config uthash-dev zlib1g-dev || exit 1
for folder in first second; do
	mkdir "$oldest/$folder" && tar -xf "fencepost-$version.tar.gz" -C "$oldest/$folder" --strip-components=1
	in_root "$oldest" "cd /$folder && ./configure CFLAGS=-O2 && make -j$(nproc) && $(manual_command 'Any Linux' 1)" >"$folder.log" 2>&1 ||
		{ tail -n 5 "$folder.log"; exit 1; }
	(cd "$oldest/$folder" && sha256sum fencepost-*-linux-*.tar.gz) >"$folder.sum"
done
cmp first.sum second.sum || complain 'make tarball makes other archives in another folder'
cp "$oldest"/first/fencepost-*-linux-*.tar.gz .
echo "built in $oldest: $(tail -n 1 first.log)"

for suite in ${FP_SUITES:-bullseye bookworm trixie focal noble}; do
	# The one that it was built in has what it may not need.
	test "$suite" != "$oldest" || { umount "$suite/proc"; rm -rf "$suite"; }
	root_make "$suite" && root_install "$suite" gcc libc6-dev || continue
	root=$work/$suite
	mkdir -p "$root/any/folder" && cp fencepost-*-linux-*.tar.gz "$root/any/folder" && cd "$root/any/folder" || exit 99
	printf '#include <stdlib.h>\nint main(void)\n{\n\tchar *volatile block = malloc(10);\n\tfree(block);\n\treturn block[3];\n}\n' >app.c
	cd "$work" || exit 99
	in_root "$suite" "cd '/any/folder' && $(manual_command 'Any Linux' 2) && gcc -g -w -o app app.c && ! $(manual_command 'Any Linux' 3)" >"$suite.out" 2>&1
	if grep -q '^fencepost: heap-use-after-free of a 10-byte block at app.c:6 in main' "$suite.out"; then
		echo "$suite: finds a bug"
	else
		complain "$suite: $(cat "$suite.out")"
	fi
done
exit $bad
