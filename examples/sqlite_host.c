/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for SQLite: runs an SQL script on an in-memory database, with all of SQLite's memory
 * from an IHostMalloc.
 *
 *	sqlite_host [--plant=MISTAKE] SCRIPT|-
 *
 * Result rows go to standard output, columns separated by '|'. Exit status: 0, 1 when the
 *script or the heap failed, 2 for a wrong command line. Fencepost's options: FENCEPOST_OPTIONS.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "host.h"

/* SQLite gives its allocator no argument, so the heap is global. */
static struct host host;

/* ---- SQLite's memory methods ------------------------------------------------------------ */

static int memory_size(void *memory)
{
	return (int)host_size(&host, memory);
}

static void *memory_malloc(int size)
{
	return host_allocate(&host, (size_t)size);
}

static void memory_free(void *memory)
{
	host_free(&host, memory);
}

static void *memory_realloc(void *memory, int size)
{
	return host_reallocate(&host, memory, (size_t)size);
}

/* Not rounded up: the guard begins where SQLite's own request ends. */
static int memory_roundup(int size)
{
	return size;
}

static int memory_init(void *data)
{
	(void)data;
	return SQLITE_OK;
}

static const sqlite3_mem_methods memory_methods = {
        .xMalloc = memory_malloc,
        .xFree = memory_free,
        .xRealloc = memory_realloc,
        .xSize = memory_size,
        .xRoundup = memory_roundup,
        .xInit = memory_init,
};

/* SQLite's own caches are turned off: carved from one large block, the small ones in it would
 * have no guards. */
static bool configure_memory(void)
{
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &memory_methods) == SQLITE_OK &&
	       sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK &&
	       sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0) == SQLITE_OK;
}

/* ---- The script ------------------------------------------------------------------------- */

static void print_row(sqlite3_stmt *statement)
{
	int columns = sqlite3_column_count(statement);

	for (int i = 0; i < columns; i++) {
		const void *text = sqlite3_column_text(statement, i);

		if (i > 0)
			putchar('|');
		if (text != NULL)
			fwrite(text, 1, (size_t)sqlite3_column_bytes(statement, i), stdout);
	}
	putchar('\n');
}

static int run_statement(sqlite3 *db, const char **position)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, *position, -1, &statement, position);

	if (result != SQLITE_OK || statement == NULL)
		return result;
	while ((result = sqlite3_step(statement)) == SQLITE_ROW)
		print_row(statement);
	return sqlite3_finalize(statement);
}

static unsigned line_of(const char *position)
{
	unsigned line = 1;

	position += strspn(position, " \t\r\n");
	for (const char *c = host.text; c < position; c++)
		line += *c == '\n';
	return line;
}

static bool run_script(sqlite3 *db)
{
	const char *position = host.text;

	while (*position != '\0') {
		const char *statement = position;

		if (run_statement(db, &position) != SQLITE_OK) {
			fprintf(stderr, "%s: %s:%u: %s\n", host.program, host.script,
			        line_of(statement), sqlite3_errmsg(db));
			return false;
		}
	}
	if (position != host.text + host.length) {
		fprintf(stderr, "%s: %s:%u: a zero byte; scripts are text\n", host.program,
		        host.script, line_of(position));
		return false;
	}
	return true;
}

static bool run(void)
{
	sqlite3 *db = NULL;
	bool done = configure_memory() && sqlite3_open(":memory:", &db) == SQLITE_OK;

	if (!done)
		fprintf(stderr, "%s: cannot start SQLite: %s\n", host.program,
		        db != NULL ? sqlite3_errmsg(db) : "its memory cannot be replaced");
	done = done && run_script(db);
	sqlite3_close(db);
	sqlite3_shutdown();
	return done;
}

int main(int argc, char **argv)
{
	bool done;

	(void)argc;
	host_open(&host, argv);
	done = run();
	host_plant(&host);
	host_close(&host);
	if (fflush(stdout) != 0) {
		perror(host.program);
		done = false;
	}
	return done ? EXIT_SUCCESS : HOST_EXIT_FAILURE;
}
