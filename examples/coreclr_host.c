/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for .NET Core: runs a managed program in an embedded CoreCLR, whose native heap is an
 * IHostMalloc. Built without the package of the runtime, which is loaded at run time.
 *
 *	coreclr_host RUNTIME-DIRECTORY PROGRAM.dll [ARGS...]
 *
 * CoreCLR takes no allocator, so the host is the process's malloc: what is asked for once the
 *heap is there comes from it. Blocks that are older, or that need more alignment than the heap
 *gives, are the C library's, and Identify tells them apart.
 *
 * Exit status: the program's; 1 when the runtime does not start, 2 for a wrong command line.
 * Fencepost's options: FENCEPOST_OPTIONS.
 */
#define COBJMACROS
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fencepost/extension.h>
#include <fencepost/fencepost.h>

enum { EXIT_RUNTIME = 1, EXIT_USAGE = 2, LIST_BYTES = 64 << 10, HEAP_ALIGN = 16 };

/* ---- malloc, over the heap ------------------------------------------------------------------
 */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *block);

static IFencepostMalloc *_Atomic heap; /* NULL: not there yet */

/* The heap, if BLOCK is a matter of it: a block of its own, or a mistake that it reports. */
static IFencepostMalloc *heap_of(void *block)
{
	IFencepostMalloc *ours = heap;
	EFencepostPointer what = eFencepostForeign;

	if (ours == NULL || IFencepostMalloc_Identify(ours, block, &what) != S_OK ||
	    what == eFencepostForeign)
		return NULL;
	return ours;
}

static void *allocate(size_t size)
{
	void *block = NULL;

	if (IFencepostMalloc_Alloc(heap, size, eTaskCritical, &block) != S_OK)
		errno = ENOMEM;
	return block;
}

void *malloc(size_t size)
{
	return heap == NULL ? __libc_malloc(size) : allocate(size);
}

void *calloc(size_t count, size_t size)
{
	size_t bytes;
	void *block;

	if (heap == NULL)
		return __libc_calloc(count, size);
	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	block = allocate(bytes);
	return block == NULL ? NULL : memset(block, 0, bytes);
}

void free(void *block)
{
	IFencepostMalloc *ours = block == NULL ? NULL : heap_of(block);

	if (ours == NULL)
		__libc_free(block);
	else
		IFencepostMalloc_Free(ours, block);
}

void *realloc(void *block, size_t size)
{
	IFencepostMalloc *ours;
	void *moved = NULL;

	if (block == NULL)
		return malloc(size);
	ours = heap_of(block);
	if (ours == NULL)
		return __libc_realloc(block, size);
	if (size == 0) {
		IFencepostMalloc_Free(ours, block);
		return NULL;
	}
	if (IFencepostMalloc_Realloc(ours, block, size, eTaskCritical, &moved) != S_OK)
		errno = ENOMEM;
	return moved;
}

void *memalign(size_t align, size_t size)
{
	return align <= HEAP_ALIGN ? malloc(size) : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

int posix_memalign(void **block, size_t align, size_t size)
{
	if (align % sizeof(void *) != 0 || (align & (align - 1)) != 0 || align == 0)
		return EINVAL;
	*block = memalign(align, size);
	return *block == NULL ? ENOMEM : 0;
}

/* Whoever asks may use what is told, so it is no more than what was asked for. */
size_t malloc_usable_size(void *block)
{
	static size_t (*_Atomic libc_usable_size)(void *block);
	IFencepostMalloc *ours = block == NULL ? NULL : heap_of(block);
	SIZE_T size = 0;

	if (ours != NULL) {
		IFencepostMalloc_GetSize(ours, block, &size);
		return size;
	}
	if (libc_usable_size == NULL)
		libc_usable_size = (size_t(*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");
	return libc_usable_size(block);
}

/* ---- The runtime
 * -----------------------------------------------------------------------------
 */

typedef int initialize_fn(const char *executable, const char *name, int count,
                          const char **keys, const char **values, void **runtime,
                          unsigned *domain);
typedef int execute_fn(void *runtime, unsigned domain, int count, const char **arguments,
                       const char *assembly, unsigned *status);
typedef int shutdown_fn(void *runtime, unsigned domain);

static struct {
	initialize_fn *initialize;
	execute_fn *execute;
	shutdown_fn *shutdown;
} clr;

__attribute__((noreturn)) static void fail(int status, const char *what, const char *detail)
{
	fprintf(stderr, "coreclr_host: %s%s\n", what, detail);
	exit(status);
}

static void open_heap(void)
{
	IHostMemoryManager *manager;
	IHostMalloc *made;
	void *extended = NULL;

	/* Reports are to name who called these. */
	if (fp_create_memory_manager("alloc_fn=allocate,malloc,calloc,realloc", &manager) !=
	            S_OK ||
	    IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &made) != S_OK ||
	    IHostMalloc_QueryInterface(made, &IID_IFencepostMalloc, &extended) != S_OK)
		fail(EXIT_RUNTIME, "no heap from Fencepost", "");
	heap = extended;
}

static void *find(void *library, const char *name)
{
	void *function = dlsym(library, name);

	if (function == NULL)
		fail(EXIT_RUNTIME, "this is no CoreCLR: ", dlerror());
	return function;
}

static void load(const char *directory)
{
	char path[PATH_MAX];
	void *library;

	snprintf(path, sizeof(path), "%s/libcoreclr.so", directory);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		fail(EXIT_RUNTIME, "cannot load the runtime: ", dlerror());
	clr.initialize = (initialize_fn *)find(library, "coreclr_initialize");
	clr.execute = (execute_fn *)find(library, "coreclr_execute_assembly");
	clr.shutdown = (shutdown_fn *)find(library, "coreclr_shutdown");
}

static int is_assembly(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 4 && strcmp(entry->d_name + length - 4, ".dll") == 0;
}

/* The assemblies that the program may use, as a list of paths. */
static void list_assemblies(const char *directory, char list[LIST_BYTES])
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_assembly, alphasort);
	size_t used = 0;

	if (count < 0)
		fail(EXIT_USAGE, "cannot read the runtime's directory: ", strerror(errno));
	for (int i = 0; i < count; i++) {
		if (used < LIST_BYTES)
			used += (size_t)snprintf(list + used, LIST_BYTES - used,
			                         "%s/%s:", directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (used >= LIST_BYTES)
		fail(EXIT_USAGE, "the paths of the runtime's assemblies are too long", "");
}

static int run(const char *directory, const char *program, const char **arguments)
{
	static char assemblies[LIST_BYTES];
	char own[PATH_MAX];
	char *slash = strrchr(strcpy(own, program), '/');
	const char *keys[] = {"TRUSTED_PLATFORM_ASSEMBLIES", "APP_PATHS",
	                      "NATIVE_DLL_SEARCH_DIRECTORIES",
	                      "System.Globalization.Invariant"};
	const char *values[] = {assemblies, own, own, "true"};
	void *runtime;
	unsigned domain, status = EXIT_RUNTIME;
	int count = 0;

	*slash = '\0';
	list_assemblies(directory, assemblies);
	while (arguments[count] != NULL)
		count++;
	if (clr.initialize("/proc/self/exe", "coreclr_host", 4, keys, values, &runtime,
	                   &domain) < 0)
		fail(EXIT_RUNTIME, "the runtime does not start", "");
	if (clr.execute(runtime, domain, count, arguments, program, &status) < 0)
		fail(EXIT_RUNTIME, "the runtime does not run ", program);
	clr.shutdown(runtime, domain);
	return (int)status;
}

int main(int count, char **arguments)
{
	char directory[PATH_MAX], program[PATH_MAX];

	if (count < 3)
		fail(EXIT_USAGE, "usage: coreclr_host RUNTIME-DIRECTORY PROGRAM.dll [ARGS...]",
		     "");
	if (realpath(arguments[1], directory) == NULL ||
	    realpath(arguments[2], program) == NULL)
		fail(EXIT_USAGE, "no such file or directory: ", strerror(errno));
	open_heap();
	load(directory);
	return run(directory, program, (const char **)(uintptr_t)(arguments + 3));
}
