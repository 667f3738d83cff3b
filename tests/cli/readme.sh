# SPDX-License-Identifier: Apache-2.0
#
# What README.md shows of its first program, and of Mono on Fencepost's heap, is what a run prints, but for
# numbers that differ from run to run: thread ids, addresses and times. "readme.sh print N" prints what mistake N
# has, "readme.sh print mono" what the host of Mono has, "readme.sh print picture" the picture of mistake 2.
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

mono='FENCEPOST_OPTIONS=leak_check=no build/examples/mono_host --plant=foreign-free mono_demo.exe >/dev/null'
shown_of_mono() {
	echo "\$ $mono"
	mcs -debug -out:mono_demo.exe "$top_srcdir/examples/mono_demo.cs"
	sh -c 'echo $$ >pid; exec "$@"' sh env FENCEPOST_OPTIONS="leak_check=no:reporter=$fencepost" \
		"$FP_BUILDDIR/examples/mono_host" --plant=foreign-free mono_demo.exe 2>&1 >/dev/null |
		sed 's|[^ ]*/examples/|examples/|'
	rm -f "/tmp/perf-$(cat pid).map"
}

# doc/report.svg
picture() {
	"$fencepost" run --color=always ./app 2 2>&1 | sed "s|$work/||" |
		"$top_srcdir/doc/picture.py" '$ fencepost run ./app 2'
}

steady() {
	sed -E 's/thread [0-9]+/thread N/; s/0x[0-9a-f]+/ADDRESS/g; s/allocated [0-9]+ ms ago/allocated N ms ago/'
}

# What README.md has of the command that begins with WORDS, up to the next one.
told() { # told WORDS
	awk -v words="\$ $1" 'index($0, "$ ") == 1 || $0 == "```" { is_on = index($0, words) == 1 } is_on' "$readme" |
		sed -e '${/^$/d}'
}

if test "$1" = print; then
	case $2 in
	mono) shown_of_mono ;;
	picture) picture ;;
	*) shown "$2" ;;
	esac
	exit
fi
compare() { # compare NAME WORDS, with what a run prints on standard input
	steady >now
	told "$2" | steady >then
	diff then now || { echo "README.md shows something else: readme.sh print $1"; bad=1; }
}
for mistake in 1 2 3; do
	shown $mistake >printed
	compare $mistake "fencepost run ./app $mistake" <printed
done
picture | "$top_srcdir/doc/picture.py" --text | steady >now
"$top_srcdir/doc/picture.py" --text <"$top_srcdir/doc/report.svg" | steady >then
diff then now || { echo "doc/report.svg shows something else: readme.sh print picture >doc/report.svg"; bad=1; }
if test -x "$FP_BUILDDIR/examples/mono_host" && command -v mcs >/dev/null; then
	shown_of_mono >printed
	compare mono "$mono" <printed
else
	echo 'examples/mono_host was not built, or mcs is missing: what README.md has of it was not looked at'
fi
exit $bad
