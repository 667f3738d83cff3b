# SPDX-License-Identifier: Apache-2.0
#
# What README.md shows of its first program is what a run prints, but for numbers that differ from run to
# run: thread ids, addresses and times. "readme.sh print N" prints the block for mistake N.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/readme.work
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
readme=$top_srcdir/README.md
sed -n '/^```c$/,/^```$/p' "$readme" | sed '/^```/d' >app.c
${CC:-cc} -g app.c -o app || exit 99
bad=0

# The directory that it was built in is no part of what a reader sees.
shown() { # shown MISTAKE
	echo "\$ fencepost run ./app $1"
	"$fencepost" run ./app "$1" 2>&1 | sed "s|$work/||"
}

steady() {
	sed -E 's/thread [0-9]+/thread N/; s/0x[0-9a-f]+/ADDRESS/; s/allocated [0-9]+ ms ago/allocated N ms ago/'
}

if test "$1" = print; then
	printf '```\n%s\n```\n' "$(shown "$2")"
	exit
fi
for mistake in 1 2 3; do
	shown $mistake | steady >now
	sed -n "/^\\\$ fencepost run .\/app $mistake\$/,/^\`\`\`\$/p" "$readme" | sed '/^```/d' | steady >then
	diff then now || { echo "README.md shows another report of mistake $mistake: readme.sh print $mistake"; bad=1; }
done
exit $bad
