# SPDX-License-Identifier: Apache-2.0
#
# What the tests of pages share: their programs and their commands, as they stand there. A page is tried section by
# section with page.py; doc/testing.md, whose programs have more tests, by hand.
fencepost=$FP_BUILDDIR/src/cli/fencepost
manual=$top_srcdir/doc/${page:-testing.md}
integrations=$top_srcdir/integrations
test -x "$fencepost" && test -f "$manual" || exit 99
bad=0

complain() {
	echo "$*" | head -n 60
	bad=1
}

# manual_begin NAME: an empty directory, and `fencepost' found as the commands call it.
manual_begin() {
	work=$FP_BUILDDIR/tests/integrations/$1.work
	rm -rf "$work" && mkdir -p "$work/bin" && cd "$work" && ln -s "$fencepost" bin/fencepost || exit 99
	PATH=$work/bin:$PATH
}

# manual_program SECTION LANGUAGE: the program of a section.
manual_program() {
	sed -n "/^## $1\$/,/^## /p" "$manual" | sed -n "/^\`\`\`$2\$/,/^\`\`\`\$/p" | sed '/^```/d'
}

# manual_command SECTION N: its command number N.
manual_command() {
	sed -n "/^## $1\$/,/^## /p" "$manual" | sed -n '/^```/,/^```$/d; s/^    //p' | sed -n "$2p"
}

# try SECTION [TOOL]...: does what a section of the page says, in a directory of its own, if the tools are here. A tool
# with a "/" is a file. $pairs are more paths of the page and those of here.
tried=0
pairs=
try() {
	section=$1
	shift
	for tool in python3 "$@"; do
		case $tool in
		*/*) test -e "$tool" ;;
		*) command -v "$tool" >/dev/null ;;
		esac || { echo "not tested: $section (there is no $tool)"; return; }
	done
	tried=$((tried + 1))
	mkdir "$work/$tried" && cd "$work/$tried" || exit 99
	# shellcheck disable=SC2086
	python3 "$top_srcdir/tests/integrations/page.py" "$manual" "$section" $pairs \
		/usr/share/fencepost/integrations="$integrations" /usr/share/fencepost/fleet="$top_srcdir/contrib/fleet" \
		/usr/bin/fencepost="$fencepost" /usr/lib/fencepost="$FP_BUILDDIR/src/preload/.libs" >differs 2>&1 || complain "$(cat differs)"
	cd "$work" || exit 99
}

# manual_end: the result of the tries.
manual_end() {
	test "$tried" -gt 0 || exit 77
	exit $bad
}
