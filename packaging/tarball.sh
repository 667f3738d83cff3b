# SPDX-License-Identifier: Apache-2.0
#
# `make tarball': an archive that is unpacked anywhere and works there: bin, lib, include, share. The program finds its
# library beside itself. The libraries that the program needs, but for the C library, are in lib/fencepost, where only the
# program looks for them: the process under test gets ours alone. The same files make the same archive.
# It runs where the C library is at least as new as the one that it is built with: see what it says at the end.
set -e
name=fencepost-${VERSION:?}-linux-${CPU:?}
work=packaging/tarball.work
tree=$work/$name
umask 022
command -v patchelf >/dev/null || { echo "make tarball needs patchelf (Debian and Ubuntu: apt-get install patchelf)" >&2; exit 1; }
rm -rf "$work" && mkdir -p "$tree"
$MAKE -s install DESTDIR="$PWD/$tree" prefix=/ exec_prefix=/ bindir=/bin libdir=/lib includedir=/include datarootdir=/share \
	datadir=/share mandir=/share/man docdir=/share/doc/fencepost >/dev/null
# What belongs to the C library is the system's.
ldd "$tree/bin/fencepost" | awk '$2 == "=>" { print $3 }' | grep -vE '/(libc|libm|libdl|librt|libpthread)\.so' >"$work/libraries" || true
while read -r library; do
	cp -L "$library" "$tree/lib/fencepost/"
	package=$(dpkg -S "$library" "$(realpath "$library")" "/usr$library" 2>/dev/null | head -n 1 | cut -d : -f 1)
	test -z "$package" || cp -L "/usr/share/doc/$package/copyright" "$tree/share/doc/fencepost/COPYING.${library##*/}"
done <"$work/libraries"
# RPATH, not RUNPATH: the libraries find each other by it, too.
patchelf --force-rpath --set-rpath '$ORIGIN/../lib/fencepost' "$tree/bin/fencepost"
strip --strip-debug "$tree/bin/fencepost" "$tree"/lib/*.a "$tree"/lib/*.so.*.* "$tree"/lib/fencepost/*.so*
sed -i 's|^prefix=.*|prefix=${pcfiledir}/../..|;s|^exec_prefix=.*|exec_prefix=${prefix}|;s|^libdir=.*|libdir=${prefix}/lib|;s|^includedir=.*|includedir=${prefix}/include|' \
	"$tree/lib/pkgconfig/fencepost.pc"
(cd "$work" && $TAR "$name") | gzip --best --no-name >"$name.tar.gz"
needs=$(objdump -T "$tree/bin/fencepost" "$tree"/lib/*.so "$tree"/lib/fencepost/*.so* | grep -v ' w ' | grep -oE 'GLIBC_2\.[0-9]+' | sort -uV | tail -n 1)
rm -rf "$work"
echo "$name.tar.gz: needs glibc ${needs#GLIBC_} or newer"
