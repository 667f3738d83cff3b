#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Real programs: seconds of processor time (user and system, the least of the runs, children
# included) without a tool and under each, and the geometric mean of the ratios to native. Processor
# time and not the clock's, because the machine is seldom ours alone. FP_BENCH_RUNS sets the number of
# runs (3), FP_BENCH_TOOLS the tools, FP_BENCH_SCALE (1) how many times as much the programs do: a larger
# one shows what is left of a tool's cost when its start is not what is measured.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/bench/real.work
runs=${FP_BENCH_RUNS:-3}
scale=${FP_BENCH_SCALE:-1}
tools=${FP_BENCH_TOOLS:-native fencepost batch sample1000 valgrind}
test -x "$fencepost" || { echo "no $fencepost"; exit 99; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
export LC_ALL=C
unset LD_PRELOAD FENCEPOST_OPTIONS

cat >program.cc <<'END'
#include <map>
#include <string>
#include <vector>
int main() { std::map<std::string, std::vector<int>> map; map["x"].push_back(1); return 0; }
END
cat >program.lua <<'END'
for _ = 1, tonumber(arg[1]) do
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
local words = {}
for i = 1, 20000 do words[i] = "word " .. i % 3000 end
local counts = {}
for _, word in ipairs(words) do counts[word] = (counts[word] or 0) + 1 end
print(fib(27), counts["word 7"], #table.concat(words))
end
END
cat >program.pl <<'END'
my (%count, $n);
while (<>) { my ($key, $word, $i) = split; $count{substr $key, 0, 3}++; $n++ if /(\d)\1\1/; }
print "$n $_ $count{$_}\n" for (sort keys %count)[0 .. 9];
END
cat >program.py <<'END'
import json, re, sys
d = {str(i): [i, {"k": i * 2}] for i in range(20000)}
for _ in range(3 * int(sys.argv[1])): d = json.loads(json.dumps(d))
print(len(d), len(re.findall("1[0-9]2", json.dumps(d))))
END
cat >program.sh <<'END'
declare -A count
for ((round = 0; round < $1; round++)); do
	while read -r key word i; do ((count[${key:0:2}] += i)); done <lines
	for ((i = 0; i < 20000; i++)); do ((n += i % 7)); done
done
echo ${#count[@]} $n
END
awk 'BEGIN { srand(1); for (i = 0; i < 20000; i++) print int(rand() * 1e9), "line", i }' >lines
echo '{ n[substr($1, 1, 3)] += $3; if ($1 ~ /11+/) m++ } END { for (i in n) s += n[i]; print s, m }' >program.awk
echo "create table t(a integer primary key, b text); with recursive c(x) as (select 1 union all select x + 1 from c where x < $((scale * 100000))) insert into t select x, hex(x * 7) from c; create index i on t(b); select count(*), max(b) from t where b > 5;" >program.sql

repeat() { # repeat N: the name of the input, N times the scale
	for ((i = 0; i < $1 * scale; i++)); do echo lines; done
}

under() { # under TOOL COMMAND...
	local tool=$1
	shift
	case $tool in
	native) "$@" ;;
	fencepost) "$fencepost" run --quiet "$@" ;;
	batch) "$fencepost" run --quiet --seal-batch=64 "$@" ;;
	sample*) "$fencepost" run --quiet --sample="${tool#sample}" "$@" ;;
	budget*) "$fencepost" run --quiet --budget="${tool#budget}" "$@" ;;
	valgrind) valgrind -q --trace-children=yes --leak-check=no --log-file=/dev/null "$@" ;;
	esac
}

measure() { # measure NAME COMMAND...
	local name=$1 tool run TIMEFORMAT='%3U %3S'
	shift
	command -v "$1" >/dev/null || return 0
	# In turn: what else the machine does is shared by all.
	for ((run = 0; run < runs; run++)); do
		for tool in $tools; do
			command -v "${tool/#native/true}" >/dev/null || [[ $tool != valgrind ]] || continue
			{ time under "$tool" "$@" >out 2>err </dev/null; } 2>time ||
				echo "$name under $tool failed: $(tail -n 1 err)" >&2
			awk -v name="$name" -v tool="$tool" '{ print name, tool, $1 + $2 }' time
		done
	done
}

{
	measure sqlite3 sqlite3 :memory: ".read program.sql"
	# shellcheck disable=SC2046  # they are words
	measure perl perl program.pl $(repeat 3)
	measure lua lua5.4 program.lua "$scale"
	measure python /usr/bin/python3 program.py "$scale"
	measure gcc g++ -c -O1 program.cc -o program.o
	measure bash bash program.sh "$scale"
	# shellcheck disable=SC2046
	measure awk awk -f program.awk $(repeat 4)
} >real.csv
awk -v tools="$tools" '
	{
		key = $1 SUBSEP $2
		if (!(key in least) || $3 < least[key])
			least[key] = $3
		if (!($1 in seen)) {
			seen[$1] = 1
			names[++count] = $1
		}
	}
	END {
		n = split(tools, tool, " ")
		line = "| program |"
		rule = "|---|"
		for (i = 1; i <= n; i++) {
			line = line " " tool[i] " |"
			rule = rule "---:|"
		}
		print line
		print rule
		for (p = 1; p <= count; p++) {
			line = "| " names[p] " |"
			for (i = 1; i <= n; i++) {
				key = names[p] SUBSEP tool[i]
				if (!(key in least)) {
					line = line " |"
					continue
				}
				native = least[names[p] SUBSEP "native"]
				ratio = least[key] / native
				line = line sprintf(" %.3f s (%.1f) |", least[key], ratio)
				if (ratio > 0) {
					logs[tool[i]] += log(ratio)
					terms[tool[i]]++
				}
			}
			print line
		}
		line = "| geometric mean |"
		for (i = 1; i <= n; i++)
			line = line (terms[tool[i]] ? sprintf(" %.2f |", exp(logs[tool[i]] / terms[tool[i]])) : " |")
		print line
	}' real.csv | tee "$FP_BUILDDIR/bench-real.md"
