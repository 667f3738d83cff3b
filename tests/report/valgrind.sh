# SPDX-License-Identifier: Apache-2.0
#
# The same program under Valgrind and under Fencepost: both write XML by the same rules, with the
# same kinds of errors at the same lines.
rules=$top_srcdir/tests/report/memcheck.rng
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/report/victims/memcheck
work=$FP_BUILDDIR/tests/report/valgrind.work
test -x "$fencepost" && test -x "$victim" || exit 99
for need in xmllint valgrind; do
	command -v $need >/dev/null || { echo "no $need here (Debian: apt-get install valgrind libxml2-utils)"; exit 77; }
done
case $(uname -m) in x86_64) ;; *) echo 'only x86-64 goes on after a bad access'; exit 77 ;; esac
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99

# "KIND LINE" of each error: the line is the first of the victim's own in the first stack.
list() {
	awk -F'[<>]' '
		$2 == "error" { stacks = 0; done = 0; file = "" }
		$2 == "kind" { kind = $3 }
		$2 == "stack" { stacks++ }
		$2 == "file" { file = $3; sub(".*/", "", file) }
		$2 == "line" && stacks == 1 && !done && file == "memcheck.c" { print kind, $3; done = 1 }
	' "$1" | sort
}

valgrind --xml=yes --xml-file=valgrind.xml --leak-check=full --show-leak-kinds=all "$victim" 2>err ||
	{ echo "valgrind cannot run $victim: $(cat err)"; exit 77; }
"$fencepost" run --continue=yes --leak-check=full --log=text --xml=fencepost.xml "$victim" || exit 1
for file in valgrind.xml fencepost.xml; do
	xmllint --noout --nonet --relaxng "$rules" $file || exit 1
	list $file >$file.list
done
test "$(wc -l <valgrind.xml.list)" -eq 8 || { echo 'Valgrind found:'; cat valgrind.xml.list; exit 99; }
diff valgrind.xml.list fencepost.xml.list
