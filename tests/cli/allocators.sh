# SPDX-License-Identifier: Apache-2.0
#
# Programs linked with a library that has a malloc of its own, as jemalloc and tcmalloc do: malloc is
# ours, what a sample leaves out is the library's, and nobody frees what another one made.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=$FP_BUILDDIR/tests/cli/allocators.work
test -x "$fencepost" || exit 99
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
bad=0

complain() {
	echo "$*"
	bad=1
}

# Every block of it says that it is one; a pointer that is none ends the program.
cat >library.c <<'END'
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
struct header { size_t size; size_t mark; };
static struct header *header_of(void *block)
{
	struct header *header = (struct header *)block - 1;
	if (header->mark != 0x5eed) {
		(void)!write(2, "not mine\n", 9);
		_exit(99);
	}
	return header;
}
static unsigned long made;
unsigned long foreign_made(void) { return made; }
void *foreign_malloc(size_t size)
{
	static __thread char *room, *end;
	size_t bytes = (size + sizeof(struct header) + 15) / 16 * 16;
	if (room == NULL || (size_t)(end - room) < bytes) {
		size_t chunk = bytes > 1 << 20 ? bytes : 1 << 20;
		room = mmap(NULL, chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		end = room + chunk;
	}
	struct header *header = (struct header *)room;
	room += bytes;
	*header = (struct header){size, 0x5eed};
	__atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
	return header + 1;
}
void *malloc(size_t size) { return foreign_malloc(size); }
void *calloc(size_t count, size_t size) { return foreign_malloc(count * size); }
void free(void *block) { if (block != NULL) header_of(block)->mark = 0; }
void *realloc(void *block, size_t size)
{
	void *moved = foreign_malloc(size);
	if (block != NULL) {
		size_t old = header_of(block)->size;
		memcpy(moved, block, old < size ? old : size);
		free(block);
	}
	return moved;
}
void *memalign(size_t align, size_t size) { (void)align; return foreign_malloc(size); }
size_t malloc_usable_size(void *block) { return block == NULL ? 0 : header_of(block)->size; }
/* As tcmalloc has them. */
void *__libc_malloc(size_t size) { return foreign_malloc(size); }
void *__libc_calloc(size_t count, size_t size) { return foreign_malloc(count * size); }
void *__libc_realloc(void *block, size_t size) { return realloc(block, size); }
void *__libc_memalign(size_t align, size_t size) { return memalign(align, size); }
void __libc_free(void *block) { free(block); }
END
cat >program.c <<'END'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void *foreign_malloc(size_t size);
unsigned long foreign_made(void);
int main(int count, char **arguments)
{
	int on_the_stack;
	char *line = NULL;
	for (int i = 1; i < 2000; i++) {
		char *block = malloc(i);
		if (malloc_usable_size(block) < (size_t)i)
			return 1;
		block = realloc(memset(block, 1, i), 2 * i);
		free(block);
		free(calloc(3, i));
		free(foreign_malloc(i));
		free(realloc(foreign_malloc(i), 2 * i));
		if (asprintf(&line, "%d", i) < 0 || malloc_usable_size(foreign_malloc(i)) != (size_t)i)
			return 2;
		free(line);
	}
	if (count > 1)
		free(&on_the_stack);
	printf("%s\n", foreign_made() > 8000 ? "the library's" : "ours");
	return 3;
}
END
if $CC -shared -fPIC -fno-builtin -w -o libforeign.so library.c &&
	$CC -g -fno-builtin -w -o program program.c -L. -lforeign -Wl,-rpath,"$work"; then
	for sample in 1 10 1000; do
		"$fencepost" run --sample=$sample --leak-check=no ./program >out 2>err
		got=$?
		test $got -eq 3 && grep -q '^fencepost: no errors' err || complain "sample=$sample: status $got, $(cat out err)"
	done
	grep -qx "the library's" out || complain "a sample is not the library's: $(cat out err)"
	"$fencepost" run --leak-check=no ./program x >out 2>err
	test $? -eq 3 && grep -q '^fencepost: invalid-free of .* at program.c:25 in main' err ||
		complain "a free of the stack: $(cat out err)"
	grep -q '^fencepost: 1 error' err || complain "a free of the stack: $(cat err)"
else
	complain 'cannot build a library with a malloc'
fi

# The real ones, where they are installed.
cat >real.c <<'END'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	for (int i = 1; i < 2000; i++) {
		char *block = realloc(malloc(i), 2 * i);
		if (malloc_usable_size(block) < (size_t)i)
			return 1;
		free(block);
	}
	return 3;
}
END
for library in jemalloc tcmalloc tcmalloc_minimal mimalloc; do
	$CC -g -fno-builtin -o real.$library real.c -Wl,--no-as-needed -l$library 2>/dev/null || {
		echo "no lib$library to link with: left out"
		continue
	}
	for sample in 1 10; do
		"$fencepost" run --sample=$sample --leak-check=no ./real.$library >out 2>err
		got=$?
		test $got -eq 3 && grep -q '^fencepost: no errors' err ||
			complain "$library, sample=$sample: status $got, $(cat out err)"
		grep -qx "fencepost: ${library%_minimal}'s other functions (.*) in ./real.$library are custom allocators; their blocks are not tracked" err ||
			complain "$library: $(cat err)"
	done
done
# ---- A library's own operators: they allocate, and nobody mixes them with others. The forms that it has none of
# end in those that it has.
cat >collector.cc <<'END'
#include <cstddef>
#include <cstdio>
#include <new>
static char room[1 << 20];
static size_t used;
int live;
void *operator new(size_t size)
{
	live++;
	void *block = room + used;
	used += (size + 15) & ~size_t(15);
	return block;
}
void operator delete(void *block) noexcept
{
	if (block < room || block >= room + sizeof(room))
		puts("not of this library");
	live--;
}
END
cat >collected.cc <<'END'
#include <cstdio>
#include <new>
#include <string>
#include <vector>
extern int live;
struct node { node *next; ~node() { delete next; } };
int main()
{
	int before = live;
	node *list = new node{new node{nullptr}};
	std::vector<std::string> names(20, std::string(100, 'x'));
	int *many = new int[10];
	int *maybe = new (std::nothrow) int;
	printf("%d blocks\n", live - before);
	delete maybe;
	delete[] many;
	names = std::vector<std::string>();
	delete list;
	printf("%d are left\n", live - before);
	return 0;
}
END
if ${CXX:-c++} -g -O0 -w -shared -fPIC -o libcollector.so collector.cc &&
	${CXX:-c++} -g -O0 -w -o collected collected.cc ./libcollector.so; then
	./collected >expected
	for backend in auto mprotect; do
		"$fencepost" run --backend=$backend ./collected >out 2>err
		test $? -eq 0 && cmp -s out expected && grep -qx 'fencepost: no errors, no leaks; exited 0' err ||
			{ echo "operators of a library: $(cat out err)"; bad=1; }
	done
fi

# A malloc and a free that the program, or its library, makes of the C library's other names, and nothing else: what
# the other functions make goes to that free, too.
cat >parts.c <<'END'
#include <stddef.h>
void *__libc_malloc(size_t);
void __libc_free(void *);
#ifdef MALLOC
void *malloc(size_t size) { return __libc_malloc(size); }
#endif
void free(void *block) { __libc_free(block); }
void part(void) {}
END
cat >mixed.c <<'END'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void part(void);
int main(int argc, char **argv)
{
	void *made[] = {malloc(10), calloc(3, 3), realloc(malloc(10), 100), aligned_alloc(64, 128),
	                memalign(32, 20), valloc(5), reallocarray(NULL, 3, 5), strdup("x")};
	char *line = NULL;
	size_t room = 0;
	FILE *file = fopen(argv[0], "r");
	printf("%d\n", getline(&line, &room, file) > 0);
	fclose(file);
	free(line);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		free(made[i]);
	if (argc > 1)
		free(made[1]); /* plant: twice */
	part();
	return 0;
}
END
twice=$(grep -n 'plant: twice' mixed.c | cut -d: -f1)
for parts in '' -DMALLOC; do
	$CC -g -O0 -w -fno-builtin $parts -o mixed_program mixed.c parts.c &&
		$CC -g -O0 -w -fno-builtin $parts -shared -fPIC -o libparts.so parts.c &&
		$CC -g -O0 -w -fno-builtin -o mixed_library mixed.c ./libparts.so || exit 99
	for program in mixed_program mixed_library; do
		for options in --backend=auto --backend=mprotect --backend=none --budget=25 --sample=2; do
			"$fencepost" run $options ./$program >out 2>err
			test $? -eq 0 && test "$(cat out)" = 1 && grep -q '^fencepost: no errors, no leaks; exited 0' err ||
				complain "$parts $options $program: $(cat out err)"
		done
		"$fencepost" run ./$program twice >out 2>err
		grep -q '^fencepost: double-free of a 9-byte block at ' err && grep -q "main .*mixed.c:$twice\$" err ||
			complain "$parts $program: no double free: $(cat err)"
	done
done

# A malloc of the program's that starts with its lock held, and so calls what we watch: nothing of ours may come back to
# it. Alone, and beside a library that has operators of its own, as libLLVM in rustc.
cat >locked.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static int is_starting;
static char room[1 << 24], *at;
void *malloc(size_t size)
{
	if (is_starting) {
		(void)!write(1, "entered twice\n", 14);
		_exit(99);
	}
	if (at == NULL) {
		is_starting = 1;
		void *pages = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		munmap(pages, 8192);
		at = room + 16;
		is_starting = 0;
	}
	char *block = at;
	memcpy(block - 8, &size, 8);
	at += (size + 31) / 16 * 16;
	return block;
}
void free(void *block) { (void)block; }
void *calloc(size_t count, size_t size) { return malloc(count * size); }
void *realloc(void *block, size_t size)
{
	void *moved = malloc(size);
	if (block != NULL) {
		size_t old;
		memcpy(&old, (char *)block - 8, 8);
		memcpy(moved, block, old < size ? old : size);
	}
	return moved;
}
int main(void)
{
	puts(strdup("ready"));
	return 0;
}
END
cat >early.c <<'END'
#include <stdlib.h>
__attribute__((constructor)) static void begin(void) { free(malloc(20)); }
#ifdef __cplusplus
void *operator new(size_t size) { return malloc(size); }
void operator delete(void *block) noexcept { free(block); }
#endif
END
for language in c c++; do
	$CC -x $language -g -O0 -w -fno-builtin -shared -fPIC -o libearly_$language.so early.c &&
		$CC -x c -g -O0 -w -fno-builtin -o locked_$language locked.c -x none -Wl,--no-as-needed ./libearly_$language.so || exit 99
	timeout -k 5 300 "$fencepost" run ./locked_$language >out 2>err
	test $? -eq 0 && test "$(cat out)" = ready && grep -q '^fencepost: no errors' err || complain "$language: $(cat out err)"
done
exit $bad
