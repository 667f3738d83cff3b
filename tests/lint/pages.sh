# SPDX-License-Identifier: Apache-2.0
#
# Each section of README.md and doc/ that has commands is named by a test that runs them, with its page (page.py,
# manual_command), or stands here with the test that does the same by hand.
cd "$top_srcdir" || exit 99
# The part before the first section has no name: "-".
by_hand='
README.md - tests/cli/readme.sh
README.md Install tests/packages/archive.sh
doc/ci.md - tests/integrations/run.sh
doc/ci.md GitHub Actions tests/integrations/action.py
doc/container.md - tests/packages/container.sh
doc/fuzzing.md AFL++ tests/cli/afl.sh
doc/gdb.md - tests/cli/gdb.sh
doc/gdb.md CLion tests/cli/gdb.sh
doc/gdb.md Core files tests/cli/core.sh
doc/hosting.md Mono tests/cli/readme.sh
doc/install.md Debian and Ubuntu tests/packages/debian.sh
doc/install.md From the sources tests/cli/installed.sh
doc/servers.md - tests/cli/leaks.sh
doc/testing.md - tests/integrations/googletest.sh
'
sections=$(
	for page in README.md doc/*.md; do
		awk -v page="$page" '
			FNR == 1 { section = "-" }
			/^```/ { is_fence = !is_fence; is_console = is_fence && /^```console/; next }
			/^## / && !is_fence { section = substr($0, 4) }
			(!is_fence && /^    [^ ]/) || (is_console && /^\$ /) { print page " " section }' "$page"
	done | sort -u
)
test "$(printf '%s\n' "$sections" | wc -l)" -gt 40 || { echo "the pages could not be read: $sections"; exit 99; }
bad=$(
	printf '%s\n' "$sections" | while read -r page section; do
		test=$(printf '%s\n' "$by_hand" | sed -n "s|^$page $section \(tests/.*\)|\1|p")
		if test -n "$test"; then
			test -f "$test" || echo "$page, $section: there is no $test"
			continue
		fi
		case $page in
		doc/testing.md) tests=$(grep -l 'integrations/manual.sh' tests/integrations/*.sh) ;; # what manual.sh has by itself
		*) tests=$(grep -rlF --include='*.sh' "${page##*/}" tests --exclude-dir=lint) ;;
		esac
		# shellcheck disable=SC2086
		grep -qE -- "(try|manual_command|section in|\^## ).*$(printf '%s' "$section" | sed 's/[].[*+?()^$]/\\&/g')" $tests /dev/null ||
			echo "$page: no test runs the commands of \"$section\""
	done
	printf '%s\n' "$by_hand" | sed '/^$/d; s| tests/[^ ]*$||' | while IFS= read -r line; do
		printf '%s\n' "$sections" | grep -qxF -- "$line" || echo "$line: has no commands any more"
	done
)
test -z "$bad" || { echo "$bad"; exit 1; }
