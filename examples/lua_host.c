/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for Lua: runs a Lua script, with all of Lua's memory from an IHostMalloc.
 *
 *	lua_host [--plant=MISTAKE] SCRIPT|- [ARGS...]
 *
 * The script finds its arguments in `arg` and `...`. Exit status: 0, 1 when the script or the
 * heap failed, 2 for a wrong command line. Fencepost's options: FENCEPOST_OPTIONS.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "host.h"

/*
 * Lua's allocator. With ptr NULL, osize is a type and not a size; otherwise it is exactly what
 * was asked for. A block that cannot be moved to a smaller one is kept: Lua 5.3 and older count
 * on shrinking to succeed.
 */
static void *allocate(void *user, void *ptr, size_t osize, size_t nsize)
{
	const struct host *host = user;
	void *moved;

	if (nsize == 0) {
		host_free(host, ptr);
		return NULL;
	}
	moved = host_reallocate(host, ptr, nsize);
	return moved == NULL && ptr != NULL && nsize <= osize ? ptr : moved;
}

/* The text after a first line that begins with '#', for scripts that name their interpreter. */
static const char *skip_interpreter_line(const char *text)
{
	return text[0] == '#' ? text + strcspn(text, "\n") : text;
}

static int push_args(lua_State *lua, const struct host *host)
{
	int count = 0;

	lua_newtable(lua);
	lua_pushstring(lua, host->script);
	lua_rawseti(lua, -2, 0);
	for (; host->args[count] != NULL; count++) {
		lua_pushstring(lua, host->args[count]);
		lua_rawseti(lua, -2, count + 1);
	}
	lua_setglobal(lua, "arg");
	luaL_checkstack(lua, count, "too many arguments to the script");
	for (int i = 0; i < count; i++)
		lua_pushstring(lua, host->args[i]);
	return count;
}

static int add_traceback(lua_State *lua)
{
	const char *message = lua_tostring(lua, 1);

	luaL_traceback(lua, lua, message != NULL ? message : "(error object is not a string)",
	               1);
	return 1;
}

/* Called protected, because every step may run out of memory. */
static int run_script(lua_State *lua)
{
	const struct host *host = lua_touserdata(lua, 1);
	const char *text = skip_interpreter_line(host->text);
	size_t length = host->length - (size_t)(text - host->text);
	const char *name;

	luaL_openlibs(lua);
	name = lua_pushfstring(lua, "@%s", host->script);
	if (luaL_loadbuffer(lua, text, length, name) != LUA_OK)
		return lua_error(lua);
	lua_call(lua, push_args(lua, host), 0);
	return 0;
}

static bool run(struct host *host)
{
	lua_State *lua = lua_newstate(allocate, host);
	bool done;

	if (lua == NULL) {
		fprintf(stderr, "%s: no memory for Lua\n", host->program);
		return false;
	}
	lua_pushcfunction(lua, add_traceback);
	lua_pushcfunction(lua, run_script);
	lua_pushlightuserdata(lua, host);
	done = lua_pcall(lua, 1, 0, 1) == LUA_OK;
	if (!done)
		fprintf(stderr, "%s: %s\n", host->program, lua_tostring(lua, -1));
	lua_close(lua);
	return done;
}

int main(int argc, char **argv)
{
	struct host host = {0};
	bool done;

	(void)argc;
	host_open(&host, argv);
	done = run(&host);
	host_plant(&host);
	host_close(&host);
	if (fflush(stdout) != 0) {
		perror(host.program);
		done = false;
	}
	return done ? EXIT_SUCCESS : HOST_EXIT_FAILURE;
}
