#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Leaks of real programs as Fencepost and Valgrind tell them, side by side, in blocks. It fails when
# Fencepost calls something definite or indirect that Valgrind does not, unless leaks.md explains it.
# A program that is not installed is left out.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/real/leaks.work
limit=900 # seconds that a program may take under Valgrind
test -x "$fencepost" || { echo "no $fencepost"; exit 99; }
command -v valgrind >/dev/null || { echo 'no valgrind here: apt-get install valgrind'; exit 77; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
export LC_ALL=C TZ=UTC HOME="$work" PYTHONMALLOC=malloc PYTHONHASHSEED=0 PERL_HASH_SEED=0
unset LD_PRELOAD FENCEPOST_OPTIONS
failed=0 ran=0

# Blocks of the four classes, as Valgrind sums them up; nothing is said when all were freed.
valgrind_sums() { # valgrind_sums FILE
	for class in definitely indirectly possibly; do
		sed -n "s/.*$class lost: .* in \([0-9,]*\) blocks.*/\1/p" "$1" | tr -d , | tail -n 1
	done | tr '\n' ' '
	sed -n 's/.*still reachable: .* in \([0-9,]*\) blocks.*/\1/p' "$1" | tr -d , | tail -n 1
}

# The same from a JSON report.
fencepost_sums() { # fencepost_sums FILE
	awk '/"leaks": \[/ { inside = 1 } /^  "failed_allocations"|^  "snapshots"/ { inside = 0 }
		inside && /^      "kind":/ { kind = $2; gsub(/[",]/, "", kind) }
		inside && /^      "blocks":/ { sub(/,/, "", $2); sum[kind] += $2 }
		END { print sum["definite"] + 0, sum["indirect"] + 0, sum["possible"] + 0, sum["reachable"] + 0 }' "$1"
}

compare() { # compare NAME COMMAND ARGUMENTS...
	name=$1
	shift
	command -v "$1" >/dev/null || { echo "$name: no $1 here, left out"; return; }
	timeout "$limit" valgrind --run-libc-freeres=no --run-cxx-freeres=no --leak-check=full --show-leak-kinds=all --log-file="$name.valgrind" "$@" \
		</dev/null >"$name.out.valgrind" 2>&1
	theirs=$(valgrind_sums "$name.valgrind")
	# Valgrind has four more variables in the environment of the program, for which some keep blocks.
	GLIBCPP_FORCE_NEW=1 GLIBCXX_FORCE_NEW=1 FOR_PRELOAD=1 FOR_LIBRARIES=1 timeout "$limit" "$fencepost" run --trace-children=no --quiet --show-reachable=yes --log="$name.report" \
		--json="$name.json" -- "$@" </dev/null >"$name.out" 2>&1
	ours=$(fencepost_sums "$name.json")
	printf '%-9s  Valgrind %5s %5s %5s %5s   Fencepost %5s %5s %5s %5s\n' "$name" \
		${theirs:-- - - -} $ours
	ran=$((ran + 1))
	test -n "$theirs" || theirs='0 0 0 0'
	set -- $ours $theirs
	# What Valgrind calls possible, or hanging from it, is not false when it is definite here.
	if test $(($1 + $2)) -gt $(($5 + $6)) && ! grep -q "^## $name\$" "$top_srcdir/tests/real/leaks.md"; then
		echo "$name: $(($1 + $2)) blocks definite or indirect, not $(($5 + $6)); leaks.md does not explain it"
		failed=$((failed + 1))
	fi
}

printf '%-9s  %-8s %5s %5s %5s %5s   %-9s %5s %5s %5s %5s\n' blocks '' def. ind. poss. reach. '' def. ind. poss. reach.
compare bash bash -c 'declare -A a; for i in {1..500}; do a[$i]=$((i * i)); done; x=${a[*]}; echo ${#x}'
compare python3 /usr/bin/python3 -c 'import json, re; print(len(json.dumps([re.escape(str(i)) for i in range(1000)])))'
compare perl perl -e 'my %h; $h{$_} = [1 .. 3] for 1 .. 1000; print scalar(keys %h), "\n"'
git init -q repository 2>/dev/null && (cd repository && echo a >a && git add a &&
	git -c user.name=n -c user.email=n@example.org commit -qm one) 2>/dev/null
compare git git -C repository log --stat
compare sqlite3 sqlite3 :memory: 'create table t(a, b); with recursive c(x) as (values(1) union all select x + 1 from c where x < 1000) insert into t select x, hex(x) from c; select sum(a) from t group by a % 7'
printf '#include <stdio.h>\nint main(void) { printf("one\\n"); return 0; }\n' >one.c
compare gcc gcc -O1 -c one.c
compare cc1 "$(gcc -print-prog-name=cc1)" -quiet -imultiarch "$(gcc -print-multiarch)" -O1 one.c -o one.s
compare node node -e 'const m = new Map(); for (let i = 0; i < 1e4; i++) m.set("k" + i, { i }); console.log(m.size)'
if command -v mcs >/dev/null; then
	echo 'class P { static void Main() { var l = new System.Collections.Generic.List<int>();
		for (int i = 0; i < 10000; i++) l.Add(i); System.Console.WriteLine(l.Count); } }' >p.cs
	mcs p.cs && compare mono mono p.exe
fi
echo "$ran programs, $failed not explained"
test "$ran" -gt 0 || exit 77
test "$failed" -eq 0
