#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Real programs: seconds of processor time (user and system, the least of the runs, children
# included) without a tool and under each, and the geometric mean of the ratios to native over the first
# seven. Processor time and not the clock's, and in turn, because the machine is seldom ours alone. A second
# table has the peak of resident bytes of the largest process. FP_BENCH_RUNS sets the number of
# runs (3), FP_BENCH_TOOLS the tools, FP_BENCH_SCALE (1) how many times as much the programs do: a larger
# one shows what is left of a tool's cost when its start is not what is measured.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/bench/real.work
runs=${FP_BENCH_RUNS:-3}
scale=${FP_BENCH_SCALE:-1}
tools=${FP_BENCH_TOOLS:-native fencepost budget25 budget100 sample100 sample1000 valgrind heaptrack}
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
cat >program.rb <<'END'
count = Hash.new(0)
(5 * ARGV[0].to_i).times { 20000.times { |i| count["word #{i * 7919 % 3001}"] += i.to_s.length } }
puts count.size, count.values.sum
END
cat >program.js <<'END'
const map = new Map();
for (let round = 0; round < 5 * process.argv[2]; round++)
	for (let i = 0; i < 50000; i++) map.set("k" + i * 7919 % 30011, { i, text: "v".repeat(i % 50) });
console.log(map.size, JSON.stringify([...map]).length);
END
cat >program.redis <<'END'
redis-server --port 0 --unixsocket "$PWD/socket" --save "" >/dev/null &
until redis-cli -s "$PWD/socket" ping >/dev/null 2>&1; do sleep 0.05; done
redis-benchmark -s "$PWD/socket" -n $((20000 * $1)) -r 10000 -c 10 -q -t set,get,lpush,zadd >/dev/null
redis-cli -s "$PWD/socket" shutdown nosave
wait
END
awk 'BEGIN { srand(1); for (i = 0; i < 20000; i++) print int(rand() * 1e9), "line", i }' >lines
echo '{ n[substr($1, 1, 3)] += $3; if ($1 ~ /11+/) m++ } END { for (i in n) s += n[i]; print s, m }' >program.awk
echo "create table t(a integer primary key, b text); with recursive c(x) as (select 1 union all select x + 1 from c where x < $((scale * 100000))) insert into t select x, hex(x * 7) from c; create index i on t(b); select count(*), max(b) from t where b > 5;" >program.sql

repeat() { # repeat N: the name of the input, N times the scale
	for ((i = 0; i < $1 * scale; i++)); do echo lines; done
}

cat >cost.c <<'END'
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t child = argc > 2 ? vfork() : -1;
	if (child == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		return 1;
	FILE *out = fopen(argv[1], "w");
	fprintf(out, "%.3f %ld\n", (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	        (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6, usage.ru_maxrss);
	return fclose(out) != 0 || status != 0;
}
END
"${CC:-cc}" -O1 cost.c -o cost || exit 99

under() { # under TOOL COMMAND...: what it costs into the file cost.out
	local tool=$1
	shift
	case $tool in
	fencepost) set -- "$fencepost" run --quiet "$@" ;;
	batch) set -- "$fencepost" run --quiet --seal-batch=64 "$@" ;;
	sample*) set -- "$fencepost" run --quiet --sample="${tool#sample}" "$@" ;;
	budget*) set -- "$fencepost" run --quiet --budget="${tool#budget}" "$@" ;;
	valgrind) set -- valgrind -q --trace-children=yes --leak-check=no --log-file=/dev/null "$@" ;;
	heaptrack) set -- heaptrack -o heaptrack "$@" ;;
	esac
	./cost cost.out "$@"
}

measure() { # measure NAME COMMAND...; +NAME: not in the mean
	local name=$1 tool run
	shift
	command -v "$1" >/dev/null || return 0
	for ((run = 0; run < runs; run++)); do
		for tool in $tools; do
			[[ $tool != valgrind && $tool != heaptrack ]] || command -v "$tool" >/dev/null || continue
			under "$tool" "$@" >out 2>err </dev/null ||
				echo "$name under $tool failed: $(tail -n 1 err)" >&2
			awk -v name="$name" -v tool="$tool" '{ print name, tool, $1, $2 }' cost.out
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
	measure +python_malloc env PYTHONMALLOC=malloc /usr/bin/python3 program.py "$scale"
	measure +ruby ruby program.rb "$scale"
	measure +node node program.js "$scale"
	command -v redis-server >/dev/null && measure +redis bash program.redis "$scale"
} >real.csv
table() { # table COLUMN UNIT SCALE
	awk -v tools="$tools" -v column="$1" -v unit="$2" -v scale="$3" '
	{
		key = $1 SUBSEP $2
		if (!(key in least) || $column < least[key])
			least[key] = $column
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
			name = names[p]
			sub(/^[+]/, "", name)
			line = "| " name " |"
			for (i = 1; i <= n; i++) {
				key = names[p] SUBSEP tool[i]
				if (!(key in least)) {
					line = line " |"
					continue
				}
				ratio = least[key] / least[names[p] SUBSEP "native"]
				line = line sprintf(" %.3f%s (%.2f) |", least[key] / scale, unit, ratio)
				if (ratio > 0 && name == names[p]) {
					logs[tool[i]] += log(ratio)
					terms[tool[i]]++
				}
			}
			print line
		}
		line = "| geometric mean of the first seven |"
		for (i = 1; i <= n; i++)
			line = line (terms[tool[i]] ? sprintf(" %.2f |", exp(logs[tool[i]] / terms[tool[i]])) : " |")
		print line
	}' real.csv
}

{
	table 3 " s" 1
	echo
	table 4 " MiB" 1024
} | tee "$FP_BUILDDIR/bench-real.md"
