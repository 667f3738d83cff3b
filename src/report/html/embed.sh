#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The shell of the HTML report, with its style sheet and its scripts, as C: what stands before the text
# report, between it and the JSON, and behind that. Its Content-Security-Policy allows this style sheet and
# this script and nothing else. Usage: embed.sh DIRECTORY
cd "$1" || exit 1
scripts='words.js facts.js block.js holders.js items.js list.js flame.js timeline.js page.js'

# What stands on a line of its own is between two newlines, which are part of the element. sha256sum writes
# hexadecimal digits, printf takes octal ones, the policy wants base64.
digest() { # digest FILE...
	octal=$({ echo && cat "$@"; } | sha256sum | awk '
		function digit(at) { return index("0123456789abcdef", substr($1, at, 1)) - 1 }
		{ for (i = 1; i < 64; i += 2) printf "\\%03o", 16 * digit(i) + digit(i + 1) }')
	test ${#octal} -eq 128 || exit 1
	# shellcheck disable=SC2059  # the escapes are the point
	echo "sha256-$(printf "$octal" | base64)"
}

# shellcheck disable=SC2086  # several words
style=$(digest report.css) && script=$(digest $scripts) || exit 1
# shellcheck disable=SC2086
page() {
	sed 1d shell.html | while IFS= read -r line; do
		case $line in
		@STYLE@) cat report.css ;;
		@SCRIPT@) cat $scripts ;;
		*) printf '%s\n' "$line" ;;
		esac
	done | sed "s|@STYLE-DIGEST@|$style|; s|@SCRIPT-DIGEST@|$script|"
}

echo '/* Made by embed.sh. */'
echo '#include "report/html/shell.h"'
echo 'const char *const fp_report_html_shell[FP_REPORT_HTML_PARTS] = {'
page | sed 's/\\/\\\\/g; s/"/\\"/g; s/?/\\?/g; s/^/	"/; s/$/\\n"/; s/^	"@TEXT@.*/	,/; s/^	"@JSON@.*/	,/'
echo '};'
