# SPDX-License-Identifier: Apache-2.0
#
# The image of packaging/Containerfile, built by buildah with the command of doc/install.md. Registries of images may be out
# of reach: the image that it begins with is one that debootstrap makes (FP_SUITE). It needs root, a mirror and
# minutes: make check-packages.
page=install.md
. "$top_srcdir/tests/integrations/manual.sh"
command -v buildah >/dev/null || { echo "no buildah here: apt-get install buildah"; exit 77; }
work=${FP_BUILDDIR:?}/tests/packages/container.work
suite=${FP_SUITE:-trixie}
rm -rf "$work" && mkdir -p "$work/storage" "$work/context" && cd "$work" || exit 99
. "$top_srcdir/tests/packages/root.sh"

env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$FP_BUILDDIR" dist >dist.log 2>&1 || { tail -n 5 dist.log; exit 1; }
cp "$FP_BUILDDIR"/fencepost-*.tar.gz "$top_srcdir/packaging/Containerfile" context && rm -f context/*-linux-*
root_make "$suite" && umount "$suite/proc" || exit 1
# Nothing of it is left in the machine's own storage; no isolation but a directory's, which is to be had everywhere.
STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
export STORAGE_DRIVER BUILDAH_ISOLATION
image() { buildah --root "$work/storage" --runroot "$work/storage/run" "$@"; }
base=$(image from scratch) && image add -q "$base" "$work/$suite" / >base.log 2>&1 && image commit -q "$base" localhost/base >>base.log 2>&1 ||
	{ echo "buildah does not work here: $(tail -n 3 base.log)"; exit 77; }
command=$(manual_command Containers 1)
test "${command#buildah build}" != "$command" || exit 99
(cd context && eval "image build --build-arg BASE=localhost/base ${command#buildah build}") >build.log 2>&1 || { tail -n 20 build.log; exit 1; }

# The image has no compiler: the program comes from outside, as with podman.
mkdir app && printf '#include <stdlib.h>\nint main(void)\n{\n\tchar *volatile block = malloc(10);\n\tfree(block);\n\treturn block[3];\n}\n' >app/app.c
(cd app && cc -g -w -o app app.c) || exit 99
made=$(image from localhost/fencepost) || exit 1
image inspect --format '{{.OCIv1.Config.Entrypoint}}' "$made" | grep -qx '\[fencepost\]' || complain 'the image does not run fencepost'
image run -v "$work/app:/work" --workingdir /work "$made" -- fencepost run ./app >out 2>&1
grep -q '^fencepost: heap-use-after-free of a 10-byte block at app.c:6 in main' out || complain "$(cat out)"
test $bad -ne 0 || echo "an image of $suite: finds a bug"
exit $bad
