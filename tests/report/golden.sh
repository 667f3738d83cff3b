# SPDX-License-Identifier: Apache-2.0
#
# Each format of each recorded log is what tests/report/golden has. When the change is meant:
# "make update-golden", and look at the difference before it is committed.
render=$FP_BUILDDIR/tests/report/render_golden
golden=$top_srcdir/tests/report/golden
work=$FP_BUILDDIR/tests/report/golden.work
test -x "$render" && test -d "$golden" || exit 99
rm -rf "$work" && mkdir -p "$work" || exit 99
"$render" "$work" || exit 1
test "$(ls "$work" | wc -l)" -ge 12 || { echo "rendered too little: $(ls "$work")"; exit 1; }
diff -ru "$golden" "$work" || { echo 'as it should be? make update-golden'; exit 1; }
