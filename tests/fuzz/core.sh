# SPDX-License-Identifier: Apache-2.0
#
# Sourced by replay.sh and fuzz.sh: make_core makes a core file of a small program under Fencepost, in
# the working directory, and sets FP_FUZZ_CORE. False where core files are not to be had.
make_core() {
	case $(uname -m):$(cat /proc/sys/kernel/core_pattern) in
	x86_64:core | x86_64:core.%p) ;;
	*) echo 'core files are written elsewhere here, or are of another processor: left out'; return 1 ;;
	esac
	rm -f told core core.* && mkfifo told || return 1
	(
		ulimit -c unlimited
		exec "$FP_BUILDDIR/src/cli/fencepost" run --leak-check=no --log=core.log -- \
			sh -c 'echo $$ >pid; exec "$0" "$@"' "$FP_BUILDDIR/tests/cli/holders_victim" live wait
	) >told &
	read -r block _ <told
	kill -ABRT "$(cat pid)"
	wait $!
	for file in core.[0-9]*; do
		test ! -f "$file" || mv "$file" core
	done
	test -s core || { echo 'the kernel wrote no core file: left out'; return 1; }
	FP_FUZZ_CORE=$PWD/core:$block
	export FP_FUZZ_CORE
}
