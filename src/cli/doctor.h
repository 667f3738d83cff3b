/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of `fencepost doctor`: each looks at one thing and adds lines to a checkup.
 *
 * Context: report.
 */
#ifndef FP_CLI_DOCTOR_H
#define FP_CLI_DOCTOR_H

#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include "cli/cli.h"

enum fp_cli_verdict { FP_CLI_OK, FP_CLI_WARNING, FP_CLI_PROBLEM, FP_CLI_VERDICTS };

struct fp_cli_check {
	const char *name;
	enum fp_cli_verdict verdict;
	char *text;           /* NULL when memory ran out */
	char *fix;            /* a command to type; NULL when there is none */
	char *advice;         /* what else to do; NULL when there is nothing */
	uint64_t nanoseconds; /* what one block costs; 0 when that was not measured */
};

enum { FP_CLI_CHECKS_MAX = 32 };

struct fp_cli_checkup {
	struct fp_cli_check checks[FP_CLI_CHECKS_MAX];
	size_t count;
	const char *backend; /* the one that would be used; "none" when nothing protects */
};

/* Adds a line; its text is as of printf(3). Fix and advice are NULL. */
struct fp_cli_check *fp_cli_checkup_add(struct fp_cli_checkup *checkup, const char *name,
                                        enum fp_cli_verdict verdict, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

void fp_cli_check_fix(struct fp_cli_check *check, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

void fp_cli_check_advise(struct fp_cli_check *check, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* Before a command that takes root: "sudo ", or "" for root. */
const char *fp_cli_sudo(void);

/* A limit of the shell, as ulimit and prlimit(1) name it. */
struct fp_cli_limit {
	int resource;
	char letter;
	const char *name;
	rlim_t wanted;
};

extern const struct fp_cli_limit fp_cli_limit_address_space;
extern const struct fp_cli_limit fp_cli_limit_descriptors;

/* The command that makes it as high as is wanted, for this shell. */
void fp_cli_fix_limit(struct fp_cli_check *check, const struct fp_cli_limit *limit);

/* The command that installs the debug information of the package that the file PATH is of;
 * false when it is of none. */
bool fp_cli_fix_by_package(struct fp_cli_check *check, const char *path);

/* NAME as a shell takes it. New memory, or NULL. */
char *fp_cli_quote(const char *name);

/* Whether /proc tells of a seccomp filter on this process. 0: none; -1: /proc does not say. */
int fp_cli_seccomp_mode(void);

/* Tries every way of protecting blocks in a child each, and sets the checkup's back end. */
void fp_cli_check_backends(struct fp_cli_checkup *checkup);

/* After the back ends: which limit matters depends on the one in use. */
void fp_cli_check_limits(struct fp_cli_checkup *checkup);

/* Whether `fencepost run` has what it needs. */
void fp_cli_check_installation(struct fp_cli_checkup *checkup);

/* Whether the program called NAME can be served, and what reports will know of it. */
void fp_cli_check_program(struct fp_cli_checkup *checkup, const char *name);

/* As text, or as one JSON object, schema fencepost-doctor-1. */
void fp_cli_checkup_print(const struct fp_cli_checkup *checkup, FILE *out);
int fp_cli_checkup_print_json(const struct fp_cli_checkup *checkup, FILE *out);

#endif
