#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The style sheet and the script of the HTML report as C, with the digests by which its
# Content-Security-Policy allows these two and nothing else. Usage: embed.sh DIRECTORY
string() { # string NAME FILE
	echo "const char $1[] ="
	sed 's/\\/\\\\/g; s/"/\\"/g; s/?/\\?/g; s/^/	"/; s/$/\\n"/' "$2"
	echo "	;"
}

# sha256sum writes hexadecimal digits, printf takes octal ones, the policy wants base64.
digest() { # digest NAME FILE
	octal=$(sha256sum <"$2" | awk '
		function digit(at) { return index("0123456789abcdef", substr($1, at, 1)) - 1 }
		{ for (i = 1; i < 64; i += 2) printf "\\%03o", 16 * digit(i) + digit(i + 1) }')
	test ${#octal} -eq 128 || exit 1
	# shellcheck disable=SC2059  # the escapes are the point
	echo "const char $1[] = \"sha256-$(printf "$octal" | base64)\";"
}

cd "$1" || exit 1
echo '/* Made by embed.sh. */'
echo '#include "report/html/assets.h"'
string fp_report_html_style report.css
digest fp_report_html_style_digest report.css
string fp_report_html_script report.js
digest fp_report_html_script_digest report.js
