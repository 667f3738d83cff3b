/* SPDX-License-Identifier: Apache-2.0
 *
 * Excerpts of source files. A file is read from its start to the last line that is wanted, up
 * to a bound; lines are cut, not refused.
 */
#include "report/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/stack.h"

/* Paths put together and tidied by name alone. */

/* A path being made; everything that is appended fits. */
struct path {
	char *text;
	size_t size;
};

static bool ends_with_parent(const struct path *path)
{
	const char *end = path->text + path->size;

	return path->size >= 2 && end[-1] == '.' && end[-2] == '.' &&
	       (path->size == 2 || end[-3] == '/');
}

/* Takes the last part away; false when there is none that may go. */
static bool drop_part(struct path *path)
{
	if (path->size == 0 || ends_with_parent(path))
		return false;
	while (path->size > 0 && path->text[path->size - 1] != '/')
		path->size--;
	/* The slash of the root stays. */
	if (path->size > 1)
		path->size--;
	return true;
}

static void add_part(struct path *path, struct fp_report_string part)
{
	if (part.size == 0 || (part.size == 1 && part.bytes[0] == '.'))
		return;
	if (part.size == 2 && memcmp(part.bytes, "..", 2) == 0 && drop_part(path))
		return;
	if (path->size > 0 && path->text[path->size - 1] != '/')
		path->text[path->size++] = '/';
	memcpy(path->text + path->size, part.bytes, part.size);
	path->size += part.size;
}

static void add_parts(struct path *path, struct fp_report_string parts)
{
	if (path->size == 0 && parts.size > 0 && parts.bytes[0] == '/')
		path->text[path->size++] = '/';
	while (parts.size > 0) {
		const char *slash = memchr(parts.bytes, '/', parts.size);
		size_t size = slash ? (size_t)(slash - parts.bytes) : parts.size;
		size_t taken = slash ? size + 1 : size;

		add_part(path, (struct fp_report_string){parts.bytes, size});
		parts.bytes += taken;
		parts.size -= taken;
	}
}

char *fp_report_make_path(const char *directory, struct fp_report_string file)
{
	bool is_absolute = file.size > 0 && file.bytes[0] == '/';
	size_t before = directory && !is_absolute ? strlen(directory) : 0;
	struct path path = {.text = malloc(before + file.size + 3)};

	if (!path.text)
		return NULL;
	if (before > 0)
		add_parts(&path, fp_report_text(directory));
	add_parts(&path, file);
	path.text[path.size] = '\0';
	return path.text;
}

int fp_report_roots_find(struct fp_report_roots *roots, const char *directory)
{
	char *current;

	*roots = (struct fp_report_roots){{NULL, NULL}};
	if (!directory || directory[0] == '\0')
		return 0;
	current = getcwd(NULL, 0);
	roots->paths[0] = fp_report_make_path(current, fp_report_text(directory));
	roots->paths[1] = realpath(directory, NULL);
	free(current);
	if (roots->paths[0])
		return 0;
	free(roots->paths[1]);
	roots->paths[1] = NULL;
	return -ENOMEM;
}

void fp_report_roots_free(struct fp_report_roots *roots)
{
	free(roots->paths[0]);
	free(roots->paths[1]);
}

static const char *below(const char *path, const char *root)
{
	size_t size = strlen(root);

	while (size > 0 && root[size - 1] == '/')
		size--;
	if (strncmp(path, root, size) != 0 || path[size] != '/' || path[size + 1] == '\0')
		return NULL;
	return path + size + 1;
}

const char *fp_report_path_below(const char *path, const struct fp_report_roots *roots)
{
	const char *rest = NULL;

	for (size_t i = 0; i < 2 && !rest; i++)
		rest = roots->paths[i] ? below(path, roots->paths[i]) : NULL;
	return rest;
}

enum { BYTES_MAX = 16 << 20 /* of a file that are read for a line */ };

/* Whoever made a program that a log is about chose the names in its debug information: they
 * must not put a stranger's /etc/shadow into a report. */
static bool is_source_name(const char *path)
{
	static const char *const endings[] = {
	        ".c",   ".h",   ".cc",  ".hh",    ".cpp", ".hpp",  ".cxx", ".hxx",
	        ".c++", ".h++", ".C",   ".H",     ".ii",  ".ipp",  ".inl", ".tcc",
	        ".inc", ".def", ".y",   ".l",     ".rs",  ".zig",  ".d",   ".go",
	        ".m",   ".mm",  ".f",   ".f90",   ".F90", ".s",    ".S",   ".asm",
	        ".pas", ".adb", ".ads", ".swift", ".nim", ".vala", ".cu"};
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');

	for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (strcmp(dot, endings[i]) == 0)
			return true;
	}
	return false;
}

/* The file of SYMBOL's line: new memory, or NULL. */
static char *make_path(const struct fp_symbol_frame *symbol)
{
	char *path;

	if (symbol->file[0] == '/')
		return strdup(symbol->file);
	if (!symbol->directory || symbol->directory[0] != '/' ||
	    asprintf(&path, "%s/%s", symbol->directory, symbol->file) < 0)
		return NULL;
	return path;
}

/* What was edited after the module was made need not be what it was made of. */
static bool is_newer(const struct stat *source, const struct fp_report_module *module)
{
	char *path = strndup(module->path.bytes, module->path.size);
	struct stat made;
	bool is_known = path && stat(path, &made) == 0;

	free(path);
	if (!is_known || source->st_mtim.tv_sec > made.st_mtim.tv_sec)
		return true;
	return source->st_mtim.tv_sec == made.st_mtim.tv_sec &&
	       source->st_mtim.tv_nsec > made.st_mtim.tv_nsec;
}

static FILE *open_source(const struct fp_report_frame *frame)
{
	char *path = make_path(frame->symbol);
	int fd = path && is_source_name(path) ? fp_symbol_open_regular(path) : -1;
	struct stat status;
	FILE *in = NULL;

	free(path);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && !is_newer(&status, frame->module))
		in = fdopen(fd, "r");
	if (!in)
		close(fd);
	return in;
}

/* Reads the next line, of which KEPT receives what there is room for; false at the end. */
static bool take_line(FILE *in, struct fp_report_string *line, char *kept, size_t *left)
{
	int byte;
	size_t size = 0;
	bool is_empty = true;

	while (*left > 0 && (byte = getc_unlocked(in)) != EOF) {
		--*left;
		is_empty = false;
		if (byte == '\n')
			break;
		if (size < FP_REPORT_EXCERPT_LINE_BYTES)
			kept[size++] = (char)byte;
	}
	if (size > 0 && kept[size - 1] == '\r')
		size--;
	*line = (struct fp_report_string){kept, size};
	return !is_empty;
}

static void read_lines(FILE *in, struct fp_report_excerpt *excerpt, uint32_t last)
{
	size_t left = BYTES_MAX;

	for (uint32_t number = 1; number <= last; number++) {
		size_t index = number < excerpt->first ? 0 : number - excerpt->first;

		if (!take_line(in, &excerpt->lines[index],
		               excerpt->bytes + index * FP_REPORT_EXCERPT_LINE_BYTES, &left))
			break;
		if (number >= excerpt->first)
			excerpt->count = index + 1;
	}
}

bool fp_report_source_lines(const struct fp_report_frame *frame, uint32_t around,
                            struct fp_report_excerpt *excerpt)
{
	const struct fp_symbol_frame *symbol = frame ? frame->symbol : NULL;
	FILE *in;

	excerpt->count = 0;
	if (!symbol || !symbol->file || symbol->line == 0 || !frame->module ||
	    !frame->module->has_sources)
		return false;
	in = open_source(frame);
	if (!in)
		return false;
	if (around > (FP_REPORT_EXCERPT_MAX - 1) / 2)
		around = (FP_REPORT_EXCERPT_MAX - 1) / 2;
	excerpt->marked = symbol->line;
	excerpt->first = symbol->line > around ? symbol->line - around : 1;
	read_lines(in, excerpt,
	           symbol->line <= UINT32_MAX - around ? symbol->line + around
	                                               : UINT32_MAX - 1);
	fclose(in);
	return excerpt->first + excerpt->count > symbol->line;
}

/* From lines that may be anybody's: no number is past the last one that there is. */
static bool take_kept(const struct fp_report_lines *kept, uint32_t line, uint32_t around,
                      struct fp_report_excerpt *excerpt)
{
	size_t at = line - kept->first;
	size_t start = at > around ? at - around : 0;

	if (line < kept->first || at >= kept->count)
		return false;
	excerpt->first = kept->first + (uint32_t)start;
	excerpt->marked = line;
	for (size_t i = start;
	     i < kept->count && i <= at + around && excerpt->count < FP_REPORT_EXCERPT_MAX; i++)
		excerpt->lines[excerpt->count++] = kept->lines[i];
	return excerpt->first + excerpt->count > line;
}

bool fp_report_stack_source(const struct fp_report_stack *stack, uint32_t around,
                            struct fp_report_excerpt *excerpt)
{
	const struct fp_report_frame *frame = stack ? fp_report_stack_place(stack) : NULL;

	if (!stack || !stack->source || !frame || !frame->symbol)
		return fp_report_source_lines(frame, around, excerpt);
	excerpt->count = 0;
	return take_kept(stack->source, frame->symbol->line, around, excerpt);
}
