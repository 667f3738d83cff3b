/* SPDX-License-Identifier: Apache-2.0
 *
 * The ELF of a core file. It is read with pread(2), never mapped: who cuts it off meanwhile
 * ends nothing. No table is larger than the file says that it has bytes for it.
 */
#include "remains/file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/align.h"
#include "base/search.h"
#include "base/tool_messages.h"
#include "base/vm.h"

enum { NOTES_MAX = 64 << 20, PAGE = 4096, PLACES = 64, KEPT = 64 };

struct fp_remains_file fp_remains_file = {.fd = -1};
static struct fp_remains_file *const file = &fp_remains_file;

int fp_remains_refuse(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(file->refusal, FP_REMAINS_REFUSAL_MAX, format, arguments);
	va_end(arguments);
	return status;
}

static size_t read_at(int fd, uint64_t offset, void *buffer, size_t size)
{
	size_t done = 0;
	ssize_t got;

	while (done < size && (got = pread(fd, (char *)buffer + done, size - done,
	                                   (off_t)(offset + done))) > 0)
		done += (size_t)got;
	return done;
}

/* A table of COUNT elements that the file has at OFFSET, or NULL. */
static void *read_table(uint64_t offset, uint64_t count, size_t element)
{
	if (count == 0 || count > file->bytes / element ||
	    offset > file->bytes - count * element)
		return NULL;
	void *table = malloc(count * element);
	if (table && read_at(file->fd, offset, table, count * element) == count * element)
		return table;
	free(table);
	return NULL;
}

/* ---- Memory --------------------------------------------------------------------------------
 */

const struct fp_remains_segment *fp_remains_segment_at(uint64_t address)
{
	size_t found = FP_SEARCH(file->segment_count, i, file->segments[i].end <= address);

	return found < file->segment_count ? &file->segments[found] : NULL;
}

void fp_remains_claim(uint64_t start, uint64_t bytes)
{
	const struct fp_remains_segment *segment;
	uint64_t end = bytes < UINT64_MAX - start ? start + bytes : start;

	for (; start < end && (segment = fp_remains_segment_at(start)); start = segment->end)
		if (segment->start < end)
			file->segments[segment - file->segments].is_own = true;
}

struct fp_remains_mapped *fp_remains_mapped_at(uint64_t address)
{
	size_t found = FP_SEARCH(file->mapped_count, i, file->mapped[i].end <= address);

	return found < file->mapped_count && file->mapped[found].start <= address
	               ? &file->mapped[found]
	               : NULL;
}

/* Where it begins the core file has a page of each ELF file, with its build-id. */
static bool is_same_file(int fd, const char *path)
{
	char there[PAGE];
	char here[PAGE];

	for (size_t i = 0; i < file->mapped_count; i++) {
		const struct fp_remains_segment *segment =
		        fp_remains_segment_at(file->mapped[i].start);

		if (file->mapped[i].offset == 0 && strcmp(file->mapped[i].path, path) == 0 &&
		    segment && segment->start <= file->mapped[i].start &&
		    segment->filled >= file->mapped[i].start + PAGE)
			return read_at(file->fd,
			               segment->offset +
			                       (file->mapped[i].start - segment->start),
			               here, PAGE) == PAGE &&
			       read_at(fd, 0, there, PAGE) == PAGE &&
			       memcmp(here, there, PAGE) == 0;
	}
	return false;
}

/* The path may name anything by now. */
static int open_mapped(const char *path)
{
	struct stat status;
	int fd = path[0] == '/' && strncmp(path, "/dev/", 5) != 0
	                 ? open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
	                 : -1;

	if (fd < 0 ||
	    (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && is_same_file(fd, path)))
		return fd;
	close(fd);
	return -1;
}

/* Of a file that is mapped several times there is one descriptor for each. */
static size_t copy_of_file(uint64_t address, void *buffer, size_t size)
{
	struct fp_remains_mapped *mapped = fp_remains_mapped_at(address);

	if (!mapped)
		return 0;
	if (mapped->fd == FP_REMAINS_UNTRIED)
		mapped->fd = open_mapped(mapped->path);
	if (mapped->fd < 0)
		return 0;
	if (size > mapped->end - address)
		size = mapped->end - address;
	return read_at(mapped->fd, mapped->offset + (address - mapped->start), buffer, size);
}

static size_t copy_piece(uint64_t address, void *buffer, size_t size)
{
	const struct fp_remains_segment *segment = fp_remains_segment_at(address);

	if (address - file->contexts < file->contexts_bytes) {
		if (size > file->contexts + file->contexts_bytes - address)
			size = file->contexts + file->contexts_bytes - address;
		memcpy(buffer, (const void *)(uintptr_t)address, size);
		return size;
	}
	if (!segment || segment->start > address || segment->filled <= address) {
		if (segment && segment->start > address && size > segment->start - address)
			size = segment->start - address;
		return copy_of_file(address, buffer, size);
	}
	if (size > segment->filled - address)
		size = segment->filled - address;
	return read_at(file->fd, segment->offset + (address - segment->start), buffer, size);
}

size_t fp_remains_copy(uint64_t address, void *buffer, size_t size)
{
	size_t done = 0;
	size_t got;

	while (done < size &&
	       (got = copy_piece(address + done, (char *)buffer + done, size - done)) > 0)
		done += got;
	return done;
}

bool fp_remains_get(uint64_t address, void *buffer, size_t size)
{
	return fp_remains_copy(address, buffer, size) == size;
}

/* Lists are asked for again and again, a word at a time: pages that had some are kept. */
static struct {
	uint64_t page;
	size_t size;
	char bytes[PAGE];
} kept[KEPT];

uint64_t fp_remains_word(uint64_t address)
{
	uint64_t page = address - address % PAGE;
	size_t place = page / PAGE % KEPT;
	uint64_t word = 0;

	if (address - page > PAGE - sizeof(word))
		return fp_remains_get(address, &word, sizeof(word)) ? word : 0;
	if (kept[place].page != page || page == 0) {
		kept[place].page = page;
		kept[place].size = fp_remains_copy(page, kept[place].bytes, PAGE);
	}
	if (address - page + sizeof(word) <= kept[place].size)
		memcpy(&word, kept[place].bytes + (address - page), sizeof(word));
	return word;
}

/* ---- Segments ------------------------------------------------------------------------------
 */

static void add_segment(const Elf64_Phdr *header, uint64_t *lacking)
{
	uint64_t last =
	        file->segment_count > 0 ? file->segments[file->segment_count - 1].end : 0;
	uint64_t there =
	        header->p_filesz < header->p_memsz ? header->p_filesz : header->p_memsz;

	if (header->p_type != PT_LOAD || header->p_memsz == 0 || header->p_vaddr < last ||
	    header->p_memsz > UINT64_MAX / 2 - header->p_vaddr)
		return;
	if (header->p_offset >= file->bytes || there > file->bytes - header->p_offset) {
		uint64_t has =
		        header->p_offset < file->bytes ? file->bytes - header->p_offset : 0;

		*lacking += there - has;
		there = has;
	}
	file->segments[file->segment_count++] = (struct fp_remains_segment){
	        .start = header->p_vaddr,
	        .filled = header->p_vaddr + there,
	        .end = header->p_vaddr + header->p_memsz,
	        .offset = header->p_offset,
	        .flags = header->p_flags,
	};
}

static int compare_headers(const void *a, const void *b)
{
	const Elf64_Phdr *first = a;
	const Elf64_Phdr *second = b;

	return (first->p_vaddr > second->p_vaddr) - (first->p_vaddr < second->p_vaddr);
}

static int take_headers(Elf64_Phdr *headers, size_t count)
{
	uint64_t lacking = 0;

	for (size_t i = 0; i < count; i++)
		if (headers[i].p_type == PT_NOTE && !file->notes &&
		    headers[i].p_filesz <= NOTES_MAX) {
			file->notes = read_table(headers[i].p_offset, headers[i].p_filesz, 1);
			file->notes_bytes = file->notes ? headers[i].p_filesz : 0;
		}
	qsort(headers, count, sizeof(*headers), compare_headers);
	for (size_t i = 0; i < count; i++)
		add_segment(&headers[i], &lacking);
	if (lacking > 0)
		return fp_remains_refuse(-EBADMSG, FP_SAY_CUT_OFF_BYTES,
		                         (unsigned long long)lacking);
	return 0;
}

static int read_headers(const Elf64_Ehdr *header)
{
	uint64_t count = header->e_phnum;
	int status = 0;

	if (count == PN_XNUM) {
		Elf64_Shdr *first = read_table(header->e_shoff, 1, sizeof(*first));

		count = first ? first->sh_info : 0;
		free(first);
	}
	Elf64_Phdr *headers = header->e_phentsize == sizeof(*headers)
	                              ? read_table(header->e_phoff, count, sizeof(*headers))
	                              : NULL;
	file->segments = headers ? calloc(count, sizeof(*file->segments)) : NULL;
	if (!file->segments)
		status = fp_remains_refuse(-EBADMSG, FP_SAY_DAMAGED_ITS_TABLE);
	else
		status = take_headers(headers, count);
	free(headers);
	return status;
}

/* ---- Notes ---------------------------------------------------------------------------------
 */

/* Calls SEE for each whole note. */
static void each_note(void (*see)(unsigned type, char *content, size_t size))
{
	size_t at = 0;

	while (file->notes_bytes - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		size_t left = file->notes_bytes - at - sizeof(note);

		memcpy(&note, file->notes + at, sizeof(note));
		size_t name = fp_align_up(note.n_namesz, 4);
		if (name > left || note.n_descsz > left - name)
			return;
		see(note.n_type, file->notes + at + sizeof(note) + name, note.n_descsz);
		size_t content = fp_align_up(note.n_descsz, 4);
		at += sizeof(note) + name + (content < left - name ? content : left - name);
	}
}

static void count_threads(unsigned type, char *content, size_t size)
{
	(void)content;
	file->thread_count += type == NT_PRSTATUS && size >= sizeof(struct elf_prstatus);
}

static void see_thread(unsigned type, char *content, size_t size)
{
	struct fp_remains_thread *thread = &file->threads[file->thread_count];
	struct elf_prstatus status;

	if (type == NT_PRSTATUS && size >= sizeof(status)) {
		memcpy(&status, content, sizeof(status));
		thread->id = status.pr_pid;
		thread->context = (void *)(file->contexts +
		                           file->thread_count * FP_REMAINS_CONTEXT_BYTES);
		if (file->thread_count++ == 0)
			file->signal = status.pr_cursig;
		fp_remains_take_registers(thread, &status.pr_reg, sizeof(status.pr_reg));
	} else if (file->thread_count > 0) {
		fp_remains_take_vectors(thread - 1, type, content, size);
	}
}

/* Two words, three for each range, and the paths one after the other. */
static void see_mapped(unsigned type, char *content, size_t size)
{
	uint64_t head[2];

	if (type != NT_FILE || size < sizeof(head) || file->mapped || content[size - 1] != '\0')
		return;
	memcpy(head, content, sizeof(head));
	if (head[0] > (size - sizeof(head)) / 24 || head[1] == 0 || head[1] > 1 << 20)
		return;
	const char *path = content + sizeof(head) + head[0] * 24;
	uint64_t last = 0;
	file->mapped = calloc(head[0] + 1, sizeof(*file->mapped));
	for (size_t i = 0; file->mapped && i < head[0] && path < content + size; i++) {
		uint64_t range[3];

		memcpy(range, content + sizeof(head) + i * 24, sizeof(range));
		if (range[0] >= last && range[1] > range[0]) {
			file->mapped[file->mapped_count++] = (struct fp_remains_mapped){
			        range[0], range[1], range[2] * head[1], path,
			        FP_REMAINS_UNTRIED};
			last = range[1];
		}
		path += strlen(path) + 1;
	}
}

static void see_process(unsigned type, char *content, size_t size)
{
	struct elf_prpsinfo process;

	if (type != NT_PRPSINFO || size < sizeof(process))
		return;
	memcpy(&process, content, sizeof(process));
	file->pid = process.pr_pid;
}

static bool is_taken(uint64_t start, uint64_t end)
{
	const struct fp_remains_segment *segment = fp_remains_segment_at(start);

	return segment && segment->start < end;
}

/* In a place that the process had nothing in: an address is one thing or the other. A TiB
 * apart, for AddressSanitizer takes the first 16 of them. */
static bool make_contexts(size_t count)
{
	size_t bytes = count * FP_REMAINS_CONTEXT_BYTES;
	uintptr_t base;

	for (uintptr_t i = 1; i < PLACES; i++) {
		if (fp_vm_map_near(i << 40, bytes, PROT_READ | PROT_WRITE, &base) != 0)
			return false;
		if (!is_taken(base, base + bytes)) {
			file->contexts = base;
			file->contexts_bytes = bytes;
			return true;
		}
		fp_vm_unmap(base, bytes);
	}
	return false;
}

static int read_notes(void)
{
	each_note(count_threads);
	size_t count = file->thread_count;
	file->thread_count = 0;
	file->threads = count > 0 ? calloc(count, sizeof(*file->threads)) : NULL;
	if (!file->threads || !make_contexts(count))
		return fp_remains_refuse(-EBADMSG, FP_SAY_DAMAGED_NO_THREADS);
	each_note(see_process);
	each_note(see_mapped);
	each_note(see_thread);
	return 0;
}

/* ---- The file ------------------------------------------------------------------------------
 */

static bool read_header(int fd, Elf64_Ehdr *header)
{
	return read_at(fd, 0, header, sizeof(*header)) == sizeof(*header) &&
	       memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_type == ET_CORE;
}

bool fp_remains_is_core(const char *path)
{
	Elf64_Ehdr header;
	struct stat status;
	int fd = stat(path, &status) == 0 && S_ISREG(status.st_mode)
	                 ? open(path, O_RDONLY | O_CLOEXEC)
	                 : -1;
	bool is_core = fd >= 0 && read_header(fd, &header);

	if (fd >= 0)
		close(fd);
	return is_core;
}

int fp_remains_open(const char *path)
{
	Elf64_Ehdr header;
	struct stat status;

	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0 || fstat(file->fd, &status) != 0)
		return fp_remains_refuse(-errno, FP_SAY_CANNOT_READ, strerror(errno));
	file->bytes = (uint64_t)status.st_size;
	if (!read_header(file->fd, &header))
		return fp_remains_refuse(-EINVAL, FP_SAY_NO_CORE_FILE);
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != fp_remains_machine)
		return fp_remains_refuse(-ENOTSUP, FP_SAY_ANOTHER_KIND_PROCESSOR);
	int result = read_headers(&header);
	return result == 0 ? read_notes() : result;
}

void fp_remains_close(void)
{
	fp_remains_forget_frames();
	for (size_t i = 0; i < file->mapped_count; i++)
		if (file->mapped[i].fd >= 0)
			close(file->mapped[i].fd);
	if (file->fd >= 0)
		close(file->fd);
	if (file->contexts_bytes > 0)
		fp_vm_unmap(file->contexts, file->contexts_bytes);
	memset(kept, 0, sizeof(kept));
	free(file->segments);
	free(file->notes);
	free(file->mapped);
	free(file->threads);
	*file = (struct fp_remains_file){.fd = -1, .refusal = file->refusal};
}
