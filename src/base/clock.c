/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's coarse clock: no system call, and a few nanoseconds. No finer one is read: that
 * takes the processor's counter, which a thread may be denied (prctl(PR_SET_TSC), seccomp's
 * strict mode), and reading it is a SIGSEGV then. What reads the coarse one stands in a
 * page that the kernel maps into every process, found here without the C library, whose
 * function of that purpose is one that preloaded libraries replace.
 */
#include "base/clock.h"

#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "base/sys.h"

enum { PER_SECOND = 100, NSEC = 10000000 };

typedef int read_function(clockid_t clock, struct timespec *now);

/* The image's dynamic symbols; their names stand right behind them. */
struct symbols {
	uintptr_t bias;
	const ElfW(Sym) * table;
	const char *names;
	size_t names_bytes;
};

static int read_by_call(clockid_t clock, struct timespec *now)
{
	return (int)fp_sys(SYS_clock_gettime, clock, now);
}

static void see_segment(const ElfW(Ehdr) * image, const ElfW(Phdr) * segment,
                        struct symbols *symbols, const ElfW(Dyn) * *dynamic)
{
	if (segment->p_type == PT_LOAD && segment->p_offset == 0)
		symbols->bias = (uintptr_t)image - segment->p_vaddr;
	else if (segment->p_type == PT_DYNAMIC)
		*dynamic = (const void *)((uintptr_t)image + segment->p_offset);
}

static bool find_symbols(const ElfW(Ehdr) * image, struct symbols *symbols)
{
	const ElfW(Phdr) *segments = (const void *)((uintptr_t)image + image->e_phoff);
	const ElfW(Dyn) *entry = NULL;

	*symbols = (struct symbols){0};
	for (size_t i = 0; i < image->e_phnum; i++)
		see_segment(image, &segments[i], symbols, &entry);
	for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag == DT_SYMTAB)
			symbols->table = (const void *)(symbols->bias + entry->d_un.d_ptr);
		else if (entry->d_tag == DT_STRTAB)
			symbols->names = (const void *)(symbols->bias + entry->d_un.d_ptr);
		else if (entry->d_tag == DT_STRSZ)
			symbols->names_bytes = entry->d_un.d_val;
	}
	return symbols->table != NULL && symbols->names != NULL;
}

static bool is_reader(const struct symbols *symbols, const ElfW(Sym) * symbol)
{
	if (symbol->st_shndx == SHN_UNDEF || symbol->st_name >= symbols->names_bytes)
		return false;
	const char *name = symbols->names + symbol->st_name;
	return strcmp(name, "__vdso_clock_gettime") == 0 ||
	       strcmp(name, "__kernel_clock_gettime") == 0;
}

static read_function *find_reader(void)
{
	const ElfW(Ehdr) *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct symbols symbols;

	if (image == NULL || !find_symbols(image, &symbols))
		return read_by_call;
	for (const ElfW(Sym) *symbol = symbols.table;
	     (uintptr_t)(symbol + 1) <= (uintptr_t)symbols.names; symbol++)
		if (is_reader(&symbols, symbol))
			return (read_function *)(symbols.bias + symbol->st_value);
	return read_by_call;
}

static struct timespec read_clock(clockid_t clock)
{
	static read_function *_Atomic reader;
	read_function *read = atomic_load_explicit(&reader, memory_order_relaxed);
	struct timespec now;

	if (read == NULL) {
		read = find_reader();
		atomic_store_explicit(&reader, read, memory_order_relaxed);
	}
	read(clock, &now);
	return now;
}

uint32_t fp_clock_now(void)
{
	const struct timespec now = read_clock(CLOCK_MONOTONIC_COARSE);

	return (uint32_t)((uint64_t)now.tv_sec * PER_SECOND + (uint64_t)now.tv_nsec / NSEC);
}

uint64_t fp_clock_nanoseconds(void)
{
	const struct timespec now = read_clock(CLOCK_MONOTONIC_COARSE);

	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t fp_clock_processor(int clock)
{
	struct timespec now = {0};

	read_by_call(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t fp_clock_calendar(void)
{
	return (uint64_t)read_clock(CLOCK_REALTIME_COARSE).tv_sec;
}
