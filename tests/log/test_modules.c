/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of loaded modules, held against what the dynamic linker says of them, and what files
 * that lie about themselves can do to it: nothing.
 */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/align.h"
#include "base/own.h"
#include "base/vm.h"
#include "log/writer.h"
#include "support/events.h"
#include "support/support.h"

static struct fp_log event_log;
static struct test_events events;

struct module {
	uint64_t start;
	uint64_t end;
	uint64_t bias;
	char path[PATH_MAX];
	const unsigned char *build_id;
	uint32_t build_id_bytes;
	bool is_own;
};

static void setup(void)
{
	const struct fp_own_object own = fp_own_read("test_modules", &__ehdr_start);

	fp_own_add(&own);
	fp_log_open(&event_log, false);
}

static void open_copy(void)
{
	int fd = memfd_create("events", MFD_CLOEXEC);

	ck_assert_int_eq(fp_log_copy(&event_log, fd), 0);
	off_t size = lseek(fd, 0, SEEK_END);
	char *bytes = malloc((size_t)size);
	ck_assert_int_eq(pread(fd, bytes, (size_t)size, 0), size);
	test_events_open(&events, bytes, (size_t)size);
	close(fd);
}

static bool next_module(struct module *module)
{
	struct test_event event;

	if (!test_events_find(&events, FP_LOG_MODULE, &event))
		return false;
	module->start = test_event_u64(&event);
	module->end = test_event_u64(&event);
	module->bias = test_event_u64(&event);
	strcpy(module->path, test_event_string(&event));
	module->build_id =
	        (const unsigned char *)test_event_bytes(&event, &module->build_id_bytes);
	module->is_own = test_event_u8(&event);
	test_event_end(&event);
	return true;
}

/* The module whose code ADDRESS is in; it must be one. */
static struct module module_at(uintptr_t address)
{
	struct module module;
	struct module found = {.path = ""};

	open_copy();
	while (next_module(&module))
		if (address >= module.start && address < module.end) {
			ck_assert_str_eq(found.path, "");
			found = module;
		}
	ck_assert_str_ne(found.path, "");
	return found;
}

/* What the dynamic linker knows of the module that ADDRESS is in. */
struct linked {
	uintptr_t address;
	uintptr_t bias;
	const unsigned char *build_id;
	uint32_t build_id_bytes;
};

static void find_note(struct linked *linked, const struct dl_phdr_info *info,
                      const ElfW(Phdr) * segment)
{
	const char *at = (const char *)info->dlpi_addr + segment->p_vaddr;
	const char *end = at + segment->p_memsz;

	while (at < end) {
		const ElfW(Nhdr) *note = (const void *)at;
		const char *name = at + sizeof(*note);

		if (note->n_type == NT_GNU_BUILD_ID && strcmp(name, "GNU") == 0) {
			linked->build_id = (const unsigned char *)name + 4;
			linked->build_id_bytes = note->n_descsz;
		}
		at = name + fp_align_up(note->n_namesz, 4) + fp_align_up(note->n_descsz, 4);
	}
}

static int visit_linked(struct dl_phdr_info *info, size_t size, void *user)
{
	struct linked *linked = user;
	bool is_here = false;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		is_here |=
		        segment->p_type == PT_LOAD &&
		        linked->address - info->dlpi_addr - segment->p_vaddr < segment->p_memsz;
	}
	if (!is_here)
		return 0;
	linked->bias = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE)
			find_note(linked, info, &info->dlpi_phdr[i]);
	return 1;
}

static void expect_as_linked(uintptr_t address)
{
	struct linked linked = {.address = address};
	struct module module = module_at(address);

	ck_assert_int_eq(dl_iterate_phdr(visit_linked, &linked), 1);
	ck_assert_uint_eq(module.bias, linked.bias);
	ck_assert_uint_eq(module.build_id_bytes, linked.build_id_bytes);
	ck_assert_uint_gt(module.build_id_bytes, 0);
	ck_assert_mem_eq(module.build_id, linked.build_id, linked.build_id_bytes);
}

START_TEST(this_program_is_listed_with_its_build_id)
{
	char executable[PATH_MAX] = "";

	fp_log_modules(&event_log);
	struct module own = module_at((uintptr_t)&setup);
	ck_assert_int_gt(readlink("/proc/self/exe", executable, sizeof(executable) - 1), 0);
	ck_assert_str_eq(own.path, executable);
	ck_assert(own.is_own);
	ck_assert_uint_eq(own.build_id_bytes, 20);
	expect_as_linked((uintptr_t)&setup);
}
END_TEST

START_TEST(shared_libraries_are_listed_and_are_not_our_own)
{
	uintptr_t in_libc = (uintptr_t)dlsym(RTLD_DEFAULT, "a64l");

	fp_log_modules(&event_log);
	struct module libc = module_at(in_libc);
	ck_assert_ptr_nonnull(strstr(libc.path, "libc"));
	ck_assert(!libc.is_own);
	expect_as_linked(in_libc);
}
END_TEST

static size_t count_modules(void)
{
	open_copy();
	return test_events_count(&events, FP_LOG_MODULE);
}

static void expect_last_is(void *library)
{
	struct link_map *map;
	struct module module;
	char path[PATH_MAX];

	ck_assert_int_eq(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
	ck_assert_ptr_nonnull(realpath(map->l_name, path));
	open_copy();
	while (next_module(&module))
		;
	ck_assert_uint_eq(module.bias, map->l_addr);
	ck_assert_str_eq(module.path, path);
}

START_TEST(only_what_is_new_is_listed_again)
{
	fp_log_modules(&event_log);
	size_t first = count_modules();
	ck_assert_uint_ge(first, 3);
	fp_log_modules(&event_log);
	ck_assert_uint_eq(count_modules(), first);
	void *library = dlopen("libresolv.so.2", RTLD_NOW);
	ck_assert_ptr_nonnull(library);
	fp_log_modules(&event_log);
	ck_assert_uint_eq(count_modules(), first + 1);
	expect_last_is(library);
	fp_log_open(&event_log, false);
	fp_log_modules(&event_log);
	ck_assert_uint_eq(count_modules(), first + 1);
}
END_TEST

static unsigned went;

static void count_went(const struct fp_log_known_module *module)
{
	(void)module;
	went++;
	/* What is logged now comes before what took its place. */
	fp_log_note(&event_log, "went");
}

START_TEST(what_goes_and_comes_back_is_told_and_listed_once)
{
	static const struct fp_log_code_watch watch = {count_went};

	event_log.watch = &watch;
	fp_log_modules(&event_log);
	for (unsigned times = 1; times <= 3; times++) {
		void *library = dlopen("libresolv.so.2", RTLD_NOW);
		ck_assert_ptr_nonnull(library);
		fp_log_modules(&event_log);
		ck_assert_uint_eq(went, times - 1);
		dlclose(library);
		fp_log_modules(&event_log);
		ck_assert_uint_eq(went, times);
	}
	open_copy();
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_NOTE), 3);
}
END_TEST

START_TEST(a_child_keeps_what_code_there_was)
{
	const uintptr_t frames[] = {1, 2};

	fp_log_modules(&event_log);
	size_t modules = count_modules();
	fp_log_trace(&event_log, 5, frames, 2);
	fp_log_note(&event_log, "of the parent");
	for (int i = 0; i < 3000; i++) /* more than a piece holds */
		fp_log_note(&event_log, "another one that is of some length, to fill pieces");
	fp_log_trace(&event_log, 6, frames, 2);
	fp_log_renew(&event_log);
	fp_log_modules(&event_log);
	fp_log_end(&event_log);
	ck_assert_uint_eq(count_modules(), modules);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_TRACE), 2);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_NOTE), 0);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_END), 1);
}
END_TEST

START_TEST(a_list_out_of_reach_is_noted)
{
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = 4096};
	const struct rlimit some = {.rlim_cur = 100, .rlim_max = 4096};
	struct test_event event;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	fp_log_modules(&event_log);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &some), 0);
	ck_assert_uint_eq(count_modules(), 0);
	ck_assert(test_events_find(&events, FP_LOG_NOTE, &event));
	ck_assert_ptr_nonnull(strstr(test_event_string(&event), "/proc/thread-self/maps"));
}
END_TEST

/* ---- Files that lie -------------------------------------------------------------------- */

/* An ELF file of one page with one segment and a build-id of four bytes. */
struct image {
	ElfW(Ehdr) header;
	ElfW(Phdr) segments[2];
	ElfW(Nhdr) note;
	char name[4];
	unsigned char id[4];
};

static struct image honest_image(void)
{
	const size_t note_at = offsetof(struct image, note);
	struct image image = {
	        .header = {.e_type = ET_DYN,
	                   .e_phoff = offsetof(struct image, segments),
	                   .e_phentsize = sizeof(ElfW(Phdr)),
	                   .e_phnum = 2},
	        .segments = {{.p_type = PT_LOAD,
	                      .p_vaddr = 0x40000,
	                      .p_filesz = 4096,
	                      .p_memsz = 4096},
	                     {.p_type = PT_NOTE,
	                      .p_offset = note_at,
	                      .p_vaddr = 0x40000 + note_at,
	                      .p_memsz = sizeof(struct image) - note_at}},
	        .note = {.n_namesz = 4, .n_descsz = 4, .n_type = NT_GNU_BUILD_ID},
	        .name = "GNU",
	        .id = {1, 2, 3, 4},
	};

	memcpy(image.header.e_ident, ELFMAG, SELFMAG);
	image.header.e_ident[EI_CLASS] = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	return image;
}

/* Maps the image as code, with nothing readable behind it, and lists it. */
static struct module list_image(const struct image *image)
{
	size_t page = fp_vm_page_size();
	const char *path = test_path("image.so");
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0700);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)page), 0);
	ck_assert_int_eq(pwrite(fd, image, sizeof(*image), 0), sizeof(*image));
	char *fence = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(mmap(fence + page, page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd,
	               0) == fence + page);
	fp_log_modules(&event_log);
	struct module module = module_at((uintptr_t)fence + page);
	close(fd);
	unlink(path);
	ck_assert_str_eq(module.path, path);
	ck_assert_uint_eq(module.start, (uintptr_t)fence + page);
	return module;
}

START_TEST(a_module_nobody_linked_is_read_from_its_mapping)
{
	struct image image = honest_image();
	struct module module = list_image(&image);

	ck_assert_uint_eq(module.bias, module.start - 0x40000);
	ck_assert_uint_eq(module.build_id_bytes, 4);
	ck_assert_mem_eq(module.build_id, image.id, 4);
}
END_TEST

START_TEST(a_file_that_is_no_elf_has_no_build_id)
{
	struct image image = honest_image();

	image.header.e_ident[0] = 'X';
	struct module module = list_image(&image);
	ck_assert_uint_eq(module.build_id_bytes, 0);
	ck_assert_uint_eq(module.bias, module.start);
}
END_TEST

START_TEST(a_file_of_another_class_has_no_build_id)
{
	struct image image = honest_image();

	image.header.e_ident[EI_CLASS] ^= ELFCLASS64 ^ ELFCLASS32;
	ck_assert_uint_eq(list_image(&image).build_id_bytes, 0);
}
END_TEST

static const struct {
	size_t field; /* of struct image */
	size_t bytes; /* of the field */
	uint64_t value;
} lies[] = {
#define LIE(member, value)                                                                     \
	{                                                                                      \
		offsetof(struct image, member), sizeof(((struct image *)0)->member), (value)   \
	}
        LIE(header.e_phoff, UINT64_MAX),
        LIE(header.e_phoff, UINT64_MAX - 111),
        LIE(header.e_phoff, 4090),
        LIE(header.e_phoff, 1 << 20),
        LIE(header.e_phnum, 0),
        LIE(header.e_phnum, 0xffff),
        LIE(segments[1].p_vaddr, 0),
        LIE(segments[1].p_vaddr, UINT64_MAX),
        LIE(segments[1].p_vaddr, 0x40000 + 4094),
        LIE(segments[1].p_memsz, UINT64_MAX),
        LIE(segments[1].p_memsz, UINT64_MAX - 4096),
        LIE(segments[1].p_memsz, 0),
        LIE(segments[1].p_memsz, 13),
        LIE(note.n_descsz, 0xffffffff),
        LIE(note.n_descsz, 0x7fffffff),
        LIE(note.n_descsz, 20000),
        LIE(note.n_descsz, 12),
        LIE(note.n_namesz, 0xffffffff),
        LIE(note.n_namesz, 5000),
#undef LIE
};

/* Neither a crash nor an invented build-id: the image's own or none. */
START_TEST(a_file_that_lies_does_no_harm)
{
	struct image image = honest_image();

	memcpy((char *)&image + lies[_i].field, &lies[_i].value, lies[_i].bytes);
	struct module module = list_image(&image);
	ck_assert_uint_eq(module.build_id_bytes, 0);
	ck_assert(!event_log.is_lossy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log: modules");
	TCase *tests = tcase_create("modules");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, this_program_is_listed_with_its_build_id);
	tcase_add_test(tests, shared_libraries_are_listed_and_are_not_our_own);
	tcase_add_test(tests, only_what_is_new_is_listed_again);
	tcase_add_test(tests, what_goes_and_comes_back_is_told_and_listed_once);
	tcase_add_test(tests, a_child_keeps_what_code_there_was);
	tcase_add_test(tests, a_list_out_of_reach_is_noted);
	tcase_add_test(tests, a_module_nobody_linked_is_read_from_its_mapping);
	tcase_add_test(tests, a_file_that_is_no_elf_has_no_build_id);
	tcase_add_test(tests, a_file_of_another_class_has_no_build_id);
	tcase_add_loop_test(tests, a_file_that_lies_does_no_harm, 0,
	                    sizeof(lies) / sizeof(lies[0]));
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
