/* SPDX-License-Identifier: Apache-2.0
 *
 * Mono with its whole native heap on Fencepost's: runs a program as `mono` would.
 *
 *	mono_host [--plant=MISTAKE] PROGRAM.exe [ARGS...]
 *
 * The mistake is made by the native plug-in (mono_plugin.c) when PROGRAM calls it, as
 * mono_demo.cs does. What Mono itself leaves behind at its end is in mono.supp:
 *
 *	FENCEPOST_OPTIONS=suppressions=examples/mono.supp
 *
 * Exit status: the program's; 1 when it could not run, or did not call the plug-in that was to
 * make the mistake; 2 for a wrong command line.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mono/jit/jit.h>
#include <mono/metadata/assembly.h>
#include <mono/metadata/environment.h>
#include <mono/metadata/mono-config.h>
#include <mono/metadata/mono-debug.h>

#include <fencepost/fencepost.h>

#include "host.h"
#include "mono_memory.h"
#include "mono_names.h"
#include "mono_plugin.h"

/* Stays open: managed code has addresses in it. Where it is not, programs run that have no need
 * of it. */
static void *open_plugin(const struct host *host)
{
	void *plugin = dlopen("libmono_plugin.so", RTLD_NOW);
	mono_plugin_open_function *open = NULL;

	if (plugin != NULL)
		open = (mono_plugin_open_function *)dlsym(plugin, "mono_plugin_open");
	if (open != NULL)
		open(host->manager, host->heap, host->plant != NULL ? host->plant->name : NULL);
	return plugin;
}

/* Why the mistake that was asked for was not made, or NULL. */
static const char *find_obstacle(const struct host *host, void *plugin)
{
	mono_plugin_has_planted_function *has_planted;

	if (host->plant == NULL)
		return NULL;
	if (plugin == NULL)
		return "there is no plug-in to make the mistake in: libmono_plugin.so was not "
		       "found";
	has_planted =
	        (mono_plugin_has_planted_function *)dlsym(plugin, "mono_plugin_has_planted");
	return has_planted() ? NULL
	                     : "the program did not call the plug-in, so no mistake was made";
}

/* What `mono` does. The program's name is its first argument. */
static int run(const struct host *host)
{
	MonoDomain *domain;
	MonoAssembly *assembly;
	int argc = 1;

	while (host->args[argc - 1] != NULL)
		argc++;
	mono_config_parse(NULL);
	mono_debug_init(MONO_DEBUG_FORMAT_MONO);
	domain = mono_jit_init(host->script);
	/* Mono has put its own handlers in place of Fencepost's: bad accesses to blocks are
	 * reported first, and null references go to Mono. */
	fp_install_fault_handler();
	assembly = mono_domain_assembly_open(domain, host->script);
	if (assembly == NULL) {
		fprintf(stderr, "%s: %s is not a program for Mono\n", host->program,
		        host->script);
		return HOST_EXIT_FAILURE;
	}
	mono_jit_exec(domain, assembly, argc, host->args - 1);
	argc = mono_environment_exitcode_get();
	mono_jit_cleanup(domain);
	return argc;
}

int main(int argc, char **argv)
{
	struct host host = {0};
	const char *obstacle;
	void *plugin;
	int status;

	(void)argc;
	host_begin(&host, argv, "PROGRAM.exe");
	mono_memory_use(host.extended);
	if (!mono_names_begin())
		fprintf(stderr,
		        "%s: managed frames will have no names: no file for them in /tmp: %s\n",
		        host.program, strerror(errno));
	/* At a crash Mono would start a debugger, which says less than Fencepost has said. */
	setenv("MONO_DEBUG", "no-gdb-backtrace", 0);
	plugin = open_plugin(&host);
	status = run(&host);
	obstacle = find_obstacle(&host, plugin);
	if (obstacle != NULL) {
		fprintf(stderr, "%s: %s\n", host.program, obstacle);
		status = HOST_EXIT_FAILURE;
	}
	return status;
}
