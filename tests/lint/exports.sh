# SPDX-License-Identifier: Apache-2.0
#
# What libfencepost.so shows to the world is its version map, no more and no less; every name of
# the map is declared in a public header. What the process under test gets with us is the C library
# and nothing else: any other library would bring its names into the program's scope, where they take
# the place of the program's own (libunwind's _Unwind_* did that to libgcc's), and thread-local
# storage that is allocated inside of malloc. Ours is there from the start, or not at all.
lib=$FP_BUILDDIR/src/hosting/.libs/libfencepost.so
map=$top_srcdir/src/hosting/libfencepost.map
test -f "$lib" && test -f "$map" || { echo "no $lib or no $map"; exit 99; }

bad=0
want=$(sed -n 's/^[[:space:]]*\([A-Za-z_][A-Za-z0-9_]*\);.*$/\1/p' "$map" | sort)
got=$($NM -D --defined-only "$lib" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
test -n "$got" || { echo "$lib exports nothing"; exit 1; }
for name in $want; do
	case $name in
	_exit | _Exit | prctl | syscall) continue ;; # in place of the C library's, whose headers have them
	esac
	echo "$got" | grep -qx "$name" || { echo "$name: in the map, not exported"; bad=1; }
	grep -qw "$name" "$top_srcdir"/include/fencepost/*.h ||
		{ echo "$name: exported, in no public header"; bad=1; }
done
for name in $got; do
	echo "$want" | grep -qx "$name" || { echo "$name: exported, not in the map"; bad=1; }
done

core=$(echo "$FP_BUILDDIR"/src/core/.libs/libfencepost-core-[0-9]*.so)
preload=$FP_BUILDDIR/src/preload/.libs/libfencepost-preload.so
test -f "$preload" && test -f "$core" || { echo "no $preload or no $core"; exit 99; }
readelf=${READELF:-readelf}
for file in "$core" "$lib" "$preload"; do
	needed=$($readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
	test -n "$needed" || { echo "readelf found no needed libraries in $file"; exit 99; }
	for name in $needed; do
		case $name in
		libc.so.* | ld-linux* | ld64.so.*) ;;
		libfencepost-core-*.so) test "$file" != "$core" || bad=1 ;;
		lib[a-z]*san.so.* | libgcc_s.so.*) ;;
		*) echo "$name: $file may not need it"; bad=1 ;;
		esac
	done
	# Other models call __tls_get_addr, which allocates.
	if $readelf -Wr "$file" | grep -E 'R_[A-Z0-9_]+_(DTPMOD|TLSDESC)' >&2; then
		echo "$file: thread-local storage that is found at run time"
		bad=1
	fi
done

# What the door under malloc interposes: its map, no more and no less.
want=$(sed -n 's/^[[:space:]]*\([A-Za-z_][A-Za-z0-9_]*\);.*$/\1/p' "$top_srcdir"/src/preload/*.map | sort)
got=$($NM -D --defined-only "$preload" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
for name in $got; do
	case $name in
	_Zn[wa]* | _Zd[la]*) continue ;; # the map has _Z*: new and delete
	esac
	echo "$want" | grep -qx "$name" || { echo "$name: exported by $preload, not in its map"; bad=1; }
done

# What the core shows are the names of names.h, under a prefix that no program has, for the doors. They
# are all there, and a door needs each of them.
names=$top_srcdir/src/core/names.h
want=$(sed -n 's/^#pragma redefine_extname fp_\([a-z_0-9]*\) __fencepost_\([a-z_0-9]*\)$/\1 \2/p' "$names" |
	awk '$1 == $2 { print "__fencepost_" $1 }' | sort)
test "$(echo "$want" | wc -l)" -eq "$(grep -c '^#pragma' "$names")" || { echo "$names: a name is not fp_NAME __fencepost_NAME"; bad=1; }
got=$($NM -D --defined-only "$core" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
test "$want" = "$got" || { echo "the core exports not what $names names:"; echo "$want" >want.names; echo "$got" | diff want.names -; rm -f want.names; bad=1; }
used=$($NM -D -u "$lib" "$preload" | awk '{ sub(/@.*/, "", $2); print $2 }' | grep '^__fencepost_' | sort -u)
test "$used" = "$got" || { echo "no door needs:"; for name in $got; do echo "$used" | grep -qx "$name" || echo "$name"; done; bad=1; }
exit $bad
