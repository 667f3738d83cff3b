/* SPDX-License-Identifier: Apache-2.0
 *
 * dwfl_standard_find_debuginfo would do most of this, but it asks servers whenever the
 * environment names some, and a pipe that somebody put where a debug file could stand stops it
 * for ever. A file found by name is believed when its build-id is the right one, or its
 * checksum where there is no build-id.
 */
#include "symbol/separate.h"

#include <dlfcn.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "symbol/symbol.h"

/* debuginfod.h, which not every build host has. */
struct debuginfod {
	void *library;
	void *(*begin)(void);
	int (*find_debuginfo)(void *client, const unsigned char *build_id, int size,
	                      char **path);
	void (*end)(void *client);
};

static bool may_fetch;

int fp_symbol_open_regular(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The one that .gnu_debuglink has, zlib's. */
static uint32_t add_to_checksum(uint32_t sum, const uint8_t *bytes, size_t size)
{
	static uint32_t table[256];

	for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
		uint32_t value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
		table[i] = value;
	}
	for (size_t i = 0; i < size; i++)
		sum = table[(sum ^ bytes[i]) & 0xff] ^ sum >> 8;
	return sum;
}

static bool has_checksum(int fd, uint32_t checksum)
{
	uint8_t bytes[1 << 14];
	uint32_t sum = UINT32_MAX;
	off_t at = 0;
	ssize_t size;

	while ((size = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		sum = add_to_checksum(sum, bytes, (size_t)size);
		at += size;
	}
	return size == 0 && ~sum == checksum;
}

static bool has_build_id(int fd, const struct fp_symbol_search *search)
{
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	const void *bits;
	ssize_t size = elf ? dwelf_elf_gnu_build_id(elf, &bits) : -1;
	bool is_right = size > 0 && (size_t)size == search->build_id_size &&
	                memcmp(bits, search->build_id, search->build_id_size) == 0;

	elf_end(elf);
	return is_right;
}

static int open_candidate(const char *path, const struct fp_symbol_search *search,
                          uint32_t checksum)
{
	int fd = fp_symbol_open_regular(path);

	if (fd < 0)
		return -1;
	if (search->build_id ? has_build_id(fd, search) : has_checksum(fd, checksum))
		return fd;
	close(fd);
	return -1;
}

/* Beside FILE, in .debug beside it, and under the debug directory as FILE is under the root. */
static int find_by_link(const struct fp_symbol_search *search, const char *file,
                        const char *link, uint32_t checksum)
{
	const char *slash = strrchr(file, '/');
	int length = slash ? (int)(slash - file) : 0;
	int fd = -1;

	for (int place = 0; place < 3 && fd < 0; place++) {
		char *path;

		if (asprintf(&path, "%s%.*s/%s%s", place == 2 ? search->debug_dir : "", length,
		             file, place == 1 ? ".debug/" : "", link) < 0)
			return -1;
		fd = open_candidate(path, search, checksum);
		free(path);
	}
	return fd;
}

/* What a client of debuginfod, this one or a debugger, has fetched before: to read it asks
 * nobody. */
static int find_fetched(const struct fp_symbol_search *search)
{
	static const struct {
		const char *variable;
		const char *below;
	} places[] = {{"DEBUGINFOD_CACHE_PATH", ""},
	              {"XDG_CACHE_HOME", "/debuginfod_client"},
	              {"HOME", "/.cache/debuginfod_client"}};
	int fd = -1;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && fd < 0; i++) {
		const char *start = getenv(places[i].variable);
		char *path = NULL;
		size_t size;
		FILE *out = start && *start ? open_memstream(&path, &size) : NULL;

		if (!out)
			continue;
		fprintf(out, "%s%s/", start, places[i].below);
		for (size_t at = 0; at < search->build_id_size; at++)
			fprintf(out, "%02x", search->build_id[at]);
		fputs("/debuginfo", out);
		if (fclose(out) == 0)
			fd = open_candidate(path, search, 0);
		free(path);
	}
	return fd;
}

/* Where packages of debug information put it. */
static int find_installed(const struct fp_symbol_search *search)
{
	char *path = NULL;
	size_t size;
	FILE *out = search->build_id_size > 1 ? open_memstream(&path, &size) : NULL;
	int fd = -1;

	if (!out)
		return -1;
	fprintf(out, "%s/.build-id/%02x/", search->debug_dir, search->build_id[0]);
	for (size_t at = 1; at < search->build_id_size; at++)
		fprintf(out, "%02x", search->build_id[at]);
	fputs(".debug", out);
	if (fclose(out) == 0)
		fd = open_candidate(path, search, 0);
	free(path);
	return fd;
}

/* The library stays loaded: it cannot be unloaded safely, and is asked again. */
static const struct debuginfod *load_debuginfod(void)
{
	static struct debuginfod client;

	if (!client.library)
		client.library = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!client.library)
		return NULL;
	*(void **)&client.begin = dlsym(client.library, "debuginfod_begin");
	*(void **)&client.find_debuginfo = dlsym(client.library, "debuginfod_find_debuginfo");
	*(void **)&client.end = dlsym(client.library, "debuginfod_end");
	return client.begin && client.find_debuginfo && client.end ? &client : NULL;
}

static bool has_server(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	return urls && urls[strspn(urls, " ")] != '\0';
}

void fp_symbol_allow_fetching(void)
{
	may_fetch = true;
}

const char *fp_symbol_fetch_obstacle(void)
{
	if (!may_fetch)
		return NULL;
	if (!has_server())
		return FP_SAY_DEBUGINFOD_URLS_NAMES_NO;
	if (!load_debuginfod())
		return FP_SAY_LIBDEBUGINFOD_SO_CANNOT;
	return NULL;
}

static int fetch(const void *build_id, size_t size)
{
	const struct debuginfod *debuginfod = has_server() ? load_debuginfod() : NULL;
	void *client = debuginfod ? debuginfod->begin() : NULL;
	int fd;

	if (!client)
		return -1;
	/* A server that does not answer must not hold up the report for its 90 seconds. */
	setenv("DEBUGINFOD_TIMEOUT", "10", 0);
	fd = debuginfod->find_debuginfo(client, build_id, (int)size, NULL);
	debuginfod->end(client);
	return fd < 0 ? -1 : fd;
}

/* What several debug files share stands in one that they name. */
static int fetch_shared(Dwfl_Module *module)
{
	Dwarf_Addr bias;
	Dwarf *dwarf = dwfl_module_getdwarf(module, &bias);
	const char *name;
	const void *build_id;
	ssize_t size = dwarf ? dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &build_id) : -1;

	return size > 0 ? fetch(build_id, (size_t)size) : -1;
}

int fp_symbol_separate_find(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                            const char *file, const char *link, GElf_Word checksum,
                            char **found)
{
	const struct fp_symbol_search *search = *user;
	/* libdwfl asks with a name and no checksum for what a debug file itself refers to. */
	bool is_shared = link && checksum == 0;
	int fd = dwfl_build_id_find_debuginfo(module, user, name, base, file, link, checksum,
	                                      found);

	if (fd >= 0 || !search)
		return fd;
	/* The name of a file, by its definition; one that leads elsewhere is somebody's wish.
	 */
	if (link && !is_shared && file && !strchr(link, '/'))
		fd = find_by_link(search, file, link, checksum);
	if (fd < 0 && !is_shared && search->build_id)
		fd = find_fetched(search);
	if (fd >= 0 || !may_fetch)
		return fd;
	if (is_shared)
		return fetch_shared(module);
	return search->build_id ? fetch(search->build_id, search->build_id_size) : -1;
}

int fp_symbol_separate_open(const struct fp_symbol_search *search)
{
	int fd = search->build_id ? find_installed(search) : -1;

	if (fd < 0 && search->build_id)
		fd = find_fetched(search);
	if (fd < 0 && search->build_id && may_fetch)
		fd = fetch(search->build_id, search->build_id_size);
	return fd;
}
