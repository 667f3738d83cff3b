# SPDX-License-Identifier: Apache-2.0
#
# Projects of others that build with what `make install` installs: those of doc/install.md, for pkg-config, CMake
# and Meson, with its commands. What they build finds its mistake.
page=install.md
. "$top_srcdir/tests/integrations/manual.sh"
manual_begin ../packages/consumers
root=$work/opt
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$FP_BUILDDIR" install DESTDIR="$root" prefix=/usr exec_prefix=/usr bindir=/usr/bin \
	libdir=/usr/lib includedir=/usr/include datarootdir=/usr/share datadir=/usr/share mandir=/usr/share/man docdir=/usr/share/doc >make.out 2>&1 ||
	{ cat make.out; exit 99; }
# Moved after it was installed, as a relocatable package is: the paths in it may not matter.
mv "$root/usr" "$work/moved" && root=$work/moved
sed -i "s|^prefix=.*|prefix=$root|;s|^\([a-z]*\)=/usr|\1=$root|" "$root/lib/pkgconfig/fencepost.pc"
PKG_CONFIG_PATH=$root/lib/pkgconfig CMAKE_PREFIX_PATH=$root LD_LIBRARY_PATH=$root/lib
export PKG_CONFIG_PATH CMAKE_PREFIX_PATH LD_LIBRARY_PATH
printf '#include <stdlib.h>\nint main(void)\n{\n\tchar *volatile block = malloc(10);\n\tfree(block);\n\treturn block[3];\n}\n' >app.c
manual_program pkg-config c >host.c

# finds WHAT PROGRAM: its mistake, with its line. A program that Fencepost is linked into does not know where that was
# moved to.
finds() {
	FENCEPOST_OPTIONS=
	ldd "$2" 2>&1 | grep -q libfencepost || FENCEPOST_OPTIONS=reporter=$root/bin/fencepost
	FENCEPOST_OPTIONS=$FENCEPOST_OPTIONS "$2" 2>err || complain "$1: status $?: $(cat err)"
	grep -q '^fencepost: double-free of a 100-byte block at host.c:14 in main' err || complain "$1: $(cat err)"
}
# run WHAT COMMAND
run() {
	sh -c "$2" >out 2>&1 || { complain "$1: $2: $(cat out)"; return 1; }
}
# skip WHAT TOOL: whether it is missing.
skip() {
	command -v "$2" >/dev/null && return 1
	echo "not tested: $1: no $2 here"
}

skip pkg-config pkg-config || {
	run pkg-config "$(manual_command pkg-config 1)" && finds pkg-config ./host
	run static "$(manual_command pkg-config 2)" && finds static ./host-static
	ldd host-static >out 2>&1 && complain "host-static is not static: $(cat out)"
}

skip CMake cmake || {
	mkdir cmake && cp host.c app.c cmake && manual_program CMake cmake >cmake/CMakeLists.txt && cd cmake || exit 99
	if run CMake "$(manual_command CMake 1)" && run CMake "$(manual_command CMake 2)"; then
		finds CMake build/host
		finds 'CMake, static' build/host-static
		ldd build/host-static | grep -q libfencepost && complain 'CMake: fencepost::static links the shared library'
		run ctest 'cd build && ! ctest -V' && grep -q 'heap-use-after-free of a 10-byte block at app.c:6' out || complain "ctest: $(cat out)"
	fi
	# A version that is not there is not found.
	sed -i 's/fencepost 0.1/fencepost 99/' CMakeLists.txt
	run 'CMake, other version' '! cmake -S . -B other'
	cd ..
}

skip Meson meson || {
	mkdir meson && cp host.c meson && manual_program Meson meson >meson/meson.build && cd meson || exit 99
	run Meson "$(manual_command Meson 1)" && run Meson "$(manual_command Meson 2)" && finds Meson builddir/host
	# As CMake's package, where pkg-config has none.
	sed -i "s/dependency('fencepost')/dependency('fencepost', method: 'cmake', modules: 'fencepost::fencepost')/" meson.build
	run "Meson by CMake" 'PKG_CONFIG_PATH= meson setup other && meson compile -C other' && finds "Meson by CMake" other/host
	cd ..
}
exit $bad
