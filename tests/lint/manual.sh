# SPDX-License-Identifier: Apache-2.0
#
# The manual says what the tables of the program say: each command has a page with its summary, its
# options and the sections that one looks for; each option stands in fencepost-options(7).
cd "$top_srcdir" || exit 99
bad=0
complain() { echo "$1"; bad=1; }

commands=$(sed -n 's/^        {\.name = "\([a-z]*\)",$/\1/p' src/cli/commands.c)
test "$(echo "$commands" | wc -l)" -gt 5 || { echo "commands.c cannot be read"; exit 99; }
for command in $commands; do
	page=man/fencepost-$command.1
	test "$command" != help || continue
	test -e "$page" || { complain "there is no $page"; continue; }
	grep -q "fencepost..*$command (1)" man/fencepost.1 || complain "man/fencepost.1 does not name $command"
	target=$(sed -n 's/^\.so man1/man/p' "$page")
	test -z "$target" || page=$target
	for section in NAME SYNOPSIS DESCRIPTION OPTIONS EXAMPLES ENVIRONMENT FILES 'EXIT STATUS' BUGS 'SEE ALSO'; do
		grep -qx "\.SH $section" "$page" || complain "$page has no $section"
	done
	# The lines of the table that are the command's.
	row=$(sed -n "/\.name = \"$command\"/,/\.run = /p" src/cli/commands.c)
	summary=$(printf '%s\n' "$row" | sed -n 's/.*\.summary = "\(.*\)",$/\1/p')
	test -n "$target" || test "$command" = leaks || grep -qxF "fencepost-$command \\- $summary" "$page" ||
		complain "$page: NAME is not '$summary'"
	for option in $(printf '%s\n' "$row" | grep -o '{"--[a-z-]*' | tr -d '{"'); do
		grep -q "^\.B.*$(echo "$option" | sed 's/-/\\\\-/g')" "$page" || complain "$page does not explain $option"
	done
done
# The pages that are of no command.
for page in man/fencepost-options.7 man/fencepost-hosting.3; do
	for section in NAME DESCRIPTION EXAMPLES ENVIRONMENT FILES 'EXIT STATUS' BUGS 'SEE ALSO'; do
		grep -qx "\.SH $section" "$page" || complain "$page has no $section"
	done
done
sed -n '/^\.SH EXAMPLES/,/^\.fi/p' man/fencepost-hosting.3 | sed '1,/^\.nf/d; /^\.fi/d; s/\\-/-/g' |
	${CC:-cc} -Iinclude -Wall -Werror -fsyntax-only -x c - || complain "the example of fencepost-hosting(3) does not compile"
table=$(sed -n 's/^FP_OPTION(_*\([a-z_]*\),.*/\1/p' src/options/options.def)
manual=$(sed -n 's/^\.B[IR] \([a-z_]*\)=.*/\1/p' man/fencepost-options.7)
test "$(echo "$table" | sort)" = "$(echo "$manual" | sort)" ||
	complain "fencepost-options(7) has other options than options.def: $(printf '%s\n%s\n' "$table" "$manual" | sort | uniq -u | tr '\n' ' ')"
for page in man/*.[1-9]; do
	grep -q "^	$page" src/cli/local.am || complain "$page is not installed"
	if command -v man >/dev/null && ! grep -q "^\.so " "$page"; then
		warnings=$(MANWIDTH=90 man --warnings -l "$page" 2>&1 >/dev/null)
		test -z "$warnings" || complain "$page: $warnings"
	fi
done
exit $bad
