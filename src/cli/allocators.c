/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections, symbols and needed libraries of an ELF file, by libelf. Damaged files answer less,
 * never wrong.
 */
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "cli/cli.h"
#include "report/stack.h"
#include "symbol/symbol.h"

struct fp_cli_image {
	int fd;
	Elf *elf;
	size_t names; /* index of the section with the sections' names */
};

struct fp_cli_image *fp_cli_image_open(const char *path)
{
	struct fp_cli_image *image = calloc(1, sizeof(*image));

	if (!image)
		return NULL;
	elf_version(EV_CURRENT);
	image->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (image->fd >= 0)
		image->elf = elf_begin(image->fd, ELF_C_READ_MMAP, NULL);
	if (image->elf && elf_kind(image->elf) == ELF_K_ELF &&
	    elf_getshdrstrndx(image->elf, &image->names) == 0)
		return image;
	fp_cli_image_close(image);
	return NULL;
}

void fp_cli_image_close(struct fp_cli_image *image)
{
	if (!image)
		return;
	elf_end(image->elf);
	if (image->fd >= 0)
		close(image->fd);
	free(image);
}

bool fp_cli_image_has_section(const struct fp_cli_image *image, const char *name)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(image->elf, section))) {
		GElf_Shdr header;
		const char *found =
		        gelf_getshdr(section, &header)
		                ? elf_strptr(image->elf, image->names, header.sh_name)
		                : NULL;

		if (found && strcmp(found, name) == 0 && header.sh_type != SHT_NOBITS)
			return true;
	}
	return false;
}

/* Whether TEXT stands in a section of TYPE: among constants, or names of symbols. */
static bool has_string(const struct fp_cli_image *image, GElf_Word type, const char *text)
{
	const GElf_Xword flags = SHF_WRITE | SHF_EXECINSTR;
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(image->elf, section))) {
		GElf_Shdr header;
		Elf_Data *data = NULL;

		if (gelf_getshdr(section, &header) && header.sh_type == type &&
		    (header.sh_flags & flags) == 0)
			data = elf_rawdata(section, NULL);
		if (data && data->d_buf &&
		    memmem(data->d_buf, data->d_size, text, strlen(text) + 1))
			return true;
	}
	return false;
}

/* The marks that allocators leave in a program that has them linked in or needs them. */
static const struct mark {
	const char *symbol;  /* defined in the program */
	const char *library; /* needed by it: how its name starts */
	const char *allocator;
} marks[] = {
        {"mallocx", NULL, "jemalloc"},
        {"je_mallocx", NULL, "jemalloc"},
        {"tc_malloc", NULL, "tcmalloc"},
        {"mi_malloc", NULL, "mimalloc"},
        {"runtime.mallocgc", "libgo.so", FP_SAY_HEAP_GO},
        {"coreclr_initialize", "libcoreclr.so", FP_SAY_CLR_GARBAGE_COLLECTED},
        {"hostfxr_main", "libhostfxr.so", FP_SAY_CLR_GARBAGE_COLLECTED},
        {"hostfxr_main_bundle_startupinfo", "libhostpolicy.so", FP_SAY_CLR_GARBAGE_COLLECTED},
        {"mono_jit_init", "libmono", FP_SAY_MONO_GARBAGE_COLLECTED},
        {"_ZN2v87Isolate3NewERKNS0_12CreateParamsE", "libnode.so", FP_SAY_V_GARBAGE_COLLECTED},
        {"JNI_CreateJavaVM", "libjli.so", FP_SAY_JAVA_HEAP},
        {"malloc", NULL, FP_CLI_OWN_MALLOC},
        {"PyObject_Malloc", "libpython3", FP_CLI_PYTHON_HEAP},
        {"_emalloc", "libphp", FP_CLI_PHP_HEAP},
        /* Their malloc is not called: ours comes first. */
        {NULL, "libjemalloc.so", FP_SAY_JEMALLOC_OTHER_FUNCTIONS},
        {NULL, "libtcmalloc", FP_SAY_TCMALLOC_OTHER_FUNCTIONS},
        {NULL, "libmimalloc", FP_SAY_MIMALLOC_OTHER_FUNCTIONS},
};

enum { MARKS = sizeof(marks) / sizeof(marks[0]) };

bool fp_cli_runtime_at(size_t index, struct fp_cli_runtime *runtime)
{
	for (size_t i = 0; i < MARKS; i++) {
		if (!marks[i].library || !strstr(marks[i].allocator, "heap") || index-- > 0)
			continue;
		*runtime = (struct fp_cli_runtime){marks[i].library, marks[i].allocator};
		return true;
	}
	return false;
}

/* Keeps the one that comes first in the table. */
static void note(size_t *found, const char *name, bool is_library)
{
	for (size_t i = 0; name && i < *found; i++) {
		const char *mark = is_library ? marks[i].library : marks[i].symbol;

		if (mark &&
		    (is_library ? strncmp(name, mark, strlen(mark)) : strcmp(name, mark)) == 0)
			*found = i;
	}
}

static void look_at_symbols(const struct fp_cli_image *image, Elf_Data *data,
                            const GElf_Shdr *header, size_t *found)
{
	size_t count = header->sh_entsize > 0 ? header->sh_size / header->sh_entsize : 0;

	for (size_t i = 0; i < count; i++) {
		GElf_Sym symbol;

		if (gelf_getsym(data, (int)i, &symbol) && symbol.st_shndx != SHN_UNDEF &&
		    GELF_ST_TYPE(symbol.st_info) == STT_FUNC)
			note(found, elf_strptr(image->elf, header->sh_link, symbol.st_name),
			     false);
	}
}

static void look_at_libraries(const struct fp_cli_image *image, Elf_Data *data,
                              const GElf_Shdr *header, size_t *found)
{
	size_t count = header->sh_entsize > 0 ? header->sh_size / header->sh_entsize : 0;

	for (size_t i = 0; i < count; i++) {
		GElf_Dyn entry;

		if (gelf_getdyn(data, (int)i, &entry) && entry.d_tag == DT_NEEDED)
			note(found, elf_strptr(image->elf, header->sh_link, entry.d_un.d_val),
			     true);
	}
}

const char *fp_cli_image_allocator(const struct fp_cli_image *image)
{
	Elf_Scn *section = NULL;
	size_t found = MARKS;

	while ((section = elf_nextscn(image->elf, section))) {
		GElf_Shdr header;
		Elf_Data *data = NULL;

		if (gelf_getshdr(section, &header) && header.sh_type != SHT_NOBITS)
			data = elf_getdata(section, NULL);
		if (!data)
			continue;
		if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
			look_at_symbols(image, data, &header, &found);
		else if (header.sh_type == SHT_DYNAMIC)
			look_at_libraries(image, data, &header, &found);
	}
	if (found == MARKS && fp_cli_image_has_section(image, ".go.buildinfo"))
		return FP_SAY_HEAP_GO;
	return found < MARKS ? marks[found].allocator : NULL;
}

void fp_cli_image_debug_path(const struct fp_cli_image *image, char path[FP_CLI_DEBUG_PATH_MAX])
{
	const void *bits;
	ssize_t size = dwelf_elf_gnu_build_id(image->elf, &bits);
	const unsigned char *bytes = bits;
	int used = 0;

	path[0] = '\0';
	if (size < 2 || size > FP_CLI_DEBUG_PATH_MAX / 4)
		return;
	used = snprintf(path, FP_CLI_DEBUG_PATH_MAX, "%s/.build-id/%02x/", FP_SYMBOL_DEBUG_DIR,
	                bytes[0]);
	for (ssize_t i = 1; i < size; i++)
		used += sprintf(path + used, "%02x", bytes[i]);
	strcpy(path + used, ".debug");
}

/* ---- Pools ---------------------------------------------------------------------------------
 *
 * A file has such an allocator when it has the name of its variable, which only the code that
 * asks for it needs: GLib has neither since 2.76. A program's constants can be many megabytes:
 * they are read only where its symbols have the allocator's name too.
 */

/* A command longer than this is nothing to paste. */
enum { COMMAND_MAX = 2000 };

static const struct pool {
	const char *name;
	const char *library;  /* how the name of its file starts, unless it is in the program */
	const char *function; /* of the allocator */
	const char *variable;
	const char *value;
} pools[FP_CLI_POOLS] = {
        {"GLib's slices", "libglib-2.0.so", "g_slice_alloc", "G_SLICE", "always-malloc"},
        {FP_CLI_PHP_HEAP, "libphp", "_emalloc", "USE_ZEND_ALLOC", "0"},
        {FP_CLI_PYTHON_HEAP, "libpython", "PyObject_Malloc", "PYTHONMALLOC", "malloc"},
};

static bool has_pool(struct fp_report_string path, const struct pool *pool, bool is_program)
{
	char *name = strndup(path.bytes, path.size);
	struct fp_cli_image *image = name ? fp_cli_image_open(name) : NULL;
	bool has_it = image && (!is_program || has_string(image, SHT_STRTAB, pool->function)) &&
	              has_string(image, SHT_PROGBITS, pool->variable);

	fp_cli_image_close(image);
	free(name);
	return has_it;
}

static void look_at_module(struct fp_cli_pools *found, const struct fp_report *report,
                           struct fp_report_string path)
{
	bool is_program = fp_report_compare_strings(path, report->executable) == 0;

	for (size_t i = 0; i < FP_CLI_POOLS; i++) {
		const struct pool *pool = &pools[i];

		if (found->files[i] || getenv(pool->variable) ||
		    !(is_program ||
		      fp_report_starts_with(fp_report_base_name(path), pool->library)))
			continue;
		if (has_pool(path, pool, is_program))
			found->files[i] = strndup(path.bytes, path.size);
	}
}

/* Many processes execute the same. */
static bool was_met(const struct fp_cli_logs *logs, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (fp_report_compare_strings(logs->logs[i].report->executable,
		                              logs->logs[index].report->executable) == 0)
			return true;
	}
	return false;
}

void fp_cli_pools_look(struct fp_cli_pools *found, const struct fp_cli_logs *logs)
{
	for (size_t i = 0; i < logs->count; i++) {
		const struct fp_report *report = logs->logs[i].report;

		if (!was_met(logs, i))
			look_at_module(found, report, report->executable);
		for (size_t j = 0; j < report->module_count; j++)
			look_at_module(found, report, report->modules[j].path);
	}
}

/* ARGUMENTS without the option that they are to have another value of. New memory, or NULL. */
static char *command_of(char *const *arguments)
{
	bool is_option = true;
	char *command = NULL;
	size_t size;
	FILE *out = open_memstream(&command, &size);

	if (!out)
		return NULL;
	fputs(FP_SAY_RUN_POOLS_OFF, out);
	for (; *arguments; arguments++) {
		is_option = is_option && strncmp(*arguments, "--", 2) == 0 &&
		            strcmp(*arguments, "--") != 0;
		if (is_option && strncmp(*arguments, "--pools", strlen("--pools")) == 0)
			continue;
		char *quoted = fp_cli_quote(*arguments);

		fprintf(out, " %s", quoted ? quoted : "...");
		free(quoted);
	}
	if (fclose(out) == 0 && size <= COMMAND_MAX)
		return command;
	free(command);
	return NULL;
}

void fp_cli_pools_print(const struct fp_cli_pools *found, char *const *arguments)
{
	char *command = command_of(arguments);

	for (size_t i = 0; i < FP_CLI_POOLS; i++) {
		if (found->files[i])
			fp_cli_say(FP_SAY_NOTE_CUSTOM_ALLOCATOR, pools[i].name, found->files[i],
			           command ? command : FP_SAY_RUN_POOLS_OFF);
	}
	free(command);
}

void fp_cli_pools_free(struct fp_cli_pools *found)
{
	for (size_t i = 0; i < FP_CLI_POOLS; i++)
		free(found->files[i]);
	*found = (struct fp_cli_pools){0};
}

bool fp_cli_is_pool(const char *allocator)
{
	for (size_t i = 0; i < FP_CLI_POOLS; i++) {
		if (strcmp(pools[i].name, allocator) == 0)
			return true;
	}
	return false;
}

size_t fp_cli_pools_leave(char **environment)
{
	size_t used = 0;

	for (size_t i = 0; i < FP_CLI_POOLS; i++) {
		char *text;

		if (!getenv(pools[i].variable) &&
		    asprintf(&text, "%s=%s", pools[i].variable, pools[i].value) >= 0)
			environment[used++] = text;
	}
	return used;
}
