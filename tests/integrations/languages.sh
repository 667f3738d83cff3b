# SPDX-License-Identifier: Apache-2.0
#
# The programs and commands of doc/languages.md, as they stand there: what the page says of each is what is said.
page=languages.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS
manual_begin languages
tried=0

# said SECTION: the first report of a section, its first line.
said() {
	sed -n "/^## $1\$/,/^## /p" "$manual" | sed -n '/^```text$/,/^```$/p' | sed -n 2p
}

try() { # try SECTION LANGUAGE FILE
	manual_program "$1" "$2" >"$3"
	if ! sh -c "$(manual_command "$1" 1)" >build.out 2>&1; then
		echo "not tested: $1 ($(tail -n 1 build.out))"
		return
	fi
	tried=$((tried + 1))
	sh -c "$(manual_command "$1" 2)" >out 2>err
	grep -qF -- "$(said "$1")" err || complain "$1: not '$(said "$1")' but: $(grep -v '^goroutine\|^	' err)"
}

# The system's own, which the headers are of.
before=$PATH
PATH=$work/bin:/usr/bin:$PATH
try 'Python extensions' c greet.c
PATH=$before
try Rust rust words.rs
export GOCACHE="$work/cache"
try 'Go and cgo' go sums.go
test "$tried" -gt 0 || exit 77
exit $bad
