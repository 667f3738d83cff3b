# SPDX-License-Identifier: Apache-2.0
#
# Each mistake of mistakes.cc, with small and large blocks: its finding is of the kind and at the line
# that the source says; of what is right nothing is found, and it ends well. Underflows are met with
# blocks behind their guard, reads of blocks of no bytes with blocks of any size against it.
fencepost=$FP_BUILDDIR/src/cli/fencepost
mistakes=$FP_BUILDDIR/tests/peers/mistakes
source=$top_srcdir/tests/peers/mistakes.cc
work=$FP_BUILDDIR/tests/peers/mistakes.work
test -x "$fencepost" && test -x "$mistakes" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0 count=0
for name in $("$mistakes"); do
	for size in small large; do
		set -- "$mistakes" "$name"
		test $size = small || set -- "$@" large
		way=--placement=right
		case $name in
		underflow_write) way=--placement=left ;;
		*_zero_size) way=--align=1 ;;
		esac
		"$fencepost" run --leak-check=no "$way" -- "$@" >out 2>err
		status=$?
		wanted=$(awk -v name="$name" 'NF > 3 && $(NF - 2) == name && $(NF - 1) != "unseen" { print $(NF - 1) " mistakes.cc:" FNR }' "$source")
		found=$(sed -n 's/ in [a-z_]*.*//; s/^fencepost: \([a-z-]*\).* at \(mistakes\.cc:[0-9]*\)$/\1 \2/p' err)
		test "$found" = "$wanted" || { echo "$name, $size: found '$found', wanted '$wanted'"; bad=1; }
		test -n "$wanted" || test $status -eq 0 || { echo "$name, $size: exit $status: $(cat err)"; bad=1; }
		count=$((count + 1))
	done
done
test $count -ge 70 || { echo "only $count mistakes"; bad=1; }
exit $bad
