/* SPDX-License-Identifier: Apache-2.0
 *
 * A program with LeakSanitizer's annotations, as its own header declares them. It is built
 * twice: with malloc and nothing that has them, and, with HOSTED, on the library's heap.
 * Pointers are forgotten by overwriting the stack that they were on; no function is inlined, so
 * that none stays in a register of its caller.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/lsan_interface.h>

#ifdef HOSTED
#include "victim.h"

static IHostMalloc *heap(void)
{
	static IHostMalloc *made;

	if (made == NULL)
		made = victim_heap();
	return made;
}

/* On the line that asks. */
#define allocate(size)                                                                         \
	({                                                                                     \
		void *made = NULL;                                                             \
		EXPECT(IHostMalloc_Alloc(heap(), size, eTaskCritical, &made) == S_OK);         \
		made;                                                                          \
	})
#else
#pragma weak __lsan_disable
#pragma weak __lsan_enable
#pragma weak __lsan_ignore_object
#pragma weak __lsan_register_root_region
#pragma weak __lsan_unregister_root_region
#pragma weak __lsan_do_leak_check
#pragma weak __lsan_do_recoverable_leak_check

#define allocate(size) malloc(size)
#endif

/* What the program says by itself: WISH in the environment names it. */
static int wishes(const char *wish)
{
	const char *wished = getenv("WISH");

	return wished != NULL && strcmp(wished, wish) == 0;
}

int __lsan_is_turned_off(void)
{
	return wishes("off");
}

const char *__lsan_default_options(void)
{
	return wishes("no-detection") ? "verbosity=1:detect_leaks=0" : "exitcode=0";
}

const char *__lsan_default_suppressions(void)
{
	return wishes("known") ? "# of this program\nleak:lose\n\nleak:nothing_else\n" : "";
}

enum { PARENT = 48, CHILD = 32, LOST = 24, STACK = 16 << 10 };

__attribute__((noinline)) static void forget(void)
{
	volatile char stack[STACK];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0;
}

__attribute__((noinline)) static void lose(void)
{
	*(volatile char *)allocate(LOST) = 1; /* plant: lost */
}

/* A block that only another one points to. */
__attribute__((noinline)) static void **make_family(void)
{
	void **parent = allocate(PARENT); /* plant: parent */

	memset(parent, 0, PARENT);
	parent[1] = allocate(CHILD); /* plant: child */
	return parent;
}

__attribute__((noinline)) static void ignore(void)
{
	__lsan_ignore_object((char *)make_family() + 5);
}

static void *lose_on_thread(void *unused)
{
	lose();
	forget();
	return unused;
}

/* Another thread's blocks are none of the disabled ones. */
__attribute__((noinline)) static void disable(void)
{
	pthread_t thread;

	__lsan_disable();
	__lsan_disable();
	make_family();
	__lsan_enable();
	make_family();
	if (pthread_create(&thread, NULL, lose_on_thread, NULL) == 0)
		pthread_join(thread, NULL);
	__lsan_enable();
	__lsan_enable();
}

__attribute__((noinline)) static void add_root(int is_removed)
{
	void *region = make_family();

	__lsan_register_root_region(region, PARENT);
	__lsan_unregister_root_region(region, PARENT - 1);
	if (is_removed)
		__lsan_unregister_root_region(region, PARENT);
}

static int check(void)
{
	int found;

	forget();
	found = __lsan_do_recoverable_leak_check();
	forget();
	return found;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	__lsan_disable();
	allocate(1);
	__lsan_enable();
	if (strcmp(way, "ignore") == 0)
		ignore();
	else if (strcmp(way, "disable") == 0)
		disable();
	else if (strcmp(way, "root") == 0)
		add_root(0);
	else if (strcmp(way, "root-removed") == 0)
		add_root(1);
	forget();
	if (strcmp(way, "recover") == 0) {
		__lsan_disable();
		make_family();
		__lsan_enable();
		printf("%d ", check());
		lose();
		forget(); /* here, too: check() has a frame where lose() had one */
		printf("%d\n", check());
	}
	if (strcmp(way, "final") == 0) {
		lose();
		forget();
		__lsan_do_leak_check();
		make_family();
		printf("%d\n", check());
	}
	forget();
	return 0;
}
