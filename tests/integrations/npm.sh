# SPDX-License-Identifier: Apache-2.0
#
# What doc/ci.md has for GitLab, GitHub and VS Code, in tools that npm has: the job in gitlab-ci-local, the action and the
# workflow in GitHub's own language service, the SARIF in Microsoft's validator with the rules of code scanning, and the task
# in VS Code itself (code-server), which a headless Chromium opens. They are half a gigabyte, kept from run to run beside the
# test's directory, so this is no part of make check: make check-integrations.
page=ci.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS MAKEFLAGS MFLAGS MAKELEVEL ASAN_OPTIONS LSAN_OPTIONS
command -v npm >/dev/null || { echo 'no npm here: apt-get install npm'; exit 77; }
manual_begin npm
tools=$FP_BUILDDIR/tests/integrations/npm.tools
mkdir -p "$tools" || exit 99

# get NAME OPTION... PACKAGE...: into a folder of its own, once.
get() {
	name=$1
	shift
	test ! -e "$tools/$name.done" || return 0
	mkdir -p "$tools/$name"
	npm install --silent --no-save --no-package-lock --no-audit --no-fund --prefix "$tools/$name" "$@" >"$name.log" 2>&1 && : >"$tools/$name.done" && return
	echo "not tested: $name (npm: $(tail -n 1 "$name.log"))"
	return 1
}
# block NAME: what the page has for this file.
block() {
	awk -v name="\`$1\`:" 'index($0, name) { is_on = 1; next } is_on && /^```/ { if (++fences == 2) exit; next } is_on && fences' "$manual"
}
# The Node.js that the tools need.
get node node@24 || exit 77
PATH=$tools/node/node_modules/.bin:$PATH

mkdir -p repository/lib repository/.vscode repository/.github/workflows && cd repository || exit 99
cat >lib/app.c <<'END'
#include <stdlib.h>
int main(void)
{
	int *volatile scores = calloc(8, sizeof(int));
	free(scores);
	return scores[2];
}
END
${CC:-cc} -g -w lib/app.c -o app || exit 99
block .gitlab-ci.yml | sed "s|/usr/share/fencepost/integrations|$integrations|; s|make check|./app|" >.gitlab-ci.yml
block .github/workflows/memory.yml >.github/workflows/memory.yml
block .vscode/tasks.json >.vscode/tasks.json
git init -q . && git remote add origin git@gitlab.com:owner/repository.git && git add . &&
	git -c user.name=test -c user.email=test@localhost commit -qm test || exit 99

# ---- GitLab: the job fails, and leaves its report of code quality all the same.
if command -v jq >/dev/null && get gitlab gitlab-ci-local@4.75.1; then
	tried=$((tried + 1))
	node "$tools/gitlab/node_modules/gitlab-ci-local/dist/index.js" --force-shell-executor memory >../gitlab.out 2>&1 &&
		complain "GitLab: the job passes: $(cat ../gitlab.out)"
	grep -q 'json schema validated' ../gitlab.out || complain "GitLab: $(cat ../gitlab.out)"
	jq -e 'length == 1 and (.[0] | .check_name == "heap-use-after-free" and .location == {path: "lib/app.c", lines: {begin: 6}})' \
		gl-code-quality-report.json >/dev/null || complain "GitLab: $(cat ../gitlab.out gl-code-quality-report.json)"
fi

# ---- GitHub: nothing is said of ours, and something is of a copy that is wrong.
if get github @actions/languageservice@0.3.61; then
	tried=$((tried + 1))
	cat >"$tools/github/validate.mjs" <<'END'
import fs from "node:fs";
import {registerHooks} from "node:module";
registerHooks({load: (url, context, next) => next(url, url.endsWith(".json") ? {...context, importAttributes: {type: "json"}} : context)});
const {validate} = await import("@actions/languageservice");
const {TextDocument} = await import("vscode-languageserver-textdocument");
const [name, file] = process.argv.slice(2);
const text = TextDocument.create("file:///repository/" + name, "yaml", 0, fs.readFileSync(file, "utf8"));
const said = await validate(text);
console.log(said.map((one) => `${name}:${one.range.start.line + 1}: ${one.message}\n`).join("") + "validated");
END
	validate() { node "$tools/github/validate.mjs" "$@" >../github.out 2>&1; }
	for pair in "action.yml $top_srcdir/action.yml shell" ".github/workflows/memory.yml .github/workflows/memory.yml runs-on"; do
		# shellcheck disable=SC2086
		set -- $pair
		validate "$1" "$2" && test "$(cat ../github.out)" = validated || complain "GitHub: $(cat ../github.out)"
		sed "s/$3:/$3-:/" "$2" >../wrong.yml
		validate "$1" ../wrong.yml && grep -q "^$1:.*Unexpected value '$3-'" ../github.out || complain "GitHub: $1 may be anything: $(cat ../github.out)"
	done
fi

# Code scanning: the only thing to warn of is that no page of the tool's is named. The wrapper of npm has a shell read options.
if get sarif @microsoft/sarif-multitool@5.7.0; then
	tried=$((tried + 1))
	sarif() {
		"$tools/sarif/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool" validate "$1" --rule-kind 'Sarif;Ghas' --level 'Error;Warning' \
			--output ../validated.sarif --log ForceOverwrite >../sarif.out 2>&1
		grep -q '^Done. 1 files scanned' ../sarif.out || complain "SARIF: $(cat ../sarif.out)"
		grep ': \(error\|warning\) ' ../sarif.out | grep -v ' warning SARIF2005: '
	}
	fencepost run --source-root=. --sarif=report.sarif ./app 2>/dev/null
	sarif report.sarif && complain "SARIF: $(cat ../sarif.out)"
	sed 's/"startLine": 6/"startLine": -6/' report.sarif >../wrong.sarif
	sarif ../wrong.sarif | grep -q ' error JSON' || complain "SARIF may be anything: $(cat ../sarif.out)"
fi

# ---- VS Code: an extension of the test runs the task, and writes down which problems the editor has then. Its terminal
# takes PATH from the user's shell. The logger is the only module that it cannot do without and that npm has no binary of.
vscode() {
	server=$tools/vscode/node_modules/code-server
	get vscode --ignore-scripts code-server@4.139.1 || return
	test -e "$tools/vscode-server.done" || (cd "$server/lib/vscode" && npm install --silent --omit=dev --ignore-scripts --no-audit --no-fund >"$work/vscode.log" 2>&1) ||
		{ echo "not tested: VS Code (npm: $(tail -n 1 "$work/vscode.log"))"; return; }
	: >"$tools/vscode-server.done"
	tried=$((tried + 1))
	cat >"$server/lib/vscode/node_modules/@vscode/spdlog/index.js" <<'END'
const quiet = new Proxy(function () {}, {get: (_, name) => (name === "then" ? undefined : quiet), apply: () => quiet});
exports.setLevel = exports.setFlushOn = exports.createRotatingLogger = exports.createAsyncRotatingLogger = quiet;
END
	mkdir -p home extensions/test && printf 'PATH="%s":$PATH\nexport PATH\n' "$work/bin" | tee home/.profile >home/.bashrc
	cat >extensions/test/package.json <<'END'
{"name": "test", "publisher": "fencepost", "version": "0.0.1", "engines": {"vscode": "^1.80.0"}, "main": "./extension.js",
 "activationEvents": ["onStartupFinished"], "extensionKind": ["workspace"]}
END
	cat >extensions/test/extension.js <<'END'
const fs = require("fs"), vscode = require("vscode");
exports.activate = async () => {
	const folder = vscode.workspace.workspaceFolders[0].uri.fsPath;
	const problems = () => vscode.languages.getDiagnostics().flatMap(([uri, all]) => all.map((one) =>
		`${vscode.workspace.asRelativePath(uri)}:${one.range.start.line + 1}: ${vscode.DiagnosticSeverity[one.severity]} of ${one.source}: ${one.message}\n`));
	let status;
	const look = () => status !== undefined && problems().length && fs.writeFileSync(folder + "/problems", problems().join("") + `status ${status}\n`);
	vscode.languages.onDidChangeDiagnostics(look);
	vscode.tasks.onDidEndTaskProcess((event) => { status = event.exitCode ?? "unknown"; look(); fs.writeFileSync(folder + "/ended", `status ${status}\n`); });
	const task = (await vscode.tasks.fetchTasks()).find((one) => one.name === "app under Fencepost");
	await vscode.tasks.executeTask(task);
};
END
	HOME=$work/home setsid node "$server/out/node/entry.js" --auth none --bind-addr 127.0.0.1:0 --disable-telemetry --disable-update-check \
		--disable-workspace-trust --extensions-dir "$work/extensions" --user-data-dir "$work/data" >vscode.out 2>&1 &
	started="$started $!"
	await grep -q 'HTTP server listening on' vscode.out
	address=$(sed -n 's|.*HTTP server listening on \(http://[0-9.:]*\).*|\1|p' vscode.out)
	HOME=$work/home setsid "$chromium" --headless --no-sandbox --disable-gpu --no-first-run --remote-debugging-port=0 \
		--user-data-dir="$work/chromium" "$address/?folder=$work/repository" >chromium.out 2>&1 &
	started="$started $!"
	await test -s repository/ended
	await test -s repository/problems
	printf '%s\n' 'lib/app.c:6: Error of fencepost: heap-use-after-free of a 32-byte block at lib/app.c:6 in main' 'status 139' |
		diff - repository/problems || complain "VS Code: $(cat repository/ended; tail -n 20 vscode.out)"
}
started=
end_all() {
	for group in $started; do kill -- "-$group" 2>/dev/null; done
}
trap end_all EXIT
await() { # await COMMAND...: for minutes, because a machine may be busy
	tries=300
	until "$@" 2>/dev/null || test $tries -eq 0; do
		tries=$((tries - 1))
		sleep 1
	done
}
cd "$work" || exit 99
chromium=$(command -v chromium || command -v chromium-browser) || echo 'not tested: VS Code (apt-get install chromium)'
test -z "$chromium" || vscode
test $bad -ne 0 || echo "passed: $tried tools"
manual_end
