# SPDX-License-Identifier: Apache-2.0
#
# What the tests of doc/testing.md and other pages share: its programs and its commands, as they stand there.
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
