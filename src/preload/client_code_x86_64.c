/* SPDX-License-Identifier: Apache-2.0
 *
 * A request is nineteen bytes in the midst of a function, which leave all registers as they
 * were:
 *
 *     rol $3, %rdi; rol $13, %rdi; rol $61, %rdi; rol $51, %rdi; xchg %rbx, %rbx
 *
 * and %rax points to what is asked, %rdx has the answer of nobody and takes ours. They are
 * looked for when a module is loaded, before any of its code runs, so nobody is in the midst of
 * them, and become a call. The compiler knows of no call there: it keeps what is below the
 * stack pointer, and every register but %rdx and the flags. A trap in their place would need no
 * code of ours nearby, but takes twenty times as long, and the signal is the program's.
 *
 * A call reaches two gigabytes. Near each module that has requests, or near enough, is a page
 * with a jump to us. What the loader loads later it says by calling an empty function, for
 * debuggers, whose first bytes become a jump to us, too. Where the system does not let code be
 * written nothing changes, and the report says so.
 *
 * Context: alloc.
 */
#include "preload/door.h"
#include "preload/next.h"

#include <cpuid.h>
#include <elf.h>
#include <emmintrin.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/maps.h"
#include "base/messages.h"
#include "base/meta.h"
#include "base/own.h"
#include "base/readable.h"
#include "base/vm.h"
#include "options/options.h"
#include "session/session.h"

enum {
	REQUEST_BYTES = 19,
	CALL_AT = 4, /* in what takes its place */
	CALL_BYTES = 5,
	REACH = INT32_MAX - 4096,
	PAGES_MAX = 64,
	FIRST_MODULES = 128,
	HEADERS_MAX = 64
};

static const uint8_t request[REQUEST_BYTES] = {
        0x48, 0xc1, 0xc7, 0x03, 0x48, 0xc1, 0xc7, 0x0d, 0x48, 0xc1,
        0xc7, 0x3d, 0x48, 0xc1, 0xc7, 0x33, 0x48, 0x87, 0xdb,
};

/* add $-128, %rsp; call; sub $-128, %rsp; a nop of six bytes */
static const uint8_t call[REQUEST_BYTES] = {
        0x48, 0x83, 0xc4, 0x80, 0xe8, 0,    0,    0,    0,    0x48,
        0x83, 0xec, 0x80, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00,
};

/* ---- The way in ----------------------------------------------------------------------------
 *
 * To whoever walks the stack the red zone belongs to the frame here: the caller's frame is as
 * its compiler says. Vector registers are kept on the stack.
 */

void fp_client_enter(void) __attribute__((visibility("hidden")));

/* Of the registers that xsave keeps, with what aligns them. Zero: requests are not answered. */
uint64_t fp_client_state_bytes __attribute__((visibility("hidden")));

/* x87, SSE, AVX and AVX-512. What else there is is not used here. */
#define STATE "0xe7"
enum { STATE_PARTS = 0xe7, LEGACY_BYTES = 512 + 64, STATE_ALIGN = 64 };

__asm__(".text\n"
        ".globl fp_client_enter\n"
        ".type fp_client_enter, @function\n"
        "fp_client_enter:\n"
        ".cfi_startproc\n"
        ".cfi_def_cfa %rsp, 136\n"
        ".cfi_offset %rip, -136\n"
        "endbr64\n"
        "push %rbp\n"
        ".cfi_def_cfa_offset 144\n"
        ".cfi_offset %rbp, -144\n"
        "push %rbx\n"
        ".cfi_def_cfa_offset 152\n"
        ".cfi_offset %rbx, -152\n"
        "mov %rsp, %rbx\n"
        ".cfi_def_cfa_register %rbx\n"
        "push %rax\n"
        "push %rcx\n"
        "push %rsi\n"
        "push %rdi\n"
        "push %r8\n"
        "push %r9\n"
        "push %r10\n"
        "push %r11\n"
        /* A frame record would have the caller's begin behind it, and not behind its red zone.
         */
        "xor %ebp, %ebp\n"
        "mov %rax, %r8\n"
        "mov %rdx, %rsi\n"
        "mov fp_client_state_bytes(%rip), %rcx\n"
        "sub %rcx, %rsp\n"
        "and $-64, %rsp\n"
        /* Of its header xsave writes a part only; and old pointers would hide leaks. */
        "mov %rsp, %rdi\n"
        "shr $3, %rcx\n"
        "xor %eax, %eax\n"
        "rep stosq\n"
        "mov $" STATE ", %eax\n"
        "xor %edx, %edx\n"
        "xsave64 (%rsp)\n"
        "mov %r8, %rdi\n"
        "push %rbx\n"
        "push %rbx\n"
        /* The frame begins 152 bytes behind where the word on the stack points to. */
        ".cfi_remember_state\n"
        ".cfi_escape 0x0f, 6, 0x77, 0, 0x06, 0x23, 0x98, 0x01\n"
        "call fp_client_answer\n"
        ".cfi_restore_state\n"
        "add $16, %rsp\n"
        "mov %rax, %rbp\n"
        "mov $" STATE ", %eax\n"
        "xor %edx, %edx\n"
        "xrstor64 (%rsp)\n"
        "mov %rbp, %rdx\n"
        "lea -64(%rbx), %rsp\n"
        "pop %r11\n"
        "pop %r10\n"
        "pop %r9\n"
        "pop %r8\n"
        "pop %rdi\n"
        "pop %rsi\n"
        "pop %rcx\n"
        "pop %rax\n"
        "pop %rbx\n"
        "pop %rbp\n"
        ".cfi_def_cfa %rsp, 136\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size fp_client_enter, . - fp_client_enter\n");

/* How large they are, of those that the system lets be used; 0 when it does not say. */
static uint64_t find_state_bytes(void)
{
	unsigned eax;
	unsigned ebx;
	unsigned ecx;
	unsigned edx;
	uint64_t bytes = LEGACY_BYTES;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & bit_OSXSAVE) == 0)
		return 0;
	for (unsigned part = 2; part < 8; part++)
		if ((STATE_PARTS >> part & 1) != 0 &&
		    __get_cpuid_count(0xd, part, &eax, &ebx, &ecx, &edx) != 0 && eax > 0 &&
		    ebx + eax > bytes)
			bytes = ebx + eax;
	return bytes + STATE_ALIGN;
}

/* ---- Pages with jumps ----------------------------------------------------------------------
 */

/* A page near a module, or near enough: what requests call, and what the loader does. */
struct page {
	uint8_t enter[16];
	uint8_t loaded[16];
};

static struct page *pages[PAGES_MAX];
static size_t page_count;
static bool is_noted;

static void note_refusal(void)
{
	if (!is_noted)
		fp_session_note(FP_TELL_VALGRIND_H);
	is_noted = true;
}

static bool is_near(uintptr_t from, uintptr_t to)
{
	return (from > to ? from - to : to - from) < REACH;
}

/* The gap below a mapping that is nearest to a module. */
struct gap {
	uintptr_t start; /* of the module */
	uintptr_t end;
	uintptr_t last;
	uintptr_t found;
};

static uintptr_t distance(const struct gap *gap, uintptr_t place)
{
	return place < gap->start ? gap->start - place : place - gap->start;
}

static bool look_below(const struct fp_mapping *mapping, void *user)
{
	struct gap *gap = user;
	uintptr_t place = mapping->start - fp_vm_page_size();
	/* Stacks grow downwards. */
	bool is_room = place >= gap->last && mapping->path[0] != '[';

	gap->last = mapping->end;
	if (is_room && is_near(place, gap->start) && is_near(place, gap->end) &&
	    (gap->found == 0 || distance(gap, place) < distance(gap, gap->found)))
		gap->found = place;
	return true;
}

static void write_jump(uint8_t *place, void (*target)(void))
{
	static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0};

	memcpy(place, jump, sizeof(jump));
	memcpy(place + sizeof(jump), &target, sizeof(target));
}

static void loaded(void);

static struct page *make_page(uintptr_t start, uintptr_t end)
{
	struct gap gap = {.start = start, .end = end, .last = 1 << 16};
	size_t bytes = fp_vm_page_size();
	uintptr_t base;

	if (page_count == PAGES_MAX || fp_maps_each(look_below, &gap) != 0 || gap.found == 0 ||
	    fp_vm_map_near(gap.found, bytes, PROT_READ | PROT_WRITE, &base) != 0)
		return NULL;
	struct page *page = (struct page *)base;
	write_jump(page->enter, fp_client_enter);
	write_jump(page->loaded, loaded);
	if (!is_near(base, start) || !is_near(base, end) ||
	    fp_vm_protect(base, bytes, PROT_READ | PROT_EXEC) != 0) {
		fp_vm_unmap(base, bytes);
		return NULL;
	}
	pages[page_count++] = page;
	return page;
}

/* A page that all of [START, END) reaches; NULL: there is none. */
static struct page *page_near(uintptr_t start, uintptr_t end)
{
	for (size_t i = 0; i < page_count; i++)
		if (is_near((uintptr_t)pages[i], start) && is_near((uintptr_t)pages[i], end))
			return pages[i];
	return make_page(start, end);
}

/* ---- Code ----------------------------------------------------------------------------------
 */

/* The next request in [AT, END), or END. Two bytes of it are rare. */
static const uint8_t *find(const uint8_t *at, const uint8_t *end)
{
	const __m128i first = _mm_set1_epi8((char)request[REQUEST_BYTES - 2]);
	const __m128i second = _mm_set1_epi8((char)request[REQUEST_BYTES - 1]);

	for (; end - at >= 16 + REQUEST_BYTES; at += 16) {
		const uint8_t *tail = at + REQUEST_BYTES - 2;
		__m128i met = _mm_and_si128(
		        _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)tail), first),
		        _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(tail + 1)), second));

		for (int bits = _mm_movemask_epi8(met); bits != 0; bits &= bits - 1) {
			const uint8_t *found = at + __builtin_ctz((unsigned)bits);

			if (memcmp(found, request, REQUEST_BYTES) == 0)
				return found;
		}
	}
	for (; end - at >= REQUEST_BYTES; at++)
		if (memcmp(at, request, REQUEST_BYTES) == 0)
			return at;
	return end;
}

static bool write_code(uintptr_t at, const uint8_t *bytes, size_t count)
{
	uintptr_t start = fp_align_down(at, fp_vm_page_size());
	uintptr_t end = fp_align_up(at + count, fp_vm_page_size());

	if (fp_vm_protect(start, end - start, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
		return false;
	memcpy((void *)at, bytes, count);
	fp_vm_protect(start, end - start, PROT_READ | PROT_EXEC);
	return true;
}

static bool write_call(uintptr_t at, const struct page *page)
{
	uint8_t bytes[REQUEST_BYTES];
	int32_t way = (int32_t)((uintptr_t)page->enter - (at + CALL_AT + CALL_BYTES));

	memcpy(bytes, call, sizeof(bytes));
	memcpy(bytes + CALL_AT + 1, &way, sizeof(way));
	return write_code(at, bytes, sizeof(bytes));
}

static void look_through(uintptr_t start, uintptr_t end)
{
	const uint8_t *at = (const uint8_t *)start;
	const uint8_t *last = (const uint8_t *)end;

	while ((at = find(at, last)) != last) {
		const struct page *page = page_near(start, end);

		if (page == NULL || !write_call((uintptr_t)at, page)) {
			note_refusal();
			return;
		}
		at += REQUEST_BYTES;
	}
}

/* ---- Modules -------------------------------------------------------------------------------
 */

struct segments {
	const ElfW(Phdr) * headers;
	size_t count;
};

/* The program's own, whose first address may be anywhere, from the kernel; of others the file
 * begins where the module does. */
static struct segments segments_of(const struct link_map *module)
{
	const ElfW(Ehdr) *header = (const void *)module->l_addr;

	if (module == _r_debug.r_map)
		return (struct segments){(const void *)getauxval(AT_PHDR), getauxval(AT_PHNUM)};
	if (!fp_is_readable(header, sizeof(*header)) ||
	    memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_phnum > HEADERS_MAX)
		return (struct segments){NULL, 0};
	return (struct segments){(const void *)((uintptr_t)header + header->e_phoff),
	                         header->e_phnum};
}

static void look_at_module(const struct link_map *module)
{
	const struct segments segments = segments_of(module);

	for (size_t i = 0; segments.headers != NULL && i < segments.count; i++) {
		const ElfW(Phdr) *segment = &segments.headers[i];
		uintptr_t start = module->l_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0 &&
		    (segment->p_flags & PF_R) != 0 && !fp_own_is_code(start))
			look_through(start, start + segment->p_filesz);
	}
}

/* Modules that were looked at, in the loader's order. */
struct seen {
	const struct link_map *module;
	uintptr_t base;
	const void *dynamic;
};

static struct seen *seen;
static size_t seen_room;
static size_t seen_count;

static bool is_seen(const struct link_map *module, size_t *from)
{
	for (size_t i = *from; i < seen_count; i++) {
		if (seen[i].module != module || seen[i].base != module->l_addr ||
		    seen[i].dynamic != module->l_ld)
			continue;
		*from = i + 1;
		return true;
	}
	return false;
}

static bool make_room(size_t modules)
{
	size_t wanted = seen_room == 0 ? FIRST_MODULES : 2 * seen_room;

	if (modules < seen_room)
		return true;
	struct seen *bigger = fp_meta_alloc(wanted * sizeof(*bigger));
	if (bigger == NULL)
		return false;
	if (seen != NULL)
		memcpy(bigger, seen, seen_count * sizeof(*seen));
	fp_meta_free(seen, seen_room * sizeof(*seen));
	seen = bigger;
	seen_room = wanted;
	return true;
}

/* Those that are gone leave the row: others may come to stand there. New ones come last. */
static void look_at_modules(void *unused)
{
	size_t from = 0;
	size_t count = 0;

	(void)unused;
	for (const struct link_map *module = _r_debug.r_map; module != NULL && make_room(count);
	     module = module->l_next) {
		/* The C library and its loader ask Valgrind nothing, and are in every program:
		 * a megabyte and a half that nobody needs to read. */
		if (!is_seen(module, &from) &&
		    !(module->l_addr == _r_debug.r_ldbase || fp_preload_is_libc(module)))
			look_at_module(module);
		/* Of those before `from' none is looked at again. */
		seen[count++] = (struct seen){module, module->l_addr, module->l_ld};
		if (from < count)
			from = count;
	}
	seen_count = count;
}

/* The loader's list is whole; it has its lock. */
static void loaded(void)
{
	if (_r_debug.r_state != RT_CONSISTENT || !fp_preload_enter())
		return;
	fp_room_run(look_at_modules, NULL);
	fp_preload_leave();
}

/* Has the loader say what it loads, where the function is what it is known to be: empty, with
 * room behind it. */
static bool follow_loader(void)
{
	static const uint8_t return_at_once[] = {0xc3};
	static const uint8_t checked_return[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xc3};
	uintptr_t at = _r_debug.r_brk;
	uint8_t jump[CALL_BYTES] = {0xe9};

	if (at == 0 || at % 16 != 0 ||
	    (memcmp((void *)at, return_at_once, sizeof(return_at_once)) != 0 &&
	     memcmp((void *)at, checked_return, sizeof(checked_return)) != 0))
		return false;
	const struct page *page = page_near(at, at + sizeof(jump));
	if (page == NULL)
		return false;
	int32_t way = (int32_t)((uintptr_t)page->loaded - (at + sizeof(jump)));
	memcpy(jump + 1, &way, sizeof(way));
	return write_code(at, jump, sizeof(jump));
}

void fp_client_start(void)
{
	if (!fp_session_options()->client_requests || fp_preload.picks)
		return;
	fp_client_state_bytes = find_state_bytes();
	if (fp_client_state_bytes == 0)
		return;
	look_at_modules(NULL);
	if (!follow_loader())
		note_refusal();
}
