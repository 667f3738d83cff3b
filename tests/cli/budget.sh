# SPDX-License-Identifier: Apache-2.0
#
# --budget=PERCENT: which blocks of which calling context are guarded, and that the ledger says so to the
# block; --seed. A budget of 1 % is used up by the start alone: what is guarded then is what always is.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/budget.work
test -x "$fencepost" || exit 99
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

run() { # run OPTION... -- COMMAND...: into out, err, report.json and status
	rm -f report.json
	"$fencepost" run --json=report.json "$@" >out 2>err
	status=$?
}

# ledger FUNCTION [child]: "ALLOCATIONS GUARDED CONTEXTS" of the contexts whose innermost frame is FUNCTION, in
# the report of the first process, or of its child.
ledger() {
	python3 - "$@" <<'END'
import json, sys
reports = json.load(open("report.json"))
reports = reports if isinstance(reports, list) else [reports]
pids = [report["process"]["pid"] for report in reports]
report = [r for r in reports if (r["process"]["ppid"] in pids) == (len(sys.argv) > 2)][0]
found = [c for c in report["heap"]["contexts"] if c["alloc_stack"] and c["alloc_stack"][0]["function"] == sys.argv[1]]
print(sum(c["allocations"] for c in found), sum(c["guarded"] for c in found), len(found))
END
}

value() { # value EXPRESSION: of the report
	python3 -c 'import json, sys
report = json.load(open("report.json"))
print(eval(sys.argv[1]))' "$1"
}

cat >program.c <<'END'
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#define FUNCTION __attribute__((noinline, noclone, noipa))
static void *volatile kept;
static void *volatile lost;
FUNCTION void *hot(void) { void *block = malloc(48); kept = block; return block; }
FUNCTION void *wrapped(size_t size) { void *block = malloc(size); kept = block; return block; }
FUNCTION void *cold(void) { void *block = malloc(64); kept = block; return block; }
FUNCTION void *damaged(void) { void *block = malloc(30); kept = block; return block; }
FUNCTION void *deep(int depth)
{
	volatile char room[64];
	room[0] = (char)depth;
	void *block = depth == 0 ? wrapped(80) : deep(depth - 1);
	room[1] = room[0];
	return block;
}
FUNCTION static void many(int count) { for (int i = 0; i < count; i++) free(hot()); }
int main(int argc, char **argv)
{
	const char *way = argv[1];
	int count = argc > 2 ? atoi(argv[2]) : 0;
	if (strcmp(way, "ledger") == 0) {
		many(count);
		free(cold());
		for (int i = 0; i < 3; i++)
			free(deep(i));
		for (int i = 0; i < 10; i++)
			free(wrapped(i < 5 ? 100 : 5000));
	} else if (strcmp(way, "depths") == 0) {
		for (int i = 0; i < count; i++)
			free(deep(i));
		char *volatile block = cold();
		block[64] = 1;
	} else if (strcmp(way, "cold") == 0) {
		many(count);
		char *volatile block = cold();
		block[64] = 1;
	} else if (strcmp(way, "suspect") == 0) {
		many(count);
		for (int i = 0; i < 5; i++) {
			char *volatile block = damaged();
			if (i == 0)
				block[30] = 1;
			free(block);
		}
		for (int i = 0; i < count; i++)
			free(damaged());
	} else if (strcmp(way, "fork") == 0) {
		many(count);
		fflush(NULL);
		if (fork() == 0) {
			many(700);
			char *volatile block = cold();
			free(block);
			free(block);
			_exit(0);
		}
		wait(NULL);
		many(11);
	} else if (strcmp(way, "which") == 0) {
		for (int i = 0; i < count; i++) {
			char *block = hot();
			if (((uintptr_t)block + 48) % 4096 == 0 && (uintptr_t)block >> 40 != (uintptr_t)&main >> 40)
				printf("%d ", i);
			free(block);
		}
	} else if (strcmp(way, "leak") == 0) {
		for (int i = 0; i < count; i++)
			lost = malloc(1000);
		lost = NULL;
	}
	return 0;
}
END
${CC:-cc} -g -O1 -fno-omit-frame-pointer -fno-optimize-sibling-calls program.c -o program || exit 99

# Every allocation is in the ledger, by who called, how deep, and the size to a power of two.
run --budget=1 ./program ledger 5000
test $status -eq 0 || complain "ledger: status $status: $(cat err)"
set -- $(ledger hot)
test "$1 $3" = "5000 1" && test "$2" -ge 1 && test "$2" -lt 500 || complain "ledger of hot: $*"
test "$(ledger cold)" = "1 1 1" || complain "ledger of cold: $(ledger cold)"
# Three depths, once each; and two sizes.
set -- $(ledger wrapped)
test "$1 $3" = "13 5" && test "$2" -ge 5 || complain "ledger of wrapped: $*"
test "$(value 'sum(c["allocations"] for c in report["heap"]["contexts"]) - report["protection"]["allocations"]')" = 0 ||
	complain "the ledger is not of all allocations"
test "$(value 'sum(c["guarded"] for c in report["heap"]["contexts"]) - report["protection"]["guarded"]')" = 0 ||
	complain "the ledger is not of all guarded blocks"
test "$(value 'report["protection"]["reasons"]["budget"] - report["protection"]["plain"]')" = 0 ||
	complain "what was not guarded was not for the budget: $(value 'report["protection"]')"
grep -q 'for budget; ' err && grep -q 'calling contexts; --json' err || complain "the text says nothing: $(cat err)"

# Where the budget is overdrawn and contexts are thousands, not all of them are guarded, but every caller is.
run --budget=1 ./program depths 4000
test "$(value '[f["kind"] for f in report["findings"]]')" = "['heap-buffer-overflow']" ||
	complain "a new caller behind 4,000 contexts is not guarded: $(cat err)"
guarded=$(value 'report["protection"]["guarded"]')
test "$guarded" -ge 1000 && test "$guarded" -lt 3500 || complain "of 4,000 contexts $guarded are guarded"

# With room for everything, everything is guarded; and by default, too.
run --budget=1000000 ./program ledger 300
test "$(ledger hot)" = "300 300 1" || complain "a budget without an end: $(ledger hot)"
run ./program ledger 300
test "$(value '"contexts" in report["heap"], report["protection"]["plain"]')" = "(False, 0)" || complain "the default is not strict"

# The first block of a place, however late it comes.
run --budget=1 ./program cold 200000
grep -q 'heap-buffer-overflow of a 64-byte block at program.c:[0-9]* in main' err || complain "cold: $(cat err)"

# A place that made a finding is guarded fully from then on.
run --budget=1 ./program suspect 20000
set -- $(ledger damaged)
test "$1 $3" = "20005 1" && test "$2" -gt 20000 || complain "suspect: $*"
test "$(value 'len(report["findings"])')" = 1 || complain "suspect: $(cat err)"

# A child tells of its own blocks.
run --budget=1 ./program fork 3000
test "$(ledger hot | cut -d' ' -f1) $(ledger hot child | cut -d' ' -f1)" = "3011 700" ||
	complain "fork: $(ledger hot), $(ledger hot child)"
test "$(ledger cold child)" = "1 1 1" || complain "fork, cold: $(ledger cold child)"

# The same seed chooses the same blocks; the report says which one it was.
run --sample=20 --seed=7 ./program which 3000 && mv out first
test "$(value 'report["settings"]["seed"]')" = 7 || complain "the seed is not told"
run --sample=20 --seed=7 ./program which 3000
cmp -s out first || complain "the same seed, other blocks"
test "$(wc -w <first)" -gt 75 && test "$(wc -w <first)" -lt 300 || complain "of 3000 with sample=20: $(wc -w <first)"
run --sample=20 --seed=8 ./program which 3000
cmp -s out first && complain "another seed, the same blocks"
run --sample=20 ./program which 3000 && mv out first
seed=$(value 'report["settings"]["seed"]')
run --sample=20 --seed="$seed" ./program which 3000
cmp -s out first || complain "not repeated with the seed that was told, $seed"

# Any seed does.
run --sample=20 --seed=1 ./program which 3000
test "$(wc -w <out)" -gt 75 && test "$(wc -w <out)" -lt 300 || complain "of 3000 with sample=20 and seed=1: $(wc -w <out)"

# Of blocks that are left to libc no leak is known: what is lost of the guarded ones is, and how many are not
# looked at stands beside it.
run --budget=1 ./program leak 2000
leaked=$(value 'sum(l["blocks"] for l in report["leaks"])')
test "$leaked" -ge 1 && test "$leaked" -le "$(ledger main | cut -d' ' -f2)" || complain "leaks: $leaked, $(ledger main)"
grep -q '; leaks of blocks that libc allocated are not found$' err || complain "nothing is said of other leaks: $(cat err)"

# A run that does little else than allocate is told of the option, while it runs and in the report.
run ./program ledger 2000000
test "$(grep -c '^fencepost: note: more than 95 % of the time .* --budget=25 ' err)" = 2 || complain "nothing is suggested: $(cat err)"
head -n 1 err | grep -q budget=25 || complain "the suggestion does not come first: $(cat err)"
run --budget=25 ./program ledger 2000000
grep -q 'more than 95' err && complain "a budget is suggested to who has one"

# From libc to us and back, between threads, by every function that allocates: nothing is wrong.
cat >mixed.cc <<'END'
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <mutex>
#include <new>
#include <thread>
#include <vector>
static std::mutex lock;
static std::vector<void *> shelf; /* of malloc's family, each with its size in front */
static void fail(const char *what) { std::printf("wrong: %s\n", what); std::_Exit(3); }
static void *fill(void *memory, size_t size)
{
	auto block = static_cast<unsigned char *>(memory);
	std::memcpy(block, &size, sizeof(size));
	std::memset(block + 8, static_cast<int>(size), size - 8);
	return block;
}
static size_t check(void *memory)
{
	auto block = static_cast<unsigned char *>(memory);
	size_t size;
	std::memcpy(&size, block, sizeof(size));
	for (size_t i = 8; i < size; i++)
		if (block[i] != static_cast<unsigned char>(size))
			fail("content");
	if (malloc_usable_size(block) < size)
		fail("usable size");
	return size;
}
static void *make(unsigned at, size_t size)
{
	switch (at % 5) {
	case 0: return std::malloc(size);
	case 1: {
		auto block = static_cast<unsigned char *>(std::calloc(size, 1));
		for (size_t i = 0; i < size; i++)
			if (block[i] != 0)
				fail("zeros");
		return block;
	}
	case 2: {
		void *block = memalign(64 << at % 7, size);
		if (reinterpret_cast<uintptr_t>(block) % (64 << at % 7) != 0)
			fail("alignment");
		return block;
	}
	case 3: {
		void *block;
		return posix_memalign(&block, 256, size) == 0 ? block : nullptr;
	}
	default: return std::realloc(std::malloc(8), size);
	}
}
static void work(unsigned seed)
{
	for (unsigned i = 0; i < 4000; i++) {
		seed = seed * 1664525 + 1013904223;
		size_t size = 8 + (seed >> 8) % (i % 100 == 0 ? 100000 : 600);
		void *block = fill(make(seed >> 16, size), size);
		if (i % 3 == 0) {
			size_t larger = size + seed % 2000;
			block = std::realloc(block, larger);
			check(block);
			fill(block, larger);
		}
		void *other = nullptr;
		{
			std::lock_guard<std::mutex> guard(lock);
			if (shelf.size() < 100)
				shelf.push_back(block);
			else
				std::swap(other = block, shelf[seed % 100]);
		}
		if (other) {
			check(other);
			std::free(other);
		}
		auto words = new std::vector<int>(size);
		auto bytes = new (std::align_val_t(128)) char[64];
		if (reinterpret_cast<uintptr_t>(bytes) % 128 != 0)
			fail("aligned new");
		::operator delete[](bytes, std::align_val_t(128));
		delete words;
	}
}
int main()
{
	std::vector<std::thread> threads;
	for (unsigned i = 0; i < 4; i++)
		threads.emplace_back(work, i + 1);
	for (auto &thread : threads)
		thread.join();
	for (void *block : shelf) {
		check(block);
		std::free(block);
	}
	std::puts("all is well");
}
END
${CXX:-c++} -std=c++17 -g -O1 mixed.cc -o mixed -lpthread || exit 99
for option in --budget=25 --budget=1 --budget=100000 --sample=2 --sample=3 --sample=50; do
	run $option ./mixed
	test $status -eq 0 && test "$(cat out)" = "all is well" && test "$(value 'len(report["findings"]) + len(report["leaks"])')" = 0 ||
		complain "$option: status $status: $(cat out err)"
done
exit $bad
