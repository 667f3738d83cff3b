/* SPDX-License-Identifier: Apache-2.0
 *
 * Mistakes with APR's pools: apr_victim HOW.
 */
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

static char *make_name(apr_pool_t *pool)
{
	return apr_pstrcat(pool, "name", " of ", "somebody", NULL);
}

static volatile char sink;

int main(int argc, char **argv)
{
	apr_pool_t *root, *request;

	apr_initialize();
	apr_pool_create(&root, NULL);
	apr_pool_create(&request, root);
	char *name = make_name(request);
	char *table = apr_palloc(request, 100000);
	memset(table, 1, 100000);
	if (strcmp(argv[1], "good") == 0)
		write(1, name, strlen(name));
	apr_pool_clear(request);
	if (strcmp(argv[1], "cleared") == 0)
		write(1, name, 16);
	if (strcmp(argv[1], "page") == 0)
		sink = table[50000];
	if (strcmp(argv[1], "beyond") == 0) {
		char *bytes = apr_palloc(request, 24);
		memset(bytes, 'x', 24);
		write(1, bytes, 28);
	}
	apr_pool_destroy(root);
	apr_terminate();
	return 0;
}
