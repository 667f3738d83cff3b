# SPDX-License-Identifier: Apache-2.0
#
# What libfencepost.so shows to the world is its version map, no more and no less; every name of
# the map is declared in a public header; and it needs nothing but libunwind and the C library.
lib=$FP_BUILDDIR/src/hosting/.libs/libfencepost.so
map=$top_srcdir/src/hosting/libfencepost.map
test -f "$lib" && test -f "$map" || { echo "no $lib or no $map"; exit 99; }

bad=0
want=$(sed -n 's/^[[:space:]]*\([A-Za-z_][A-Za-z0-9_]*\);.*$/\1/p' "$map" | sort)
got=$($NM -D --defined-only "$lib" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
test -n "$got" || { echo "$lib exports nothing"; exit 1; }
for name in $want; do
	case $name in
	_exit | _Exit) continue ;; # in place of the C library's, whose headers have them
	esac
	echo "$got" | grep -qx "$name" || { echo "$name: in the map, not exported"; bad=1; }
	grep -qw "$name" "$top_srcdir"/include/fencepost/*.h ||
		{ echo "$name: exported, in no public header"; bad=1; }
done
for name in $got; do
	echo "$want" | grep -qx "$name" || { echo "$name: exported, not in the map"; bad=1; }
done

needed=$(${READELF:-readelf} -d "$lib" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
test -n "$needed" || { echo "readelf found no needed libraries in $lib"; exit 99; }
for name in $needed; do
	case $name in
	libc.so.* | ld-linux* | ld64.so.* | libunwind.so.* | libunwind-*.so.*) ;;
	lib[a-z]*san.so.* | libgcc_s.so.*) ;;
	*) echo "$name: libfencepost.so may not need it"; bad=1 ;;
	esac
done
exit $bad
