# SPDX-License-Identifier: Apache-2.0
#
# What is made of a released archive: the archive itself, the same each time; RPM packages, an Arch package and a subproject
# of Meson, each built with the commands of doc/install.md, and a bug found with each. It takes minutes: make check-packages.
page=install.md
. "$top_srcdir/tests/integrations/manual.sh"
manual_begin ../packages/archive
version=$(sed -n 's/^Version: //p' "$FP_BUILDDIR/fencepost.pc")
archive=fencepost-$version.tar.gz
unset MAKEFLAGS MFLAGS MAKELEVEL CC CXX NM

# run WHAT COMMAND
run() {
	sh -e -c "$2" >"$1.log" 2>&1 || { complain "$1: $2: $(tail -n 20 "$1.log")"; return 1; }
}
# skip WHAT TOOL: whether it is missing.
skip() {
	command -v "$2" >/dev/null && return 1
	echo "not tested: $1: no $2 here"
}
# finds WHAT DIRECTORY: the fencepost that is installed below the directory finds a use after free, with its line.
printf '#include <stdlib.h>\nint main(void)\n{\n\tchar *volatile block = malloc(10);\n\tfree(block);\n\treturn block[3];\n}\n' >app.c
cc -g -w -o app app.c || exit 99
finds() {
	"$2/usr/bin/fencepost" run ./app 2>err
	grep -q '^fencepost: heap-use-after-free of a 10-byte block at app.c:6 in main' err || complain "$1: $(cat err)"
}

for umask in 022 077; do
	run dist "umask $umask && export SOURCE_DATE_EPOCH=1000000000 && make -C '$FP_BUILDDIR' dist" || exit 1
	sha256sum <"$FP_BUILDDIR/$archive" >"sum.$umask"
done
cmp sum.022 sum.077 || complain 'make dist twice makes two archives'
cp "$FP_BUILDDIR/$archive" .

skip RPM rpmbuild || {
	# Built where rpm knows of no other package, and without what a distribution does to packages (it strips and compresses):
	# rpmlint reads the spec file alone.
	if run rpm "$(manual_command RPM 1) --nodeps --define '_topdir $work/rpm'"; then
		mkdir rpm/root && for package in rpm/RPMS/*/*.rpm; do
			rpm2cpio "$package" | (cd rpm/root && cpio -idmu --quiet)
		done
		finds RPM rpm/root
	fi
	skip rpmlint rpmlint || {
		tar -xf "$archive" --wildcards '*/packaging/fencepost.spec'
		rpmlint -c "$top_srcdir/tests/packages/rpmlint.toml" fencepost-*/packaging/fencepost.spec >rpmlint.log 2>&1 ||
			complain "rpmlint: $(cat rpmlint.log)"
	}
}

skip Arch makepkg || skip Arch bsdtar || {
	mkdir arch && cp "$archive" arch && tar -xf "$archive" --strip-components=2 -C arch --wildcards '*/packaging/PKGBUILD'
	# makepkg builds for nobody but plain users, and knows of no other package here.
	chmod 777 arch && chmod 755 "$work"
	user=
	test "$(id -u)" -ne 0 || user='setpriv --reuid=65534 --regid=65534 --clear-groups'
	if run makepkg "cd arch && HOME=$work/arch $user $(manual_command Arch 1) --nodeps"; then
		mkdir arch/root && tar -xf arch/fencepost-*.pkg.tar.* -C arch/root
		finds Arch arch/root
	fi
}

skip 'Meson wrap' meson || {
	mkdir -p meson/subprojects/packagefiles && cp "$archive" meson/subprojects/packagefiles && manual_program pkg-config c >meson/host.c
	manual_program Meson meson >meson/meson.build
	tar -xf "$archive" && cp -r fencepost-*/packaging/meson/* meson/subprojects
	# Fencepost is not installed, then.
	if run wrap "cd meson && meson setup --wrap-mode=forcefallback builddir && meson compile -C builddir"; then
		FENCEPOST_OPTIONS=reporter=$(find "$PWD/meson/builddir/subprojects" -path '*/bin/fencepost') meson/builddir/host 2>err
		grep -q '^fencepost: double-free of a 100-byte block at host.c:14 in main' err || complain "wrap: $(cat err)"
	fi
}
exit $bad
