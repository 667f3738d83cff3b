# SPDX-License-Identifier: Apache-2.0
#
# Fencepost's commands in gdb, on a process that fencepost run --gdb started: what an
# address is, who points there, the blocks, the findings, leaks, and stops at a serial and at each
# finding; and gdb loads them by itself with the library.
fencepost=$FP_BUILDDIR/src/cli/fencepost
victim=$FP_BUILDDIR/tests/cli/holders_victim
library=$FP_BUILDDIR/src/preload/.libs
work=$FP_BUILDDIR/tests/cli/gdb.work
command -v gdb >/dev/null || { echo 'there is no gdb here'; exit 77; }
gdb -nx -batch -ex 'python print(gdb.VERSION)' >/dev/null 2>&1 || { echo 'this gdb has no Python'; exit 77; }
test -x "$fencepost" && test -x "$victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
gdb -nx -batch -ex 'start' --args "$victim" none read >start 2>&1
grep -q 'Temporary breakpoint 1, main' start || { echo "gdb cannot trace here: $(cat start)"; exit 77; }
core=$(ls "$library"/libfencepost-core-*.so | head -n 1)
readelf -S "$(readlink -f "$core")" | grep -q '\.debug_info' || { echo 'the library has no debug information'; exit 77; }
bad=0

complain() {
	echo "$*"
	bad=1
}
says() { # says PATTERN...: gdb did, in that order
	for pattern; do
		printf '%s\n' "$pattern"
	done >wanted
	awk 'NR == FNR { wanted[++count] = $0; next } at < count && $0 ~ wanted[at + 1] { at++ }
		END { if (at < count) { print wanted[at + 1]; exit 1 } }' wanted said >missing ||
		complain "no '$(cat missing)' in its place: $(cat said)"
}
# gdb reads its commands from standard input; a finding's report is the program's
run() { # run OPTION... -- PROGRAM: under gdb
	"$fencepost" run --gdb --leak-check=no --backend=mprotect "$@" <commands >said 2>&1
}

cat >commands <<'END'
set pagination off
set confirm off
set breakpoint pending on
break do_misuse
run
fencepost info (disguised ^ disguise)
fencepost info $sp
fencepost holders (disguised ^ disguise)
fencepost holders list
fencepost blocks
fencepost blocks by site
fencepost break
continue
fencepost findings
kill
quit
END
run -- "$victim" block double
says 'is 0 bytes inside a freed block of 40 bytes at 0x.*, serial 1, heap 1' 'allocated by thread' ' in make at ' \
	'freed by thread' ' in main at ' 'is no block that Fencepost knows' \
	'a freed block of 40 bytes .* is held by:' 'offset 8 in a block of 16 bytes at .*, serial 2, allocated by hold_in_block at' \
	'a block of 16 bytes .* is held by:' '^  list$' \
	'[0-9]* live blocks with [0-9]* bytes of [0-9]* stacks' '16 bytes in  *1 blocks allocated by hold_in_block' \
	'[0-9]* live blocks with [0-9]* bytes of [0-9]* places' '16 bytes in  *1 blocks allocated by hold_in_block' \
	'fencepost_on_finding' 'finding 0: double-free at 0x' ' in do_misuse at ' '^1 finding so far'
grep -q 'Python Exception\|Error occurred' said && complain "an error: $(cat said)"

# A serial is the same in each run: the stop is before the block is there. Leaks are looked for at once.
cat >commands <<'END'
set pagination off
set confirm off
set breakpoint pending on
break main
run
fencepost break 2
continue
backtrace
fencepost leaks
kill
quit
END
run --leak-check=full -- "$victim" block double
says 'Fencepost: allocation 2 is about to be made' ' in hold_in_block ' ' in main ' 'blocks are lost'

# What doc/gdb.md says: VS Code's entry, as its extension gives it to gdb, with paths of here.
cat >entry.py <<'END'
import json, re, sys
doc, library, folder, program = sys.argv[1:]
text = re.search(r"```json\n(.*?)```", open(doc).read(), re.S)[1]
text = text.replace("/usr/lib/fencepost", library).replace("${workspaceFolder}/app", program).replace("${workspaceFolder}", folder)
entry = json.loads(text)["configurations"][0]
def console(text):
    return '-interpreter-exec console "%s"' % text
for command in entry["setupCommands"]:
    print(console(command["text"]))
print("-file-exec-and-symbols", entry["program"])
print("-exec-arguments block double")
for one in entry["environment"]:
    print("-gdb-set env %s=%s" % (one["name"], one["value"]))
print("-gdb-set env FENCEPOST_OPTIONS=leak_check=no")
print("-exec-run")
print(console("fencepost findings"))
print("-gdb-exit")
END
python3 entry.py "$top_srcdir/doc/gdb.md" "$library" "$work" "$victim" >commands || complain 'the entry in doc/gdb.md cannot be read'
gdb -nx -q --interpreter=mi <commands >said 2>&1
says 'stopped,reason="breakpoint-hit".*func="fencepost_on_finding"' 'finding 0: double-free at 0x' '1 finding so far'
for command in info holders blocks findings leaks break gcore; do
	grep -q "^| \`fencepost $command" "$top_srcdir/doc/gdb.md" || complain "doc/gdb.md lacks fencepost $command"
done

# Who would watch gdb itself is told what to write.
"$fencepost" run gdb --args "$victim" none read >said 2>&1
test $? -eq 125 || complain 'gdb itself is watched'
says '^fencepost: run: that would watch the debugger and not the program: write fencepost run --gdb PROGRAM'
echo 'fencepost info 1' >commands
gdb -nx -batch -x "$library/fencepost-gdb.py" -x commands "$victim" >said 2>&1
says 'the program does not run under Fencepost yet'

# What is installed is found by gdb itself.
auto=$work/auto$(dirname "$(readlink -f "$core")")
mkdir -p "$auto" && cp "$library/fencepost-gdb.py" "$auto/$(basename "$(readlink -f "$core")")-gdb.py"
gdb -nx -batch -iex "set auto-load scripts-directory $work/auto" -iex "add-auto-load-safe-path $work/auto" \
	-ex 'set startup-with-shell off' -ex "set environment LD_PRELOAD=$library/libfencepost-preload.so" \
	-ex "set environment FENCEPOST_OPTIONS=reporter=$fencepost" -ex 'break do_misuse' -ex run -ex 'fencepost blocks' \
	--args "$victim" block double >said 2>&1
says 'live blocks with'

exit $bad
