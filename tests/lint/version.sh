# SPDX-License-Identifier: Apache-2.0
#
# configure.ac, the public header and the newest entry of CHANGELOG.md name the same version.
cd "$top_srcdir" || exit 99
package=$(sed -n 's/^AC_INIT(\[fencepost\], \[\(.*\)\]).*/\1/p' configure.ac)
header=$(sed -n 's/^#define FP_VERSION_STRING "\(.*\)"$/\1/p' include/fencepost/fencepost.h)
changes=$(sed -n 's/^## \[\([0-9][0-9.]*\)\] - .*/\1/p' CHANGELOG.md | head -n 1)
test -n "$package" || { echo "no version found in configure.ac"; exit 99; }
test "$package" = "$header" && test "$package" = "$changes" ||
	{ echo "configure.ac: $package, fencepost.h: $header, CHANGELOG.md: $changes"; exit 1; }
