# SPDX-License-Identifier: Apache-2.0
#
# Each thread that a finding names, of the access, of the allocation and of the free, says where it
# was created and by whom, in every format; one that no door saw begin says nothing.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/threads.work
test -x "$fencepost" && test -x "$FP_BUILDDIR/tests/cli/threads_victim" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
cp "$FP_BUILDDIR/tests/cli/threads_victim" "$FP_BUILDDIR/tests/cli/threads_host" . || exit 99
bad=0

complain() {
	echo "$what: $*"
	bad=1
}
at() { # at MARK: "threads_victim.c:12"
	grep -n "/\* $1 \*/" "$top_srcdir/tests/cli/threads_victim.c" | cut -d: -f1 | sed 's/^/threads_victim.c:/'
}
has() { # has FILE PATTERN...: lines that follow each other in that order
	file=$1
	shift
	for pattern; do
		printf '%s\n' "$pattern"
	done >wanted
	awk 'NR == FNR { wanted[++count] = $0; next } at < count && $0 ~ wanted[at + 1] { at++ }
		END { if (at < count) { print wanted[at + 1]; exit 1 } }' wanted "$file" >missing ||
		complain "no '$(cat missing)' in its place in $file: $(cat "$file")"
}
run() {
	what="$*"
	"$fencepost" run --log=text --json=json --xml=xml --sarif=sarif --html=html -- "$@" 2>err
}

for how in posix c11; do
	run ./threads_victim $how
	here=$(at $how)
	has text "^  read by thread [0-9]*" "^  freed by thread" "^  allocated by thread" \
		"^  thread [0-9]* created by thread [0-9]*:" "#0 create  .*$here" "#1 free_block  .*$(at third)" \
		"^  thread [0-9]* created by thread [0-9]*:" "#0 create  .*$here" "#1 main  .*$(at second)" \
		"^  thread [0-9]* created by thread [0-9]*:" "#0 create  .*$here" "#1 main  .*$(at first)"
	test "$(grep -c ' created by ' text)" -eq 3 || complain "not three threads: $(cat text)"
	has xml "<auxwhat>thread [0-9]* created by thread [0-9]*</auxwhat>" '<fn>free_block</fn>'
	grep -q 'thread [0-9]* created by thread [0-9]*' sarif || complain "SARIF lacks them: $(cat sarif)"
	python3 - json "$how" <<'PYTHON' || complain 'JSON lacks them'
import json, os, sys
finding = json.load(open(sys.argv[1]))["findings"][0]
threads = {thread["id"]: thread for thread in finding["threads"]}
block = finding["block"]
reader, freer, maker = finding["thread"]["id"], block["free_thread"], block["alloc_thread"]
assert set(threads) == {reader, freer, maker} and len(threads) == 3, threads.keys()
assert finding["thread"]["name"] == ("worker" if sys.argv[2] == "posix" else "threads_victim"), finding["thread"]
assert threads[reader]["creator"] == freer and threads[freer]["creator"] == threads[maker]["creator"]
assert threads[freer]["creator"] not in threads
names = lambda id: [frame["function"] for frame in threads[id]["created"]]
assert [frame["function"] for frame in finding["thread"]["created"]] == names(reader)
assert names(reader)[:2] == ["create", "free_block"], names(reader)
assert names(freer)[:2] == names(maker)[:2] == ["create", "main"], names(maker)
PYTHON
	# What was read from JSON says it, too.
	"$fencepost" report --log=again json
	has again "^  thread [0-9]* created by thread [0-9]*:" "#1 free_block" '#1 main'
	"$fencepost" report --style=asan --log=asan json
	name='(worker) '
	test $how = posix || name='(threads_victim) '
	has asan "READ of size 1 at .* thread T1" "freed by thread T2 here" "previously allocated by thread T3 here" \
		"^Thread T1 $(echo "$name" | sed 's/[()]/[&]/g')created by T2 here:" " in free_block " \
		"^Thread T2 created by T0 here:" " in main " "^Thread T3 created by T0 here:" " in main "
done

# A host that loads us itself has a pthread_create of its own.
what='the lone host'
FENCEPOST_OPTIONS="log=text:reporter=$fencepost" ./threads_host posix 2>err
has text 'heap-use-after-free' 'read by thread'
grep -q ' created by ' text && complain "who created it: $(cat text)"
run ./threads_host posix
test "$(grep -c ' created by ' text)" -eq 3 || complain "not three threads: $(cat text)"
exit $bad
