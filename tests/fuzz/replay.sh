# SPDX-License-Identifier: Apache-2.0
#
# Each fuzz target on its corpus: what was once found stays mended. "make fuzz" looks for more.
work=$FP_BUILDDIR/tests/fuzz/replay.work
mkdir -p "$work" && cd "$work" || exit 99
. "$top_srcdir/tests/fuzz/core.sh"
bad=0

replay_all() { # replay_all INPUT...
	"$replay" "$@" >"$target.log" 2>&1 || { echo "$target died of: $(tail -n 3 "$target.log")"; bad=1; }
}
for corpus in "$top_srcdir"/tests/fuzz/corpus/*; do
	target=$(basename "$corpus")
	replay=$FP_BUILDDIR/tests/fuzz/replay_$target
	test -x "$replay" || { echo "no target for $corpus"; exit 99; }
	# The golden reports are what a reader of JSON should begin with.
	set -- "$corpus"/*
	test "$target" = json && set -- "$@" "$top_srcdir"/tests/report/golden/*.json
	test $# -ge 8 || { echo "$corpus: only $# inputs"; bad=1; }
	case $target in
	core) make_core && replay_all "$@" ;;
	heap)
		for backend in move guard mprotect none; do
			export FP_FUZZ_BACKEND=$backend
			replay_all "$@"
		done
		;;
	*) replay_all "$@" ;;
	esac
done
exit $bad
