# SPDX-License-Identifier: Apache-2.0
#
# doc/ci.md against the real tools: CTest, Meson, Bazel, cargo, jq. What GitHub and VS Code do with an action or with
# a problem matcher, action.py and matcher.py do here with the files themselves.
page=ci.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS MAKEFLAGS MFLAGS MAKELEVEL ASAN_OPTIONS LSAN_OPTIONS DESTDIR
manual_begin ci

# Bazel is to fetch nothing: its rules for C are its own, those for Java Debian's, and nobody measures coverage.
if command -v bazel >/dev/null && test -d /usr/share/bazel/rules/java; then
	mkdir -p repositories/cc/cc repositories/coverage
	touch repositories/cc/WORKSPACE repositories/cc/BUILD repositories/cc/cc/BUILD repositories/coverage/WORKSPACE
	for rule in cc_binary cc_library cc_test cc_import cc_toolchain cc_toolchain_suite; do
		echo "def $rule(**arguments): native.$rule(**arguments)"
	done >repositories/cc/cc/defs.bzl
	echo 'filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])' >repositories/coverage/BUILD
	cat >bin/bazel <<-END_OF_BAZEL
		#!/bin/sh
		command=\$1
		shift
		exec $(command -v bazel) --batch --output_user_root="$work/bazel" \$command \\
			--override_repository=rules_cc="$work/repositories/cc" --override_repository=remote_coverage_tools="$work/repositories/coverage" \\
			--override_repository=rules_java=/usr/share/bazel/rules/java --override_repository=rules_proto=/usr/share/bazel/rules/proto "\$@"
	END_OF_BAZEL
	chmod +x bin/bazel
	try Bazel bazel
	chmod -R u+w bazel && rm -rf bazel
else
	echo 'not tested: Bazel (Debian: apt-get install bazel-bootstrap bazel-rules-java bazel-rules-proto)'
fi
try "A baseline: what is new since yesterday" gcc
try 'Suppressions: what is known already' gcc
try CTest ctest
try Meson meson ninja
CARGO_HOME=$work/cargo PATH=$work/bin:/usr/bin:$PATH try Cargo /usr/bin/cargo

# ---- GitLab, GitHub, VS Code: a program in a folder of the repository
mkdir -p repository/lib && cd repository || exit 99
cat >lib/app.c <<'END_OF_APP'
#include <stdlib.h>
int main(void)
{
	int *volatile scores = calloc(8, sizeof(int));
	char *volatile lost = malloc(40);
	lost = NULL;
	free(scores);
	return scores[2] + (lost != NULL);
}
END_OF_APP
gcc -g -w lib/app.c -o app || exit 99
block() { # block FILE: what the page has for it
	awk -v name="\`$1\`:" 'index($0, name) { is_on = 1; next } is_on && /^```/ { if (++fences == 2) exit; next } is_on && fences' "$manual"
}

# GitLab: the commands of the page's job.
if command -v jq >/dev/null; then
	block .gitlab-ci.yml | sed -n 's/^    - \(.*\)$/\1/p' | sed "s|/usr/share/fencepost/integrations|$integrations|; s|make check|./app|" >job.sh
	test "$(wc -l <job.sh)" -eq 2 || complain "the job of GitLab has other commands: $(cat job.sh)"
	sh job.sh >job.log 2>&1
	jq -e 'length == 1 and (.[0] | .check_name == "heap-use-after-free" and .severity == "critical" and
		.location == {path: "lib/app.c", lines: {begin: 8}} and (.fingerprint | length > 8) and (.description | length > 8))' \
		gl-code-quality-report.json >/dev/null || complain "GitLab: $(cat job.log gl-code-quality-report.json)"
else
	echo 'not tested: GitLab (there is no jq)'
fi

# VS Code: the task's command and arguments, and what its matcher makes of what they print; the same of GitHub's.
block .vscode/tasks.json >tasks.json
python3 "$top_srcdir/tests/integrations/matcher.py" tasks.json >found 2>errors
diff - found <<'END_OF_FOUND' || complain "VS Code: $(cat errors)"
lib/app.c:8: heap-use-after-free of a 32-byte block at lib/app.c:8 in main
END_OF_FOUND

# GitHub: the steps of action.yml as its runner does them, findings, none, and findings that are to be no failure.
/usr/bin/python3 -c 'import yaml' 2>/dev/null || { cd "$work" && echo 'not tested: action.yml (there is no PyYAML)'; manual_end; }
action() { /usr/bin/python3 "$top_srcdir/tests/integrations/action.py" "$top_srcdir" "$@" >action.out 2>&1; }
cat >wanted <<'END_OF_WANTED'
annotation lib/app.c:8: heap-use-after-free of a 32-byte block at lib/app.c:8 in main
annotation lib/app.c:5: leak of 40 bytes in 1 block at lib/app.c:5 in main
uses github/codeql-action/upload-sarif@v3 sarif_file=fencepost.sarif category=fencepost
status 1
END_OF_WANTED
action run='./app' options='--continue --trace-children=yes'
grep '^annotation\|^uses\|^status' action.out | sed 's/^\(annotation .*\) (.*)$/\1/' | diff wanted - || complain "action.yml: $(cat action.out)"
python3 - <<'END_OF_SARIF' || complain "SARIF of action.yml: $(cat action.out)"
import json
results = json.load(open("fencepost.sarif"))["runs"][0]["results"]
places = [result["locations"][0]["physicalLocation"] for result in results]
assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places] == [("lib/app.c", 8), ("lib/app.c", 5)], places
END_OF_SARIF
action run=true sarif=none.sarif upload=false
test "$(grep '^annotation\|^uses\|^status' action.out)" = 'status 0' && test -s none.sarif || complain "action.yml, nothing found: $(cat action.out)"
action run='./app || echo "status $?"' error-exitcode=0 upload=false
grep -qx 'status 139' action.out && grep -q '^annotation lib/app.c:8: ' action.out && test "$(tail -n 1 action.out)" = 'status 0' ||
	complain "action.yml, error-exitcode=0: $(cat action.out)"
# What the inputs say goes into the shell as data.
action run='echo "$(basename "$PWD")"; printf "%s\n" "two  words"' upload=false
grep -qx repository action.out && grep -qx 'two  words' action.out || complain "action.yml, quotes: $(cat action.out)"
cd "$work" || exit 99
manual_end
