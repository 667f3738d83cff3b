# SPDX-License-Identifier: Apache-2.0
#
# The programs of real.sh. Each row prints what it did, so that there is something to compare.
# $input is a directory of files that all rows share, $source the source tree; the current directory
# is the row's own.

# ---- Input
awk 'BEGIN { srand(1); for (i = 0; i < 40000; i++) print int(rand() * 1e9), "line", i }' \
	>"$input/lines"
cat >"$input/program.cc" <<'END'
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <thread>
#include <vector>
int main()
{
	std::map<std::string, std::shared_ptr<int>> map;
	for (int i = 0; i < 1000; i++)
		map[std::to_string(i)] = std::make_shared<int>(i);
	std::thread thread([] { std::vector<int> numbers(1000, 1); });
	thread.join();
	std::cout << map.size() << std::regex_match("aaab", std::regex("a+b")) << std::endl;
}
END
printf '#include <stdio.h>\nint main(void) { printf("one\\n"); return 0; }\n' >"$input/program.c"

# What a row runs is compiled before, without us.
make_program() { # make_program TIER ROW PROGRAM COMPILER ARGUMENT...: makes $input/PROGRAM
	is_wanted "$1" "$2" && command -v "$4" >/dev/null || return 0
	program=$3 compiler=$4
	shift 4
	"$compiler" -g -O1 -w -pthread -o "$input/$program" "$@"
}
programs=$top_srcdir/tests/real/programs

# ---- Shells and tools
row quick bash bash 'bash -c '\''for i in 1 2 3; do x=$(echo $i | sed s/1/2/); echo $x; done
	declare -A a; for i in {1..500}; do a[$i]=$((i * i)); done; echo ${#a[@]} ${a[77]}
	trap "echo trapped" USR1; kill -USR1 $$; cat <(echo substituted); (exit 5); echo $?'\'
row quick dash dash 'dash -c '\''i=0; while [ $i -lt 30 ]; do i=$((i + 1)); (echo $(echo $i)); done'\'
row quick sort sort 'sort -n --parallel=2 -S 1M "$input/lines" | cksum; uniq -c "$input/lines" | tail -n 1'
row all sort_large sort 'for i in 1 2 3 4 5 6 7 8 9 10; do cat "$input/lines" "$input/lines"; done >large
	sort --parallel=2 large | cksum'
row quick coreutils 'ls find xargs' 'ls -la /usr/bin | cksum; find /etc -maxdepth 1 2>/dev/null | sort | xargs -n 3 echo | tail -n 1
	wc "$input/lines" | tr -s " "; cut -d" " -f1 "$input/lines" | head -n 2; date -d @0; tsort <<END
a b
b c
END'
row quick awk awk 'awk '\''{ n[$1 % 1000]++ } END { for (i in n) s += n[i] * i; print s }'\'' "$input/lines"'
row quick sed_grep 'sed grep' 'sed -n "s/\([0-9]*\) line/\1/p" "$input/lines" | grep -c 9; grep -E "^(1|2)+0?" "$input/lines" | wc -l'
row quick xz 'xz tar' 'tar cf - -C "$input" lines program.c | xz -T2 -1 | xz -d | tar tf -'

# ---- git
cat >"$input/.gitconfig" <<'END'
[user]
	name = Nobody
	email = nobody@example.org
[init]
	defaultBranch = main
END
export GIT_AUTHOR_DATE='2020-01-01 00:00' GIT_COMMITTER_DATE='2020-01-01 00:00'
row quick git git 'git init -q one && cd one && for i in 1 2 3; do cp "$input/lines" l; echo $i >>l; git add l; git commit -qm "commit $i"; done
	cd .. && git clone -q one two && git -C two log --stat && git -C one gc -q && git -C one fsck && git -C two diff HEAD~1'

# ---- Compilers
row quick gcc gcc 'gcc -O1 -o program "$input/program.c" && ./program'
row all g++ g++ 'g++ -g -O1 -pthread -o program "$input/program.cc" && ./program'
row quick make 'make gcc' 'for i in 1 2 3 4; do cp "$input/program.c" p$i.c; done
	printf "all: p1 p2 p3 p4\n\t@echo built\n" >Makefile; make -s -j2 && ./p3'

# ---- Interpreters
row quick perl perl 'perl -e '\''my %h; $h{$_} = [1 .. 3] for 1 .. 2000; print scalar(keys %h), "\n";
	my $s = join ",", map { $_ * 2 } grep { $_ % 3 } 1 .. 500; $s =~ s/(\d)2/<$1>/g; print length $s, "\n"; eval { die "x\n" }; print $@'\'
row quick lua lua5.4 'lua5.4 -e '\''local t = {} for i = 1, 5000 do t[i] = tostring(i) .. "x" end print(#table.concat(t))
	local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) print(co(), co(), pcall(error, "e"))'\'
row quick python3 /usr/bin/python3 '/usr/bin/python3 -c '\''
import json, re, threading
d = {str(i): [i, None, 1.5] for i in range(2000)}
print(len(json.dumps(d)), json.loads(json.dumps(d)) == d, len(re.findall("1+2", json.dumps(d))))
t = [threading.Thread(target=lambda: [str(i) for i in range(500)]) for _ in range(4)]
[x.start() for x in t]; [x.join() for x in t]
class A: pass
a = A(); a.a = a; del a
import gc; print(gc.collect() >= 0)'\'
row all python3_tests /usr/bin/python3 '/usr/bin/python3 -m unittest -q test.test_json test.test_dict test.test_threading 2>&1 | tail -n 1' \
	'crash (SIGABRT) at\|: 1 error, no leaks\|: note: Python' 'one of the tests has Python end by a fatal error of its own'
row quick sqlite3 sqlite3 'sqlite3 db "create table t(a integer primary key, b text); with recursive c(x) as (select 1 union all select x + 1 from c where x < 5000) insert into t select x, hex(x * 7) from c; create index i on t(b); select count(*), sum(a), max(b) from t where b > 5; vacuum; pragma integrity_check"'
row all sqlite3_million sqlite3 'sqlite3 db "create table t(a integer primary key, b text); with recursive c(x) as (select 1 union all select x + 1 from c where x < 1000000) insert into t select x, hex(x * 7) from c; create index i on t(b); select count(*), sum(a), max(b) from t where b > 5"'
row all node node 'node -e '\''const m = new Map(); for (let i = 0; i < 1e5; i++) m.set("k" + i, { i }); console.log(m.size, JSON.stringify([...m].slice(0, 3)));
	Promise.all([1, 2, 3].map(async x => x * 2)).then(console.log); require("zlib").gzip("x".repeat(1e6), (e, b) => console.log(b.length > 0))'\'
row all mono 'mcs mono' 'cat >p.cs <<END
using System; using System.Threading; using System.Collections.Generic;
class P { static void Main() {
	var list = new List<string>(); for (int i = 0; i < 100000; i++) list.Add(i.ToString());
	var threads = new List<Thread>(); int done = 0;
	for (int i = 0; i < 4; i++) { var t = new Thread(() => { for (int j = 0; j < 1000; j++) { var a = new byte[1000]; } Interlocked.Increment(ref done); }); t.Start(); threads.Add(t); }
	threads.ForEach(t => t.Join());
	string s = null; try { Console.WriteLine(s.Length); } catch (NullReferenceException) { Console.WriteLine("caught"); }
	try { throw new InvalidOperationException("x"); } catch (Exception e) { Console.WriteLine(e.Message); }
	GC.Collect(); Console.WriteLine(list.Count + " " + done); } }
END
	mcs p.cs && mono p.exe'

# What the runtime itself does with faults and threads; mistakes under it are in coreclr.sh.
. "$top_srcdir/tests/real/dotnet.sh"
export dotnet
if is_wanted all coreclr && has_dotnet; then
	make_assembly "$programs/coreclr.cs" "$input/coreclr.dll"
	row all coreclr "$dotnet/dotnet" '"$dotnet/dotnet" "$input/coreclr.dll" a b; echo "status $?"'
fi

# ---- Servers, with a client each, both under Fencepost
row all redis 'redis-server redis-benchmark' 'redis-server --port 0 --unixsocket "$PWD/s" --save "" >server.out & 
	until redis-cli -s "$PWD/s" ping 2>/dev/null; do sleep 0.1; done
	redis-benchmark -s "$PWD/s" -n 2000 -c 10 -q -t set,get,lpush,zadd >bench.out; echo "benchmark $?"
	redis-cli -s "$PWD/s" dbsize; redis-cli -s "$PWD/s" shutdown nosave; wait $!; echo "server $?"'
row all nginx 'nginx wrk' 'cat >conf <<END
daemon off; master_process on; worker_processes 2; pid $PWD/pid; error_log $PWD/errors; user root;
events { worker_connections 100; }
http { access_log $PWD/access; client_body_temp_path $PWD/b; proxy_temp_path $PWD/p; fastcgi_temp_path $PWD/f; uwsgi_temp_path $PWD/u; scgi_temp_path $PWD/s;
server { listen 127.0.0.1:18080; location / { root $input; } } }
END
	nginx -c "$PWD/conf" & until test -s pid; do sleep 0.1; done; sleep 0.3
	wrk -t2 -c8 -d2s http://127.0.0.1:18080/program.c >bench.out; echo "wrk $?"; grep -c "Socket errors" bench.out
	kill -QUIT $(cat pid); wait $!; echo "server $?"'
row all openssl openssl 'openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 1 -subj /CN=x 2>/dev/null
	openssl s_server -quiet -accept 18443 -key k -cert c -www >/dev/null 2>&1 & until echo | openssl s_client -connect 127.0.0.1:18443 >/dev/null 2>&1; do sleep 0.1; done
	echo | openssl s_client -connect 127.0.0.1:18443 2>/dev/null | grep -E "^(subject|issuer)"; kill $!; wait $!; echo "server $?"
	openssl dgst -sha256 <"$input/lines"'
row all curl 'curl /usr/bin/python3' '/usr/bin/python3 -m http.server 18081 --bind 127.0.0.1 -d "$input" >/dev/null 2>&1 &
	until curl -s -o /dev/null http://127.0.0.1:18081/; do sleep 0.1; done
	curl -s http://127.0.0.1:18081/lines | cksum; curl -s -o /dev/null -w "%{http_code}\n" http://127.0.0.1:18081/none; kill $!; wait $!; echo "server $?"'
row all gdb 'gdb gcc' 'gcc -g -o program "$input/program.c" && gdb -nx -batch -ex "break main" -ex run -ex "info frame" -ex continue ./program 2>/dev/null | grep -E "^(one|Breakpoint)"' \
	'processes were killed\|not followed to their ends\|not followed to its end' 'it kills the children that it tries ptrace(2) with'

# ---- Heaps beside malloc's
row all jemalloc gcc 'printf "#include <stdlib.h>\nint main(void) { void *p; for (int i = 0; i < 10000; i++) free(malloc(i)); p = mallocx(9, 0); free(p); puts(\"done\"); return 0; }\n" >p.c
	gcc -w -fno-builtin -include stdio.h -include jemalloc/jemalloc.h -o p p.c -ljemalloc && ./p'
row all tcmalloc 'g++' 'g++ -g -O1 -pthread -o program "$input/program.cc" -Wl,--no-as-needed -ltcmalloc && ./program'
row all go_cgo 'go gcc' 'cat >p.go <<END
package main
/*
#include <stdlib.h>
#include <string.h>
static int twice(int n) { char *p = malloc(n); memset(p, 1, n); int r = p[n - 1] * n * 2; free(p); return r; }
*/
import "C"
import ("fmt"; "net"; "sync")
func main() {
	var group sync.WaitGroup; var lock sync.Mutex; sum := 0; kept := [][]byte{}
	for i := 0; i < 8; i++ { group.Add(1); go func() { defer group.Done(); for j := 1; j < 500; j++ {
		n := int(C.twice(C.int(j))); b := make([]byte, 1000); lock.Lock(); sum += n; kept = append(kept, b); lock.Unlock() } }() }
	group.Wait()
	func() { defer func() { fmt.Println("recovered", recover() != nil) }(); var p *int; fmt.Println(*p) }()
	_, err := net.LookupHost("localhost")
	fmt.Println(sum, len(kept), err == nil)
}
END
	GO111MODULE=off GOCACHE=$PWD/cache go build -o p p.go 2>&1 && ./p' \
	'processes were killed\|process was killed\|not followed to' 'the tools of Go end by system calls of their own'

# ---- What a program may do with its stack, its threads and what it loads
make_program quick coroutines coroutines gcc "$programs/coroutines.c"
row quick coroutines "$input/coroutines" '"$input/coroutines"'
make_program quick cancelled cancelled gcc "$programs/cancelled.c"
row quick cancelled "$input/cancelled" '"$input/cancelled"'
make_program quick plugins plugin_host gcc "$programs/plugin_host.c"
for plugin in 1 2 3; do
	make_program quick plugins plugin$plugin.so gcc -shared -fPIC "$programs/plugin.c"
done
row quick plugins "$input/plugin_host" '"$input/plugin_host" "$input"/plugin*.so'
row all torsocks 'torsocks perl sort' 'torsocks sort -n --parallel=2 -S 1M "$input/lines" | cksum
	torsocks perl -e '\''open my $f, "<", "/etc/passwd" or die; my @l = <$f>; close $f; print scalar(@l) > 0, "\n"; system "echo child"'\'
row all php php 'php -v | head -n 1; php -r '\''$a = []; for ($i = 0; $i < 5000; $i++) $a["k$i"] = str_repeat("x", $i % 50);
	echo count($a), " ", strlen(json_encode($a)), " ", preg_match_all("/x+/", implode(",", $a)), "\n";'\'
row all rustc /usr/bin/rustc 'printf "fn main() { println!(\"hello\"); }\n" >p.rs && /usr/bin/rustc -o p p.rs && ./p'
googletest=/usr/src/googletest/googletest
test ! -f "$googletest/test/googletest-death-test-test.cc" ||
	make_program all death_tests death_tests g++ -I"$googletest" -I"$googletest/include" "$googletest/src/gtest-all.cc" \
		"$googletest/src/gtest_main.cc" "$googletest/test/googletest-death-test-test.cc"
row all death_tests "$input/death_tests" '"$input/death_tests" >tests.out; status=$?
	sed -n "s/ ([0-9]* ms.*//; /^\\[ .*\\]/p" tests.out | sort; exit $status' \
	'crash (SIGSEGV) at\|processes were killed\|not followed to' 'its children raise SIGSEGV and SIGKILL'
